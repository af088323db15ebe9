"""How the words of two headlines stand to each other: put for one another, the opposite of each other, two different days.

The lists are data (data/synonyms.txt, data/opposites.txt, data/days.txt): words by language, found again by their stems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from alerts.stories.wordlists import rows
from alerts.text.normalise import fold
from alerts.text.stems import stems

_DAYS = ("days", "months")
_INITIALS = 5  # letters of an abbreviation, at most
_NONE: frozenset[int] = frozenset()


@lru_cache(maxsize=16384)
def synonyms(word: str, language: str) -> frozenset[int]:
    """The numbers of the groups of synonyms that a folded word stands in: two words of one group may stand for each other."""
    return _synonyms(language).get(_stem(word, language), _NONE)


def opposed(first: Iterable[str], second: Iterable[str], language: str) -> int:
    """How many words of one have their opposite in the other, and not beside them: "shares rise", "shares fall"."""
    table = _opposites(language)
    if not table:
        return 0
    mine, theirs = ({table[stem] for stem in (_stem(word, language) for word in side) if stem in table} for side in (first, second))
    return sum((pair, 1 - end) in theirs and (pair, end) not in theirs and (pair, 1 - end) not in mine for pair, end in mine)


def are_days_apart(first: Iterable[str], second: Iterable[str], language: str) -> bool:
    """Whether both name days of the week, or both months, and none is the same: all that may differ in a report of every day."""
    names = _days(language)
    mine, theirs = ({names[word] for word in words if word in names} for words in (first, second))
    for kind in _DAYS:
        here, there = ({number for known, number in side if known == kind} for side in (mine, theirs))
        if here and there and not here & there:
            return True
    return False


def respelled(mine: Sequence[str], theirs: Sequence[str]) -> frozenset[str]:
    """The words of one headline that the other writes in one where it has two, in two where it has one, or by their first letters.

    Horse meat is horsemeat, re-election (two words here) reelection, and the African Union AU.
    """
    found: set[str] = set()
    whole, joined = set(theirs), {one + other for one, other in pairwise(theirs)}
    found.update(word for word in mine if word in joined)
    for one, other in pairwise(mine):
        if one + other in whole:
            found |= {one, other}
    short, mine_short = ({word for word in side if 2 <= len(word) <= _INITIALS} for side in (theirs, mine))
    for size in range(2, _INITIALS + 1):
        found.update(word for word in mine_short if len(word) == size and word in _initials(theirs, size))
        for start in range(len(mine) - size + 1):
            if "".join(word[0] for word in mine[start : start + size]) in short:
                found.update(mine[start : start + size])
    return frozenset(found)


def _initials(words: Sequence[str], size: int) -> set[str]:
    return {"".join(word[0] for word in words[start : start + size]) for start in range(len(words) - size + 1)}


def _stem(word: str, language: str) -> str:
    return min(stems(word, language), default=word)


def _lists(name: str, language: str) -> Iterable[tuple[int, str]]:
    """The lists of one language, numbered through the file."""
    return ((number, said) for number, (tag, said) in enumerate(rows(name)) if tag == language)


@lru_cache(maxsize=64)
def _synonyms(language: str) -> Mapping[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for number, said in _lists("synonyms.txt", language):
        for stem in {_stem(word, language) for word in said.split()}:
            found[stem] = found.get(stem, _NONE) | {number}
    return found


@lru_cache(maxsize=64)
def _opposites(language: str) -> Mapping[str, tuple[int, int]]:
    """stem -> number of its pair of opposites, and which end of it."""
    found: dict[str, tuple[int, int]] = {}
    for number, said in _lists("opposites.txt", language):
        for end, words in enumerate(said.split("|")):
            found |= {_stem(word, language): (number, end) for word in words.split()}
    return found


@lru_cache(maxsize=64)
def _days(language: str) -> Mapping[str, tuple[str, int]]:
    """folded name -> whether of a day or a month, and which."""
    found: dict[str, tuple[str, int]] = {}
    for kind in _DAYS:
        for _, said in _lists("days.txt", f"{language}.{kind}"):
            found |= _numbered(kind, said.split("|"))
    return found


def _numbered(kind: str, names: Sequence[str]) -> dict[str, tuple[str, int]]:
    return {fold(word): (kind, number) for number, said in enumerate(names) for word in said.split()}
