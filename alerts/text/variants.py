"""Other spellings of a word that readers take for the same, beyond what folding makes equal.

"Müller" is folded to muller; it is written mueller too, so a text that says Müller has both words, and a query for
Müller looks for both. Letters of Urdu, Persian, Kurdish and Pashto that look or sound like an Arabic one count as that.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from alerts.text.normalise import fold

_LATIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_ARABIC = str.maketrans({"ہ": "ه", "ھ": "ه", "ۀ": "ه", "ۂ": "ه", "ۃ": "ه", "ە": "ه", "ے": "ي", "ۓ": "ي", "ې": "ي", "ۍ": "ي", "ێ": "ي"} | {
    "ګ": "گ", "ڪ": "ك", "ۆ": "و", "ۇ": "و", "ں": "ن"
})  # fmt: skip
_TELLING = frozenset(map(chr, {*_LATIN, *_ARABIC})) | {"\u0308", "\u030a"}  # combining forms of ä and å


@lru_cache(maxsize=16384)
def variants(word: str) -> tuple[str, ...]:
    """Folded spellings of the word besides `fold(word)`; nearly always none.

    Args:
        word: One word as it was written, capitals and all.
    """
    if word.isascii() or _TELLING.isdisjoint(word.casefold()):
        return ()
    whole = unicodedata.normalize("NFKC", word).casefold()
    plain = fold(word)
    spellings = (fold(whole.translate(_LATIN)), plain.translate(_ARABIC))
    return tuple(dict.fromkeys(s for s in spellings if s != plain))
