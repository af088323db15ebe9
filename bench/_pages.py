"""A page server that costs little, in a process of its own, so that its CPU does not count: `python -m bench._pages`.

It prints its port, then answers GET /KIND/NAME for ever. The name's own counter makes each source a source of its own.

    quiet   a page of 100 items with an ETag: 304 to who sends it back
    plain   the same page without validators: 200 with the same bytes
    news    a page of 100 items that has one more at the top each time it is asked for
    ...-close  the same, and the connection is closed afterwards: every poll dials anew
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

ITEMS = 100
ETAG = '"bench"'
_TOWNS = ("Lemvig", "Oranmore", "Tarifa", "Kuressaare", "Paltamo", "Bosaso", "Chiloquin", "Varberg")
_WHAT = ("harbour closed after collision", "talks end without a result", "river passes its highest mark", "railway strike begins")


def item(name: str, number: int) -> str:
    """One item of an invented outlet as RSS, about 600 bytes."""
    link = f"https://{name}.example/news/2026/{number}?utm_source=rss"
    title = f"{_TOWNS[number % 8]}: {_WHAT[number % 4]}, {number} people affected"
    text = f"{title}. The district office of {_TOWNS[number % 7]} said on its {number}th day that nothing more is known. " * 2
    return (
        f"<item><title>{title}</title><link>{link.replace('&', '&amp;')}</link><guid isPermaLink='false'>{name}-{number}</guid>"
        f"<pubDate>Mon, 23 Nov 2026 {number // 60 % 24:02}:{number % 60:02}:00 GMT</pubDate><category>World</category>"
        f"<description>&lt;p&gt;{text}&lt;/p&gt;</description></item>\n"
    )


def page(name: str, newest: int = ITEMS, items: int = ITEMS) -> bytes:
    """A feed whose newest item has that number, newest first."""
    rows = "".join(item(name, number) for number in range(newest, newest - items, -1))
    head = f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>{name}</title><link>https://{name}.example/</link>'
    return f"{head}<language>en</language>\n{rows}</channel></rss>\n".encode()


class Wire:
    """The answers, as bytes; one page serves all sources that do not change."""

    def __init__(self) -> None:
        self._same = page("outlet")
        self._asked: Counter[str] = Counter()

    def answer(self, head: bytes) -> tuple[bytes, bool]:
        """The bytes of an answer, and whether the connection is closed after it."""
        path = head.split(b" ", 2)[1].decode()
        kind, _, name = path.strip("/").partition("/")
        kind, _, close = kind.partition("-")
        if kind == "quiet" and f"if-none-match: {ETAG}".encode() in head.lower():
            return _head("304 Not Modified", f"ETag: {ETAG}", close), bool(close)
        body = self._news(name) if kind == "news" else self._same
        tag = f"ETag: {ETAG}\r\n" if kind == "quiet" else ""
        fields = f"{tag}Content-Type: application/rss+xml; charset=utf-8\r\nContent-Length: {len(body)}"
        return _head("200 OK", fields, close) + body, bool(close)

    def _news(self, name: str) -> bytes:
        self._asked[name] += 1
        return page(name, ITEMS + self._asked[name])


def _head(status: str, fields: str, close: str) -> bytes:
    end = "\r\nConnection: close\r\n\r\n" if close else "\r\n\r\n"
    return f"HTTP/1.1 {status}\r\n{fields}{end}".encode()


class _Connection(asyncio.Protocol):
    """One connection of a poller; it may send its requests one after the other."""

    def __init__(self, answer: Callable[[bytes], tuple[bytes, bool]]) -> None:
        self._answer = answer
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for head in heads:
            answer, is_last = self._answer(head)
            if self._transport:
                self._transport.write(answer)
                if is_last:
                    self._transport.close()


async def _serve() -> None:
    wire = Wire()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(wire.answer), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
