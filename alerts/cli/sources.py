"""`tocsin sources ...`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alerts.cli import show
from alerts.cli.context import Json, file_or_stdin, lazy, open_service, open_settings
from alerts.errors import ConfigError, ParseError
from alerts.models import Item, Selectors, Source, SourceKind

if TYPE_CHECKING:
    from alerts.service.sources import Probe

app = typer.Typer(no_args_is_help=True, help="Feeds, ticker pages and JSON endpoints that are polled.")

SourceId = Annotated[str, typer.Argument(help="A source of `tocsin sources list`.")]
Kind = Annotated[SourceKind, typer.Option("--kind", help="feed (RSS, Atom, JSON Feed), ticker (CSS selectors) or json (jmespath).")]
ItemPath = Annotated[str, typer.Option("--item", help="Selector of an item (ticker, json).")]
TextPath = Annotated[str, typer.Option("--text", help="Selector of its text, inside the item.")]
LinkPath = Annotated[str, typer.Option("--link", help="Selector of its link; a@href names the attribute.")]
TimePath = Annotated[str, typer.Option("--time", help="Selector of its time.")]
GuidPath = Annotated[str, typer.Option("--guid", help="Selector of its id, if it has one.")]
Canary = Annotated[str, typer.Option("--canary", help="Selector that matches on every healthy page: tells empty from broken.")]


def _selectors(item: str, text: str, link: str, time: str, guid: str, canary: str) -> dict[str, str]:
    named = {"item": item, "text": text, "link": link, "time": time, "guid": guid, "canary": canary}
    return {k: v for k, v in named.items() if v}


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="http or https URL.")],
    source_id: Annotated[str, typer.Option("--id", help="A short name; made from the host if left out.")] = "",
    name: Annotated[str, typer.Option(help="The outlet's name.")] = "",
    kind: Kind = SourceKind.FEED,
    language: Annotated[str, typer.Option(help="Language of the outlet, e.g. en.")] = "",
    region: Annotated[str, typer.Option(help="Home country of the outlet, e.g. LB.")] = "",
    floor_s: Annotated[float, typer.Option(help="Shortest interval between polls, seconds.")] = 60.0,
    ceiling_s: Annotated[float, typer.Option(help="Longest interval, seconds.")] = 3600.0,
    item: ItemPath = "",
    text: TextPath = "",
    link: LinkPath = "",
    time: TimePath = "",
    guid: GuidPath = "",
    canary: Canary = "",
) -> None:
    """Add a source; its first poll is the baseline and rings nobody."""
    table: dict[str, Any] = {
        "url": url,
        "id": source_id,
        "name": name,
        "kind": kind.value,
        "language": language,
        "region": region,
        "floor_s": floor_s,
        "ceiling_s": ceiling_s,
        "selectors": _selectors(item, text, link, time, guid, canary) or None,
    }
    with open_service() as service:
        source = service.add_source(table)
    show.say(f"added {source.source_id}: {source.url}")


@app.command(name="import")
def import_(file: Annotated[Path, typer.Argument(help="An OPML file, or - for what is piped in.")]) -> None:
    """Add every feed of an OPML file."""
    body = lazy("alerts.settings").read_file(file_or_stdin(file))
    try:
        listed = lazy("alerts.sources.opml").read_opml(body)
    except ParseError as error:
        raise ConfigError(f"{file}: {error}") from error
    with open_service() as service:
        added, known = service.import_sources(listed.sources)
    for problem in listed.problems:
        show.note(f"left out: {problem}")
    show.say(f"added {len(added)} sources; {len(known)} were there already, {len(listed.problems)} were left out")


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """All sources with their health: ok, new, blind, failing, gone or paused."""
    with open_service() as service:
        views = service.sources()
    if as_json:
        show.json_lines({"source": v.source, "state": v.state, "health": v.health, "why": v.why} for v in views)
        return
    rows = [(v.source.source_id, v.source.kind, v.health, v.state.polled_at, show.span(v.state.interval_s), v.why) for v in views]
    show.table(("source", "kind", "health", "last poll", "every", "why"), rows, empty="no sources yet: tocsin sources add URL")


@app.command("show")
def show_(source_id: SourceId, as_json: Json = False) -> None:
    """One source: its settings, what its polls have taught us, its errors."""
    with open_service() as service:
        view = service.source(source_id)
    if as_json:
        show.json_lines([{"source": view.source, "state": view.state, "health": view.health, "why": view.why}])
        return
    source, state = view.source, view.state
    show.fields(
        [
            ("id", source.source_id),
            ("name", source.name),
            ("url", source.url),
            ("moved to", state.moved_to),
            ("kind", source.kind),
            ("health", f"{view.health}: {view.why}" if view.why else view.health),
            ("http status", state.http_status or None),
            ("last poll", state.polled_at),
            ("last change", state.changed_at),
            ("last new item", state.item_at),
            ("next poll", state.next_due_at),
            ("interval", show.span(state.interval_s)),
            ("floor, ceiling", f"{show.span(source.floor_s)}, {show.span(source.ceiling_s)}"),
            ("usual rhythm", show.span(state.rhythm_s)),
            ("gaps", f"{state.gaps} polls found that items had come and gone in between" if state.gaps else None),
            ("parser", _parser(source.kind, state.fast_votes)),
        ]
    )


def _parser(kind: SourceKind, votes: int) -> str:
    if kind is not SourceKind.FEED:
        return ""
    return {-1: "feedparser (the fast one disagrees)", 3: "fast"}.get(votes, "both, comparing")


@app.command()
def probe(url: Annotated[str, typer.Argument(help="http or https URL.")], as_json: Json = False) -> None:
    """Look at a URL once: what it is, which feeds it names, what items it gives; nothing is stored."""
    with open_service() as service:
        found = service.probe(url)
    if as_json:
        show.json_lines([found])
    else:
        _show_probe(found)
    if found.error:
        raise typer.Exit(1)


@app.command()
def read(source_id: SourceId, as_json: Json = False) -> None:
    """The items a source shows right now; nothing is stored."""
    with open_service() as service:
        items = service.read_source(source_id)
    if as_json:
        show.json_lines(items)
    else:
        _show_items(items)


@app.command()
def parse(
    file: Annotated[Path, typer.Argument(help="A saved page, or - for what is piped in.")],
    kind: Kind = SourceKind.FEED,
    base_url: Annotated[str, typer.Option(help="Where the page came from: links are completed with it.")] = "http://localhost/",
    content_type: Annotated[str, typer.Option(help="The answer's Content-Type.")] = "",
    item: ItemPath = "",
    text: TextPath = "",
    link: LinkPath = "",
    time: TimePath = "",
    guid: GuidPath = "",
    canary: Canary = "",
) -> None:
    """The items of a saved page as JSON Lines."""
    open_settings()
    body = lazy("alerts.settings").read_file(file_or_stdin(file))
    named = _selectors(item, text, link, time, guid, canary)
    if kind is not SourceKind.FEED and not item:
        raise ConfigError(f"--item: a {kind.value} needs the selector of its items")
    if not lazy("alerts.text.urls").absolute_url(base_url, base_url):
        raise ConfigError(f"--base-url: {base_url[:100]!r} is no http or https URL")
    source = Source(source_id="parsed", url=base_url, kind=kind, selectors=Selectors(**named) if item else None)
    try:
        with lazy("alerts.sources.sandbox").Sandbox() as sandbox:
            parsed = lazy("alerts.sources.parse").parse(
                source, body, content_type=content_type, base_url=base_url, votes=0, sandbox=sandbox
            )
    except ParseError as error:
        raise ConfigError(f"{file}: {error}") from error
    show.json_lines(parsed.items)


@app.command()
def pause(source_id: SourceId) -> None:
    """Stop polling a source; it keeps what it has learned."""
    with open_service() as service:
        service.pause_source(source_id, is_paused=True)
    show.say(f"paused {source_id}")


@app.command()
def resume(source_id: SourceId) -> None:
    """Poll a paused source again, at once."""
    with open_service() as service:
        service.pause_source(source_id, is_paused=False)
    show.say(f"resumed {source_id}")


@app.command()
def remove(source_id: SourceId) -> None:
    """Forget a source and all it has taught us."""
    with open_service() as service:
        service.remove_source(source_id)
    show.say(f"removed {source_id}")


def _show_probe(found: Probe) -> None:
    about = {"url": found.url, "status": found.http_status or None, "type": found.content_type, "kind": found.kind, "problem": found.error}
    show.fields(about.items())
    for candidate in found.candidates:
        show.say(f"names a feed: {show.printable(candidate.url)} {show.printable(candidate.title)}")
    _show_items(found.items[:10])


def _show_items(items: tuple[Item, ...]) -> None:
    show.records([((item.published_at, item.url), (item.title,)) for item in items], empty="no items")
