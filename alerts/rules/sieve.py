"""A quick look at an archived item, still as JSON, that spares most of them the decoding.

From what a query cannot do without (see `plan`) it makes one expression of RE2 that matches every spelling which folds to
those words. It may let too much through, never too little: what it lets through is decoded and asked properly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise

import re2

from alerts.rules.lists import NO_LISTS, Lists, parsed
from alerts.rules.nodes import Query, Sources, StoryIs, Urgency, leaves
from alerts.rules.patterns import options
from alerts.rules.plan import SEP, Keys, plan
from alerts.text.normalise import fold
from alerts.text.tokens import is_hangul
from alerts.text.variants import variants

_BETWEEN = "[\\p{M}\\p{Cf}\u0640.,'\"\u05f3\u05f4\u066b\u066c\\\\]*"  # what may stand inside of a word and folds away
# Characters that fold to several letters or change with their neighbours: an item that has one is always decoded.
_MANY = "ßẞæÆœŒøØåÅþÞðÐŉǰﬀ-ﬆĲĳŁłĐđ\ufdf0-\ufdff\ufb1d-\ufb4f"
_SECOND = ("ae", "oe", "ue", "aa")
_LAST = 0x3100  # above are scripts of which single characters are looked for, or which have no folding


def sieve(query: Query | str, lists: Lists = NO_LISTS) -> Callable[[str], bool]:
    """Whether an archived item (as JSON) could be one that the query is true of.

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    ready = parsed(query, lists)
    if any(isinstance(leaf, Sources | StoryIs | Urgency) for leaf in leaves(ready)):
        return _everything  # the story's other items count too
    sets = plan(ready).sets
    words = [_longest(keys) for keys in sets]
    if not words or not all(words):
        return _everything
    pattern = "|".join(dict.fromkeys(map(_spellings, words)))
    try:
        search = re2.compile(f"(?:{pattern}|[{_MANY}])", options()).search
    except re2.error:  # too large to be quicker
        return _everything
    return lambda text: search(text) is not None


def _everything(_text: str) -> bool:
    return True


def _longest(keys: Keys) -> str:
    """The longest word of a set of keys, as plain letters; "" when it has none that can be looked for in JSON."""
    found = [k.split(SEP)[-1] if k.startswith(f"{SEP}prefix") else k for k in keys if not k.startswith(SEP) or k.startswith(f"{SEP}prefix")]
    usable = [word for word in found if _is_usable(word)]
    return max(usable, key=len, default="")


def _is_usable(word: str) -> bool:
    """Words of letters and digits whose every spelling we can list."""
    return len(word) > 1 and word.isalnum() and not is_hangul(word) and ord(max(word)) < _LAST


@lru_cache(maxsize=4096)
def _spellings(word: str) -> str:
    """An expression for everything that folds to the word."""
    return _BETWEEN.join(_class(char, before) for before, char in pairwise(f" {word}"))


def _class(char: str, before: str) -> str:
    """A character in all its forms; the second of "ue" and "aa" may be missing, since "ü" and "å" have them too."""
    known = f"[{re.escape(char)}{_unfolded().get(char, '')}]"
    return f"{known}?" if before + char in _SECOND else known


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
