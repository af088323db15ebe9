"""Why a query is true of an item or not: each operand with its answer, where in the text it was found, and the stage.

The stages, in the order an item passes them: `words` (a word, phrase, expression, field or language is missing, or one
that must be absent is there), `region` (it is elsewhere), `unknown region`, `story` (the story is not urgent, old or
wide enough yet), `matched`.
"""

from __future__ import annotations

from dataclasses import dataclass

from alerts.models import Operand, RegionEvidence
from alerts.rules.document import Document
from alerts.rules.lists import NO_LISTS, Lists, parsed
from alerts.rules.match import Areas, evaluate, leaf_answer, remainder
from alerts.rules.nodes import NEAR, Age, Lang, Leaf, Pattern, Query, Region, Saved, Sources, StoryIs, Urgency, Words, leaves

_PLACES = {
    "": "headline and text", "source": "source id", "topic": "topics", "tag": "source's tags", "url": "link", "title": "headline",
}  # fmt: skip
_WITHOUT_SPAN = ("source", "topic", "tag", "author", "url")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a query says of an item: the answer, the stage it was decided at, and every operand."""

    is_match: bool | None
    stage: str  # words | region | unknown region | story | matched
    operands: tuple[Operand, ...]


def explain_all(
    query: Query | str, document: Document, areas: Areas, *, is_unknown_in: bool = False, lists: Lists = NO_LISTS
) -> Explanation:
    """The answer of a query with its reasons.

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    ready = parsed(query, lists)
    answer = evaluate(ready, document, areas, is_unknown_in)
    return Explanation(answer, _stage(ready, document, areas, answer), explain(ready, document, areas))


def explain(query: Query | str, document: Document, areas: Areas, lists: Lists = NO_LISTS) -> tuple[Operand, ...]:
    """Every operand of the query with its own answer, in the order they were written.

    An operand under NOT is shown with the answer it gives itself, before it is turned round. Spans count in the
    characters of headline, newline, text; operands on other fields have none.

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    return tuple(_operand(leaf, document, areas) for leaf in leaves(parsed(query, lists)))


def _stage(query: Query, document: Document, areas: Areas, answer: bool | None) -> str:
    if answer:
        return "matched"
    if answer is None:
        return "unknown region"
    if remainder(query, document, areas) is not False:
        return "story"
    is_elsewhere = remainder(query, document, _Anywhere()) is not False
    return "region" if is_elsewhere else "words"


class _Anywhere:
    """Areas of which nothing is known: what still fails then does not fail for its region."""

    def test(self, _area: str, /, countries: object, regions: object) -> None:
        """Unknown."""

    def countries_in(self, _name: str, /) -> frozenset[str]:
        """None."""
        return frozenset()


def _operand(leaf: Leaf, document: Document, areas: Areas) -> Operand:
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
        return Operand(text=leaf.text, is_true=None, why="the item has no known region")
    inside = [e for e in tagged.regions if areas.test(leaf.name, (e.code[:2],), (e,))]
    if answer and inside:
        return Operand(text=leaf.text, is_true=True, span=_span(inside[0]), why=inside[0].why or inside[0].name)
    about = ", ".join(document.countries)
    if leaf.name.startswith(NEAR) and not answer:
        return Operand(text=leaf.text, is_true=False, why=f"no place of the item is in the circle; it is about {about}")
    whose = "the item" if tagged.countries or tagged.regions else "its story"
    return Operand(text=leaf.text, is_true=answer, why=f"{whose} is about {about}")


def _span(evidence: RegionEvidence) -> tuple[int, int] | None:
    return evidence.span if evidence.span != (0, 0) else None
