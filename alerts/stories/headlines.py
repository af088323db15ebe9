"""Whether two headlines are about one event when nothing else is known: no story, no rivals, no stream around them.

There is time to look closer than grouping can: besides what sketches are compared by, the words themselves are laid beside each other,
letter by letter and by their meaning, and opposites (rises and falls), other numbers, countries and days are looked for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from alerts.stories.compare import CLOSER, FEATURES, View, closer_features, features, view_of
from alerts.stories.rarity import Rarity
from alerts.stories.sketch import Sketch, word_hashes
from alerts.stories.toll import is_total
from alerts.stories.wordings import are_days_apart, opposed, respelled, synonyms
from alerts.text.tokens import words

MORE = (
    "trigrams", "aligned_more", "aligned_less", "apart_more", "apart_less", "left_more", "left_less", "pairs", "order", "letters",
    "opposed", "figures", "values_apart", "countries_apart", "days_apart", "days",
)  # fmt: skip
HEADLINE_FEATURES = (*FEATURES, *CLOSER, *MORE)
_ALIKE = 0.4  # share of trigrams from which two words may be spellings of one
_SYNONYM = 0.8
_UNKNOWN = 6.0  # weight of a word that the sketch does not have
_PLAIN = 1.0  # and of stop words
_SOON_S = 2 * 3600  # headlines less far apart are as near as any: some feeds know the day alone
_HURRY = 4.0  # of the days between two headlines: the first hours say more than the third day


class Headline(NamedTuple):
    """One of the two."""

    title: str
    sketch: Sketch
    is_dated: bool = False  # whether the time of the sketch is that of the headline


class _Laid(NamedTuple):
    """How the words of one headline lie beside those of the other."""

    share: float  # of its weight that has a counterpart
    apart: float  # weight of its word that has the least
    left: float  # weight without one


def headline_features(one: Headline, other: Headline, rarity: Rarity) -> list[float]:
    """The comparison in the order of HEADLINE_FEATURES."""
    a, b = view_of(one.sketch, rarity), view_of(other.sketch, rarity)
    first, second = words(one.title), words(other.title)
    here, there = _laid(first, second, a), _laid(second, first, b)
    numbers = [{word for word in side if word[0].isdigit()} for side in (first, second)]
    is_grown = _values(one) != _values(other) and any(is_total(h.title, language=h.sketch.language or None) for h in (one, other))
    steps = set(pairwise(first)) & set(pairwise(second))
    return [
        *features(a, b),
        *closer_features(a, b),
        _trigrams(first, second),
        max(here.share, there.share),
        min(here.share, there.share),
        max(here.apart, there.apart),
        min(here.apart, there.apart),
        max(here.left, there.left),
        min(here.left, there.left),
        len(steps) / max(1, min(len(first), len(second)) - 1),
        SequenceMatcher(None, first, second, autojunk=False).ratio(),
        SequenceMatcher(None, " ".join(first), " ".join(second), autojunk=False).ratio(),
        float(opposed(first, second, one.sketch.language or "en")),
        float(len(numbers[0] ^ numbers[1]) if all(numbers) else 0),
        0.0 if is_grown else _apart(_values(one), _values(other)),
        _apart({code[:2] for code in one.sketch.places}, {code[:2] for code in other.sketch.places}),
        float(are_days_apart(first, second, one.sketch.language or "en")),
        math.log1p(_HURRY * max(_SOON_S, abs(one.sketch.at_s - other.sketch.at_s)) / 86400) if are_dated(one, other) else 0.0,
    ]


def are_dated(one: Headline, other: Headline) -> bool:
    """Whether it is known of both when they were published."""
    return one.is_dated and other.is_dated


def _values(headline: Headline) -> frozenset[float]:
    return frozenset(number.value for number in headline.sketch.numbers)


def _apart(mine: AbstractSet[object], theirs: AbstractSet[object]) -> float:
    """How many each side has that the other lacks, the lesser of both, at most 2: a visit of France's president and one of Iran's."""
    return float(min(2, len(mine - theirs), len(theirs - mine)))


def _laid(mine: Sequence[str], theirs: Sequence[str], view: View) -> _Laid:
    if not mine or not theirs:
        return _Laid(0.0, 0.0, 0.0)
    language = view.sketch.language or "en"
    said = {term for word in theirs for term in _hashes(word, view)}
    meant = {group for word in theirs for group in synonyms(word, language)}
    spelled = respelled(mine, theirs)
    whole = held = apart = 0.0
    for word in mine:
        weight = _weight(word, view)
        near = max(_alike(word, other) for other in theirs)
        near = near if near > _ALIKE else 0.0
        if word in spelled or not said.isdisjoint(_hashes(word, view)):
            near = 1.0  # killed, dead
        elif near < _SYNONYM and not meant.isdisjoint(synonyms(word, language)):
            near = _SYNONYM
        whole, held, apart = whole + weight, held + weight * near, max(apart, weight * (1.0 - near))
    return _Laid(held / whole, apart, whole - held)


def _weight(word: str, view: View) -> float:
    """How rare a word is; of a compound its rarest part."""
    return max((view.weights.get(term, _UNKNOWN) for term in _hashes(word, view)), default=_PLAIN)


def _hashes(word: str, view: View) -> tuple[int, ...]:
    return word_hashes(word, view.sketch.language or None)


@lru_cache(maxsize=16384)
def _alike(one: str, other: str) -> float:
    """The share of trigrams that two words have in common, 0 to 1."""
    if one == other:
        return 1.0
    a, b = _parts(one), _parts(other)
    return 2 * len(a & b) / (len(a) + len(b))


@lru_cache(maxsize=16384)
def _parts(word: str) -> frozenset[str]:
    padded = f" {word} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def _trigrams(first: Sequence[str], second: Sequence[str]) -> float:
    """Dice's coefficient of the trigrams of both texts, each as often as it stands there."""
    a, b = (Counter(text[at : at + 3] for at in range(len(text) - 2)) for text in (f" {' '.join(side)} " for side in (first, second)))
    return 2 * (a & b).total() / max(1, a.total() + b.total())
