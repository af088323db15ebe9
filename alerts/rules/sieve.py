"""A quick look at an archived item, still as JSON, that spares most of them the decoding.

From what a query cannot do without (see `plan`) it makes one expression of RE2 that matches every spelling which folds to
those words. It may let too much through, never too little: what it lets through is decoded and asked properly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import TypeAlias

import re2

from alerts.rules.grammar import parse
from alerts.rules.lists import NO_LISTS, Lists, parsed
from alerts.rules.match import Areas
from alerts.rules.nodes import NEAR, STORY_LEAVES, Query, leaves
from alerts.rules.patterns import options
from alerts.rules.plan import SEP, Keys, plan
from alerts.text.normalise import fold
from alerts.text.stems import stems
from alerts.text.tokens import is_hangul
from alerts.text.variants import variants

_Check: TypeAlias = Callable[[str], bool]
_LANGUAGE = re.compile('"language":"([^"]*)"')
_BETWEEN = "[\\p{M}\\p{Cf}\u0640.,'\"\u05f3\u05f4\u066b\u066c\\\\]*"  # what may stand inside of a word and folds away
# Characters that fold to several letters or change with their neighbours: an item that has one is always decoded.
_MANY = "ßẞæÆœŒøØåÅþÞðÐŉǰﬀ-ﬆĲĳŁłĐđ\ufdf0-\ufdff\ufb1d-\ufb4f"
_SECOND = ("ae", "oe", "ue", "aa")
_FIRST_INDIC = "\u0900"  # from here on letters are put together of several
_LAST = 0x3100  # above are scripts of which single characters are looked for, or which have no folding


def sieve(query: Query | str, areas: Areas, lists: Lists = NO_LISTS) -> Callable[[str], bool]:
    """Whether an archived item (as JSON) could be one that has what the query asks of the item itself.

    What it asks of the story is left out: other items of the story count too, so those are wanted as well when one is.

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    sets = plan(parsed(query, lists)).sets
    checks = [check for check in (_word_check(sets), _country_check(sets, areas)) if check]
    return lambda text: all(check(text) for check in checks)


def asks_stories(query: Query | str) -> bool:
    """Whether other items of a story can change the answer. Raises: QueryError."""
    ready = parse(query) if isinstance(query, str) else query
    return any(isinstance(leaf, STORY_LEAVES) for leaf in leaves(ready))


def _word_check(sets: Sequence[Keys]) -> _Check | None:
    words = [_longest(keys) for keys in sets]
    if not all(words):
        heads = [_head(keys) for keys in sets]
        if not all(heads):
            return None
        has_head = _searched("|".join(map(_spellings, heads)))
        return has_head and (lambda text: set(_LANGUAGE.findall(text)) != {"en"} or has_head(text))
    return _searched("|".join(dict.fromkeys(map(_spellings, words))))


def _searched(pattern: str) -> _Check | None:
    """Whether a text has the pattern, or a character that is always worth a look; None when it is too large."""
    found = re2.Set.SearchSet(options())
    try:
        found.Add(f"(?:{pattern}|[{_MANY}{_compound()}])")
        found.Compile()
    except re2.error:
        return None
    return lambda text: bool(found.Match(text))


def _country_check(sets: Sequence[Keys], areas: Areas) -> _Check | None:
    """Whether an item names a country of one of the areas, or none at all."""
    codes: set[str] = set()
    for keys in sets:
        names = [k.split(SEP, 3)[3] for k in keys if k.startswith(f"{SEP}area{SEP}")]
        if not names or names[0].startswith(NEAR):
            return None
        codes |= areas.countries_in(names[0])
    search = re.compile(f'"(?:{"|".join(sorted(codes))})["-]').search
    return lambda text: search(text) is not None or '"countries":[' not in text


def _longest(keys: Keys) -> str:
    """The longest word of a set of keys, as plain letters; "" when it has none that can be looked for in JSON."""
    found = [k.split(SEP)[-1] if k.startswith(f"{SEP}prefix") else k for k in keys if not k.startswith(SEP) or k.startswith(f"{SEP}prefix")]
    return max(filter(_is_usable, found), key=len, default="")


def _head(keys: Keys) -> str:
    """What every English word begins with that has the stem of a word of the set; "" when that says too little."""
    words = [k.split(SEP)[-1] for k in keys if k.startswith(f"{SEP}stem{SEP}")]
    heads = [_shared(stems(word, "en"))[:-2] for word in words]
    return max((head for head in heads if len(head) > 1 and head.isascii()), key=len, default="")


def _shared(words: Collection[str]) -> str:
    """What all of the words begin with."""
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(min(words), max(words), strict=False)))


def _is_usable(word: str) -> bool:
    """Words of letters and digits whose every spelling we can list."""
    return len(word) > 1 and word.isalnum() and not is_hangul(word) and max(word) < _FIRST_INDIC


@lru_cache(maxsize=4096)
def _spellings(word: str) -> str:
    """An expression for everything that folds to the word."""
    return _BETWEEN.join(_class(char, before) for before, char in pairwise(f" {word}"))


def _class(char: str, before: str) -> str:
    """A character in all its forms; the second of "ue" and "aa" may be missing, since "ü" and "å" have them too."""
    known = f"[{re.escape(char)}{_unfolded().get(char, '')}]"
    return f"{known}?" if before + char in _SECOND else known


@lru_cache(maxsize=1)
def _compound() -> str:
    """Ranges of the single characters that stand for several letters or digits (fractions, numerals, units, signs), and
    of those beyond the basic plane that stand for a common one (letters in bold or in circles, digits of rare scripts).
    """
    codes = (*range(0x80, 0x3400), *range(0xFB00, 0xFFF0))
    found = [c for c in codes if len(folded := fold(chr(c))) > 1 and any(map(str.isalnum, folded))]
    found += [c for c in range(0x10000, 0x20000) if chr(c).isdecimal() or unicodedata.decomposition(chr(c))]
    known = set(found)
    starts = [c for c in found if c - 1 not in known]
    ends = [c for c in found if c + 1 not in known]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))


@lru_cache(maxsize=1)
def _unfolded() -> dict[str, str]:
    """Folded character -> the characters that fold to it."""
    table: dict[str, str] = {}
    for number in (*range(0x80, _LAST), *range(0xFB00, 0xFFF0)):
        char = chr(number)
        for folded in _forms(char):
            if len(folded) == 1 and folded.isalnum() and folded != char:
                table[folded] = table.get(folded, "") + re.escape(char)
    return table


def _forms(char: str) -> Iterable[str]:
    if not char.isalnum():
        return ()
    forms = [fold(char), *variants(char)]
    return (*forms, f"{int(char)}") if char.isdecimal() else forms
