"""What the words of a headline stand for: one concept for kills, dead and toll; nothing for the, of and live.

The lists are data (data/concepts.txt, data/stopwords.txt, data/common.txt): words by language, found again by their
stems. Languages that write compounds as one word are cut before a known concept: Messerangriff is knife and attack.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from alerts.stories.wordlists import rows
from alerts.text.normalise import fold
from alerts.text.stems import stems

_COMPOUNDING = frozenset({"de", "nl", "sv", "da", "no"})
_SHORTEST_PART = 4
_SHORT_TAILS, _LONG_HEAD = frozenset({"zug", "bus"}), 5  # a Regionalzug is a train; a Rückzug, a retreat, is none


class Term(NamedTuple):
    """One word in the form in which items are compared."""

    text: str  # a stem, or "#" and a concept
    is_concept: bool


@lru_cache(maxsize=65536)
def terms_of(word: str, language: str | None) -> tuple[Term, ...]:
    """What one word counts as; empty for stop words.

    Args:
        word: As it was written, without spaces.
        language: Primary tag; None is read as English in Latin letters.
    """
    known = language or "en"
    folded = fold(word)
    if folded in _stopwords().get(known, frozenset()) or (folded in _stopwords()["en"] and known not in _stopwords()):
        return ()
    stem = min(stems(word, language), default=folded)
    concept = _exact(known).get(folded) or _concepts(known).get(stem)
    if concept:
        return (Term("#" + concept, True),)
    if known in _COMPOUNDING and len(folded) > 2 * _SHORTEST_PART:
        return _parts(stem, known)
    return (Term(stem, False),)


def common_terms() -> frozenset[str]:
    """The terms of words that many headlines of their language have."""
    found = ((word, key) for key, words in rows("common.txt") for word in words.split())
    return frozenset(term.text for word, key in found for term in terms_of(word, key) if not term.is_concept)


def concept_names() -> frozenset[str]:
    """The names of all concepts."""
    return frozenset(key.partition(".")[2] for key, _ in rows("concepts.txt"))


def kinds_of_events() -> dict[str, frozenset[str]]:
    """concept -> the kinds of events that it may tell of, for those that say what happened."""
    return {concept: frozenset(kinds.split()) for concept, kinds in rows("kinds.txt")}


def _parts(stem: str, language: str) -> tuple[Term, ...]:
    concepts = _concepts(language)
    shortest = _SHORTEST_PART - (stem[-3:] in _SHORT_TAILS and len(stem) >= _LONG_HEAD + 3)
    for cut in range(_SHORTEST_PART - 1, len(stem) - shortest + 1):
        if (concept := concepts.get(stem[cut:])) is not None:
            head = stem[:cut].removesuffix("s") if cut > _SHORTEST_PART else stem[:cut]
            first = concepts.get(min(stems(head, language)))
            return (Term("#" + first, True) if first else Term(head, False), Term("#" + concept, True))
    return (Term(stem, False),)


@lru_cache(maxsize=64)
def _concepts(language: str) -> dict[str, str]:
    """stem -> concept of one language; of a stem that words of two concepts have, the concept that stands first."""
    found: dict[str, str] = {}
    for concept, words in _listed(language):
        for word in words:
            for stem in stems(word, language):
                found.setdefault(stem, concept)
    return found


@lru_cache(maxsize=64)
def _exact(language: str) -> dict[str, str]:
    """folded word -> concept, which comes before its stem: fired is from a job, fires are fires."""
    found: dict[str, str] = {}
    for concept, words in _listed(language):
        for word in words:
            found.setdefault(fold(word), concept)
    return found


def _listed(language: str) -> list[tuple[str, list[str]]]:
    """Concept and words of each row of one language."""
    split = ((*key.partition("."), words.split()) for key, words in rows("concepts.txt"))
    return [(concept, words) for tag, _, concept, words in split if tag == language]


@lru_cache(maxsize=1)
def _stopwords() -> dict[str, frozenset[str]]:
    return {key: frozenset(map(fold, words.split())) for key, words in rows("stopwords.txt")}
