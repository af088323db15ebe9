"""A local HTTP server whose every byte a test decides, so that it can misbehave, and a client that may dial it."""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from alerts.http.client import HttpClient, Request, Response
from alerts.http.guard import AddressGuard
from alerts.settings import HttpSettings

BODY_LIMIT = 1_000_000  # of the client below


@dataclass(frozen=True)
class Asked:
    """One request as it came in; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


Script = Callable[[socket.socket], None]
Answer = Callable[[Asked], bytes | Script]


@dataclass
class LocalServer:
    """What a test sees of its server."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    connections: int = 0
    most_at_once: int = 0
    now_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """The URL of a path on this server."""
        return f"http://{host}:{self.port}{path}"


def reply(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """A complete answer; `content_type="x"` becomes the header content-type."""
    lines = [f"HTTP/1.1 {status} Status", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if status != 304:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode("latin-1") + body


@contextmanager
def serving(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Iterator[LocalServer]:
    """A server that answers each request with bytes, or by a script that then owns the connection; with tls over HTTPS."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with local.lock:
                local.connections += 1
            try:
                while self._answer_one():
                    pass
            except OSError:
                pass  # the client went away, as some tests want it to

        def _answer_one(self) -> bool:
            asked = _read(self.rfile.readline, self.rfile.read)
            if asked is None:
                return False
            with local.lock:
                local.asked.append(asked)
                local.now_at_once += 1
                local.most_at_once = max(local.most_at_once, local.now_at_once)
            try:
                said = answer(asked)
            finally:
                with local.lock:
                    local.now_at_once -= 1
            if isinstance(said, bytes):
                self.connection.sendall(said)
                return True
            said(self.connection)
            return False

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        local = LocalServer(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield local
        finally:
            local.stopping.set()
            server.shutdown()
            thread.join()


def _read(line: Callable[[], bytes], read: Callable[[int], bytes]) -> Asked | None:
    first = line().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while raw := line().strip():
        name, _, value = raw.decode("utf-8").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Asked(first[0], first[1], headers, read(int(headers.get("content-length", "0"))))


# ---------------------------------------------------------------- answers and clients


def loopback_client(**changes: object) -> HttpClient:
    """A client that may dial loopback, with short patience."""
    values = {"total_timeout_s": 5.0, "max_body_bytes": BODY_LIMIT, "allow_networks": ("127.0.0.0/8",)} | changes
    settings = HttpSettings.model_validate(values)
    return HttpClient(settings, AddressGuard(settings.allow_networks, settings.allow_ports))


def echo(asked: Asked) -> bytes:
    """Answers with what was asked."""
    return reply(body=f"{asked.method} {asked.path} ".encode() + asked.body, x_one="1")


def forever(server: LocalServer, piece: bytes) -> Script:
    """Sends an answer's head, then a piece again and again until somebody has enough."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.stopping.is_set():
            connection.sendall(piece)

    return script


def silent(server: LocalServer) -> Script:
    """Never says anything."""

    def script(_connection: socket.socket) -> None:
        server.stopping.wait(10)

    return script


def reset(connection: socket.socket) -> None:
    """Closes the connection with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def raw(data: bytes) -> Script:
    """Sends exactly these bytes and closes."""

    def script(connection: socket.socket) -> None:
        connection.sendall(data)

    return script


def asking(http: HttpClient, answer: bytes | Script) -> Response:
    """What a client makes of one answer."""
    with serving(lambda _asked: answer) as server:
        return http.send(Request(url=server.url("/secret-path")))
