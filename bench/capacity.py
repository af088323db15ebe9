"""10,000 sources on a 60 s interval in one polling process: does it keep up, and what is left of the machine?

    ./run.sh bench bench/capacity.py

First the real loop for some seconds, as the worker of the queue `poll` runs it: `polls/s due` is how many fell due in that
time, `done` how many were committed, `late` how long after its due time the page of a poll was there, `CPU` the share of
one core the process needed. Then everything is due at once: `flat out` is the rate at which a backlog is worked off.
Of 100 sources 70 answer 304, 25 the same bytes, 5 have one new item of 100; each poll dials anew, as with 10,000 hosts
(over plain HTTP: what TLS with a publisher costs on top is not measured).
The sources are put into the store as they stand after earlier polls; the first poll of each is not part of this.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from alerts.bootstrap import build_guard
from alerts.diff import diff
from alerts.http.client import HttpClient
from alerts.models import Mark, Page, PollState, Source, SourceLease
from alerts.pipeline import Tools, poll
from alerts.ports import PollCommit
from alerts.sources.fetch import Fetcher
from alerts.sources.parse import parse, parser_version
from alerts.text.fingerprint import body_hash
from bench._pages import ETAG, page
from bench._rig import cpu_s, machine, page_server, percentile, sources, store_of, store_process, table, workplace

_SHARES = {"quiet-close": 0.70, "plain-close": 0.25, "news-close": 0.05}
_PAGE = 500  # commits in one round trip while the store is filled


class TimedFetcher(Fetcher):
    """A fetcher that notes how late each page was there, in seconds."""

    late_s: list[float]

    def collect(self, wait_s: float) -> Iterator[tuple[SourceLease, Page]]:
        """The pages that end within wait_s seconds, noted."""
        for lease, found in super().collect(wait_s):
            self.late_s.append((datetime.now(UTC) - lease.due_at).total_seconds())
            yield lease, found


def timed(tools: Tools) -> tuple[Tools, TimedFetcher]:
    """The tools with a fetcher that notes how late it was."""
    fetcher = TimedFetcher(HttpClient(tools.settings.http, build_guard(tools.settings)), clock=tools.clock)
    fetcher.late_s = []
    return replace(tools, fetcher=fetcher), fetcher


# ---------------------------------------------------------------- sources that were polled before


def fill(tools: Tools, base: str, number: int) -> list[Source]:
    """Put the sources into the store as they stand after their first polls."""
    mine = [s for kind, share in _SHARES.items() for s in sources(base, kind, round(number * share))]
    same = body_hash(page("outlet"))
    now = datetime.now(UTC)
    for start in range(0, len(mine), _PAGE):
        some = mine[start : start + _PAGE]
        for source in some:
            tools.state.put_source(source)
        tools.state.commit_polls([_first_commit(tools, source, same, now) for source in some])
    (tools.settings.data_dir / "baselines.log").write_text("".join(f"+{s.source_id}\n" for s in mine))
    return mine


def _first_commit(tools: Tools, source: Source, same: str, now: datetime) -> PollCommit:
    kind = source.source_id.partition("-")[0]
    state = PollState(
        etag=ETAG if kind == "quiet" else None,
        body_hash="" if kind == "news" else same,
        parser=parser_version(source),
        is_baselined=True,
        fast_votes=3,
        interval_s=source.floor_s,
        http_status=200,
        polled_at=now,
        ok_at=now,
        changed_at=now,
    )
    marks = _marks(tools, source, now) if kind == "news" else ()
    return PollCommit(source_id=source.source_id, request_id="fill", owner=tools.owner, state=state, due_at=now, added=marks)


def _marks(tools: Tools, source: Source, now: datetime) -> Sequence[Mark]:
    body = page(source.source_id)
    parsed = parse(source, body, content_type="application/rss+xml", base_url=source.url, votes=3, sandbox=tools.sandbox)
    return diff(parsed.items, {}, source=source, now=now).added


# ---------------------------------------------------------------- runs


def spread_due(tools: Tools, mine: Sequence[Source], *, first_s: float, over_s: float) -> None:
    """Give the sources due times spread evenly over some seconds from now."""
    begin, step = time.time() + first_s, over_s / len(mine)
    order = Random(1).sample(mine, len(mine))
    client = store_of(tools)
    client.zadd("tocsin:due", {source.source_id: begin + n * step for n, source in enumerate(order)})
    client.close()


def run_for(tools: Tools, seconds: float) -> tuple[int, float, float, float]:
    """Polls committed in that time, polls a second, and the shares of a core of this process and of the store."""
    store, done = store_process(), 0
    started, mine, theirs = time.monotonic(), time.process_time(), cpu_s(store)
    while (elapsed := time.monotonic() - started) < seconds:
        done += poll(tools)
        if time.monotonic() - started < seconds and not tools.fetcher.in_flight:
            time.sleep(min(tools.settings.poll.tick_s, max(0.0, seconds - elapsed)))
    elapsed = time.monotonic() - started
    return done, done / elapsed, (time.process_time() - mine) / elapsed, (cpu_s(store) - theirs) / elapsed


def paced(tools: Tools, mine: Sequence[Source], seconds: float, interval_s: float) -> tuple[object, ...]:
    """The row of the run at the pace of the interval."""
    spread_due(tools, mine, first_s=2.0, over_s=interval_s)
    time.sleep(2.0)
    tools, fetcher = timed(tools)
    _, rate, own, store = run_for(tools, seconds)
    late = [s * 1000 for s in fetcher.late_s]
    fetcher.close()
    return "on time", len(mine) / interval_s, rate, percentile(late, 0.5), percentile(late, 0.99), f"{own:.0%}", f"{store:.0%}"


def flat_out(tools: Tools, mine: Sequence[Source]) -> tuple[object, ...]:
    """The row of the run in which everything is due at once."""
    spread_due(tools, mine, first_s=-60.0, over_s=1.0)
    tools, fetcher = timed(tools)
    _, rate, own, store = run_for(tools, 0.1)
    fetcher.close()
    return "flat out", "all at once", rate, "-", "-", f"{own:.0%}", f"{store:.0%}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--interval", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    print(machine(), flush=True)
    with page_server() as base, workplace() as tools:
        mine = fill(tools, base, given.sources)
        rows = [paced(tools, mine, given.seconds, given.interval), flat_out(tools, mine)]
    print(f"\n{len(mine):,} sources, {given.interval:.0f} s interval, {given.seconds:.0f} s\n")
    print(table(("run", "polls/s due", "polls/s done", "late p50 ms", "late p99 ms", "CPU", "CPU of the store"), rows))


if __name__ == "__main__":
    main()
