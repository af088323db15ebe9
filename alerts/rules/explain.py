"""Why a query is true of an item or not: each operand with its answer, and where in the text it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from alerts.models import Operand, RegionEvidence
from alerts.rules.grammar import parse
from alerts.rules.match import Areas, Document, leaf_answer
from alerts.rules.nodes import AllOf, AnyOf, Everything, Lang, Leaf, NoneOf, Query, Region, Urgency, Words, leaves

_STAGES: Mapping[type, str] = {Words: "words", Region: "region", Lang: "language", Urgency: "urgency", Everything: "everything"}
_PLACES = {"": "headline and text", "source": "source id", "topic": "topics", "url": "link", "title": "headline"}


def explain(query: Query | str, document: Document, areas: Areas) -> tuple[Operand, ...]:
    """Every operand of the query with its own answer, in the order they were written.

    An operand under NOT is shown with the answer it gives itself, before it is turned round. Spans count in the
    characters of headline, newline, text; operands on other fields have none.

    Raises:
        QueryError: A query as typed that does not parse.
    """
    parsed = parse(query) if isinstance(query, str) else query
    return tuple(_operand(leaf, document, areas) for leaf in leaves(parsed))


def obstacle(query: Query | str, document: Document, areas: Areas) -> Operand | None:
    """The first operand because of which the query is not true of the item; None when it is true.

    Under NOT that is an operand that is true. Where several would have to be otherwise, it is the first one written.

    Raises:
        QueryError: A query as typed that does not parse.
    """
    leaf = _obstacle(parse(query) if isinstance(query, str) else query, document, areas, is_wanted=True)
    return _operand(leaf, document, areas) if leaf else None


def _obstacle(query: Query, document: Document, areas: Areas, *, is_wanted: bool) -> Leaf | None:
    """The first operand that keeps the query from having the wanted answer."""
    if isinstance(query, NoneOf):
        return _obstacle(query.part, document, areas, is_wanted=not is_wanted)
    if not isinstance(query, AllOf | AnyOf):
        return None if leaf_answer(query, document, areas) is is_wanted else query
    found = [_obstacle(part, document, areas, is_wanted=is_wanted) for part in query.parts]
    needs_all = isinstance(query, AllOf) is is_wanted
    if not needs_all and None in found:
        return None
    return next((leaf for leaf in found if leaf), None)


def _operand(leaf: Leaf, document: Document, areas: Areas) -> Operand:
    return replace(_answered(leaf, document, areas), stage=_STAGES[type(leaf)])


def _answered(leaf: Leaf, document: Document, areas: Areas) -> Operand:
    answer = leaf_answer(leaf, document, areas)
    match leaf:
        case Words():
            return _words(leaf, document)
        case Region():
            return _region(leaf, document, areas, answer)
        case Lang():
            return Operand(text=leaf.text, is_true=answer, why=f"the language is {document.tagged.language or 'not known'}")
        case Urgency():
            tagged = document.tagged
            reason = f" ({tagged.urgency_why})" if tagged.urgency_why else ""
            return Operand(text=leaf.text, is_true=answer, why=f"the urgency is {tagged.urgency}{reason}")
        case Everything():
            return Operand(text=leaf.text, is_true=answer, why="true of every item")


def _words(leaf: Words, document: Document) -> Operand:
    span = document.find(leaf)
    place = _PLACES.get(leaf.scope, leaf.scope)
    if span is None:
        return Operand(text=leaf.text, is_true=False, why=f"not in the {place}")
    if leaf.scope in ("source", "topic", "url"):
        return Operand(text=leaf.text, is_true=True, why=f"in the {place}")
    item = document.tagged.change.item
    found = f"{item.title}\n{item.text}"[slice(*span)]
    place = "headline" if span[0] < len(item.title) else "text"
    return Operand(text=leaf.text, is_true=True, span=span, why=f'"{found}" in the {place}')


def _region(leaf: Region, document: Document, areas: Areas, answer: bool | None) -> Operand:
    tagged = document.tagged
    if answer is None:
        known = ", ".join(tagged.countries)
        why = f"the item says no more than {known}, of which the region is a part" if known else "the item has no known region"
        return Operand(text=leaf.text, is_true=None, why=why)
    inside = [e for e in tagged.regions if areas.test(leaf.name, (), (e,))]
    if answer and inside:
        return Operand(text=leaf.text, is_true=True, span=_span(inside[0]), why=inside[0].why or inside[0].name)
    return Operand(text=leaf.text, is_true=answer, why=f"the item is about {', '.join(tagged.countries)}")


def _span(evidence: RegionEvidence) -> tuple[int, int] | None:
    return evidence.span if evidence.span != (0, 0) else None
