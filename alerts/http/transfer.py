"""One transfer: an easy handle of libcurl, set up once and used again, that keeps the bounds and says what came."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import pycurl

from alerts.http.guard import AddressGuard
from alerts.http.message import Request, Response, carries_body, header_line, parse_head
from alerts.settings import HttpSettings

_RATIO_FROM = 65_536  # decoded bytes below which any ratio is fine
_DISALLOW_USERNAME_IN_URL = 278  # CURLOPT_..., which pycurl does not name
_E_TOO_LARGE = 100  # CURLE_..., likewise

_WORDS = {
    pycurl.E_UNSUPPORTED_PROTOCOL: "it answers or redirects by something other than HTTP",
    pycurl.E_COULDNT_RESOLVE_HOST: "the name does not resolve; check its spelling",
    pycurl.E_PARTIAL_FILE: "the body was cut short",
    pycurl.E_TOO_MANY_REDIRECTS: "too many redirects",
    pycurl.E_LOGIN_DENIED: "it redirects to an address with a user name in it",
    pycurl.E_GOT_NOTHING: "the connection was closed without an answer",
    pycurl.E_SEND_ERROR: "the connection broke while sending",
    pycurl.E_RECV_ERROR: "the connection broke while receiving",
    _E_TOO_LARGE: "its headers are larger than any honest ones",
    pycurl.E_BAD_CONTENT_ENCODING: "the body is compressed in a way that cannot be read",
}

_OF_THE_LAST_HOST = (pycurl.E_LOGIN_DENIED, pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_URL_MALFORMAT)  # it sent us somewhere impossible


class Transfer:
    """One easy handle, set up once and used again, with what its present request has received."""

    def __init__(self, settings: HttpSettings, guard: AddressGuard) -> None:
        self.curl = pycurl.Curl()
        self.request: Request
        self._settings = settings
        self._guard = guard
        self._head: list[bytes] = []
        self._chunks: list[bytes] = []
        self._size = 0
        self._is_over = False
        self._refusal: str | None = None
        self._method = "GET"
        self._has_headers = False
        self._total_s = -1.0
        self._extra_s = 0.0
        _set_up(self.curl, settings, head=self._head.append, body=self._take, dial=self._dial)

    def begin(self, request: Request, url: str) -> None:
        """Set what differs between this request and the last one; `url` is the request's in ASCII."""
        self.request = request
        self.curl.setopt(pycurl.URL, url)
        self._set_headers(request)
        if request.method != self._method or carries_body(request):
            self._set_method(request)
        total_s = self._settings.total_timeout_s if request.timeout_s is None else request.timeout_s
        if total_s != self._total_s or self._extra_s:
            self._total_s, self._extra_s = total_s, 0.0
            self._set_timeouts()

    def extend(self, pause_s: float) -> None:
        """Give back the time in which nobody looked after this transfer."""
        self._extra_s += pause_s
        self._set_timeouts()

    def forget(self) -> None:
        """Drop what was received; the handle is ready for the next request."""
        self._head.clear()
        self._chunks.clear()
        self._size, self._is_over, self._refusal = 0, False, None

    def _set_timeouts(self) -> None:
        self.curl.setopt(pycurl.TIMEOUT_MS, max(1, int((self._total_s + self._extra_s) * 1000)))
        self.curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int((self._settings.connect_timeout_s + self._extra_s) * 1000)))

    def _set_headers(self, request: Request) -> None:
        lines = [header_line(name, value) for name, value in request.headers.items()]
        if carries_body(request):
            lines.append(b"Expect:")  # or libcurl waits a second for 100 Continue before a long body
        if lines:
            self.curl.setopt(pycurl.HTTPHEADER, lines)
        elif self._has_headers:
            self.curl.unsetopt(pycurl.HTTPHEADER)
        self._has_headers = bool(lines)

    def _set_method(self, request: Request) -> None:
        if self._method in ("PUT", "PATCH"):
            self.curl.unsetopt(pycurl.CUSTOMREQUEST)
        self._method = request.method
        self.curl.setopt(pycurl.HTTPGET, 1)
        self.curl.setopt(pycurl.FOLLOWLOCATION, not carries_body(request))
        if request.method == "HEAD":
            self.curl.setopt(pycurl.NOBODY, 1)
        elif carries_body(request):
            self.curl.setopt(pycurl.POSTFIELDS, request.body or b"")
        if request.method in ("PUT", "PATCH"):
            self.curl.setopt(pycurl.CUSTOMREQUEST, request.method)

    def _take(self, chunk: bytes) -> int | None:
        """One piece of decoded body, at most 16 KB; -1 ends the transfer."""
        self._size += len(chunk)
        if self._size > self._settings.max_body_bytes:
            self._is_over = True
            return -1
        self._chunks.append(chunk)
        return None

    def _dial(self, _purpose: int, address: pycurl.CurlSockAddr) -> int:
        """A socket for the address, which libcurl then owns, unless the guard refuses it."""
        if isinstance(address.addr, bytes):
            self._refusal = f"address family {address.family} is not HTTP over IP"
        else:
            self._refusal = self._guard.check(str(address.addr[0]), address.addr[1])
        if self._refusal:
            return pycurl.SOCKET_BAD
        try:
            return socket.socket(address.family, address.socktype, address.protocol).detach()
        except OSError:  # no IPv6 here, or too many open files: libcurl tries the next address
            return pycurl.SOCKET_BAD

    def response(self, code: int, message: str) -> Response:
        """What came, once libcurl reported the end."""
        status, headers, hops = parse_head(self._head)
        url = _effective_url(self.curl) if hops else self.request.url
        error = self._error(code, message)
        return Response(
            request=self.request,
            status=status,
            url=url,
            headers=headers,
            body=b"".join(self._chunks),
            error=error,
            is_sent=not error or bool(self.curl.getinfo(pycurl.REQUEST_SIZE)),
            is_refused=code == pycurl.E_COULDNT_CONNECT and bool(self._refusal),
            is_timeout=code == pycurl.E_OPERATION_TIMEDOUT,
            is_truncated=bool(error and (self._size or code == pycurl.E_PARTIAL_FILE)),
            hops=hops,
        )

    def _error(self, code: int, message: str) -> str:
        words = self._words(code, message) if code else self._ratio_words()
        if not words:
            return ""
        where = self.request.url if code in _OF_THE_LAST_HOST else _effective_url(self.curl)
        return f"{_host_of(where)}: {words}"

    def _words(self, code: int, message: str) -> str:
        if code == pycurl.E_COULDNT_CONNECT and self._refusal:
            return f"refused by the address guard: {self._refusal}"
        if self._is_over:
            return f"the body is over {self._settings.max_body_bytes:,} bytes (http.max_body_bytes)"
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return self._timeout_words()
        number = self.curl.getinfo(pycurl.OS_ERRNO)
        if code == pycurl.E_COULDNT_CONNECT and number:
            return f"no connection: {os.strerror(number).lower()}"
        if code == pycurl.E_RECV_ERROR and not message.startswith("Recv failure"):
            return message[:200]  # not the connection but what came over it
        return _WORDS.get(code) or message[:200] or f"libcurl error {code}"

    def _timeout_words(self) -> str:
        if not self.curl.getinfo(pycurl.REQUEST_SIZE):
            return f"no connection within {self._settings.connect_timeout_s:g} s"
        came = f"{self._size:,} bytes of the body came" if self._size else "nothing of the body came"
        return f"no complete answer within {self.curl.getinfo(pycurl.TOTAL_TIME_T) / 1e6:.3g} s ({came})"

    def _ratio_words(self) -> str:
        if self._size <= _RATIO_FROM:
            return ""
        wire = max(1, int(self.curl.getinfo(pycurl.SIZE_DOWNLOAD_T)))
        if self._size <= self._settings.max_ratio * wire:
            return ""
        return f"{wire:,} bytes decode to {self._size:,}, over {self._settings.max_ratio:g} times as many (http.max_ratio)"


def _set_up(
    curl: pycurl.Curl,
    settings: HttpSettings,
    *,
    head: Callable[[bytes], None],
    body: Callable[[bytes], int | None],
    dial: Callable[[int, pycurl.CurlSockAddr], int],
) -> None:
    """What is the same for every request of a handle."""
    protocols = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
    agent = f"{settings.user_agent} {settings.contact}".strip()
    for option, value in (
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROXY, ""),  # or the environment decides, and the guard sees the proxy only
        (pycurl.PROTOCOLS, protocols),
        (pycurl.REDIR_PROTOCOLS, protocols),
        (_DISALLOW_USERNAME_IN_URL, 1),
        (pycurl.FOLLOWLOCATION, 1),
        (pycurl.MAXREDIRS, settings.max_redirects),
        (pycurl.ACCEPT_ENCODING, ""),  # all that this libcurl can decode
        (pycurl.CAINFO, _ca_file()),
        (pycurl.USERAGENT, agent.encode()),
        (pycurl.HEADERFUNCTION, head),
        (pycurl.WRITEFUNCTION, body),
        (pycurl.OPENSOCKETFUNCTION, dial),
    ):
        curl.setopt(option, value)


def _ca_file() -> str:
    """The certificates to trust: SSL_CERT_FILE or the system's bundle, else certifi's.

    libcurl from the wheel looks where Red Hat keeps them, and a directory in place of a file switches its cache off.
    """
    paths = ssl.get_default_verify_paths()
    bundle = Path(paths.capath or "") / "ca-certificates.crt"
    return paths.cafile or (str(bundle) if bundle.is_file() else certifi.where())


def _effective_url(curl: pycurl.Curl) -> str:
    url: bytes = curl.getinfo_raw(pycurl.EFFECTIVE_URL) or b""
    return url.decode("utf-8", "replace")


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
