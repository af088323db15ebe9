"""Queries as identities: two spellings that mean the same have one normal form, and are stored and matched once."""

from __future__ import annotations

import re

from alerts.errors import NotFoundError, QueryError
from alerts.rules.grammar import parse
from alerts.rules.lists import Lists
from alerts.rules.match import Areas
from alerts.rules.nodes import (
    NEAR,
    Age,
    AllOf,
    AnyOf,
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
    leaves,
)
from alerts.rules.slips import several
from alerts.text.fingerprint import content_id
from alerts.text.tokens import words

_MARKS = {"exact": "=", "stem": "~"}


def normal_form(query: str) -> str:
    """The query with its words folded, its parts in a fixed order and said once; itself a query.

    Raises:
        QueryError: It does not parse.
    """
    return shown(_ordered(parse(query)))


def query_id(query: str, is_unknown_in: bool) -> str:
    """The id that rules with an equal query (and an equal answer to unknown regions) share.

    A query that does not parse has the id of its text, so that a broken rule can still be stored, listed and removed.
    """
    try:
        form = normal_form(query)
    except QueryError:
        form = f"unreadable {query}"
    return content_id("query", form, "in" if is_unknown_in else "out")


def _check_split_name(query: str, leaf: Region, areas: Areas) -> None:
    """Refuse `region:South Lebanon`, which is the region South and the word Lebanon."""
    after = re.match(r"\s+([^\W_][^\s()\":]*)", query[leaf.column - 1 + len(leaf.name) :])
    if leaf.name.startswith(NEAR) or '"' in leaf.text or after is None or after[1] in ("AND", "OR", "NOT"):
        return
    whole = f"{leaf.name} {after[1]}"
    try:
        areas.countries_in(whole)
    except NotFoundError:
        return
    message = f'this asks for the region "{leaf.name}" and the word "{after[1]}"; write region:"{whole}", or put the word in quotes'
    raise QueryError(message, leaf.column)


def check_query(query: str, areas: Areas | None = None, lists: Lists | None = None) -> None:
    """Return when the query parses and every region and list in it is known.

    Raises:
        QueryError: With the column and what to write.
    """
    for leaf in leaves(parse(query)):
        if lists is not None and isinstance(leaf, Saved):
            lists.find(leaf)
        if areas is not None and isinstance(leaf, Region):
            _check_region(leaf, areas)
            _check_split_name(query, leaf, areas)


def _check_region(leaf: Region, areas: Areas) -> None:
    try:
        areas.countries_in(leaf.name)
    except NotFoundError as error:
        if leaf.name.startswith(NEAR):
            message = "circles are not known to this installation's regions; name the countries, such as region:LB"
            raise QueryError(message, leaf.column) from error
        raise QueryError(f"{error}{several('region', leaf.name)}", leaf.column) from error


def shown(query: Query) -> str:
    """A parsed query as text that parses to the same."""
    match query:
        case AllOf(parts):
            return " ".join(_bracketed(part) for part in parts)
        case AnyOf(parts):
            return " OR ".join(_bracketed(part) for part in parts)
        case NoneOf(part):
            return f"NOT {_bracketed(part)}"
        case Words() | Pattern():
            return f"{query.scope}:{_sought(query)}" if query.scope else _sought(query)
        case _:
            return _shown_leaf(query)


def _sought(leaf: Words | Pattern) -> str:
    if isinstance(leaf, Pattern):
        return f"/{leaf.source}/"
    suffix = "*" if leaf.mode == "prefix" else "" if leaf.slop is None else f"~{leaf.slop}"
    return f'{_MARKS.get(leaf.mode, "")}"{" ".join(leaf.terms)}"{suffix}'


def _shown_leaf(leaf: Leaf) -> str:
    match leaf:
        case Saved(name):
            return f"@{name}"
        case Lang(tag):
            return f"lang:{tag}"
        case Region(name):
            return f'region:"{_region(name)}"'
        case Urgency(levels):
            return f"urgency:{_span(min(levels), max(levels))}"
        case Sources(low, high):
            return f"sources:>={low}" if high is None else f"sources:{_span(low, high)}"
        case Age(limit_s, is_younger):
            return f"age:{'<' if is_younger else '>'}{limit_s:.3f}".rstrip("0").rstrip(".") + "s"
        case StoryIs(kinds):
            return f"story:{'|'.join(sorted(kinds))}"
        case _:
            return "*"


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low}-{high}"


def _ordered(query: Query) -> Query:
    """The same query with equal parts once, in the order of their text, and no group of one."""
    if isinstance(query, NoneOf):
        inner = _ordered(query.part)
        return inner.part if isinstance(inner, NoneOf) else NoneOf(inner)
    if not isinstance(query, AllOf | AnyOf):
        return query
    kind = type(query)
    parts: dict[str, Query] = {}
    for part in map(_ordered, query.parts):
        parts |= {shown(p): p for p in (part.parts if isinstance(part, kind) else (part,))}
    return kind(tuple(parts[text] for text in sorted(parts))) if len(parts) > 1 else next(iter(parts.values()))


def _region(name: str) -> str:
    """A region's name folded; numbers of a circle stay as they are."""
    return "".join(name.lower().split()) if name.lower().startswith("near:") else " ".join(words(name))


def _bracketed(part: Query) -> str:
    return f"({shown(part)})" if isinstance(part, AllOf | AnyOf) else shown(part)
