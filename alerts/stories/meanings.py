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
    concept = _concepts(known).get(stem)
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


def _parts(stem: str, language: str) -> tuple[Term, ...]:
    concepts = _concepts(language)
    for cut in range(_SHORTEST_PART - 1, len(stem) - _SHORTEST_PART + 1):
        if (concept := concepts.get(stem[cut:])) is not None:
            head = stem[:cut].removesuffix("s") if cut > _SHORTEST_PART else stem[:cut]
            first = concepts.get(min(stems(head, language)))
            return (Term("#" + first, True) if first else Term(head, False), Term("#" + concept, True))
    return (Term(stem, False),)


@lru_cache(maxsize=64)
def _concepts(language: str) -> dict[str, str]:
    """stem -> concept of one language."""
    found: dict[str, str] = {}
    for key, words in rows("concepts.txt"):
        tag, _, concept = key.partition(".")
        if tag == language:
            found |= {stem: concept for word in words.split() for stem in stems(word, language)}
    return found


@lru_cache(maxsize=1)
def _stopwords() -> dict[str, frozenset[str]]:
    return {key: frozenset(map(fold, words.split())) for key, words in rows("stopwords.txt")}
