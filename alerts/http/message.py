"""What is asked and what comes back: requests, responses, and the checks that keep nonsense off the wire."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

_LONGEST_URL = 8000
_PLAIN_URL = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#][\x21-\x7e]*)?", re.IGNORECASE)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS = re.compile(rb"HTTP/[\d.]+ (\d{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask. Redirects are followed for GET and HEAD, never for what carries a body."""

    url: str
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH"] = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None  # not for GET and HEAD
    timeout_s: float | None = None  # None = settings.total_timeout_s
    start_at: float | None = None  # on the clock of time.monotonic; None = at once
    key: object = None  # the caller's own; comes back in the response


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came of one request; `error` is empty when a complete answer came, whatever its status."""

    request: Request
    status: int = 0  # of the last hop; 0 = no answer
    url: str = ""  # after redirects
    headers: Mapping[str, str] = field(default_factory=dict)  # of the last hop; names in lower case, repeats joined by ", "
    body: bytes = b""  # decoded; what came of it when is_truncated
    error: str = ""  # in words, names the host, never the path or a header
    is_sent: bool = False  # the request left us: after an error the receiver may have acted on it all the same
    is_refused: bool = False  # by the address guard
    is_timeout: bool = False
    is_truncated: bool = False  # a body began and is not whole
    hops: tuple[tuple[int, str], ...] = ()  # (status, Location as sent) of each redirect that was followed


def wire_url(url: str) -> tuple[str, str]:
    """The URL in ASCII and its host in lower case.

    Raises:
        ValueError: Says what is wrong with it.
    """
    ascii_url = url if url.isascii() else _to_ascii(url)
    match = _PLAIN_URL.fullmatch(ascii_url)
    if match and len(ascii_url) <= _LONGEST_URL:
        return ascii_url, match[1].lower()
    raise ValueError(_url_problem(url))


def _to_ascii(url: str) -> str:
    """The URL with its host in IDNA and the rest percent-encoded; as it is when that cannot be done."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        netloc = f"{host}:{parts.port}" if parts.port else host
    except ValueError:
        return url
    if "@" in parts.netloc or not url.isprintable():
        return url
    path, query = (quote(part, safe="/%:@!$&'()*+,;=~?-._") for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, netloc, path, query, ""))


def _url_problem(url: str) -> str:
    shown = repr(url[:60])
    if len(url) > _LONGEST_URL:
        return f"{shown}... is longer than {_LONGEST_URL:,} characters"
    if not url.isprintable() or " " in url:
        return f"{shown} holds spaces or control characters; write them percent-encoded"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return f"{shown} is no URL: {error}"
    if parts.scheme.lower() not in ("http", "https"):
        return f"{parts.scheme[:30] or 'a URL without a scheme'}: only http:// and https:// are fetched"
    if "@" in parts.netloc:
        return f"{parts.hostname}: a user name or password in a URL is not allowed; use a header"
    return f"{parts.hostname or shown}: not a host{'' if port is None else ' and port'} that can be dialled"


def carries_body(request: Request) -> bool:
    """Whether its method sends a body, if only an empty one."""
    return request.method not in ("GET", "HEAD")


def check(request: Request) -> None:
    """Nothing, when method, headers and body can be sent together.

    Raises:
        ValueError: Says what cannot.
    """
    if request.method not in _METHODS:
        raise ValueError(f"method {request.method!r}: only {', '.join(_METHODS)} are sent")
    if request.body is not None and not carries_body(request):
        raise ValueError(f"a {request.method} carries no body; use POST")
    for name, value in request.headers.items():
        if not _TOKEN.fullmatch(name) or not value.isprintable():
            raise ValueError(f"header {name[:60]!r}: its name or value holds characters that headers cannot carry")


def header_line(name: str, value: str) -> bytes:
    """As libcurl wants it: an empty value needs a semicolon, or the header would be left out."""
    return (f"{name}: {value}" if value else f"{name};").encode()


def parse_head(lines: Iterable[bytes]) -> tuple[int, dict[str, str], tuple[tuple[int, str], ...]]:
    """Status and headers of the last answer, and (status, Location) of those before it; 1xx are left out."""
    status = 0
    headers: dict[str, str] = {}
    hops: list[tuple[int, str]] = []
    for line in lines:
        start = _STATUS.match(line) if line.startswith(b"HTTP/") else None
        if start:
            if status >= 200:
                hops.append((status, headers.get("location", "")))
            status, headers = int(start[1]), {}
            continue
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            key, text = name.strip().lower(), value.strip()
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return status, headers, tuple(hops)
