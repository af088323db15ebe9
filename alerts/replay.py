"""A recorded history through the whole pipeline: real HTTP, real store, the history's own clock.

Each source is polled exactly at each of its rows in index.tsv, in the order of `utc`. The clock stands still until the
polls of one moment have been committed, sifted and delivered, then moves on to the next; `speed` is a ceiling. Adaptive
intervals, jitter, back-off and the staleness gate are off. It ends when the history has ended and every queue is empty.

Its store is in `replay` of the data directory and begins empty each time: nothing of the service that works there is touched, and
what a replay left can be looked at (`TOCSIN_DATA_DIR=data/replay tocsin alerts list`).
"""

from __future__ import annotations

import csv
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from alerts.bootstrap import build_engine, build_service
from alerts.errors import ConfigError
from alerts.models import Delivery, Rule, Source
from alerts.pipeline.poll import poll_sources
from alerts.ports import PollCommit
from alerts.rules.load import read_rules
from alerts.settings import Settings
from alerts.state.server import empty
from alerts.up import own_store
from alerts.wire import LoopbackServer, WirePage, page_handler, sink_handler

_UTC = "%Y%m%dT%H%M%SZ"
_COLUMNS = ("utc", "source", "file")
_SAY_S = 2.0
_RETRY_S = 0.02  # between two looks at what waits for its retry


@dataclass(frozen=True, slots=True)
class Row:
    """One poll of the history."""

    at: datetime
    source: str
    path: Path


class History:
    """The rows of a history, and what its server shows at the moment the clock stands at."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.now = rows[0].at
        self._pages: dict[str, WirePage] = {}
        self._paths: dict[str, Path] = {}

    def moments(self) -> Iterator[tuple[datetime, list[Row]]]:
        """The polls of each moment, in the order of time."""
        for at, rows in itertools.groupby(self.rows, key=lambda row: row.at):
            yield at, list(rows)

    def move_to(self, at: datetime, rows: Sequence[Row]) -> None:
        """Set the clock and the pages of that moment."""
        self.now = at
        for row in rows:
            if self._paths.get(row.source) != row.path:
                self._paths[row.source] = row.path
                self._pages[row.source] = WirePage(row.path.read_bytes(), at)

    def page(self, source: str) -> WirePage | None:
        """What a source shows now."""
        return self._pages.get(source)

    def clock(self) -> datetime:
        """History time."""
        return self.now


def read_history(directory: Path) -> History:
    """The history in a directory.

    Raises:
        ConfigError: Names file, line and what is wrong.
    """
    index = directory / "index.tsv"
    try:
        with index.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t")
            if tuple(reader.fieldnames or ())[:3] != _COLUMNS:
                raise ConfigError(f"{index}: line 1: the columns must be {', '.join(_COLUMNS)}, separated by tabs")
            rows = [_row(directory, index, n, fields) for n, fields in enumerate(reader, 2)]
    except OSError as error:
        raise ConfigError(f"{index}: {error.strerror}; a history is a directory with index.tsv and its bodies") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{index}: not UTF-8 at byte {error.start}") from error
    except csv.Error as error:
        raise ConfigError(f"{index}: not a table of tab-separated columns: {error}") from error
    if not rows:
        raise ConfigError(f"{index}: has no rows")
    return History(sorted(rows, key=lambda row: row.at))


def _row(directory: Path, index: Path, number: int, fields: Mapping[str, str]) -> Row:
    try:
        at = datetime.strptime(fields["utc"] or "", _UTC).replace(tzinfo=UTC)
    except ValueError as error:
        raise ConfigError(f"{index}: line {number}: utc: {fields['utc']!r} is not YYYYMMDDTHHMMSSZ") from error
    path = (directory / (fields["file"] or "").replace("\0", "")).resolve()
    if not path.is_relative_to(directory.resolve()) or not path.is_file():
        raise ConfigError(f"{index}: line {number}: file: {fields['file']!r} is no file in {directory}")
    if not fields["source"]:
        raise ConfigError(f"{index}: line {number}: source: is missing")
    return Row(at, fields["source"], path)


def replay(
    settings: Settings, directory: Path, *, speed: float, rules: Path | None, report: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Run a history through the pipeline; the numbers of its summary.

    Raises:
        ConfigError: The history, the rules or the report file cannot be used.
        StateError: Another replay is under way in the data directory.
    """
    history = read_history(directory)
    wanted = read_rules(rules) if rules else (Rule(rule_id="everything", query="*", name="everything"),)
    with ExitStack() as stack:
        out = stack.enter_context(_open(report)) if report else None
        quiet = _quiet(settings)
        empty(quiet.data_dir)
        stack.enter_context(own_store(quiet))
        pages = stack.enter_context(LoopbackServer(page_handler(history.page)))
        sink = stack.enter_context(LoopbackServer(sink_handler(lambda _alert: None)))
        engine = build_engine(quiet, clock=history.clock)
        stack.callback(engine.close)
        service = build_service(quiet, engine.tools)
        for source in sorted({row.source for row in history.rows}):
            service.tools.state.put_source(Source(source_id=source, url=pages.url(quote(source, safe="")), name=source, floor_s=1.0))
        for subscriber in sorted({rule.subscriber_id for rule in wanted}):
            service.add_subscriber(subscriber)
            url = f"webhook+{sink.url('alerts')}"
            service.add_channel(url, channel_id=f"replay-{subscriber}", subscriber_id=subscriber)
        service.put_rules([replace(rule, channel_ids=()) for rule in wanted])
        counts = _Run(engine, history, speed, out, say).run()
        if out:
            _report_alerts(service, out)
        failing = [f"{v.source.source_id}: {v.why}" for v in service.sources() if v.state.failures]
    return {**counts, "sources with errors at the end": failing}


def _quiet(settings: Settings) -> Settings:
    """The same settings for a replay: a store of its own, loopback allowed, the history's cadence."""
    return settings.model_copy(
        update={
            "data_dir": settings.data_dir.absolute() / "replay",
            "redis_url": "",
            "http": settings.http.model_copy(update={"allow_networks": ("127.0.0.0/8",)}),
            "poll": settings.poll.model_copy(update={"is_adaptive": False, "jitter": 0.0, "lease_s": 3600.0}),
        }
    )


def _open(report: Path) -> IO[str]:
    try:
        return report.open("w", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{report}: {error.strerror}; name a file that can be written") from error


class _Run:
    """The loop of a replay and what it counts."""

    def __init__(self, engine: Any, history: History, speed: float, out: IO[str] | None, say: Callable[[str], None]) -> None:
        self._engine = engine
        self._history = history
        self._speed = speed
        self._out = out
        self._say = say
        self._said_at = time.monotonic()
        self._found: Counter[str] = Counter()
        self._polls = 0

    def run(self) -> dict[str, Any]:
        """Poll every row, then wait until every queue is empty; the counts."""
        began, first = time.monotonic(), self._history.rows[0].at
        for at, rows in self._history.moments():
            ahead_s = (at - first).total_seconds() / self._speed - (time.monotonic() - began)
            if ahead_s > 0:
                time.sleep(ahead_s)
            self._history.move_to(at, rows)
            for commit in poll_sources(self._engine.tools, [row.source for row in rows]):
                self._note(commit, at)
            self._polls += len(rows)
            self._drain()
            self._tell(at)
        self._drain()
        seconds = time.monotonic() - began
        return {"polls": self._polls, **{k: self._found[k] for k in ("new", "edited", "returned")}, "seconds": round(seconds, 1)}

    def _drain(self) -> None:
        """Sift and deliver until nothing waits, retries included."""
        state = self._engine.tools.state
        while True:
            self._engine.sift()
            self._engine.deliver()
            if not any(state.waiting()[queue] for queue in ("sift", "deliver")) and not state.lag()["deliveries"]:
                return
            time.sleep(_RETRY_S)

    def _note(self, commit: PollCommit, at: datetime) -> None:
        for change in commit.changes:
            self._found[change.kind.value] += 1
            if self._out:
                item = change.item
                row = {"source": item.source_id, "guid": item.guid, "url": item.url, "title": item.title}
                _write(self._out, {"kind": "item", "event": change.kind.value, **row, "utc": at.strftime(_UTC)})

    def _tell(self, at: datetime) -> None:
        if time.monotonic() - self._said_at >= _SAY_S:
            self._said_at = time.monotonic()
            self._say(f"{at:%Y-%m-%d %H:%M} UTC: {self._polls} of {len(self._history.rows)} polls, {self._found['new']} new items")


def _report_alerts(service: Any, out: IO[str]) -> None:
    """One line for every delivery, oldest first."""
    state = service.tools.state
    deliveries: list[Delivery] = state.deliveries(status="", limit=10_000_000)[::-1]
    alerts = state.alerts_by_id({d.alert_id for d in deliveries})
    bells = state.bells_by_id({b for alert in alerts.values() for b in alert.bell_ids})
    for delivery in deliveries:
        alert = alerts[delivery.alert_id]
        change = bells[alert.bell_ids[0]].tagged.change
        item = change.item
        _write(
            out,
            {
                "kind": "alert",
                "alert": alert.alert_id,
                "delivery": delivery.delivery_id,
                "occasion": alert.occasion,
                "story": alert.story_id,
                "rules": list(alert.rule_ids),
                "source": item.source_id,
                "guid": item.guid,
                "url": item.url,
                "title": item.title,
                "utc": change.polled_at.strftime(_UTC),
                "channel": delivery.channel_id,
                "result": delivery.status.value,
                "found_at": change.found_at.isoformat(),
                "accepted_at": delivery.sent_at.isoformat() if delivery.sent_at else None,
            },
        )


def _write(out: IO[str], row: Mapping[str, Any]) -> None:
    out.write(json.dumps(row, ensure_ascii=False) + "\n")
