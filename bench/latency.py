"""From a change on a publisher's server to an accepted alert, through the whole service as a person runs it.

    ./run.sh bench bench/latency.py

`tocsin up` with feeds polled every second (jitter off) and one webhook. Items are planted at an even rate on the feeds in
turn. For each: when it was planted, when the server first served it, and when the webhook accepted it; `found_at`, which
the poll writes into the item, comes back in the payload. All clocks are this machine's.

    whole        planted -> accepted: has the poll's wait in it, up to one interval
    past the wait  whole less the interval: what the promise "interval + 300 ms" is about
    served on    first served -> accepted: fetch, parse, diff, commit, sift, deliver
    queue part   found_at (just before the poll's commit) -> accepted: commit, two hops through Celery, send
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alerts.wire import LoopbackServer, WirePage, page_handler, sink_handler
from bench._rig import machine, percentile, table
from tests.chaos.service import Service

_PAGE = 30  # items a feed lists
_WARM_UP_S = 8.0
_PATIENCE_S = 20.0


@dataclass
class Wire:
    """Feeds that items are planted on, and the webhook they end at; times are seconds of the wall clock."""

    feeds: list[list[int]]
    planted: dict[int, float] = field(default_factory=dict)
    served: dict[int, float] = field(default_factory=dict)
    accepted: dict[int, float] = field(default_factory=dict)
    found: dict[int, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def plant(self) -> int:
        """Put the next item on the next feed; its number."""
        with self.lock:
            number = len(self.planted)
            self.feeds[number % len(self.feeds)].append(number)
            self.planted[number] = time.time()
            return number

    def page(self, name: str) -> WirePage | None:
        """The feed of that name as it is now."""
        with self.lock:
            numbers = self.feeds[int(name.removeprefix("feed-"))][-_PAGE:]
            now = time.time()
            for number in numbers:
                self.served.setdefault(number, now)
            changed = max(self.planted.get(number, 0.0) for number in numbers)
        items = "".join(_entry(name, number) for number in reversed(numbers))
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title><link>https://{name}.example/</link>{items}</channel></rss>'
        return WirePage(body.encode(), datetime.fromtimestamp(changed, UTC), "application/rss+xml; charset=utf-8")

    def accept(self, payload: Mapping[str, Any]) -> None:
        """Note an alert that came in."""
        now = time.time()
        title = str(payload.get("title", ""))
        if not title.startswith("Planted headline "):
            return
        number = int(title.split(" ")[2])
        with self.lock:
            self.accepted.setdefault(number, now)
            self.found.setdefault(number, datetime.fromisoformat(str(payload["found_at"])).timestamp())

    def wait_for(self, number: int, timeout_s: float) -> bool:
        """Whether an item arrives within so many seconds."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and number not in self.accepted:
            time.sleep(0.02)
        return number in self.accepted


def _entry(feed: str, number: int) -> str:
    link = f"https://{feed}.example/{number}"
    return f"<item><guid>{link}</guid><link>{link}</link><title>Planted headline {number} of {feed}</title></item>"


def run(wire: Wire, *, seconds: float, rate: float) -> range:
    """Plant items on the running service; the numbers of those that count."""
    with LoopbackServer(page_handler(wire.page)) as pages, LoopbackServer(sink_handler(wire.accept)) as sink, TemporaryDirectory() as name:
        rows = [(f"feed-{n}", pages.url(f"feed-{n}")) for n in range(len(wire.feeds))]
        service = Service(Path(name), rows, [("sink", f"webhook+{sink.url('sink')}")])
        service.start()
        try:
            service.wait_until_up(60.0)
            _warm_up(wire)
            first = len(wire.planted)
            _plant(wire, seconds=seconds, rate=rate)
            wire.wait_for(len(wire.planted) - 1, _PATIENCE_S)
            time.sleep(1.0)
        finally:
            service.stop()
            _tell(Path(name) / "log", is_wanted=not wire.accepted)
    return range(first, len(wire.planted))


def _warm_up(wire: Wire) -> None:
    """Every feed has its baseline, both parsers have agreed on it, and one item of each has arrived."""
    time.sleep(_WARM_UP_S)
    for _ in range(4):
        numbers = [wire.plant() for _ in wire.feeds]
        if not all(wire.wait_for(number, _PATIENCE_S) for number in numbers):
            raise AssertionError(f"items planted before the measurement did not arrive within {_PATIENCE_S:.0f} s")


def _plant(wire: Wire, *, seconds: float, rate: float) -> None:
    begin = time.monotonic()
    for n in range(round(seconds * rate)):
        time.sleep(max(0.0, begin + n / rate - time.monotonic()))
        wire.plant()


def _tell(log: Path, *, is_wanted: bool) -> None:
    if is_wanted and log.is_file():
        sys.stderr.write(log.read_text(errors="replace")[-3000:])


def report(wire: Wire, numbers: range, interval_s: float) -> str:
    """The table of the items that arrived, and how many did not."""
    done = [n for n in numbers if n in wire.accepted]
    spans = {
        "whole": [wire.accepted[n] - wire.planted[n] for n in done],
        "past the wait": [wire.accepted[n] - wire.planted[n] - interval_s for n in done],
        "served on": [wire.accepted[n] - wire.served[n] for n in done],
        "queue part": [wire.accepted[n] - wire.found[n] for n in done],
    }
    targets = {"past the wait": "p99 <= 300", "queue part": "p50 <= 30"}
    rows = [(k, *(percentile(v, p) * 1000 for p in (0.5, 0.9, 0.99, 1.0)), targets.get(k, "")) for k, v in spans.items()]
    figures = table(("ms", "p50", "p90", "p99", "max", "target"), rows)
    return f"{figures}\n\n{len(done)} of {len(numbers)} items arrived."


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=10.0, metavar="ITEMS", help="a second")
    parser.add_argument("--feeds", type=int, default=20)
    given = parser.parse_args()
    print(machine(), flush=True)
    wire = Wire([[-1 - n] for n in range(given.feeds)])
    numbers = run(wire, seconds=given.seconds, rate=given.rate)
    print(f"\n{given.rate:g} items a second on {given.feeds} feeds for {given.seconds:.0f} s, interval 1 s\n")
    print(report(wire, numbers, 1.0))


if __name__ == "__main__":
    main()
