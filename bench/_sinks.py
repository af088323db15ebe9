"""Receivers that cost little, in a process of their own, so that their CPU does not count: `python -m bench._sinks`.

It prints the ports of an HTTP and an SMTP server and answers for ever.

    POST /ok/NAME                  204
    POST /rate/N/NAME              204, but 429 for what is over N a second of all names together (any window of one second)
    POST /sick/KIND/SECONDS/NAME   sick for so long from the first request on, then 204: `hang` does not answer for 30 s,
                                   `limit` answers 429 with Retry-After, `dead` closes the connection
    GET  /report                   what came in, as JSON; the reports begin anew
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

_HANG_S = 30.0
_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Sink:
    """What came in: path -> (when it was accepted, its key) of each, and how often a limit was exceeded."""

    def __init__(self) -> None:
        self.accepted: dict[str, list[tuple[float, str]]] = {}
        self.exceeded = 0
        self.mails = 0
        self._began: dict[str, float] = {}
        self._last: deque[float] = deque()

    def report(self) -> bytes:
        """Everything so far as JSON."""
        body = json.dumps({"accepted": self.accepted, "exceeded": self.exceeded, "mails": self.mails}).encode()
        self.accepted, self.exceeded, self.mails = {}, 0, 0
        return body

    def answer(self, path: str, key: str) -> tuple[bytes, float]:
        """The answer to a POST and the seconds until it is given; nothing = the connection is closed."""
        now = time.time()
        kind, _, rest = path.strip("/").partition("/")
        if kind == "sick":
            refusal = self._sick(path, *rest.split("/")[:2], now)
            if refusal is not None:
                return refusal
        if kind == "rate" and self._is_over(int(rest.split("/")[0]), now):
            self.exceeded += 1
            return b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", 0.0
        self.accepted.setdefault(path, []).append((now, key))
        return _NO_CONTENT, 0.0

    def _sick(self, path: str, kind: str, seconds: str, now: float) -> tuple[bytes, float] | None:
        left_s = self._began.setdefault(path, now) + float(seconds) - now
        if left_s <= 0:
            return None
        if kind == "hang":
            return b"", _HANG_S
        if kind == "dead":
            return b"", 0.0
        head = f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {left_s + 0.5:.0f}\r\nContent-Length: 0\r\n\r\n"
        return head.encode(), 0.0

    def _is_over(self, most: int, now: float) -> bool:
        while self._last and self._last[0] <= now - 1:
            self._last.popleft()
        if len(self._last) >= most:
            return True
        self._last.append(now)
        return False


class _Http(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].decode("latin-1")
            length = int(_header(head, "content-length") or 0)
            if len(self._data) < end + 4 + length:
                return
            self._data = self._data[end + 4 + length :]
            self._answer(head)

    def _answer(self, head: str) -> None:
        method, target, _ = head.split(" ", 2)
        if method == "GET":
            body = self._sink.report()
            self._write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return
        answer, after_s = self._sink.answer(urlsplit(target).path, _header(head, "webhook-id"))
        if after_s:
            asyncio.get_running_loop().call_later(after_s, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport:
            return
        if answer:
            self._transport.write(answer)
        else:
            self._transport.close()


def _header(head: str, name: str) -> str:
    at = head.lower().find(f"\n{name}:")
    return head[at + len(name) + 2 :].partition("\r")[0].strip() if at >= 0 else ""


class _Smtp(asyncio.Protocol):
    """One connection of a mail client that may send many messages; everything is accepted."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._rest = b""
        self._is_data = False
        self._write: Callable[[bytes], None] = lambda _data: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        if isinstance(transport, asyncio.Transport):
            self._write = transport.write
        self._write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every whole line."""
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        for line in lines:
            if self._is_data:
                if line == b".":
                    self._is_data, self._sink.mails = False, self._sink.mails + 1
                    self._write(b"250 accepted\r\n")
                continue
            verb = line[:4].upper()
            self._is_data = verb == b"DATA"
            answers = {b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
            self._write(answers.get(verb, b"250 ok\r\n"))


async def _serve() -> None:
    sink, loop = Sink(), asyncio.get_running_loop()
    http = await loop.create_server(lambda: _Http(sink), "127.0.0.1", 0, backlog=1024)
    smtp = await loop.create_server(lambda: _Smtp(sink), "127.0.0.1", 0, backlog=1024)
    print(http.sockets[0].getsockname()[1], smtp.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(http.serve_forever(), smtp.serve_forever())


if __name__ == "__main__":
    asyncio.run(_serve())
