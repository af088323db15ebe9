"""feedparser behind glass: a child process that may hang, eat memory or die without harm to the poll.

The child starts with the first feed that needs it, stays for the next ones, and leaves after a minute without work. It
ends with this process, since its stdin does. A child that takes too long is killed; the next feed gets a new one.
"""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from alerts.errors import ParseError
from alerts.sources.entries import RawEntry, RawFeed

_CHILD = Path(__file__).with_name("sandbox_child.py")
_START_S = 15.0  # a cold start reads feedparser from disk
_MAX_ANSWER = 256 << 20
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "HOME", "LANG", "LD_LIBRARY_PATH")  # no settings, no secrets


class Sandbox:
    """A feedparser with limits; one feed at a time.

    Args:
        python: The interpreter of the child; feedparser must be installed for it.
        timeout_s: Longest time one feed may take, on the clock and in CPU seconds.
        memory_mb: Address space of the child.
        idle_s: The child leaves after so long without work.
    """

    def __init__(self, python: str = sys.executable, timeout_s: float = 5.0, memory_mb: int = 512, idle_s: float = 60.0) -> None:
        self._command = [python, "-P", str(_CHILD), str(timeout_s), str(memory_mb), str(idle_s)]
        self._timeout_s = timeout_s
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def feedparser(self, body: bytes, headers: Mapping[str, str], base_url: str) -> RawFeed:
        """What feedparser reads in these bytes.

        Args:
            headers: Of the HTTP answer, lower-case names; only content-type and content-language are used.
            base_url: What a relative xml:base is seen from; empty leaves relative links as they are.

        Raises:
            ParseError: It took too long, needed too much memory, or gave up.
        """
        given = {"content-type": headers.get("content-type", ""), "content-language": headers.get("content-language", "")}
        if base_url:
            given["content-location"] = base_url
        with self._lock:
            answer = json.loads(self._ask(_request(given, body)))
        if "error" in answer:
            raise ParseError(f"feedparser cannot read this feed ({answer['error']}); look at the page at the source's URL")
        return _raw_feed(answer)

    def close(self) -> None:
        """End the child; the next feed would start a new one."""
        child, self._child = self._child, None
        if child:
            child.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _ask(self, request: bytes) -> bytes:
        """The child's answer; asked again when the old child had just left for want of work."""
        child = self._running()
        if child is None:
            return self._try(self._started(), request, self._timeout_s + _START_S)
        try:
            return child.ask(request, self._timeout_s)
        except TimeoutError as error:
            raise self._failed() from error
        except (EOFError, OSError) as error:
            if child.end() != 0:
                raise self._failed() from error
        return self._try(self._started(), request, self._timeout_s + _START_S)

    def _try(self, child: _Child, request: bytes, timeout_s: float) -> bytes:
        try:
            return child.ask(request, timeout_s)
        except (EOFError, OSError) as error:  # a TimeoutError is an OSError
            raise self._failed() from error

    def _running(self) -> _Child | None:
        """The child, unless it has left or belongs to the process this one was forked from."""
        child = self._child
        return child if child and child.owner_pid == os.getpid() and child.process.poll() is None else None

    def _started(self) -> _Child:
        """A new child; what is left of the old one is cleared away."""
        old, self._child = self._child, None
        if old and old.owner_pid == os.getpid():
            old.end()
        try:
            self._child = _Child(self._command)
        except OSError as error:
            raise ParseError(f"feedparser's process does not start ({error}); check that {self._command[0]} can be run") from error
        return self._child

    def _failed(self) -> ParseError:
        self.close()
        return ParseError(
            f"feedparser did not finish this feed within {self._timeout_s:g} s and its memory limit; "
            "the feed is damaged or hostile: look at the page at the source's URL"
        )


class _Child:
    """The process and its pipes."""

    def __init__(self, command: list[str]) -> None:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        self.owner_pid = os.getpid()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, bufsize=0
        )
        if self.process.stdin is None or self.process.stdout is None:  # for the type checker: both are pipes
            raise OSError("no pipes")
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        os.set_blocking(self._stdin.fileno(), False)
        os.set_blocking(self._stdout.fileno(), False)

    def ask(self, request: bytes, timeout_s: float) -> bytes:
        """The answer to a request. Raises: TimeoutError, EOFError or OSError when the child died."""
        deadline = time.monotonic() + timeout_s
        rest = memoryview(request)
        while rest:
            _wait(self._stdin.fileno(), select.POLLOUT, deadline)
            rest = rest[os.write(self._stdin.fileno(), rest[:65536]) :]
        (length,) = struct.unpack(">I", self._read(4, deadline))
        if length > _MAX_ANSWER:
            raise EOFError("the answer is too long")
        return self._read(length, deadline)

    def end(self) -> int:
        """Kill the process if it still runs; its exit code."""
        if self.process.poll() is None:
            self.process.kill()
        self._stdin.close()
        self._stdout.close()
        return self.process.wait()

    def _read(self, length: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < length:
            _wait(self._stdout.fileno(), select.POLLIN, deadline)
            piece = os.read(self._stdout.fileno(), min(length - len(data), 1 << 20))
            if not piece:
                raise EOFError("the child is gone")
            data += piece
        return bytes(data)


def _wait(file: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(file, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError("the child takes too long")


def _request(headers: Mapping[str, str], body: bytes) -> bytes:
    head = json.dumps(headers).encode("utf-8")
    return struct.pack(">II", len(head), len(body)) + head + body


def _raw_feed(answer: dict[str, Any]) -> RawFeed:
    entries = tuple(RawEntry(**{**entry, "tags": tuple(entry["tags"])}) for entry in answer.pop("entries"))
    return RawFeed(entries=entries, **answer)
