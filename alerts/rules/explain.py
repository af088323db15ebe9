"""Why a query is true of an item or not: each operand with its stage, its answer, and where in the text it was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from alerts.models import Operand, RegionEvidence
from alerts.rules.document import Document
from alerts.rules.lists import NO_LISTS, Lists, parsed
from alerts.rules.match import Areas, leaf_answer
from alerts.rules.nodes import (
    NEAR,
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
    leaves,
)

_STAGES: Mapping[type, str] = {
    Words: "words", Pattern: "words", Saved: "words", Region: "region", Lang: "language", Urgency: "urgency", Sources: "story",
    StoryIs: "story", Age: "age", Everything: "everything",
}  # fmt: skip
_PLACES = {
    "": "headline and text", "source": "source id", "topic": "topics", "tag": "source's tags", "url": "link", "title": "headline",
}  # fmt: skip
_WITHOUT_SPAN = ("source", "topic", "tag", "author", "url")


def explain(query: Query | str, document: Document, areas: Areas, lists: Lists = NO_LISTS) -> tuple[Operand, ...]:
    """Every operand of the query with its own answer, in the order they were written.

    An operand under NOT is shown with the answer it gives itself, before it is turned round. Spans count in the
    characters of headline, newline, text; operands on other fields have none.

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    return tuple(_operand(leaf, document, areas) for leaf in leaves(parsed(query, lists)))


def matched_words(query: Query | str, document: Document, lists: Lists = NO_LISTS) -> tuple[str, ...]:
    """The words of headline and text that the query asked for, as published, in the order they were asked for.

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    item = document.tagged.change.item
    text = f"{item.title}\n{item.text}"
    found = (_found(leaf, document) for leaf in _wanted(parsed(query, lists)))
    return tuple(text[slice(*operand.span)] for operand in found if operand.span)


def _wanted(query: Query, *, is_wanted: bool = True) -> Iterator[Words | Pattern | Saved]:
    """The words that are to be there: not those under NOT."""
    if isinstance(query, NoneOf):
        yield from _wanted(query.part, is_wanted=not is_wanted)
    elif isinstance(query, AllOf | AnyOf):
        for part in query.parts:
            yield from _wanted(part, is_wanted=is_wanted)
    elif is_wanted and isinstance(query, Words | Pattern | Saved):
        yield query


def obstacle(query: Query | str, document: Document, areas: Areas, lists: Lists = NO_LISTS) -> Operand | None:
    """The first operand because of which the query is not true of the item; None when it is true.

    Under NOT that is an operand that is true. Where several would have to be otherwise, it is the first one written.

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    leaf = _obstacle(parsed(query, lists), document, areas, is_wanted=True)
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
        case Words() | Pattern() | Saved():
            return _found(leaf, document)
        case Region():
            return _region(leaf, document, areas, answer)
        case _:
            return Operand(text=leaf.text, is_true=answer, why=_fact(leaf, document))


def _fact(leaf: Leaf, document: Document) -> str:
    tagged = document.tagged
    match leaf:
        case Lang():
            return f"the language is {tagged.language or 'not known'}"
        case Urgency():
            reason = f" ({tagged.urgency_why})" if tagged.urgency_why else ""
            return f"the urgency is {document.urgency}{reason}"
        case Sources():
            return f"{document.sources} independent source{'s' if document.sources > 1 else ''} so far"
        case Age():
            return f"found {document.age_s / 60:.0f} min after its date" if tagged.change.item.published_at else "the item has no date"
        case StoryIs():
            return "it adds to a story" if document.is_update else "it begins a story"
        case _:
            return "true of every item"


def _found(leaf: Words | Pattern | Saved, document: Document) -> Operand:
    options: tuple[Words | Pattern, ...] = leaf.options if isinstance(leaf, Saved) else (leaf,)
    scope = options[0].scope
    place = _PLACES.get(scope, scope)
    span = next((span for option in options if (span := document.find(option))), None)
    if span is None:
        return Operand(text=leaf.text, is_true=False, why=f"not in the {place}")
    if scope in _WITHOUT_SPAN:
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
    about = ", ".join(document.countries)
    if leaf.name.startswith(NEAR) and not answer:
        return Operand(text=leaf.text, is_true=False, why=f"no place of the item is in the circle; it is about {about}")
    whose = "the item" if tagged.countries or tagged.regions else "its story"
    return Operand(text=leaf.text, is_true=answer, why=f"{whose} is about {about}")


def _span(evidence: RegionEvidence) -> tuple[int, int] | None:
    return evidence.span if evidence.span != (0, 0) else None
