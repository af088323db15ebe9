"""Whether a query is true of an item: yes, no, or unknown when it asks for a region and the item has none.

Words are compared whole, never inside others ("assad" is not in ambassador). Two scripts need more: in those without
spaces a word may begin anywhere in a run, and a Korean word may carry its particles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

from alerts.models import RegionEvidence, Tagged
from alerts.rules.grammar import parse
from alerts.rules.nodes import BODY, AllOf, AnyOf, Everything, Lang, Leaf, NoneOf, Query, Region, Urgency, Words
from alerts.text.tokens import Token, is_hangul, is_run, tokens

_SCOPES = {BODY: ("title", "text")}


class Areas(Protocol):
    """The parts of the world that `region:` may name."""

    def test(self, area: str, /, countries: Sequence[str], regions: Sequence[RegionEvidence]) -> bool | None:
        """Whether something with these countries and regions is in the area; None = unknown."""
        ...

    def countries_in(self, name: str, /) -> frozenset[str]:
        """ISO 3166-1 codes of the countries it contains or is a part of. Raises: NotFoundError."""
        ...


class _Unit(NamedTuple):
    """One token that a query looks for."""

    text: str
    is_touching: bool  # no gap may be between it and the one before
    is_open: bool  # the token may go on (a Korean word and its particles)


class Line:
    """The words of one text, and where each stands."""

    __slots__ = ("offset", "places", "words")

    def __init__(self, text: str, offset: int = 0) -> None:
        self.words = tokens(text)
        self.offset = offset
        self.places: dict[str, list[int]] = {}
        for index, word in enumerate(self.words):
            self.places.setdefault(word.text, []).append(index)

    def find(self, wanted: Words) -> tuple[int, int] | None:
        """The span of the first place where these words stand side by side."""
        units = _units(wanted.terms)
        for index in self._starts(units[0], wanted.is_prefix and len(units) == 1):
            last = index + len(units) - 1
            if last < len(self.words) and all(self._fits(index + n, unit, n, units, wanted.is_prefix) for n, unit in enumerate(units)):
                return self.words[index].start + self.offset, self.words[last].end + self.offset
        return None

    def _starts(self, unit: _Unit, is_prefix: bool) -> Sequence[int]:
        if is_prefix or unit.is_open:
            return [index for index, word in enumerate(self.words) if word.text.startswith(unit.text)]
        return self.places.get(unit.text, ())

    def _fits(self, index: int, unit: _Unit, number: int, units: Sequence[_Unit], is_prefix: bool) -> bool:
        word = self.words[index]
        if unit.is_touching and self.words[index - 1].end != word.start:
            return False
        is_open = unit.is_open or (is_prefix and number == len(units) - 1)
        return word.text.startswith(unit.text) if is_open else word.text == unit.text


@dataclass(frozen=True, slots=True)
class Document:
    """An item as queries look at it; its words are cut once."""

    tagged: Tagged
    _lines: dict[str, tuple[Line, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, tagged: Tagged) -> Document:
        """The item, ready to be matched."""
        return cls(tagged)

    def lines(self, scope: str) -> tuple[Line, ...]:
        """The texts of a scope (a field, or "" for headline and text), each for itself."""
        if scope not in self._lines:
            self._lines[scope] = self._cut(scope)
        return self._lines[scope]

    def find(self, wanted: Words) -> tuple[int, int] | None:
        """Where the words stand in their scope; for headline and text in characters of both, joined by a newline."""
        return next((span for line in self.lines(wanted.scope) if (span := line.find(wanted))), None)

    @property
    def words(self) -> Iterator[Token]:
        """Every word of headline and text."""
        return (word for line in self.lines(BODY) for word in line.words)

    def _cut(self, scope: str) -> tuple[Line, ...]:
        item = self.tagged.change.item
        if scope in _SCOPES:
            return tuple(line for part in _SCOPES[scope] for line in self.lines(part))
        if scope == "text":
            return (Line(item.text, len(item.title) + 1),)
        values = {"title": (item.title,), "source": (item.source_id,), "url": (item.url,), "topic": item.topics}
        return tuple(Line(value) for value in values[scope])


def evaluate(query: Query | str, document: Document, areas: Areas, is_unknown_in: bool = False) -> bool | None:
    """Whether the query is true of the item.

    Args:
        query: Parsed, or as typed.
        document: The item.
        areas: What `region:` means.
        is_unknown_in: What to answer when it hangs on a region and the item has none.

    Returns:
        True, False, or None for unknown (never with `is_unknown_in`).

    Raises:
        QueryError: A query as typed that does not parse.
    """
    answer = _answer(parse(query) if isinstance(query, str) else query, document, areas)
    return True if answer is None and is_unknown_in else answer


def leaf_answer(leaf: Leaf, document: Document, areas: Areas) -> bool | None:
    """Whether one operand is true of the item; None = unknown."""
    tagged = document.tagged
    match leaf:
        case Words():
            return document.find(leaf) is not None
        case Region(name):
            return areas.test(name, tagged.countries, tagged.regions)
        case Lang(tag):
            return tagged.language == tag
        case Urgency(levels):
            return tagged.urgency in levels
        case Everything():
            return True


def _answer(query: Query, document: Document, areas: Areas) -> bool | None:
    match query:
        case AllOf(parts):
            return _all(parts, document, areas)
        case AnyOf(parts):
            return _any(parts, document, areas)
        case NoneOf(part):
            answer = _answer(part, document, areas)
            return None if answer is None else not answer
        case _:
            return leaf_answer(query, document, areas)


def _all(parts: Sequence[Query], document: Document, areas: Areas) -> bool | None:
    result: bool | None = True
    for part in parts:
        answer = _answer(part, document, areas)
        if answer is False:
            return False
        result = None if answer is None else result
    return result


def _any(parts: Sequence[Query], document: Document, areas: Areas) -> bool | None:
    result: bool | None = False
    for part in parts:
        answer = _answer(part, document, areas)
        if answer:
            return True
        result = None if answer is None else result
    return result


@lru_cache(maxsize=65536)
def _units(terms: tuple[str, ...]) -> tuple[_Unit, ...]:
    """The tokens of the terms; a run of a script without spaces is one token for each character, without gaps."""
    units: list[_Unit] = []
    for term in terms:
        if is_run(term):
            units += (_Unit(word.text, index > 0, False) for index, word in enumerate(tokens(term)))
        else:
            units.append(_Unit(term, False, is_hangul(term)))
    return tuple(units)
