"""The stem of a word in its language: "strikes" and "striking" are both strike.

Snowball's algorithms, in C when PyStemmer is installed. Accents matter to them and readers leave them out, so a word has
the stem of its spelling and the stem of its folded form.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import snowballstemmer

from alerts.text.normalise import clean, fold

_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english", "eo": "esperanto",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "st": "sesotho",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


class _Stemmer(Protocol):
    def stemWord(self, word: str, /) -> str: ...


@lru_cache(maxsize=65536)
def stems(word: str, language: str | None) -> frozenset[str]:
    """The folded stems of a word; the folded word itself where its language has no algorithm, or one that leaves nothing of it.

    Args:
        word: As it was written.
        language: Primary tag; None is taken for English in plain Latin letters.
    """
    folded = fold(word)
    stemmer = _stemmer(language or ("en" if folded.isascii() else ""))
    if stemmer is None:
        return frozenset((folded,))
    spelled = clean(word).lower()
    return frozenset(fold(stemmer.stemWord(form)) or folded for form in {spelled, folded})


def has_stems(language: str | None) -> bool:
    """Whether words of a language have stems other than themselves; None may be any language."""
    return language is None or _stemmer(language) is not None


@lru_cache(maxsize=64)
def _stemmer(language: str) -> _Stemmer | None:
    name = _ALGORITHMS.get(language)
    if name is None or name not in snowballstemmer.algorithms():
        return None
    found: _Stemmer = snowballstemmer.stemmer(name)
    return found
