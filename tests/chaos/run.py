"""The chaos run: kill -9 in every part and torn logs while items come in; prints what was lost, doubled and repeated.

    python -m tests.chaos.run [--seed N] [--items 1000] [--kills 40] [--cuts 10]

After each disturbance it waits until an item planted afterwards was accepted by all three targets: that is the recovery
time. At the end every planted item must have arrived at every target under exactly one key. Exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.service import KINDS, Service
from tests.chaos.wire import TARGETS, Planter, Targets

_FEEDS = 20
_START_S = 60.0
_RECOVERY_S = 60.0
_END_S = 120.0


def main() -> int:
    """Run, print the figures, say by the exit code whether the promises held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--cuts", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tocsin-chaos-") as folder:
        figures = Chaos(Path(folder), given).run()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    is_kept = not figures["lost"] and not figures["more_than_one_key"] and not figures["unmarked_repeats"]
    sys.stdout.write("the promises held\n" if is_kept else "A PROMISE WAS BROKEN\n")
    return 0 if is_kept else 1


class Chaos:
    """One run."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self._given = given
        self._random = Random(given.seed)
        self._planter = Planter(_FEEDS)
        self._targets = Targets()
        self._folder = folder
        self._recoveries: dict[str, list[float]] = {}
        self._is_over = threading.Event()

    def run(self) -> dict[str, Any]:
        """Start, disturb, wait for everything to arrive, count."""
        with self._planter.server as feeds, self._targets.server:
            sources = [(name, feeds.url(name)) for name in self._planter.names]
            service = Service(self._folder, sources, [(t, self._targets.url(t)) for t in TARGETS])
            service.start()
            try:
                service.wait_until_up(_START_S)
                self._wait_for_baseline()
                self._disturb(service)
                self._plant_rest()
                self._wait_for_all()
            finally:
                service.stop()
                sys.stderr.write((self._folder / "log").read_text(errors="replace")[-3000:] if not self._is_over.is_set() else "")
        return self._figures()

    def _wait_for_baseline(self) -> None:
        """Items planted before a feed's first poll would be part of its baseline: wait for one a feed to arrive."""
        time.sleep(8)
        self._await([self._planter.plant() for _ in range(_FEEDS)], _START_S)

    def _disturb(self, service: Service) -> None:
        for kind in self._plan():
            self._plant_some()
            if kind == "torn log":
                service.tear(self._random)
            elif not service.kill(kind):
                time.sleep(1)
                service.kill(kind)
            at = time.monotonic()
            self._plant_some()
            self._await([self._planter.plant()], _RECOVERY_S)
            self._recoveries.setdefault(kind, []).append(time.monotonic() - at)
            time.sleep(self._random.random())

    def _plan(self) -> list[str]:
        kills = list(itertools.islice(itertools.cycle(KINDS), self._given.kills))
        plan = [*kills, *["torn log"] * self._given.cuts]
        self._random.shuffle(plan)
        return plan

    def _plant_some(self) -> None:
        """The items of a few seconds, so that something is under way when it is killed."""
        share = self._given.items / (2.2 * (self._given.kills + self._given.cuts + 1))
        for _ in range(round(share)):
            if len(self._planter.planted_at) < self._given.items:
                self._planter.plant()
                time.sleep(self._random.random() * 0.05)

    def _plant_rest(self) -> None:
        while len(self._planter.planted_at) < self._given.items:
            self._planter.plant()

    def _await(self, numbers: list[int], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not all(self._targets.has(n) for n in numbers):
            if time.monotonic() > deadline:
                raise AssertionError(f"items {[n for n in numbers if not self._targets.has(n)]} did not arrive in {timeout_s:.0f} s")
            time.sleep(0.02)

    def _wait_for_all(self) -> None:
        deadline = time.monotonic() + _END_S
        while time.monotonic() < deadline and not all(map(self._targets.has, self._planter.planted_at)):
            time.sleep(0.2)
        self._is_over.set()

    def _figures(self) -> dict[str, Any]:
        pairs = [(target, n) for n in self._planter.planted_at for target in TARGETS]
        keys = self._targets.keys
        every = [s for times in self._recoveries.values() for s in times]
        return {
            "seed": self._given.seed,
            "items": len(self._planter.planted_at),
            "targets": len(TARGETS),
            "kills": self._given.kills,
            "torn_logs": self._given.cuts,
            "lost": sum(not keys.get(pair) for pair in pairs),
            "more_than_one_key": sum(len(keys.get(pair, ())) > 1 for pair in pairs),
            "repeats_of_a_key": self._targets.repeats(),
            "unmarked_repeats": len(self._targets.unmarked),
            "recovery_s": {k: {"median": _r(statistics.median(t)), "max": _r(max(t))} for k, t in sorted(self._recoveries.items())},
            "recovery_s_max": _r(max(every, default=0.0)),
        }


def _r(seconds: float) -> float:
    return round(seconds, 2)


if __name__ == "__main__":
    sys.exit(main())
