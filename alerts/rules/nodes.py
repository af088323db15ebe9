"""The parsed form of a query: operands joined by all of, any of, none of. `text` and `column` show where each stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

BODY = ""  # headline and text together: where words without a field are looked for
WORD_FIELDS = ("title", "text", "source", "topic", "url")
OTHER_FIELDS = ("lang", "region", "urgency")
FIELDS = (*WORD_FIELDS, *OTHER_FIELDS)


@dataclass(frozen=True, slots=True)
class Everything:
    """`*`: true of every item."""

    text: str = field(default="*", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Words:
    """Words side by side in a field: one word, a phrase, or with `is_prefix` the beginning of its last word."""

    terms: tuple[str, ...]  # folded; a run of a script without spaces is one term
    scope: str = BODY  # or one of WORD_FIELDS
    is_prefix: bool = False
    text: str = field(default="", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Lang:
    """The item's language."""

    tag: str
    text: str = field(default="", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Region:
    """A place in an area; `name` as a person wrote it."""

    name: str
    text: str = field(default="", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Urgency:
    """The urgencies (1 is highest) that are meant."""

    levels: frozenset[int]
    text: str = field(default="", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part is true."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part is true."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """The part is not true."""

    part: Query


Leaf: TypeAlias = Everything | Words | Lang | Region | Urgency
Query: TypeAlias = Leaf | AllOf | AnyOf | NoneOf


def leaves(query: Query) -> Iterator[Leaf]:
    """The operands of a query, in the order they were written."""
    if isinstance(query, AllOf | AnyOf):
        for part in query.parts:
            yield from leaves(part)
    elif isinstance(query, NoneOf):
        yield from leaves(query.part)
    else:
        yield query
