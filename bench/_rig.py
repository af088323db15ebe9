"""What the benchmarks stand on: a page server and a store in processes of their own, the engine's tools, medians, tables."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import redis

from alerts.bootstrap import build_tools
from alerts.models import Source
from alerts.pipeline import Tools
from alerts.settings import DeliverSettings, HttpSettings, PollSettings, Settings
from alerts.state.server import running

ROOT = Path(__file__).resolve().parents[1]
_LOOPBACK = HttpSettings(allow_networks=("127.0.0.0/8",), allow_ports=(0,), max_per_host=32)
_POLL = PollSettings(jitter=0.0, is_adaptive=False)


# ---------------------------------------------------------------- what is measured against


@contextmanager
def page_server() -> Iterator[str]:
    """The base URL of a running page server, without a slash at its end."""
    with subprocess.Popen([sys.executable, "-m", "bench._pages"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip() if process.stdout else ''}"
        finally:
            process.kill()


@contextmanager
def workplace(*, deliver: DeliverSettings | None = None) -> Iterator[Tools]:
    """The engine's tools on a store of their own, as a worker process has them; all is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name, running(Path(name) / "store", Path(name) / "s.sock") as url:
        settings = Settings(data_dir=Path(name) / "data", redis_url=url, http=_LOOPBACK, poll=_POLL, deliver=deliver or DeliverSettings())
        tools = build_tools(settings, owner="bench")
        try:
            yield tools
        finally:
            tools.notifier.close(1.0)
            tools.sandbox.close()
            tools.fetcher.close()


def store_of(tools: Tools) -> redis.Redis:
    """A client of the store under the tools, for what only a benchmark does."""
    return redis.Redis.from_url(tools.settings.redis_url)


def store_process() -> psutil.Process:
    """The store that this process started."""
    return next(p for p in psutil.Process().children(recursive=True) if p.name().startswith(("valkey", "redis")))


def sources(base: str, kind: str, number: int, *, interval_s: float = 60.0) -> list[Source]:
    """Sources of one kind of page of the page server."""
    return [
        Source(source_id=f"{kind}-{n}", url=f"{base}/{kind}/{kind}-{n}", floor_s=interval_s, ceiling_s=interval_s) for n in range(number)
    ]


# ---------------------------------------------------------------- figures


def cpu_s(process: psutil.Process) -> float:
    """Seconds of CPU, user and system, that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_of(work: Callable[[], object]) -> float:
    """Seconds of CPU, user and system, that this process spends on some work."""
    before = time.process_time()
    work()
    return time.process_time() - before


def median_ms(work: Callable[[], object], *, rounds: int, per: int, before: Callable[[], object] = lambda: None) -> float:
    """The median CPU of some rounds of work in ms for each of `per` things in a round; `before` is not counted."""
    spent = []
    for _ in range(rounds):
        before()
        spent.append(cpu_of(work))
    return statistics.median(spent) * 1000 / per


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of all values does not exceed (nearest rank); 0 of none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


# ---------------------------------------------------------------- words


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The rows as a Markdown table with columns of one width; numbers to the right."""
    cells = [[_cell(c) for c in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    numeric = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(head))]
    lines = [" | ".join(c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric, strict=True)) for row in cells]
    rule = "|".join("-" * (w + 1) + (":" if n else "-") for w, n in zip(widths, numeric, strict=True))
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> str:
    """What this ran on, and how busy it was with other things."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}, load before: {load:.1f}"
