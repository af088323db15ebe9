"""Running the service, or parts of it: up, demo, replay, beat, worker, web; and looking after it."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alerts.cli import show
from alerts.cli.context import Json, file_or_stdin, lazy, open_service, open_settings
from alerts.errors import ConfigError, StateError

if TYPE_CHECKING:
    from alerts.service import Finding


class Queue(StrEnum):
    """The queues a worker can serve."""

    POLL = "poll"
    SIFT = "sift"
    DELIVER = "deliver"


def up() -> None:
    """Run the whole service: store, beat, workers and web page, until Ctrl-C."""
    raise typer.Exit(lazy("alerts.up").run(open_settings()))


def demo(
    seconds: Annotated[float, typer.Option("--seconds", help="Stop after this long; 0 = until Ctrl-C.", min=0, max=86400)] = 0.0,
) -> None:
    """Run the whole service on a recorded wire of invented outlets, served on loopback; alerts appear in this terminal."""
    raise typer.Exit(lazy("alerts.demo").run(open_settings(), seconds=seconds))


def replay(
    directory: Annotated[Path, typer.Argument(help="A recorded history: index.tsv and bodies.")],
    speed: Annotated[float, typer.Option("--speed", min=0.1, max=1e9, help="History seconds a second, at most.")] = 1e9,
    rules: Annotated[Path | None, typer.Option("--rules", help="TOML or JSON Lines; without it one rule matches everything.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write items and alerts there as JSON Lines.")] = None,
) -> None:
    """Serve a recorded history over HTTP and run the whole pipeline on it, on the history's clock, in a store of its own."""
    summary = lazy("alerts.replay").replay(open_settings(), directory, speed=speed, rules=rules, report=report, say=show.note)
    show.fields(summary.items())


def beat() -> None:
    """Run beat alone: it wakes the workers."""
    _data_dir()
    _celery(*lazy("alerts.up").beat_arguments())


def worker(queue: Annotated[Queue, typer.Option("--queue", help="Which queue.")]) -> None:
    """Run one worker alone."""
    _data_dir()
    os.environ.setdefault("TOCSIN_WORKER_ID", f"{queue.value}-{uuid.uuid4().hex[:8]}")
    _celery(*lazy("alerts.up").worker_arguments(queue.value))


def _data_dir() -> None:
    lazy("alerts.bootstrap").prepare_data_dir(open_settings())


def _celery(*arguments: str) -> None:
    """Become a Celery process."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "celery", "-A", "workers", *arguments])


def web() -> None:
    """Run the web process alone: /healthz and /metrics."""
    settings = open_settings()
    service = lazy("alerts.bootstrap").build_service(settings)
    lazy("alerts.web.app").serve(settings, service)


def status(as_json: Json = False) -> None:
    """Numbers at a glance."""
    with open_service() as service:
        numbers = service.status()
    if as_json:
        show.json_lines([numbers])
        return
    sources = numbers["sources"]
    show.fields(
        [
            ("sources", f"{sum(sources.values())} ({_counts(sources)})" if sources else "none yet: tocsin sources add URL"),
            ("rules", f"{numbers['rules']}"),
            ("channels", f"{numbers['channels']}"),
            ("to do now", _counts(numbers["waiting"])),
            ("unfinished", _counts(numbers["backlog"])),
            ("so far", _counts(numbers["counters"])),
            ("problems", numbers["problems"]),
            ("time", datetime.fromisoformat(numbers["time"])),
        ]
    )
    show.say("")
    rows = [(owner, w["queue"], f"{show.span(w['idle_s']) or '0 s'} ago") for owner, w in numbers["workers"].items()]
    show.table(("worker", "queue", "last progress"), rows, empty="no worker is running: tocsin up")


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in numbers.items())


def doctor(as_json: Json = False) -> None:
    """Check everything and say what to do; exit code 1 when something is wrong."""
    findings = _findings()
    if as_json:
        show.json_lines(findings)
    else:
        rows = [row for finding in findings for row in _lines_of(finding)]
        show.table(("", "check", "found"), rows, empty="")
    if not all(f.is_ok for f in findings):
        raise typer.Exit(1)


def _findings() -> list[Finding]:
    """What the doctor found; a store that does not answer is a finding, too."""
    try:
        with open_service() as service:
            return service.doctor()
    except StateError as error:
        advice = "start Tocsin with `tocsin up`, or correct redis_url"
        return [lazy("alerts.service").Finding("store", False, str(error), advice)]


def _lines_of(finding: Finding) -> Iterator[tuple[str, str, str]]:
    yield "ok" if finding.is_ok else "WRONG", finding.check, finding.detail
    if finding.advice:
        yield "", "", f"-> {finding.advice}"


def backup(file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")]) -> None:
    """Write everything to a file; it holds the keys of the channels: keep it safe."""
    with open_service() as service:
        lines = service.backup(file)
    show.say(f"wrote {lines} lines to {file}")


def restore(file: Annotated[Path, typer.Argument(help="A file written by `tocsin backup`.")]) -> None:
    """Read a backup into an empty store."""
    with open_service() as service:
        keys = service.restore(file)
    show.say(f"restored {keys} keys")


def apply(
    file: Annotated[Path, typer.Option("-f", "--file", help="TOML with [[source]], [[rule]], [[channel]], [[subscriber]]; or -.")],
    if_changed: Annotated[bool, typer.Option("--if-changed", help="Only when the file changed since it was last applied so.")] = False,
) -> None:
    """Bring the store to what a file says; applying it again changes nothing."""
    path = file_or_stdin(file)
    if if_changed and path != file:
        raise ConfigError("--if-changed: needs the name of a file: what is piped in cannot be known again")
    with open_service() as service:
        applied = service.apply_if_changed(path) if if_changed else service.apply(path)
    for what in applied.changed:
        show.say(f"changed {what}")
    show.say(f"{len(applied.changed)} changed, {len(applied.unchanged)} unchanged")


def export() -> None:
    """Sources, rules, channels (masked) and subscribers as TOML on stdout."""
    with open_service() as service:
        text = lazy("alerts.cli.toml").dumps(service.export())
    show.say(text.rstrip("\n"))
