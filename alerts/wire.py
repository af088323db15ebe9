"""Loopback servers for replay and demo: one that shows pages as they were at a moment, one that accepts alerts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from alerts.text.fingerprint import body_hash

_HTML = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True)
class WirePage:
    """A page as it is served: its bytes, and since when it reads like this."""

    body: bytes
    changed_at: datetime
    content_type: str = ""

    @property
    def etag(self) -> str:
        """The strong validator of these bytes."""
        return f'"{body_hash(self.body)}"'

    @property
    def media_type(self) -> str:
        """What the bytes are, seen by their beginning, when nobody said."""
        head = self.body[:512].lstrip().lower()
        if self.content_type:
            return self.content_type
        if head.startswith(_HTML):
            return "text/html"
        return "application/json" if head.startswith((b"{", b"[")) else "application/xml"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; everything else is a defect of ours and shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class LoopbackServer:
    """An HTTP server on 127.0.0.1 in threads of its own; use it in a with statement."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def url(self, path: str = "") -> str:
        """The URL of a path on this server."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def __enter__(self) -> LoopbackServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def page_handler(page_of: Callable[[str], WirePage | None]) -> type[BaseHTTPRequestHandler]:
    """A handler that answers GET /NAME with the page of that name, 304 when the validators still hold."""

    class PageHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            page = page_of(unquote(urlsplit(self.path).path).lstrip("/"))
            if page is None:
                _answer(self, 404, {}, b"no such page\n")
                return
            stamp = format_datetime(page.changed_at.astimezone(UTC).replace(microsecond=0), usegmt=True)
            headers = {"ETag": page.etag, "Last-Modified": stamp, "Content-Type": page.media_type}
            is_same = self.headers.get("If-None-Match") == page.etag
            _answer(self, 304 if is_same else 200, headers, b"" if is_same else page.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the service's own log tells what was polled."""

    return PageHandler


def sink_handler(accept: Callable[[Mapping[str, Any]], None]) -> type[BaseHTTPRequestHandler]:
    """A handler that hands each JSON document posted to it to `accept` and answers 204."""

    class SinkHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            try:
                accept(json.loads(body))
            except ValueError:
                _answer(self, 400, {}, b"not JSON\n")
                return
            _answer(self, 204, {}, b"")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return SinkHandler


def _answer(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
    head = [f"HTTP/1.1 {status} {handler.responses[status][0]}", *(f"{k}: {v}" for k, v in headers.items())]
    if status not in (204, 304):
        head.append(f"Content-Length: {len(body)}")
    handler.wfile.write(("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + body)
