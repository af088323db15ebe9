"""CPU that polling one source costs a worker: the whole of `pipeline.poll` beside the bare tools, in one run.

    ./run.sh bench bench/poll_cost.py

Every row is the median over rounds of 50 sources, in ms of CPU (user and system) of the polling process. Servers and store
run in processes of their own. `ours` is claim, fetch, parse, diff and commit on a real store, redis-py included; the part
of Celery is measured on a real worker that is woken and finds nothing due: one wake-up serves a batch, or a whole second.
The column `ratio` is that of `ours` to what is named beside it, in the same run, and moves less than the figures do.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import feedparser
import httpx2
import psutil
import pycurl

from alerts.pipeline import Tools, poll
from alerts.settings import Settings
from alerts.state.server import running
from alerts.up import worker_arguments
from bench._pages import ETAG, page
from bench._rig import ROOT, cpu_s, machine, median_ms, page_server, sources, store_of, store_process, table, workplace
from workers.celery import make_app

_TARGETS = {"quiet": 0.3, "plain": 0.6, "news": 3.0}
_LEARN = 4  # polls after which the fast parser is trusted
_WORDS = {"quiet": "304", "plain": "200, same bytes", "news": "200, one new item of 100"}


# ---------------------------------------------------------------- the bare tools


def raw_pycurl(urls: Sequence[str]) -> Callable[[], None]:
    """Conditional requests for all URLs at once on one multi handle; bodies are thrown away."""
    multi = pycurl.CurlMulti()
    handles = [_easy(url) for url in urls]

    def work() -> None:
        for handle in handles:
            multi.add_handle(handle)
        left = len(handles)
        while left:
            multi.select(1.0)
            _, left = multi.perform()
        for handle in handles:
            multi.remove_handle(handle)

    return work


def _easy(url: str) -> pycurl.Curl:
    handle = pycurl.Curl()
    options = ((pycurl.URL, url), (pycurl.NOSIGNAL, 1), (pycurl.PROXY, ""), (pycurl.HTTPHEADER, [f"If-None-Match: {ETAG}"]))
    for option, value in (*options, (pycurl.WRITEFUNCTION, len)):
        handle.setopt(option, value)
    return handle


def plain_httpx2(client: httpx2.Client, urls: Sequence[str]) -> Callable[[], None]:
    """Conditional requests, one after the other, on one client."""

    def work() -> None:
        for url in urls:
            client.get(url, headers={"If-None-Match": ETAG})

    return work


def feedparser_alone(bodies: Sequence[bytes]) -> Callable[[], None]:
    """Each body parsed by feedparser."""

    def work() -> None:
        for body in bodies:
            feedparser.parse(body)

    return work


def bare(base: str, rounds: int, batch: int) -> dict[str, float]:
    """name -> ms of CPU for one source, of each tool alone."""
    found = {}
    with httpx2.Client(trust_env=False) as client:
        for kind in _TARGETS:
            urls = [f"{base}/{kind}/bare-{n}" for n in range(batch)]
            for name, work in (("pycurl", raw_pycurl(urls)), ("httpx2", plain_httpx2(client, urls))):
                work()
                found[f"{name} {kind}"] = median_ms(work, rounds=rounds, per=batch)
    bodies = [page("outlet", 100 + n) for n in range(5)]
    found["feedparser"] = median_ms(feedparser_alone(bodies), rounds=5, per=len(bodies))
    return found


# ---------------------------------------------------------------- ours


def ours(tools: Tools, base: str, kind: str, *, rounds: int, batch: int) -> tuple[float, float]:
    """ms of CPU for one source of that kind of page: of the worker, and of the store."""
    client = store_of(tools)
    mine = sources(base, kind, batch)
    for source in mine:
        tools.state.put_source(source)

    def make_due() -> None:
        client.zadd("tocsin:due", {source.source_id: time.time() - 1 for source in mine})

    for _ in range(_LEARN if kind.startswith("news") else 1):
        make_due()
        poll(tools)
    store = store_process()
    before = cpu_s(store)
    worker_ms = median_ms(lambda: _poll_all(tools, batch), rounds=rounds, per=batch, before=make_due)
    store_ms = (cpu_s(store) - before) * 1000 / (rounds * batch)
    for source in mine:
        tools.state.remove_source(source.source_id)
    client.xtrim("tocsin:items", maxlen=0)
    client.close()
    return worker_ms, store_ms


def _poll_all(tools: Tools, batch: int) -> None:
    done = poll(tools)
    if done != batch:
        raise AssertionError(f"{done} pages were committed, not {batch}: what was measured is not what was meant")


# ---------------------------------------------------------------- Celery


@contextmanager
def worker(folder: Path, url: str) -> Iterator[psutil.Process]:
    """A worker process of the queue `poll`, as the supervisor starts it, on an empty store."""
    own = {"TOCSIN_DATA_DIR": str(folder / "data"), "TOCSIN_REDIS_URL": url, "TOCSIN_CONFIG_DIR": str(ROOT / "config")}
    command = [sys.executable, "-m", "celery", "-q", "-A", "workers", *worker_arguments("poll")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=log)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def wake_up_ms(wake_ups: int) -> tuple[float, float]:
    """ms of CPU a worker spends on a wake-up with nothing due, and its idle CPU in ms for each second."""
    with TemporaryDirectory(prefix="tocsin-bench-") as name, running(Path(name) / "store", Path(name) / "s.sock") as url:
        app = make_app(Settings(data_dir=Path(name), redis_url=url))
        with worker(Path(name), url) as process:
            _send(app, 5)
            idle = _cpu_over(process, 4.0) / 4.0
            started, before = time.monotonic(), cpu_s(process)
            _send(app, wake_ups)
            spent = cpu_s(process) - before - idle * (time.monotonic() - started)
        app.close()
    return spent * 1000 / wake_ups, idle * 1000


def _send(app: Any, number: int) -> None:
    """Send wake-ups and return when all were taken and done."""
    for _ in range(number):
        app.send_task("poll", queue="poll")
    with app.connection_for_read() as connection:
        end = time.monotonic() + 60
        while connection.default_channel.queue_declare(queue="poll").message_count:
            if time.monotonic() > end:
                raise AssertionError("the worker did not take its wake-ups; is the app of workers/ as it was?")
            time.sleep(0.1)
    time.sleep(0.5)


def _cpu_over(process: psutil.Process, seconds: float) -> float:
    before = cpu_s(process)
    time.sleep(seconds)
    return cpu_s(process) - before


# ---------------------------------------------------------------- the table


def report(rows: dict[str, tuple[float, float]], alone: dict[str, float], celery_ms: float) -> str:
    """The table of what was measured."""
    lines = []
    for kind, target in _TARGETS.items():
        total = rows[kind][0] + celery_ms
        beside, name = (alone["feedparser"], "feedparser") if kind == "news" else (alone[f"pycurl {kind}"], "raw pycurl")
        http = f"{alone[f'pycurl {kind}']:.3f}", f"{alone[f'httpx2 {kind}']:.3f}"
        lines.append((_WORDS[kind], target, total, rows[kind][0], celery_ms, *http, f"{total / beside:.2f} x {name}", rows[kind][1]))
    return table(
        ("answer", "target", "ours + Celery", "ours", "Celery", "raw pycurl", "httpx2", "ratio", "store (own process)"), lines
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--wake-ups", type=int, default=500)
    given = parser.parse_args()
    print(machine(), flush=True)
    with page_server() as base:
        alone = bare(base, given.rounds, given.batch)
        with workplace() as tools:
            rows = {k: ours(tools, base, k, rounds=given.rounds, batch=given.batch) for k in (*_TARGETS, "quiet-close")}
    wake_up, idle = wake_up_ms(given.wake_ups)
    print(f"\nms of CPU for each source, batches of {given.batch}, median of {given.rounds} rounds\n")
    print(report(rows, alone, wake_up / given.batch))
    print(f"\n304 over a new connection each time: {rows['quiet-close'][0]:.3f} ms; feedparser, 100 items: {alone['feedparser']:.1f} ms.")
    print(f"One wake-up by Celery that finds nothing due: {wake_up:.2f} ms; a worker nobody wakes: {idle:.1f} ms of CPU a second.")


if __name__ == "__main__":
    main()
