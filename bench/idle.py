"""What the whole service costs while little happens: memory and CPU of every process with 100 sources at 60 s.

    ./run.sh bench bench/idle.py

`tocsin up` on a local server that answers 304. After a warm-up each process is looked at over a minute: PSS (its own memory
and its share of what it shares with others, from /proc/PID/smaps_rollup) at the end, and CPU, user and system, as a share
of one core. The page server is no part of it, though it and this benchmark share some pages of Python with the service:
the sum of USS (own pages only) is the lower bound.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench._rig import cpu_s, machine, page_server, sources, table
from tests.chaos.service import PARTS, Service

_Row = tuple[str, float, float, float]


def part_of(process: psutil.Process) -> str:
    """The part of the service that a process is."""
    line = " ".join([*process.cmdline(), ""])
    known = {**PARTS, "supervisor": ("alerts.cli up",), "sandbox": ("sandbox_child",)}
    return next((part for part, marks in known.items() if any(mark in line for mark in marks)), process.name())


def family(of: psutil.Process) -> list[psutil.Process]:
    """A process and all it has started."""
    return [of, *of.children(recursive=True)]


def look(processes: Sequence[psutil.Process], seconds: float, wait: Callable[[float], None] = time.sleep) -> list[_Row]:
    """(part, PSS in MB, USS in MB, CPU in % of a core) of each process that lives through these seconds."""
    before = {process: cpu_s(process) for process in processes}
    wait(seconds)
    rows = []
    for process, spent in before.items():
        with suppress(psutil.NoSuchProcess):
            memory = process.memory_full_info()
            rows.append((part_of(process), memory.pss / 1e6, memory.uss / 1e6, (cpu_s(process) - spent) / seconds * 100))
    return rows


def supervisor() -> psutil.Process:
    """The `tocsin up` that this process started."""
    return next(p for p in psutil.Process().children() if p.cmdline()[-1:] == ["up"])


def write_sources(folder: Path, base: str, number: int) -> None:
    """100 quiet sources instead of those the chaos run would poll every second."""
    tables = [
        f'[[source]]\nid = "{s.source_id}"\nurl = "{s.url}"\nfloor_s = 60\nceiling_s = 60\n' for s in sources(base, "quiet-close", number)
    ]
    (folder / "config" / "sources.toml").write_text("".join(tables))


def run(base: str, *, number: int, warm_up_s: float, seconds: float) -> list[_Row]:
    """The rows of a running service."""
    with TemporaryDirectory(prefix="tocsin-bench-") as name:
        service = Service(Path(name), [], [("desk", "console:")])
        write_sources(Path(name), base, number)
        service.start()
        try:
            service.wait_until_up(60.0)
            time.sleep(warm_up_s)
            return look(family(supervisor()), seconds)
        except AssertionError:
            sys.stderr.write((Path(name) / "log").read_text(errors="replace")[-3000:])
            raise
        finally:
            service.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=100)
    parser.add_argument("--warm-up", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    print(machine(), flush=True)
    with page_server() as base:
        rows = run(base, number=given.sources, warm_up_s=given.warm_up, seconds=given.seconds)
    total = ("sum", sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows))
    print(f"\n{given.sources} sources at 60 s, looked at for {given.seconds:.0f} s; targets: PSS <= 300 MB, CPU <= 3 %\n")
    print(table(("part", "PSS MB", "USS MB", "CPU %"), [*rows, total]))


if __name__ == "__main__":
    main()
