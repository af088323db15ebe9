"""An archived item as a query looks at it, read no further than the query asks.

It answers what a `Document` answers. Words are first looked for in the raw text (see `looks`); the text is cut only when
that cannot say. What queries ask about an item's story is kept as little as possible, for all items that are read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from alerts.rules import archived
from alerts.rules.archived import Spot
from alerts.rules.document import Line, age_of
from alerts.rules.looks import Looks
from alerts.rules.match import Areas
from alerts.rules.nodes import (
    BODY,
    STORY_LEAVES,
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

_COSTS: Mapping[type, int] = {Words: 2, Saved: 3, Region: 4, Pattern: 5}
_KEYS = {
    BODY: (b'"title":"', b'"text":"'),
    "title": (b'"title":"',),
    "text": (b'"text":"',),
    "source": (b'"source_id":"',),
    "url": (b'"url":"',),
    "author": (b'"author":"',),
}
_REMEMBERED = 100_000  # answers about areas
_T = TypeVar("_T")


class once(Generic[_T]):
    """`functools.cached_property` without its lock, which costs more than what is read here."""

    def __init__(self, read: Callable[[Any], _T]) -> None:
        self._read, self._name = read, read.__name__

    def __get__(self, item: Any, kind: type | None = None) -> _T:
        found = item.__dict__[self._name] = self._read(item)
        return found


@dataclass(slots=True)
class Growing:
    """What is known of a story after the items that were read."""

    items: set[bytes] = field(default_factory=set)
    sources: set[bytes] = field(default_factory=set)
    countries: dict[str, None] = field(default_factory=dict)
    urgency: int = 5

    def add(self, item: Glance, asked: Collection[type]) -> None:
        """Take up an item: of it what these kinds of operands ask about."""
        if Sources in asked or StoryIs in asked:
            item_id, source_id = item.identity
            self.items.add(item_id)
            self.sources.add(source_id)
        if Region in asked:
            self.countries.update(dict.fromkeys(item.own_countries))
        if Urgency in asked:
            self.urgency = min(self.urgency, item.own_urgency)


class Glance:
    """One archived item."""

    def __init__(self, raw: bytes, looks: Looks, story: Growing | None = None) -> None:
        self.raw, self.story, self._looks = raw, story, looks

    @once
    def identity(self) -> tuple[bytes, bytes]:
        """Item id and source id."""
        return archived.identity(self.raw)

    @once
    def own_countries(self) -> tuple[str, ...]:
        """Of the item itself, most relevant first."""
        return archived.countries(self.raw)

    @once
    def own_urgency(self) -> int:
        """Of the item itself."""
        return archived.urgency(self.raw)

    @once
    def polled_at(self) -> datetime:
        """UTC."""
        return archived.polled_at(self.raw)

    def holds(self, wanted: Words | Pattern | Saved) -> bool:
        """Whether it stands in its scope."""
        if isinstance(wanted, Pattern):
            search = compiled(wanted.source).search
            return any(search(text) for text in self._texts(wanted.scope))
        options = wanted.options if isinstance(wanted, Saved) else (wanted,)
        scope = options[0].scope
        answer = self._looks.answer(wanted, b"\n".join(self._texts(scope)), self)
        return self._has(options, scope) if answer is None else answer

    def _has(self, options: Sequence[Words], scope: str) -> bool:
        """The slow answer: the words are cut and compared."""
        return any(line.find(option) for line in self._lines(scope) for option in options)

    def _lines(self, scope: str) -> list[Line]:
        if scope not in self._cut:
            self._cut[scope] = [Line(text.decode(), 0, self.language) for text in self._texts(scope)]
        return self._cut[scope]

    @once
    def _cut(self) -> dict[str, list[Line]]:
        return {}

    def _texts(self, scope: str) -> list[bytes]:
        if scope in _KEYS:
            return [archived.string_of(self.raw, key) for key in _KEYS[scope]]
        facts = archived.facts(self.raw)
        several: list[str] = facts["change"]["item"].get("topics", []) if scope == "topic" else facts.get("tags", [])
        return [text.encode() for text in several]

    @once
    def language(self) -> str | None:
        """As it was tagged."""
        return archived.language(self.raw)

    @once
    def regions(self) -> tuple[Spot, ...]:
        """The places of the item."""
        return archived.spots(self.raw)

    @once
    def countries(self) -> tuple[str, ...]:
        """Of the item; of its story while the item names none."""
        mine = self.own_countries
        return mine if mine or not self.story or self.regions else tuple(self.story.countries)

    @property
    def urgency(self) -> int:
        """The highest (lowest number) that the story has had."""
        return min(self.own_urgency, self.story.urgency) if self.story else self.own_urgency

    @property
    def sources(self) -> int:
        """How many sources tell the story."""
        return len(self.story.sources) if self.story else 1

    @property
    def is_update(self) -> bool:
        """Whether other items of the story came before."""
        return self.story is not None and any(i != self.identity[0] for i in self.story.items)

    @once
    def age_s(self) -> float:
        """Seconds from the item's own date until it was polled, as of `Document`."""
        return age_of(archived.published_at(self.raw), self.polled_at)


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
    """The same query with the operands that cost least to answer first, and words joined by OR looked for all at once."""
    match query:
        case AllOf(parts):
            return AllOf(tuple(sorted(map(cheapest_first, parts), key=_cost)))
        case AnyOf(parts):
            joined = _at_once(parts)
            return AnyOf(tuple(sorted(map(cheapest_first, joined), key=_cost))) if len(joined) > 1 else joined[0]
        case NoneOf(part):
            return NoneOf(cheapest_first(part))
        case _:
            return query


def _at_once(parts: Sequence[Query]) -> list[Query]:
    """The parts of an AnyOf, the words of each field as one operand."""
    by_scope: dict[str, list[Words]] = {}
    others: list[Query] = []
    for part in parts:
        if isinstance(part, Words):
            by_scope.setdefault(part.scope, []).append(part)
        elif isinstance(part, Saved):
            by_scope.setdefault(BODY, []).extend(part.options)
        else:
            others.append(part)
    joined = (Saved("", tuple(some)) if len(some) > 1 else some[0] for some in by_scope.values())
    return [*joined, *others]


def _cost(query: Query) -> int:
    return max(_leaf_cost(leaf) for leaf in leaves(query))


def _leaf_cost(leaf: Leaf) -> int:
    is_stem = isinstance(leaf, Words | Saved) and any(w.mode == "stem" for w in _options(leaf))
    return 6 if is_stem else _COSTS.get(type(leaf), 1)


def _options(leaf: Words | Saved) -> tuple[Words, ...]:
    return leaf.options if isinstance(leaf, Saved) else (leaf,)
