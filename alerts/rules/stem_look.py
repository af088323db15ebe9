"""Whether a text may have a word with a certain stem, without finding the stem of every word of it.

Where a language only changes the ends of words, a word begins as its stem does; that is searched for. The words of the
texts that are left are looked up in a vocabulary that grows while they are read: each is stemmed once.
"""

from __future__ import annotations

import re

from alerts.rules.nodes import Words
from alerts.rules.sieve import Look
from alerts.text.stems import stems
from alerts.text.tokens import surfaces

# Languages whose stems, but for their last two letters, begin all their words: held for the 60,000 most frequent words of each.
_SUFFIXING = frozenset(("ca", "cs", "da", "en", "es", "fr", "hu", "it", "no", "pl", "pt", "ro", "ru", "sv"))
_SAME_START = _SUFFIXING | {"de", "fi", "hi", "sr"}  # languages whose stems keep at least the first letter
_LANGUAGES = re.compile(rb'"language":"([^"]*)"')


class StemLook:
    """Whether a text may have words with the stems of all terms: False, or None when only cutting it can say."""

    def __init__(self, words: Words) -> None:
        self._terms = words.terms
        self._begins: dict[str | None, list[Look]] = {}  # language -> a look for each term
        self._beginning: dict[str | None, re.Pattern[str]] = {}
        self._vocabulary: dict[str | None, dict[str, int]] = {}  # language -> word -> which terms it could be, as bits
        self._all = (1 << len(self._terms)) - 1

    def may_have(self, raw: bytes) -> bool:
        """Whether an archived item, as JSON, could have the words."""
        languages = {found.decode() for found in _LANGUAGES.findall(raw)}
        return any(self._begin_in(raw, language) for language in (None, *languages))

    def __call__(self, text: str, language: str | None) -> bool | None:
        """What the words of a text say."""
        if not self._begin_in(text, language):
            return False
        known = self._vocabulary.setdefault(language, {})
        found = 0
        for word in self._words(text, language):
            bits = known.get(word)
            if bits is None:
                bits = known[word] = self._bits(word, language)
            found |= bits
        return None if found == self._all else False

    def _words(self, text: str, language: str | None) -> set[str]:
        """The words of a text that could have one of the stems."""
        if not text.isascii() or (language is not None and language not in _SUFFIXING):
            return {word.lower() for word in surfaces(text)}
        if language not in self._beginning:
            heads = "|".join(head.terms[0] for term in self._terms for head in _heads(term, language))
            self._beginning[language] = re.compile(f"(?<![A-Za-z])(?:{heads})[A-Za-z0-9]*", re.IGNORECASE)
        return {word.lower() for word in self._beginning[language].findall(text)}

    def _begin_in(self, text: str | bytes, language: str | None) -> bool:
        """Whether each term has a word that begins as its stem does; True where that says nothing."""
        if language is not None and language not in _SUFFIXING:
            return True
        if language not in self._begins:
            self._begins[language] = [Look(_heads(term, language)) for term in self._terms]
        return all(look(text) is not False for look in self._begins[language])

    def _bits(self, word: str, language: str | None) -> int:
        if language in _SAME_START and word[0].isascii() and not any(s[:1] == word[0] for t in self._terms for s in stems(t, language)):
            return 0
        mine = stems(word, language)
        return sum(1 << n for n, term in enumerate(self._terms) if not mine.isdisjoint(stems(term, language)))


def _heads(term: str, language: str | None) -> list[Words]:
    """What the words of a language begin with that have the stem of a term: "dying" has the stem die."""
    found = {stem[: max(2, len(stem) - 2)] for stem in stems(term, language)}
    found |= {f"{stem[:-2]}y" for stem in stems(term, language) if len(stem) < 4 and stem.endswith("ie")}
    return [Words((head,), mode="prefix") for head in sorted(found)]
