"""An archived item as a query looks at it, decoded no further than the query asks.

It answers what a `Document` answers. Words are first looked for in the raw text (see `sieve`); the text is cut only when
that cannot say. What queries ask about an item's story is kept as little as possible, for all items that are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from alerts.rules.document import Line, age_of
from alerts.rules.match import Areas
from alerts.rules.nodes import (
    BODY,
    NEAR,
    STORY_LEAVES,
    WORD_FIELDS,
    AllOf,
    AnyOf,
    Leaf,
    NoneOf,
    Pattern,
    Query,
    Region,
    Saved,
    Sources,
    StoryIs,
    Urgency,
    Words,
    leaves,
)
from alerts.rules.patterns import compiled
from alerts.rules.plan import SEP, Keys, plan
from alerts.rules.sieve import Look
from alerts.rules.stem_look import StemLook

_COSTS: Mapping[type, int] = {Words: 2, Saved: 3, Region: 4, Pattern: 5}
_PARTS = {BODY: ("title", "text"), "title": ("title",), "text": ("text",), "author": ("author",), "url": ("url",), "source": ("source_id",)}
_KEYS = {BODY: (b'"title":"', b'"text":"'), "title": (b'"title":"',), "text": (b'"text":"',), "url": (b'"url":"',)}
_REMEMBERED = 100_000  # answers about areas
# Keys of the JSON cannot be faked by what people wrote: there quotes are escaped.
_HEAD = re.compile(rb'"item_id":"([^"\\]*)","item":\{"source_id":"([^"\\]*)"')
_URGENCY = re.compile(rb'"urgency":(\d)')


class Spot(NamedTuple):
    """A place of an item, as areas ask about it."""

    code: str
    name: str
    kind: str
    lat: float | None
    lon: float | None
    score: float

    @property
    def country(self) -> str:
        """As of `RegionEvidence`."""
        return "" if self.code == "XZ" else self.code[:2]


@dataclass(slots=True)
class Growing:
    """What is known of a story after the items that were read."""

    items: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    countries: dict[str, None] = field(default_factory=dict)
    urgency: int = 5

    def add(self, raw: bytes, asked: Collection[type]) -> None:
        """Take up an item, as JSON: of it what these kinds of operands ask about."""
        head = _HEAD.search(raw) if Sources in asked or StoryIs in asked else None
        if head:
            self.items.add(head[1].decode())
            self.sources.add(head[2].decode())
        at = raw.rfind(b'"countries":[') if Region in asked else -1
        if at > 0:
            codes = raw[at + 13 : raw.index(b"]", at)].decode().replace('"', "").split(",")
            self.countries.update(dict.fromkeys(codes))
        urgency = _URGENCY.search(raw) if Urgency in asked else None
        if urgency:
            self.urgency = min(self.urgency, int(urgency[1]))


class Looks:
    """The quick looks of one query: at whole items, and for each of its operands."""

    def __init__(self, query: Query, areas: Areas) -> None:
        sets = plan(query).sets
        self._words, self._countries = _word_looks(sets), _country_look(sets, areas)
        sought = [leaf for leaf in leaves(query) if isinstance(leaf, Words | Saved)]
        options = {id(leaf): leaf.options if isinstance(leaf, Saved) else (leaf,) for leaf in sought}
        self.words = {number: Look(some) if any(w.mode != "stem" for w in some) else None for number, some in options.items()}
        self.stems = {number: [StemLook(w) for w in some if w.mode == "stem"] for number, some in options.items()}

    def may_match(self, raw: bytes) -> bool:
        """Whether an item, as JSON, could have what the query cannot do without."""
        if self._countries and not self._countries(raw):
            return False
        return self._words is None or any(look(raw) for look in self._words)


def _word_looks(sets: Sequence[Keys]) -> list[Callable[[bytes], bool]] | None:
    """Looks for the words of each set; None when some set has none, so that any item could do."""
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
        look = Look(words)
        looks.append(lambda raw: look(raw) is not False)
    if languages:
        spoken = re.compile(f'"language":"(?:{"|".join(map(re.escape, sorted(languages)))})"'.encode()).search
        looks.append(lambda raw: spoken(raw) is not None)
    return [*looks, *(StemLook(stem).may_have for stem in stems)]


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
    return lambda raw: search(raw) is not None or b'"countries":[' not in raw


class Glance:
    """One archived item."""

    def __init__(self, raw: bytes, looks: Looks, story: Growing | None = None) -> None:
        self.raw, self.story, self._looks = raw, story, looks
        self._lines: dict[str, list[Line]] = {}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The JSON of `Tagged`, fields at their default left out."""
        found: dict[str, Any] = json.loads(self.raw)
        return found

    @property
    def item(self) -> dict[str, Any]:
        """The JSON of `Item`."""
        found: dict[str, Any] = self.facts["change"]["item"]
        return found

    @property
    def item_id(self) -> str:
        """Of the change."""
        return str(self.facts["change"]["item_id"])

    @property
    def polled_at(self) -> datetime:
        """UTC."""
        return datetime.fromisoformat(self.facts["change"]["polled_at"])

    @property
    def own_countries(self) -> tuple[str, ...]:
        """Of the item itself."""
        return tuple(self.facts.get("countries", ()))

    # ---------------------------------------------------------------- what a query asks

    def holds(self, wanted: Words | Pattern | Saved) -> bool:
        """Whether it stands in its scope."""
        if isinstance(wanted, Pattern):
            search = compiled(wanted.source).search
            return any(search(text) for text in self._texts(wanted.scope))
        options = wanted.options if isinstance(wanted, Saved) else (wanted,)
        scope = options[0].scope
        text = "\n".join(self._texts(scope))
        look = self._looks.words[id(wanted)]
        answer = look(text) if look else False
        if answer is False and any(stem(text, self.language) is None for stem in self._looks.stems[id(wanted)]):
            answer = None
        return self._has(options, scope) if answer is None else answer

    def _has(self, options: Sequence[Words], scope: str) -> bool:
        """The slow answer: the words are cut and compared."""
        if scope not in self._lines:
            self._lines[scope] = [Line(text, 0, self.language) for text in self._texts(scope)]
        return any(line.find(option) for option in options for line in self._lines[scope])

    def _texts(self, scope: str) -> list[str]:
        if scope in _KEYS and "facts" not in self.__dict__:
            found = [_string(self.raw, key) for key in _KEYS[scope]]
            if None not in found:
                return [text for text in found if text is not None]
        if scope in _PARTS:
            return [self.item.get(part, "") for part in _PARTS[scope]]
        several: list[str] = self.item.get("topics", []) if scope == "topic" else self.facts.get("tags", [])
        return several

    @property
    def language(self) -> str | None:
        """As it was tagged."""
        return self.facts.get("language")

    @property
    def regions(self) -> tuple[Spot, ...]:
        """The places of the item."""
        rows = self.facts.get("regions", ())
        return tuple(Spot(r["code"], r["name"], r["kind"], r.get("lat"), r.get("lon"), r.get("score", 1.0)) for r in rows)

    @property
    def countries(self) -> tuple[str, ...]:
        """Of the item; of its story while the item names none."""
        mine = self.own_countries
        return mine if mine or not self.story or self.facts.get("regions") else tuple(self.story.countries)

    @property
    def urgency(self) -> int:
        """The highest (lowest number) that the story has had."""
        mine = int(self.facts.get("urgency", 5))
        return min(mine, self.story.urgency) if self.story else mine

    @property
    def sources(self) -> int:
        """How many sources tell the story."""
        return len(self.story.sources) if self.story else 1

    @property
    def is_update(self) -> bool:
        """Whether other items of the story came before."""
        return self.story is not None and any(i != self.item_id for i in self.story.items)

    @property
    def age_s(self) -> float:
        """Seconds from the item's own date until it was polled, as of `Document`."""
        published = self.item.get("published_at")
        return age_of(datetime.fromisoformat(published) if published else None, self.polled_at)


def _string(raw: bytes, key: bytes) -> str | None:
    """The text of a key in JSON, "" when it is not there; None when it has to be decoded."""
    start = raw.find(key) + len(key)
    if start < len(key):
        return ""
    text = raw[start : raw.find(b'"', start)]
    return None if b"\\" in text else text.decode()


class RememberedAreas:
    """Areas that answer the same question once."""

    def __init__(self, areas: Areas) -> None:
        self._areas = areas
        self._known: dict[tuple[str, tuple[str, ...], tuple[Any, ...]], bool | None] = {}

    def test(self, area: str, /, countries: Sequence[str], regions: Sequence[Any]) -> bool | None:
        """As of `Areas`."""
        asked = area, tuple(countries), tuple(regions)
        if asked not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[asked] = self._areas.test(area, countries, regions)
        return self._known[asked]

    def countries_in(self, name: str, /) -> frozenset[str]:
        """As of `Areas`."""
        return self._areas.countries_in(name)


def asked_of_stories(query: Query) -> frozenset[type]:
    """The kinds of operands whose answer other items of a story can change."""
    return frozenset(type(leaf) for leaf in leaves(query) if isinstance(leaf, STORY_LEAVES))


def cheapest_first(query: Query) -> Query:
    """The same query with the operands that cost least to answer first."""
    match query:
        case AllOf(parts):
            return AllOf(tuple(sorted(map(cheapest_first, parts), key=_cost)))
        case AnyOf(parts):
            return AnyOf(tuple(sorted(map(cheapest_first, parts), key=_cost)))
        case NoneOf(part):
            return NoneOf(cheapest_first(part))
        case _:
            return query


def _cost(query: Query) -> int:
    return max(_leaf_cost(leaf) for leaf in leaves(query))


def _leaf_cost(leaf: Leaf) -> int:
    is_stem = isinstance(leaf, Words) and leaf.mode == "stem"
    return 6 if is_stem else _COSTS.get(type(leaf), 1)
