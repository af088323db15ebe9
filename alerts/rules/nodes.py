"""The parsed form of a query: operands joined by all of, any of, none of. `text` and `column` show where each stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

BODY = ""  # headline and text together: where words without a field are looked for
WORD_FIELDS = ("title", "text", "source", "topic", "tag", "author", "url")
OTHER_FIELDS = ("lang", "region", "near", "urgency", "sources", "age", "story")
FIELDS = (*WORD_FIELDS, *OTHER_FIELDS)
NEAR = "near:"  # begins the name of a Region that is a circle

Mode: TypeAlias = Literal["word", "prefix", "exact", "stem"]


@dataclass(frozen=True, slots=True)
class Everything:
    """`*`: true of every item."""

    text: str = field(default="*", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Words:
    """Words in a field: side by side, or with `slop` near each other in any order.

    `mode` says how they compare: folded and whole; the last one as a beginning; letter by letter; by their stems.
    """

    terms: tuple[str, ...]  # folded but for letters that have other spellings; a run of a script without spaces is one term
    scope: str = BODY  # or one of WORD_FIELDS
    mode: Mode = "word"
    slop: int | None = None  # how many other words may stand among them
    text: str = field(default="", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression (RE2) on a field, capitals or not."""

    source: str
    scope: str = BODY
    text: str = field(default="", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Saved:
    """`@name`: any of the words of a list in config/lists.toml; `options` are filled in by `lists.expand`."""

    name: str
    options: tuple[Words, ...] = field(default=(), compare=False)
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
    """A place in an area; `name` as a person wrote it, or "near:LAT,LON,50km"."""

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
class Sources:
    """How many independent sources tell the story."""

    low: int
    high: int | None = None  # None = no limit
    text: str = field(default="", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Age:
    """How old the item was when it was found."""

    limit_s: float
    is_younger: bool  # else at least as old
    text: str = field(default="", compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class StoryIs:
    """Whether the item begins its story ("new") or adds to it ("update")."""

    kinds: frozenset[str]
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


Leaf: TypeAlias = Everything | Words | Pattern | Saved | Lang | Region | Urgency | Sources | Age | StoryIs
Query: TypeAlias = Leaf | AllOf | AnyOf | NoneOf
STORY_LEAVES = (Region, Urgency, Sources, StoryIs)  # their answer may change while the story goes on


def leaves(query: Query) -> Iterator[Leaf]:
    """The operands of a query, in the order they were written."""
    if isinstance(query, AllOf | AnyOf):
        for part in query.parts:
            if isinstance(part, AllOf | AnyOf | NoneOf):
                yield from leaves(part)
            else:
                yield part
    elif isinstance(query, NoneOf):
        yield from leaves(query.part)
    else:
        yield query
