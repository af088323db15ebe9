"""Quick looks at a text before it is cut into words: it has certain words, it has not, or it must be looked at properly.

Most archived items are told apart by one search of RE2. `perhaps` patterns match every spelling that folds to the words:
they may let too much through, never too little. `surely` patterns match only where cutting and comparing would say yes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import re2

from alerts.rules.document import fold_word
from alerts.rules.nodes import Words
from alerts.text.normalise import fold
from alerts.text.tokens import is_hangul, is_run
from alerts.text.variants import variants

_MEMORY = 64 << 20  # bytes one expression may take: far above what it needs, since RE2 says "no" when it has too little
# What may stand inside of a word and folds away: marks, hidden characters, signs of numbers, initials and acronyms.
_BETWEEN = (
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f"
    "\u0e31-\u0e4e\u3099\u309a\uff9e\uff9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff.,'\"\u05f3\u05f4\u066b\u066c\\\\]*"
)
_BETWEEN_ASCII = "[.,]*"
_BEFORE = r"(?:^|[^{0}]|\\[a-z]|\\u[0-9a-f]{{4}})"  # the start, no letter of the same word, or a sign as JSON writes it
_AFTER = "(?:$|[^{0}])"
_APART = r"\x00-/:-@\[-`{-\x7f“”‘’«»–—…"  # signs that end a word whatever stands beyond them
_SIDE_BY_SIDE = r"[\x00-\x09\x0b-/:-@\[-`{-\x7f]+"  # the same on one line
_SCRIPTS = (  # letters and digits that cling
    ("a", "z", "A-Za-z"),
    ("0", "9", "0-9"),
    ("а", "я", "а-яА-Я"),
    ("\u0621", "\u063a", "\u0621-\u063a\u0641-\u064a"),
)
_SECOND = frozenset(("ae", "oe", "ue", "aa"))  # whose second letter "ü" and "å" are written without
_INDIC, _CJK = "\u0900", "\u2e80"
_JAMO = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\ud7b0-\ud7fb\uffa0-\uffdc"  # parts of Korean syllables
_TABLE = (*range(0x80, 0x3400), *range(0xF900, 0xFFF0), *range(0x2F800, 0x2FA1E))


class Look:
    """Whether a text has one of these: True, False, or None when only cutting it can say.

    Args:
        options: Words of any mode but stems, which are passed over.
        says_yes: Else it says False or None, at less cost.
    """

    def __init__(self, options: Iterable[Words], *, says_yes: bool = True) -> None:
        self._options = [option for option in options if option.mode != "stem"]
        self._plain = _Searched(self._options, is_ascii=True, says_yes=says_yes)
        self._rich = _Searched(self._options, is_ascii=False, says_yes=says_yes)

    def __call__(self, text: str | bytes) -> bool | None:
        """What a search says of headline and text, or of any other text."""
        return self._plain(text) if text.isascii() else self._rich(text)


class _Searched:
    """All patterns of a look in one expression."""

    def __init__(self, options: Sequence[Words], *, is_ascii: bool, says_yes: bool) -> None:
        chosen = re2.Options()
        chosen.case_sensitive, chosen.log_errors, chosen.max_mem = False, False, _MEMORY
        self._set: Any = re2.Set.SearchSet(chosen)
        self._sure: set[int] = set()
        self._needs: list[frozenset[int]] = []
        for option in options:
            self._needs.append(frozenset(self._set.Add(pattern) for pattern in perhaps(option, is_ascii=is_ascii)))
            if sure := says_yes and surely(option, is_ascii=is_ascii):
                self._sure.add(self._set.Add(sure))
        special = "" if is_ascii else _special({(term, option.mode == "prefix") for option in options for term in _all_terms(option)})
        if special:
            self._needs.append(frozenset((self._set.Add(f"[{special}]"),)))
        if options:
            self._set.Compile()

    def __call__(self, text: str | bytes) -> bool | None:
        found = self._set.Match(text) if self._needs else None
        if not found:
            return None if frozenset() in self._needs else False
        if not self._sure.isdisjoint(found):
            return True
        return None if any(needs.issubset(found) for needs in self._needs) else False


# ---------------------------------------------------------------- patterns


def perhaps(words: Words, *, is_ascii: bool) -> list[str]:
    """Expressions that all match a text which has the words; none when any text could have them.

    Args:
        is_ascii: The text is: other forms of the letters need not be looked for.
    """
    last = words.terms[-1]
    terms = [_either(term, words.mode, is_ascii=is_ascii) for term in words.terms]
    if words.slop is not None:
        return [_bounded(term, pattern, term, is_open=is_hangul(term)) for term, pattern in zip(words.terms, terms, strict=True) if pattern]
    if not all(terms):
        return []
    gap = "[^A-Za-z]*" if all(term.isascii() for term in words.terms) else "(?s:.*)"
    return [_bounded(words.terms[0], gap.join(terms), last, is_open=words.mode == "prefix" or is_hangul(last))]


def surely(words: Words, *, is_ascii: bool = True) -> str:
    """An expression that matches only texts that have the words; "" when there is none.

    Args:
        is_ascii: The text is; else letters count in every form that folds to them ("é" for "e", "ß" for "ss").
    """
    terms = words.terms
    if not is_ascii and words.mode == "word" and words.slop is None:
        terms = tuple(map(fold_word, terms))
        if all(len(term) > 1 and all(map(_is_simple, term)) for term in terms):
            return _apart(_SIDE_BY_SIDE.join(map(_simple_word, terms)))
    if words.mode == "stem" or words.slop is not None or not all(t.isascii() and t.isalpha() and len(t) > 1 for t in terms):
        return ""
    joined = _SIDE_BY_SIDE.join(terms)
    if words.mode == "exact" and joined != joined.lower():
        joined = f"(?-i:{joined})"
    return _apart(f"{joined}{'[A-Za-z]*' if words.mode == 'prefix' else ''}")


def _apart(pattern: str) -> str:
    return f"(?:^|[{_APART}]){pattern}(?:$|[{_APART}])"


def _is_simple(char: str) -> bool:
    """Whether it is a letter of a script whose words end at every sign (a quote may stand inside of a Hebrew one)."""
    return char.isalpha() and (char < "\u0530" or "\u0620" <= char <= "\u06ff")


def _simple_word(word: str) -> str:
    """The word in letters that fold to its own."""
    parts = ("".join(map(_simple_forms, part)) for part in word.split("ss"))
    return f"(?:{_simple_forms('s') * 2}|ß)".join(parts)


@lru_cache(maxsize=1024)
def _simple_forms(char: str) -> str:
    """The letters that fold to this one."""
    forms = [form for form in _unfolded().get(char, "") if form.isalpha() and not is_run(form) and fold(form) == char]
    return f"[{char}{''.join(forms)}]"


def _bounded(first: str, pattern: str, last: str, *, is_open: bool) -> str:
    """The pattern where no letter of the same word stands before it, nor after it unless it may go on."""
    before, after = _clinging(first[:1].lower()), _clinging(last[-1:].lower())
    return f"{_BEFORE.format(before) if before else ''}(?:{pattern}){_AFTER.format(after) if after and not is_open else ''}"


def _clinging(letter: str) -> str:
    """The letters that are surely of the same word when they touch this one; "" when that is not so simple."""
    return next((letters for low, high, letters in _SCRIPTS if low <= letter <= high), "")


def _either(term: str, mode: str, *, is_ascii: bool) -> str:
    """An expression for a term in all its spellings; "" when we cannot list them."""
    if is_run(term):
        return _spelled(term, is_ascii=is_ascii)
    if mode == "exact" and term.isascii():
        return f"(?-i:{_spelled(term, is_ascii=is_ascii)})" if term != term.lower() else _spelled(term, is_ascii=is_ascii)
    return "|".join(dict.fromkeys(_spelled(text, is_ascii=is_ascii) for text in (fold_word(term), *variants(term))))


def _all_terms(words: Words) -> list[str]:
    return [text for term in words.terms for text in (fold_word(term), *variants(term))]


@lru_cache(maxsize=4096)
def _spelled(word: str, *, is_ascii: bool) -> str:
    """An expression for everything that folds to the word."""
    if is_hangul(word):
        return f"(?:{word[:1]}|[{_JAMO}])"
    if any(_INDIC <= char < _CJK and not is_run(char) for char in word):
        return f"[{_INDIC}-{_CJK}]"
    between = _BETWEEN_ASCII if is_ascii else _BETWEEN
    return f"(?:{between.join(_class(char, before, is_ascii=is_ascii) for before, char in pairwise(f' {word}'))})"


def _class(char: str, before: str, *, is_ascii: bool) -> str:
    """A character in all its forms; the second of "ue" and "aa" may be missing, since "ü" and "å" have them too."""
    if is_ascii:
        return re.escape(char)
    base = unicodedata.normalize("NFD", char)[0]
    forms = {char, base, *_unfolded().get(char, ""), *_unfolded().get(base, ""), *_unfolded().get(char.lower(), "")}
    known = f"[{''.join(map(re.escape, sorted(forms)))}]"
    return f"{known}?" if before + char in _SECOND else known


# ---------------------------------------------------------------- other forms of letters


@lru_cache(maxsize=1)
def _unfolded() -> dict[str, str]:
    """Folded character -> the characters that fold to it."""
    table: dict[str, str] = {}
    for char in map(chr, _TABLE):
        for folded in _forms(char):
            if len(folded) == 1 and folded.isalnum() and folded != char:
                table[folded] = table.get(folded, "") + char
    return table


@lru_cache(maxsize=1)
def _several() -> tuple[tuple[str, frozenset[str]], ...]:
    """Characters that stand for several letters or digits (ligatures, fractions, units), each with what it stands for."""
    found = []
    for char in map(chr, _TABLE):
        parts = {part for form in _forms(char) if len(form) > 1 for part in re.findall(r"[^\W_]+", form)}
        singles = {form for form in _forms(char) if len(form) == 1}
        if any(part not in _SECOND or part[0] not in singles for part in parts):  # "ü" is a form of u: see _class
            found.append((char, frozenset(parts)))
    return tuple(found)


@lru_cache(maxsize=1)
def _beyond() -> str:
    """Ranges of the characters beyond the basic plane that stand for a common one: letters in bold or in circles, rare digits."""
    codes = [c for c in range(0x10000, 0x20000) if chr(c).isdecimal() or unicodedata.decomposition(chr(c))]
    known = set(codes)
    starts, ends = [c for c in codes if c - 1 not in known], [c for c in codes if c + 1 not in known]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))


def _special(terms: Iterable[tuple[str, bool]]) -> str:
    """The characters that make a text worth cutting: they may stand for a part of one of the terms (each: whether it goes on)."""
    wanted = list(terms)
    chars = [char for char, parts in _several() if any(_is_part(part, term, goes_on) for part in parts for term, goes_on in wanted)]
    return "".join(map(re.escape, chars)) + _beyond() if wanted else ""


def _is_part(part: str, term: str, goes_on: bool) -> bool:
    """Whether what one character stands for is in the term, or begins at its end and goes on."""
    return part in term or (goes_on and any(term.endswith(part[:size]) for size in range(1, len(part))))


def _forms(char: str) -> Iterable[str]:
    forms = [fold(char), *variants(char)]
    return (*forms, f"{int(char)}") if char.isdecimal() else forms
