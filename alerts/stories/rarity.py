"""How rare a term is: its document frequency among the live stories, and in a prior of news that stands in at the start."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sized

PRIOR_WEIGHT = 3000.0  # stories that the prior counts for
_UNCOUNTED_WEIGHT = 100.0  # and for languages of which nothing was counted, where a word may well be common
COUNTED = frozenset(("", "en", "de", "fr", "es", "it", "pt", "ru", "nl"))  # languages of the prior; "" is mostly English


class Rarity:
    """Weights of terms; holds nothing but the postings it is given, so that an index loaded from the store weighs alike."""

    def __init__(self, prior: Mapping[int, float], postings: Mapping[int, Sized], stories: Sized) -> None:
        self._prior, self._postings, self._stories = prior, postings, stories

    def weigh(self, terms: Iterable[int], language: str = "") -> dict[int, float]:
        """The weights of many terms of one item in their order: the logarithm of how many stories there are for each with the term."""
        prior, postings = self._prior.get, self._postings.get
        pseudo = PRIOR_WEIGHT if language in COUNTED else _UNCOUNTED_WEIGHT
        items = math.log(len(self._stories) + pseudo + 1.0)
        return {t: items - math.log(len(postings(t, ())) + prior(t, 0.0) * pseudo + 0.5) for t in terms}
