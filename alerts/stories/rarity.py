"""How rare a term is: its document frequency among the live stories, and in a prior of news that stands in at the start."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sized

PRIOR_WEIGHT = 3000.0  # stories that the prior counts for


class Rarity:
    """Weights of terms; holds nothing but the postings it is given, so that an index loaded from the store weighs alike."""

    def __init__(self, prior: Mapping[int, float], postings: Mapping[int, Sized], stories: Sized) -> None:
        self._prior, self._postings, self._stories = prior, postings, stories

    def of(self, term: int) -> float:
        """The logarithm of how many stories there are for each one with the term; at least 0."""
        live = self._postings.get(term)
        known = (len(live) if live else 0) + self._prior.get(term, 0.0) * PRIOR_WEIGHT
        return math.log((len(self._stories) + PRIOR_WEIGHT + 1.0) / (known + 0.5))
