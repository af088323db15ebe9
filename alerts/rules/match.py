"""Whether a query is true of an item: yes, no, or unknown when it asks for a region and the item has none.

What hangs on the story (how many sources, its urgency, a region it may still learn) can become true later; `remainder`
is what a query still waits for once its words were found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from alerts.errors import QueryError
from alerts.models import RegionEvidence
from alerts.rules.document import Document
from alerts.rules.lists import NO_LISTS, Lists, parsed
from alerts.rules.nodes import (
    STORY_LEAVES,
    Age,
    AllOf,
    AnyOf,
    Everything,
    Lang,
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
)

__all__ = ["Areas", "Document", "answer_of", "evaluate", "leaf_answer", "remainder"]


class Areas(Protocol):
    """The parts of the world that `region:` and `near:` may name."""

    def test(self, area: str, /, countries: Sequence[str], regions: Sequence[RegionEvidence]) -> bool | None:
        """Whether something with these countries and regions is in the area; None = unknown."""
        ...

    def countries_in(self, name: str, /) -> frozenset[str]:
        """ISO 3166-1 codes of the countries it contains or is a part of. Raises: NotFoundError."""
        ...


class Readable(Protocol):
    """An item as queries look at it: a `Document`, or a glance at an archived one."""

    def holds(self, wanted: Words | Pattern | Saved, /) -> bool:
        """Whether it stands in its scope."""
        ...

    @property
    def language(self) -> str | None: ...
    @property
    def regions(self) -> Sequence[Any]: ...
    @property
    def countries(self) -> Sequence[str]: ...
    @property
    def urgency(self) -> int: ...
    @property
    def sources(self) -> int: ...
    @property
    def age_s(self) -> float: ...
    @property
    def is_update(self) -> bool: ...


def evaluate(
    query: Query | str, document: Readable, areas: Areas, is_unknown_in: bool = False, lists: Lists = NO_LISTS
) -> bool | None:
    """Whether the query is true of the item.

    Args:
        query: Parsed, or as typed.
        document: The item.
        areas: What `region:` means.
        is_unknown_in: What to answer when it hangs on a region and the item has none.
        lists: What `@name` means.

    Returns:
        True, False, or None for unknown (never with `is_unknown_in`).

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    return answer_of(parsed(query, lists), document, areas, is_unknown_in)


def answer_of(query: Query, document: Readable, areas: Areas, is_unknown_in: bool = False) -> bool | None:
    """The same for a query that is ready: parsed, its lists filled in."""
    answer = _answer(query, document, areas)
    return True if answer is None and is_unknown_in else answer


def leaf_answer(leaf: Leaf, document: Readable, areas: Areas) -> bool | None:
    """Whether one operand is true of the item; None = unknown."""
    match leaf:
        case Words() | Pattern():
            return document.holds(leaf)
        case Saved(name, options):
            if not options:
                raise QueryError(f'the list "@{name}" was not looked up', leaf.column)
            return document.holds(leaf)
        case Region(name):
            return areas.test(name, document.countries, document.regions)
        case _:
            return _fact(leaf, document)


def _fact(leaf: Lang | Urgency | Sources | Age | StoryIs | Everything, document: Readable) -> bool:
    """An operand that is never unknown."""
    match leaf:
        case Lang(tag):
            return document.language == tag
        case Urgency(levels):
            return document.urgency in levels
        case Sources(low, high):
            return low <= document.sources and (high is None or document.sources <= high)
        case Age(limit_s, is_younger):
            return (document.age_s <= limit_s) is is_younger
        case StoryIs(kinds):
            return ("update" if document.is_update else "new") in kinds
        case Everything():
            return True


def _answer(query: Query, document: Readable, areas: Areas) -> bool | None:
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


def _all(parts: Sequence[Query], document: Readable, areas: Areas) -> bool | None:
    result: bool | None = True
    for part in parts:
        answer = _answer(part, document, areas)
        if answer is False:
            return False
        result = None if answer is None else result
    return result


def _any(parts: Sequence[Query], document: Readable, areas: Areas) -> bool | None:
    result: bool | None = False
    for part in parts:
        answer = _answer(part, document, areas)
        if answer:
            return True
        result = None if answer is None else result
    return result


def remainder(query: Query, document: Readable, areas: Areas) -> Query | bool:
    """What is left of a query once this item has answered all it can: operands that the story may change.

    Returns:
        True or False when nothing is left, else a query of `region:`, `urgency:`, `sources:` and `story:` operands. A
        region that the item has answered is answered for good.
    """
    match query:
        case AllOf(parts) | AnyOf(parts):
            kind, settled = type(query), isinstance(query, AnyOf)
            open_parts: list[Query] = []
            for part in parts:
                left = remainder(part, document, areas)
                if left is settled:
                    return settled
                if not isinstance(left, bool):
                    open_parts.append(left)
            return kind(tuple(open_parts)) if len(open_parts) > 1 else open_parts[0] if open_parts else not settled
        case NoneOf(part):
            inner = remainder(part, document, areas)
            return not inner if isinstance(inner, bool) else NoneOf(inner)
        case _:
            return _remainder_of_leaf(query, document, areas)


def _remainder_of_leaf(leaf: Leaf, document: Readable, areas: Areas) -> Query | bool:
    answer = leaf_answer(leaf, document, areas)
    if isinstance(leaf, STORY_LEAVES) and (answer is None or not isinstance(leaf, Region)):
        return leaf
    return bool(answer)
