"""Whether two headlines are about one event when nothing else is known: no story, no rivals, no stream around them.

There is time to look closer than grouping can: besides what sketches are compared by, the words themselves are laid beside each other,
letter by letter, and opposites (rises and falls) are looked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

from alerts.stories.compare import CLOSER, FEATURES, View, closer_features, features, view_of
from alerts.stories.rarity import Rarity
from alerts.stories.sketch import Sketch, word_hashes
from alerts.text.stems import stems
from alerts.text.tokens import words

MORE = (
    "trigrams", "aligned_more", "aligned_less", "apart_more", "apart_less", "left_more", "left_less", "pairs", "order", "letters",
    "opposed", "figures",
)  # fmt: skip
HEADLINE_FEATURES = (*FEATURES, *CLOSER, *MORE)
_ALIKE = 0.4  # share of trigrams from which two words may be spellings of one
_UNKNOWN = 6.0  # weight of a word that the sketch does not have
_PLAIN = 1.0  # and of stop words


class Headline(NamedTuple):
    """One of the two."""

    title: str
    sketch: Sketch


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
        float(_opposed(first, second, one.sketch.language or "en")),
        float(len(numbers[0] ^ numbers[1]) if all(numbers) else 0),
    ]


def _laid(mine: Sequence[str], theirs: Sequence[str], view: View) -> _Laid:
    if not mine or not theirs:
        return _Laid(0.0, 0.0, 0.0)
    whole = held = 0.0
    apart = 0.0
    for word in mine:
        weight = _weight(word, view)
        near = max(_alike(word, other) for other in theirs)
        near = near if near > _ALIKE else 0.0
        whole, held, apart = whole + weight, held + weight * near, max(apart, weight * (1.0 - near))
    return _Laid(held / whole, apart, whole - held)


def _weight(word: str, view: View) -> float:
    """How rare a word is; of a compound its rarest part."""
    hashes = word_hashes(word, view.sketch.language or None)
    return max((view.weights.get(term, _UNKNOWN) for term in hashes), default=_PLAIN)


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


def _opposed(first: Sequence[str], second: Sequence[str], language: str) -> int:
    """How many words of one have their opposite in the other, and not beside them: "shares rise", "shares fall"."""
    table = _opposites(language)
    if not table:
        return 0
    mine, theirs = ({table[stem] for stem in (_stem(word, language) for word in side) if stem in table} for side in (first, second))
    return sum((pair, 1 - end) in theirs and (pair, end) not in theirs and (pair, 1 - end) not in mine for pair, end in mine)


def _stem(word: str, language: str) -> str:
    return min(stems(word, language), default=word)


@lru_cache(maxsize=64)
def _opposites(language: str) -> Mapping[str, tuple[int, int]]:
    """stem -> number of its pair of opposites, and which end of it."""
    found: dict[str, tuple[int, int]] = {}
    text = resources.files("alerts.stories").joinpath("data", "opposites.txt").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines()):
        tag, _, ends = line.partition(" = ")
        if tag == language:
            for end, said in enumerate(ends.split(" | ")):
                found |= {_stem(word, language): (number, end) for word in said.split()}
    return found
