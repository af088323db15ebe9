"""The quick looks of one query at archived items: at the whole JSON of an item, and at the text of each operand.

A look at the JSON says whether an item could have what the query cannot do without (see `plan`): its words, its language,
a country of its areas. It may let too much through, never too little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

from alerts.rules.archived import language
from alerts.rules.match import Areas
from alerts.rules.nodes import NEAR, WORD_FIELDS, Query, Saved, Words, leaves
from alerts.rules.plan import SEP, Keys, plan
from alerts.rules.sieve import Look
from alerts.rules.stem_look import StemLook


class Spoken(Protocol):
    """What has a language."""

    @property
    def language(self) -> str | None:
        """Primary tag; None when it is not known."""
        ...


class Looks:
    """The quick looks of one query: at whole items, and for each of its operands."""

    def __init__(self, query: Query, areas: Areas) -> None:
        sets = plan(query).sets
        self._words, self._countries = _word_look(sets), _country_look(sets, areas)
        sought = [leaf for leaf in leaves(query) if isinstance(leaf, Words | Saved)]
        options = {id(leaf): leaf.options if isinstance(leaf, Saved) else (leaf,) for leaf in sought}
        self._look = {number: Look(some) if any(w.mode != "stem" for w in some) else None for number, some in options.items()}
        self._stems = {number: [StemLook(w) for w in some if w.mode == "stem"] for number, some in options.items()}

    def may_match(self, raw: bytes) -> bool:
        """Whether an item, as JSON, could have what the query cannot do without."""
        if self._countries and not self._countries(raw):
            return False
        return self._words is None or self._words(raw)

    def answer(self, wanted: Words | Saved, text: bytes, item: Spoken) -> bool | None:
        """Whether the text of an item has one of the words; None when only cutting it can say."""
        number = id(wanted)
        look = self._look[number]
        answer = look(text) if look else False
        if answer is not True:
            for stem in self._stems[number]:
                said = stem(text, item.language)
                if said:
                    return True
                answer = None if said is None else answer
        return answer


def _word_look(sets: Sequence[Keys]) -> Callable[[bytes], bool] | None:
    """A look for the words of one of the sets; None when some set has none, so that any item could do."""
    words, stems, languages = dict[Words, None](), dict[Words, None](), set[str]()
    for keys in sets:
        found = [word for key in sorted(keys) if (word := _sought(key))]
        tags = [key.split(SEP)[2] for key in keys if key.startswith(f"{SEP}lang{SEP}")]
        if plain := [word.terms[0] for word in found if word.mode == "word"]:
            words[Words(tuple(plain), slop=0)] = None  # all of them, wherever they stand
        elif found:
            (stems if found[0].mode == "stem" else words)[found[0]] = None
        elif tags:
            languages.add(tags[0])
        else:
            return None
    looks: list[Callable[[bytes], bool]] = []
    if words:
        look = Look(words, says_yes=False)
        looks.append(lambda raw: look(raw) is not False)
    if languages:
        looks.append(lambda raw: language(raw) in languages)
    looks += (_stem_look(stem) for stem in stems)
    return looks[0] if len(looks) == 1 else lambda raw: any(look(raw) for look in looks)


def _stem_look(words: Words) -> Callable[[bytes], bool]:
    """A look for the beginnings of words with the stem, which are others in each language."""
    begins = lru_cache(StemLook(words).begins)
    return lambda raw: begins(language(raw))(raw) is not False


def _sought(key: str) -> Words | None:
    """The words that an item's JSON must have for a key; None when the key is no word."""
    if not key.startswith(SEP):
        return Words((key,))
    _, kind, value = key.split(SEP, 2)
    if kind in ("prefix", "stem"):
        return Words((value,), mode="prefix" if kind == "prefix" else "stem")
    return Words((value,)) if kind in WORD_FIELDS else None


def _country_look(sets: Sequence[Keys], areas: Areas) -> Callable[[bytes], bool] | None:
    """Whether an item names a country of one of the areas, or none at all; None when that says nothing."""
    codes: set[str] = set()
    for keys in sets:
        names = [key.split(SEP, 3)[3] for key in keys if key.startswith(f"{SEP}area{SEP}")]
        if not names or names[0].startswith(NEAR):
            return None
        codes |= areas.countries_in(names[0])
    search = re.compile(f'"(?:{"|".join(sorted(codes))})["-]'.encode()).search

    def look(raw: bytes) -> bool:
        at = raw.rfind(b'"countries":[')
        return at < 0 or search(raw, at) is not None

    return look
