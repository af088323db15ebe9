"""Whether a text has words with certain stems, without finding the stem of every word of every text.

A text is parted at white space, which no word goes across. The pieces go into a vocabulary that grows while texts are read:
each is cut into words and stemmed once, and a text is asked whether it shares a piece with those that have the stem.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from alerts.rules.nodes import Words
from alerts.rules.sieve import Look
from alerts.text.normalise import fold
from alerts.text.stems import has_stems, stems
from alerts.text.tokens import surfaces

# Languages whose stems, but for their last two letters, begin all their words: held for the 60,000 most frequent words of each.
_SUFFIXING = frozenset(("ca", "cs", "da", "en", "es", "fr", "hu", "it", "no", "pl", "pt", "ro", "ru", "sv"))
_SAME_START = frozenset(("de", "fi", "hi", "sr"))  # languages whose stems keep at least the first letter
_OTHER_SCRIPT = frozenset(("ar", "el", "fa", "hi", "hy", "ne", "ta", "yi"))  # languages whose stemmers leave Latin letters alone
_ANY = ("",)
_REMEMBERED = 200_000  # pieces of one language, some 20 MB; then they are learned anew


class StemLook:
    """Whether a text has words with the stems of all terms: True, False, or None when only cutting it can say."""

    def __init__(self, words: Words) -> None:
        self._terms = words.terms
        self._known: dict[str | None, list[_Pieces]] = {}  # language -> of each term

    def begins(self, language: str | None) -> Callable[[bytes], bool | None]:
        """A look at texts of that language, or at items as JSON: False when no word begins as one with the first stem does."""
        return self._of(language)[0].may_be_in

    def __call__(self, text: bytes, language: str | None) -> bool | None:
        """What the words of a text say; several terms may be there and yet not side by side."""
        known, pieces = self._of(language), text.split()
        if not all(some.are_in(pieces) for some in known):
            return False
        return True if len(known) == 1 else None

    def _of(self, language: str | None) -> list[_Pieces]:
        known = self._known.get(language)
        if known is None:
            known = self._known[language] = [_Pieces(term, language) for term in self._terms]
        return known


class _Pieces:
    """What stands between white space in the texts of one language that were read; which have a word with the stem of a term."""

    def __init__(self, term: str, language: str | None) -> None:
        self._language, self._stems = language, stems(term, language)
        heads = {(head, stem) for stem in self._stems for head in _heads(stem, language)}
        self._heads = tuple(sorted({head for head, _ in heads}))
        self.may_be_in = _perhaps if self._heads == _ANY else Look((Words((head,), mode="prefix") for head in self._heads), says_yes=False)
        plain = [head for head, stem in sorted(heads) if stem.isascii()]  # of words in ASCII, whose stems are in ASCII, too
        self._plain = re.compile(f"(?<![a-z])(?:{'|'.join(map(re.escape, plain))})".encode() if plain else b"(?!)", re.IGNORECASE)
        self._seen: set[bytes] = set()
        self._with: set[bytes] = set()

    def are_in(self, pieces: list[bytes]) -> bool:
        """Whether one of these has a word with the stem."""
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
            self._with.clear()
        if not self._seen.issuperset(pieces):
            for piece in pieces:
                if piece not in self._seen:
                    self._learn(piece)
        return not self._with.isdisjoint(pieces)

    def _learn(self, piece: bytes) -> None:
        self._seen.add(piece)
        if piece.isascii() and not self._plain.search(piece):
            return
        for surface in surfaces(piece.decode()):
            word = surface.lower()
            if self._begins(word) and not self._stems.isdisjoint(stems(word, self._language)):
                self._with.add(piece)

    def _begins(self, word: str) -> bool:
        return self._heads == _ANY or (word if word.isascii() else fold(word)).startswith(self._heads)


def _perhaps(_: bytes) -> None:
    """Nothing is known of a text without cutting it."""


def _heads(stem: str, language: str | None) -> set[str]:
    """What the words of a language begin with that have a stem: "dying" has the stem die; "" where that is not known."""
    if not has_stems(language) or (language in _OTHER_SCRIPT and stem.isascii()):
        return {stem}
    if language in _SAME_START:
        return {stem[:1]}
    if language is not None and language not in _SUFFIXING:
        return {""}
    heads = {stem[: max(2, len(stem) - 2)]}
    return heads | {f"{stem[:-2]}y"} if len(stem) < 4 and stem.endswith("ie") else heads
