"""A part of the service as a process: described by a row of a table, started in a group of its own, read by lines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Protocol

from alerts.fork import can_fork, fork_module
from alerts.state.server import dies_with_parent

_LINE_BYTES = 8192  # a longer line is broken
# Unbuffered for the log; fewer arenas and no columns for tracebacks: less memory in each Python process.
_LEAN = {"PYTHONUNBUFFERED": "1", "PYTHONNODEBUGRANGES": "1", "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the table of parts: one process of the service."""

    name: str
    command: tuple[str, ...]  # empty = somebody else runs it, and we only wait until it is ready
    env: Mapping[str, str] = field(default_factory=dict)  # on top of ours
    queue: str = ""  # set = a worker: it gets TOCSIN_WORKER_ID and its progress is watched
    is_ready: Callable[[], bool] | None = None  # set = the parts after it wait until this is true
    is_once: bool = False  # the parts after it wait until it has ended well
    after: str = ""  # restarted when the part of this name came back
    where: str = ""  # for the notes while we wait for it
    module: str = ""  # set = the command are the arguments of `python -m MODULE`

    @property
    def is_gate(self) -> bool:
        """Whether the parts after it wait for it."""
        return self.is_ready is not None or self.is_once


class Process(Protocol):
    """What is used of subprocess.Popen."""

    @property
    def pid(self) -> int:
        """Its number; also that of its group."""

    @property
    def returncode(self) -> int | None:
        """Set once its end was seen."""

    def poll(self) -> int | None:
        """The exit code, None while it runs."""

    def wait(self) -> int | None:
        """The exit code, once it has ended."""

    def send_signal(self, number: int) -> None:
        """Signal it."""


class Child:
    """A started process; its output is one non-blocking pipe."""

    def __init__(self, process: Process, output: IO[bytes], started_at: float, worker_id: str) -> None:
        self.process = process
        self.output = output
        self.started_at = started_at
        self.worker_id = worker_id
        self.is_open = True  # more output can come
        self._rest = b""

    def read_lines(self) -> list[str]:
        """The whole lines that have come, at most 64 KB; the unfinished one too when no more can come."""
        try:
            data = os.read(self.output.fileno(), 65536)
        except BlockingIOError:
            return []
        self.is_open = bool(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self._rest and (not data or len(self._rest) > _LINE_BYTES):
            lines.append(self._rest)
            self._rest = b""
        return [line.decode("utf-8", "replace").rstrip("\r") for line in lines]

    def send(self, number: signal.Signals) -> None:
        """Signal the process."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """End the process and what it has started, now."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> list[str]:
        """End what the process left behind and give its pipe back; the lines that were still in it."""
        self.kill()
        self.process.wait()
        lines: list[str] = []
        while self.is_open and (more := self.read_lines()):
            lines += more
        if self._rest:
            lines.append(self._rest.decode("utf-8", "replace"))
        self.output.close()
        return lines


def spawn(part: Part, now: float) -> Child:
    """The part's process, in a group of its own, dying with us. Raises: OSError."""
    worker_id = f"{part.queue}-{uuid.uuid4().hex[:8]}" if part.queue else ""
    named = {"TOCSIN_WORKER_ID": worker_id} if worker_id else {}
    env = {**os.environ, **_LEAN, **part.env, **named}
    ours, theirs = os.pipe()
    try:
        process = _start(part, env, theirs)
    except OSError:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    os.set_blocking(ours, False)
    return Child(process, open(ours, "rb", buffering=0), now, worker_id)  # noqa: PTH123


def _start(part: Part, env: Mapping[str, str], output: int) -> Process:
    if part.module and can_fork():
        return fork_module(part.module, part.command, env=env, output=output)
    python = (sys.executable, "-m", part.module) if part.module else ()
    return subprocess.Popen(
        (*python, *part.command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=env,
        process_group=0,
        preexec_fn=dies_with_parent(),
    )
