"""A stand-in as a process of its own, fast enough not to be what a benchmark measures, and a handle on it.

    with hosted("webhook") as standin:
        ... send to standin.port ...
        standin.report()                      # what it counted
        standin.behave("hang", "/sick")       # paths that begin so get no answer from now on

Paths: `/_report` answers the counts, `/_behave?how=hang&path=/sick` sets how requests are treated: `well`, `hang` (no answer),
`reset` (the connection breaks), `busy` (429 with Retry-After: 2), `slow` (the answer comes after a second).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

from tests.servers_http import Asked, reply
from tests.standins.discord import DiscordApi
from tests.standins.ntfy import NtfyServer
from tests.standins.smtp import MailServer, mail_server
from tests.standins.telegram import TelegramApi
from tests.standins.webhook import WebhookReceiver

HTTP: dict[str, Callable[[], Any]] = {
    "webhook": lambda: WebhookReceiver(is_kept=False),
    "telegram": TelegramApi,
    "ntfy": lambda: NtfyServer(left=10**9),
    "discord": DiscordApi,
}
_SLOW_S = 1.0


@dataclass
class Hosted:
    """A stand-in in another process."""

    port: int
    process: subprocess.Popen[str]
    is_mail: bool

    def report(self) -> dict[str, Any]:
        """What it counted so far; of `smtp` once, as it ends then."""
        if self.is_mail:
            return _counts(self.process.communicate(timeout=10)[0])
        with urlopen(f"http://127.0.0.1:{self.port}/_report", timeout=10) as answer:
            return _counts(answer.read())

    def behave(self, how: str, path: str = "/") -> None:
        """Treat requests to paths that begin so in this way from now on."""
        urlopen(f"http://127.0.0.1:{self.port}/_behave?{urlencode({'how': how, 'path': path})}", timeout=10).close()


def _counts(said: str | bytes) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(said)
    return counts


@contextmanager
def hosted(kind: str) -> Iterator[Hosted]:
    """A stand-in of this kind (`webhook`, `telegram`, `ntfy`, `discord`, `smtp`) in a process of its own, ended at the end."""
    command = [sys.executable, "-m", "tests.standins", kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Hosted(int(process.stdout.readline()), process, kind == "smtp")
        finally:
            process.kill()


class _Session(asyncio.Protocol):
    """One connection: requests in, answers out, in their order."""

    def __init__(self, host: _Host) -> None:
        self._host = host
        self._data = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._data += data
        while asked := self._next():
            said = self._host.answer(asked)
            if said is None:
                self._transport.abort()
            elif isinstance(said, float):
                asyncio.get_running_loop().call_later(said, self._transport.write, self._host.take(asked))
            else:
                self._transport.write(said)

    def _next(self) -> Asked | None:
        head, found, rest = self._data.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        if len(rest) < size:
            return None
        self._data = rest[size:]
        method, path, _ = first.split(" ")
        return Asked(method, path, headers, rest[:size])


class _Host:
    """A stand-in behind the paths that report and control."""

    def __init__(self, standin: Any) -> None:
        self.take: Callable[[Asked], bytes] = standin.answer
        self._report: Callable[[], dict[str, Any]] = getattr(standin, "report", dict)
        self._how: dict[str, str] = {}

    def answer(self, asked: Asked) -> bytes | float | None:
        """Bytes at once, seconds to wait before it is answered, or None to break the connection."""
        if asked.path == "/_report":
            return reply(200, json.dumps(self._report()).encode())
        if asked.path.startswith("/_behave?"):
            said = parse_qs(urlsplit(asked.path).query)
            self._how[said["path"][0]] = said["how"][0]
            return reply(204)
        match next((how for path, how in self._how.items() if asked.path.startswith(path)), "well"):
            case "hang":
                return b""
            case "reset":
                return None
            case "busy":
                return reply(429, b"busy", retry_after="2")
            case "slow":
                return _SLOW_S
        return self.take(asked)


async def _serve(standin: Any) -> None:
    host = _Host(standin)
    server = await asyncio.get_running_loop().create_server(lambda: _Session(host), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main(kind: str) -> None:
    """Run until standard input ends; the first line on standard output is the port."""
    if kind == "smtp":
        with mail_server(MailServer(is_kept=False)) as box:
            sys.stdout.write(f"{box.port}\n")
            sys.stdout.flush()
            sys.stdin.read()
            sys.stdout.write(json.dumps(box.report()) + "\n")
        return
    asyncio.run(_until_closed(HTTP[kind]()))


async def _until_closed(standin: Any) -> None:
    serving = asyncio.ensure_future(_serve(standin))
    await asyncio.get_running_loop().run_in_executor(None, os.read, 0, 1)
    serving.cancel()
