"""The command `tocsin` run in this process: arguments in, exit code and both outputs out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
import redis
import typer

from alerts.cli.main import app, main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        """Its JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def tocsin(*arguments: str, stdin: str | bytes = b"") -> Ended:
    """Run one command with this on stdin."""
    out, err, before = StringIO(), StringIO(), sys.stdin
    sys.stdin = TextIOWrapper(BytesIO(stdin.encode() if isinstance(stdin, str) else stdin))
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main(arguments)
    finally:
        sys.stdin = before
    return Ended(code, out.getvalue(), err.getvalue())


def done(*arguments: str, stdin: str | bytes = b"") -> Ended:
    """Run one command that is to succeed."""
    ended = tocsin(*arguments, stdin=stdin)
    assert (ended.code, ended.err) == (0, ""), ended
    return ended


@contextmanager
def desk(folder: Path, redis_url: str) -> Iterator[Path]:
    """The environment of somebody whose service works in this folder, on this store; loopback may be dialled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOCSIN_DATA_DIR", str(folder))
        patch.setenv("TOCSIN_REDIS_URL", redis_url)
        patch.setenv("TOCSIN_HTTP__ALLOW_NETWORKS", '["127.0.0.0/8"]')
        patch.setenv("TOCSIN_HTTP__ALLOW_PORTS", "[0]")
        patch.setenv("TOCSIN_WATCH__DISK_FREE_MB", "0")
        patch.setenv("COLUMNS", "80")
        patch.setenv("NO_COLOR", "1")
        yield folder


def snapshot(redis_url: str) -> dict[bytes, bytes]:
    """Everything in a store, key by key, but for wake-ups, which pass."""
    with redis.Redis.from_url(redis_url) as client:
        return {name: bytes(client.dump(name) or b"") for name in client.scan_iter() if b"wake:" not in name}


def commands() -> list[str]:
    """The full name of every command, without `tocsin`: "sources add"."""

    def below(command: Any, name: str) -> Iterator[str]:
        inner = getattr(command, "commands", {})
        for part, one in inner.items():
            yield from below(one, f"{name} {part}")
        if not inner:
            yield name.strip()

    return sorted(below(typer.main.get_command(app), ""))
