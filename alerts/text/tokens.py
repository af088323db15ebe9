"""The words of a text, folded for comparing, each with the place where it stands in the original.

Words end at white space, punctuation, apostrophes and hyphens: "Israel's" is israel + s, "al-Assad" is al + assad; a
query is cut the same way, so both forms find each other as a phrase. Dotted initials are one word ("U.S." is us), and
so are numbers ("3,000" is 3000). Scripts that write without spaces (Han, kana, Thai, Lao, Khmer, Myanmar) give one
token for each character; a word of theirs is a run of tokens without a gap, wherever in the run it begins.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from alerts.text.normalise import fold

# Marks that are part of a word but not letters to `re`: accents, Hebrew points, Arabic vowels, Indic vowel signs.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u0900-\u0963\u0966-\u096f\u0971-\u0df3"
    "\u135d-\u135f\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
)
_HIDDEN = "\u00ad\u200b-\u200f\u2060\ufeff"  # stand inside words (Persian joiners, soft hyphens) and fold to nothing
_RUN = (  # letters of scripts without spaces between words
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf\u1000-\u102a\u103f\u1050-\u1055"
    "\u1780-\u17b3\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d"
    "\U00020000-\U0003ffff"
)
_RUN_MARKS = (  # what hangs on such a letter
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u3099\u309a\uff9e\uff9f\u200b-\u200d"
)
_LETTER = rf"(?:[^\W_{_RUN}]|[{_MARKS}])"
_TOKEN = re.compile(
    rf"([{_RUN}][{_RUN_MARKS}]*"
    r"|(?<![^\W_])[A-Za-z\u00c0-\u024f\u0370-\u052f](?:\.[A-Za-z\u00c0-\u024f\u0370-\u052f])+(?![^\W_])\.?"
    r"|\d+(?:[.,\u066b\u066c]\d+)+"
    rf"|{_LETTER}+(?:(?:[{_HIDDEN}]+|(?<=[\u05d0-\u05ea])[\"'\u05f3\u05f4](?=[\u05d0-\u05ea])){_LETTER}+)*)"
)
# The same for ASCII, at half the cost; what printers add to it, quotation marks and dashes, ends words as well.
_ASCII = re.compile(r"((?<![A-Za-z0-9])[A-Za-z](?:\.[A-Za-z])+(?![A-Za-z0-9])\.?|\d+(?:[.,]\d+)+|[A-Za-z0-9]+)")
_ODD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]\.[A-Za-z](?![A-Za-z0-9])|\d[.,]\d")  # initials and large numbers
_BEYOND = re.compile("[^\x00-\x7f‘’“”–—…\u00a0]")
# The quick way for most texts: words of letters, digits and marks alone, where nothing needs the full pattern.
_LATIN = re.compile("([A-Za-z0-9]+)")
_WORDS = re.compile(rf"([\w{_MARKS}]+)")
_SPECIAL = re.compile(f"[{_RUN}{_RUN_MARKS}{_HIDDEN}_]")
_POINTS = frozenset((".", ",", "\u066b", "\u066c"))  # between letters or digits they may belong to the word
_QUOTES = frozenset("\"'\u05f3\u05f4")
_IS_HEBREW = re.compile("[\u05d0-\u05ea]")
_THOUSANDS = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
_IS_RUN = re.compile(rf"[{_RUN}]")
_IS_HANGUL = re.compile("[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]")
_PLAIN = re.compile(r"[a-zA-Z0-9]+")


_REMEMBERED = 65536  # words whose folded form is kept


class Token(NamedTuple):
    """One word; `text[start:end]` of the original is what stands there."""

    text: str
    start: int
    end: int


_new = tuple.__new__  # Token(...) without its keyword handling: half the time


@lru_cache(maxsize=128)  # one item's texts are asked for by regions, stories and rules, one after the other
def tokens(text: str) -> tuple[Token, ...]:
    """The words of the text in their order, folded, with spans into the text as given."""
    return placed(*cut(text))


def placed(folded: list[str], raws: list[str], gaps: list[str]) -> tuple[Token, ...]:
    """The words with their spans, of what `cut` gave."""
    found: list[Token] = []
    start = end = 0
    for word, raw, gap in zip(folded, raws, gaps, strict=False):
        if raw:  # else one more word of the same ligature
            start = end + len(gap)
            end = start + len(raw)
        found.append(_new(Token, (word, start, end)))
    return tuple(found)


def cut(text: str) -> tuple[list[str], list[str], list[str]]:
    """The same words at a third of the cost, without spans: folded words, words as written, and what stands around them.

    Returns:
        Folded words, words as written, gaps. A gap stands before each word and behind the last, so that gaps and words as
        written make up the text; where a ligature stands for several words the first has it and the others are empty.
    """
    pattern = _pattern(text)
    pieces = (_LATIN if pattern is _ASCII else _WORDS).split(text)
    raws, gaps = pieces[1::2], pieces[::2]
    if pattern is _ASCII and (_POINTS.isdisjoint(gaps[1:-1]) or not _ODD.search(text)):
        return list(map(str.lower, raws)), raws, gaps
    if pattern is _ASCII or not _is_simple(text, gaps):
        pieces = pattern.split(text)
        raws, gaps = pieces[1::2], pieces[::2]
    folded = list(map(_SINGLE.__getitem__, raws))
    return (folded, raws, gaps) if "" not in folded else _uneven([_folded(raw) for raw in raws], raws, gaps)


class _Single(dict[str, str]):
    """Word as written -> its folded form, computed when first asked for; "" where it folds to none or to several."""

    def __missing__(self, raw: str) -> str:
        folded = _folded(raw)
        if len(self) >= _REMEMBERED:
            self.clear()
        found = self[raw] = folded[0] if len(folded) == 1 else ""
        return found


_SINGLE = _Single()


def _uneven(parts: list[tuple[str, ...]], raws: list[str], gaps: list[str]) -> tuple[list[str], list[str], list[str]]:
    """The same where a word folds to none or to several."""
    texts: list[str] = []
    written: list[str] = []
    around = [gaps[0]]
    for part, raw, gap in zip(parts, raws, gaps[1:], strict=True):
        if not part:
            around[-1] += raw + gap
            continue
        texts.extend(part)
        written.extend((raw, *[""] * (len(part) - 1)))
        around.extend((*[""] * (len(part) - 1), gap))
    return texts, written, around


def _is_simple(text: str, gaps: list[str]) -> bool:
    """Whether letters, digits and marks alone make the words of a text: no initials, large numbers, Hebrew quotes, hidden signs, runs."""
    inner = gaps[1:-1]
    if not _POINTS.isdisjoint(inner) or _SPECIAL.search(text):
        return False
    return _QUOTES.isdisjoint(inner) or not _IS_HEBREW.search(text)


def _pattern(text: str) -> re.Pattern[str]:
    return _ASCII if text.isascii() or not _BEYOND.search(text) else _TOKEN


def surfaces(text: str) -> list[str]:
    """The words as they stand in the text, neither folded nor with their places: the quick half of `tokens`."""
    return _TOKEN.findall(text)


def words(text: str) -> tuple[str, ...]:
    """The folded words alone."""
    return tuple(token.text for token in tokens(text))


def is_run(word: str) -> bool:
    """Whether a folded word belongs to a script that writes without spaces."""
    return not word.isascii() and _IS_RUN.match(word) is not None


def is_hangul(word: str) -> bool:
    """Whether a folded word is Korean, where particles are written onto the word's end."""
    return not word.isascii() and _IS_HANGUL.match(word) is not None


@lru_cache(maxsize=_REMEMBERED)
def _folded(raw: str) -> tuple[str, ...]:
    """The folded form of one word; more than one when a ligature stands for several."""
    if raw.isascii() and raw.isalnum():
        return (raw.lower(),)
    folded = fold(raw)
    if any(c.isdigit() for c in folded):
        folded = _digits(folded)
    elif "." in folded:
        folded = folded.replace(".", "")
    folded = folded.translate({ord(c): None for c in "\"'\u05f3\u05f4"})
    if folded == raw or _PLAIN.fullmatch(folded):
        return (folded,) if folded else ()
    return tuple(m.group() for m in _TOKEN.finditer(folded))


def _digits(word: str) -> str:
    """Digits of every script as ASCII, thousands without separators."""
    word = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in word)
    word = word.replace("\u066c", ",").replace("\u066b", ".")
    return re.sub(r"[.,]", "", word) if _THOUSANDS.fullmatch(word) else word
