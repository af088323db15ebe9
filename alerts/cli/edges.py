"""The machine-readable edges: JSON Lines in, JSON Lines out, unknown fields pass through, errors name the line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alerts.cli import show
from alerts.cli.context import lazy, open_settings, read_lines, text_of
from alerts.errors import ConfigError
from alerts.models import Change, ChangeKind, Item, Operand, Source, Tagged

if TYPE_CHECKING:
    from alerts.settings import SiftSettings

regions = typer.Typer(no_args_is_help=True, help="Where in the world a text is.")
stories = typer.Typer(no_args_is_help=True, help="Which items are about one event.")
InFile = Annotated[Path | None, typer.Argument(help="JSON Lines; stdin if left out, or with -.")]
Rows = Iterator[dict[str, Any]]


@regions.command(name="tag")
def tag_regions(file: InFile = None) -> None:
    """{"id", "text", "lang"?, "source_region"?} -> the same with "countries" and "regions", most relevant first, and "admin1"."""
    open_settings()
    show.json_lines(_tag_rows(file))


def _tag_rows(file: Path | None) -> Rows:
    tagging = lazy("alerts.regions.tagger")
    tagger, language_of = tagging.Tagger.load(), lazy("alerts.text.language").language_of
    for place, row in read_lines(file):
        text = text_of(row, "text", place, needed=True)
        language = language_of(text, text_of(row, "lang", place) or None, is_guessing=False)
        found = tagger.tag(text, language=language, home=_home(row, place))
        principal = tagger.principal(found, text, language=language)
        yield {**row, "countries": tagging.countries_of(found), "regions": found, "admin1": [principal] if principal else []}


@stories.command()
def group(file: InFile = None) -> None:
    """{"id", "title", "text"?, "source", "time", "lang"?} in time order -> the same with "story", from the past only."""
    sifting = open_settings().sift
    show.json_lines(_group_rows(file, sifting))


def _group_rows(file: Path | None, sifting: SiftSettings) -> Rows:
    window_s = sifting.story_window_s
    new = lazy("alerts.stories.grouping").StoryIndex
    index = new(window_s=window_s, join_chance=sifting.join_chance, encode=_encoder(sifting))
    tagger = lazy("alerts.regions.tagger").Tagger.load()
    for place, row in read_lines(file):
        text_of(row, "source", place, needed=True)
        if _time(row, "time", place) is None:
            raise ConfigError(f"{place}: time: is missing; give ISO 8601 or Unix seconds")
        tagged = tagged_row(row, place, tagger)
        index.drop_older(tagged.change.polled_at - timedelta(seconds=window_s))
        story = index.assign(tagged, tagged.change.polled_at)
        index.apply(story)
        yield {**row, "story": story.story_id}


@stories.command()
def same(file: InFile = None) -> None:
    """{"id", "a": title, "b": title, "a_time"?, "b_time"?} -> the same with "same" and "score"."""
    show.json_lines(_same_rows(file, _encoder(open_settings().sift)))


def _encoder(sifting: SiftSettings) -> Any:
    """What encodes headlines, where sift.semantic asks for it."""
    return lazy("alerts.stories.semantic").load_encoder() if sifting.semantic else None


def _same_rows(file: Path | None, encode: Any) -> Rows:
    likeness, weights = lazy("alerts.stories.likeness"), lazy("alerts.stories.scorer").load_weights()
    sketch_of, tagger = lazy("alerts.stories.sketch").sketch_of, lazy("alerts.regions.tagger").Tagger.load()
    headline = lazy("alerts.stories.headlines").Headline
    for place, row in read_lines(file):
        sides = []
        for side in ("a", "b"):
            title, at = text_of(row, side, place, needed=True), _time(row, f"{side}_time", place)
            tagged = tagged_row({"id": side, "title": title, "lang": text_of(row, "lang", place)}, place, tagger)
            sides.append(headline(title, sketch_of(tagged, int(at.timestamp()) if at else 0, encode), at is not None))
        score = likeness.same_event(sides[0], sides[1], weights)
        yield {**row, "same": score >= likeness.SAME_CHANCE, "score": round(score, 4)}


def match_rules(file: Path | None, rules: Path, *, is_explained: bool) -> Rows:
    """Items with the ids of the rules that match them; with what each rule found when explained."""
    open_settings()
    bootstrap = lazy("alerts.bootstrap")
    areas, tagger = bootstrap.build_areas(), lazy("alerts.regions.tagger").Tagger.load()
    lists = bootstrap.build_lists()
    index, query_id = lazy("alerts.rules.index").RuleIndex(areas, lists), lazy("alerts.rules.query").query_id
    rules_of: dict[str, list[str]] = {}
    queries: dict[str, str] = {}
    for rule in lazy("alerts.rules.load").read_rules(rules, areas, lists):
        known = query_id(rule.query, rule.is_unknown_in)
        if known not in rules_of:
            index.put(known, rule.query, rule.is_unknown_in)
        rules_of.setdefault(known, []).append(rule.rule_id)
        queries[rule.rule_id] = rule.query
    document_of = lazy("alerts.rules.match").Document.of
    for place, row in read_lines(file):
        document = document_of(tagged_row(row, place, tagger))
        found = sorted(rule_id for known in index.match(document) for rule_id in rules_of[known])
        answer = {**row, "rules": found}
        if is_explained:
            meanings = (areas, lists)
            answer["explain"] = {i: _explained(query, document, meanings, i in found) for i, query in queries.items()}
        yield answer


def _explained(query: str, document: Any, meanings: tuple[Any, Any], is_match: bool) -> list[dict[str, Any]]:
    """Every operand of a query that matches; of another, the first one in its way."""
    explaining = lazy("alerts.rules.explain")
    if is_match:
        return [_shown(operand) for operand in explaining.explain(query, document, *meanings)]
    return [_shown(explaining.obstacle(query, document, *meanings))]


def _shown(operand: Operand) -> dict[str, Any]:
    return {"stage": operand.stage, "operand": operand.text, "answer": operand.is_true, "span": operand.span, "why": operand.why}


def tagged_row(row: dict[str, Any], place: str, tagger: Any) -> Tagged:
    """An item of the edges as the pipeline would have tagged it."""
    item_id, source_id = _id(row, place), text_of(row, "source", place) or "stdin"
    published = _time(row, "published_at", place)
    at = _time(row, "time", place) or published or datetime.now(UTC)
    item = Item(
        source_id=source_id,
        guid=item_id,
        url=text_of(row, "url", place),
        title=text_of(row, "title", place, needed=True),
        text=text_of(row, "text", place),
        language=text_of(row, "lang", place) or None,
        published_at=published,
    )
    change = Change(kind=ChangeKind.NEW, item_id=item_id, item=item, polled_at=at, found_at=at)
    tagged: Tagged = lazy("alerts.stories.tag").tag(change, Source(source_id=source_id, url="", region=_home(row, place)), tagger)
    return tagged


def _id(row: dict[str, Any], place: str) -> str:
    """The row's id as text; its place when it has none."""
    value = row.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise ConfigError(f"{place}: id: must be a text or a whole number, not {type(value).__name__}")
    return place if value is None else str(value)


def _home(row: dict[str, Any], place: str) -> str | None:
    code = text_of(row, "source_region", place)
    if code and not re.fullmatch("[A-Za-z]{2}", code):
        raise ConfigError(f"{place}: source_region: {code[:60]!r} is no ISO 3166-1 code of two letters, such as LB")
    return code.upper() or None


def _time(row: dict[str, Any], key: str, place: str) -> datetime | None:
    value = row.get(key)
    if value is None or value == "":
        return None
    moment: datetime | None = lazy("alerts.sources.times").time_of(value)
    if moment is None:
        raise ConfigError(f"{place}: {key}: {str(value)[:60]!r} is no time; give ISO 8601 or Unix seconds")
    return moment
