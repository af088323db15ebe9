"""Queries as identities: two spellings that mean the same have one normal form, and are stored and matched once."""

from __future__ import annotations

from alerts.errors import NotFoundError, QueryError
from alerts.rules.grammar import parse
from alerts.rules.match import Areas
from alerts.rules.nodes import AllOf, AnyOf, Everything, Lang, NoneOf, Query, Region, Urgency, Words, leaves
from alerts.text.fingerprint import content_id
from alerts.text.tokens import words


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


def check_query(query: str, areas: Areas | None = None) -> None:
    """Return when the query parses and every region in it is known.

    Raises:
        QueryError: With the column and what to write.
    """
    for leaf in leaves(parse(query)):
        if areas is None or not isinstance(leaf, Region):
            continue
        try:
            areas.countries_in(leaf.name)
        except NotFoundError as error:
            raise QueryError(str(error), leaf.column) from error


def shown(query: Query) -> str:
    """A parsed query as text that parses to the same."""
    match query:
        case AllOf(parts):
            return " ".join(_bracketed(part) for part in parts)
        case AnyOf(parts):
            return " OR ".join(_bracketed(part) for part in parts)
        case NoneOf(part):
            return f"NOT {_bracketed(part)}"
        case Words(terms, scope, is_prefix):
            return f'{scope}{":" if scope else ""}"{" ".join(terms)}"{"*" if is_prefix else ""}'
        case Lang(tag):
            return f"lang:{tag}"
        case Region(name):
            return f'region:"{_region(name)}"'
        case Urgency(levels):
            return _urgency(levels)
        case Everything():
            return "*"


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


def _urgency(levels: frozenset[int]) -> str:
    low, high = min(levels), max(levels)
    return f"urgency:{low}" if low == high else f"urgency:{low}-{high}"
