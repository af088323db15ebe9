"""The planted load of the chaos run through plain Celery tasks, workers killed at random: the baseline that shows why.

    ./run.sh bench bench/plain_celery.py
    ./run.sh chaos                          # the same promises asked of Tocsin, with kills of every part and torn logs

A task for each item, which sends one for each of three targets; late acknowledgement, a broker of its own that is never
killed, and only workers die. `lost` are (item, target) pairs that were never told although redelivery was given its time,
`doubled` those that were told more than once. Nobody can say which of the repeats are repeats: a message knows nothing of
the one before it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from alerts.settings import Settings
from alerts.state.server import broker_url, running
from bench._rig import ROOT, machine, table
from bench.plain_celery_app import VISIBILITY_S, make_app
from tests.chaos.wire import TARGETS, Targets

_WORKERS = 2
_READY_S = 20.0


class Workers:
    """Solo workers of the plain app that are killed and started again."""

    def __init__(self, broker: str, log: Path) -> None:
        self._environment = {**os.environ, "PLAIN_CELERY_BROKER": broker}
        self._log = log
        self._running = [self._start(n) for n in range(_WORKERS)]

    def kill(self, random: Random) -> None:
        """kill -9 one of them, and start another in its place."""
        n = random.randrange(_WORKERS)
        self._running[n].kill()
        self._running[n].wait()
        self._running[n] = self._start(n)

    def stop(self) -> None:
        """End them all."""
        for process in self._running:
            process.kill()
            process.wait()

    def _start(self, n: int) -> subprocess.Popen[bytes]:
        alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        own = ("-P", "solo", "-n", f"plain{n}@%h", *alone, "--loglevel", "WARNING")
        command = [sys.executable, "-m", "celery", "-q", "-A", "bench.plain_celery_app", "worker", *own]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@contextmanager
def broker() -> Iterator[tuple[str, Path]]:
    """The kombu URL of a broker of its own, and a directory for the log."""
    with TemporaryDirectory(prefix="tocsin-bench-") as name, running(Path(name) / "store", Path(name) / "s.sock") as url:
        yield broker_url(Settings(data_dir=Path(name), redis_url=url)), Path(name)


class Load:
    """Items that are planted while workers die."""

    def __init__(self, app: Any, targets: Targets, *, items: int, random: Random) -> None:
        self._app, self._targets, self._random = app, targets, random
        self._base = targets.server.url().rstrip("/")
        self._items = items
        self.planted = 0

    def plant(self) -> None:
        """Send the task of one more item, if there is one left."""
        if self.planted < self._items:
            self._app.send_task("item", (self.planted, self._base), queue="plain")
            self.planted += 1

    def burst(self, number: int) -> None:
        """The items of a few moments, so that something is under way."""
        for _ in range(number):
            self.plant()
            time.sleep(self._random.random() * 0.05)

    def told(self) -> int:
        """(item, target) pairs that have been told."""
        return len(self._targets.keys)

    def settle(self, patience_s: float) -> None:
        """Return when all is told, or nothing more came for so many seconds."""
        before, since = -1, time.monotonic()
        while self.told() < self.planted * len(TARGETS) and time.monotonic() - since < patience_s:
            if self.told() != before:
                before, since = self.told(), time.monotonic()
            time.sleep(0.1)


def run(*, items: int, kills: int, seed: int) -> tuple[int, int, int, int]:
    """Items planted, pairs lost, pairs doubled, and how often a key came again."""
    random, targets = Random(seed), Targets()
    with targets.server, broker() as (url, folder):
        app = make_app(url)
        workers = Workers(url, folder / "log")
        load = Load(app, targets, items=items, random=random)
        try:
            load.plant()
            load.settle(_READY_S)
            _disturb(load, workers, kills=kills, share=items // (2 * kills + 2), random=random)
            while load.planted < items:
                load.plant()
            load.settle(VISIBILITY_S + 8.0)
        finally:
            workers.stop()
            app.close()
    pairs = [(target, number) for number in range(load.planted) for target in TARGETS]
    lost = sum(pair not in targets.keys for pair in pairs)
    doubled = sum(n > 1 for n in targets.received.values())
    return load.planted, lost, doubled, targets.repeats()


def _disturb(load: Load, workers: Workers, *, kills: int, share: int, random: Random) -> None:
    for _ in range(kills):
        load.burst(share)
        workers.kill(random)
        load.burst(share)
        time.sleep(random.random() * 0.5)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=40)
    given = parser.parse_args()
    print(machine(), flush=True)
    planted, lost, doubled, repeats = run(items=given.items, kills=given.kills, seed=given.seed)
    pairs = planted * len(TARGETS)
    row = (given.kills, planted, pairs, lost, doubled, repeats)
    print()
    print(table(("kills of workers", "items", "items x targets", "lost", "doubled", "repeats, none marked"), [row]))


if __name__ == "__main__":
    main()
