"""What each due source answers: one page per lease, and a failure is a page too.

The answer is decided in this order: no usable transfer -> FAILED; 304 -> NOT_MODIFIED; 410 -> GONE; any other status but
200 -> FAILED; a body with the hash of the last one -> UNCHANGED; nothing, or an HTML page where a feed or JSON should be
-> FAILED; else CHANGED. Validators and the last hash count only for the parser version they were stored with.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import cast

from alerts.http.client import Batch, HttpClient, Request, Response
from alerts.models import Page, PageStatus, PollState, Source, SourceKind, SourceLease
from alerts.sources.parse import parser_version
from alerts.text.fingerprint import body_hash
from alerts.text.normalise import plain

_ACCEPT = {
    SourceKind.FEED: "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5",
    SourceKind.TICKER: "text/html, application/xhtml+xml, */*;q=0.5",
    SourceKind.JSON: "application/json, */*;q=0.5",
}
_WANTED = {SourceKind.FEED: "a feed", SourceKind.JSON: "JSON"}
_ADVICE = {
    401: "the publisher wants a sign-in; set `headers` of this source, or look for another address",
    403: "the publisher refuses us; set `headers` of this source, or look for another address",
    404: "there is nothing at this address; look up where the source is now",
    429: "we ask too often; the interval grows by itself",
}
_PERMANENT = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})
_LONGEST_VALIDATOR = 1000  # characters; a longer one is not worth sending back
_TRUST_MOVE = 3  # failures in a row at the new address, before every other poll tries the old one

_MAX_AGE = re.compile(r"""(?:^|[,\s])max-age\s*=\s*"?(\d{1,9})""", re.IGNORECASE)
_HEAD = 8192  # bytes of a body in which its root element has to show up
_BOM_AND_SPACE = b"\xef\xbb\xbf\xff\xfe \t\r\n"
_PREAMBLE = re.compile(rb"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_FIRST_TAG = re.compile(rb"<(?:!doctype\s+)?([a-z][\w:.-]*)", re.IGNORECASE)
_FEED_ROOT = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_HTML_TAGS = frozenset({b"html", b"head", b"body", b"title", b"meta", b"script", b"div"})
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A lease with what its request was made of."""

    lease: SourceLease
    is_known_parser: bool
    url: str


class Fetcher:
    """Transfers that are under way: leases go in as they are claimed, pages come out as they end.

    One that hangs stays here until its timeout while others come and go. For one thread, like its client. Pages carry
    all that the next state takes over: `etag`, `last_modified`, `body_hash` and `moved_to` are the old ones where the
    answer changes nothing. Only a CHANGED page has a body.

    Args:
        client: Is closed with the fetcher.
        clock: The poll's clock, UTC; read when an answer came.
        parser_of: The version of parser and selectors a source is read with now.
    """

    def __init__(self, client: HttpClient, *, clock: Callable[[], datetime], parser_of: Callable[[Source], str] = parser_version) -> None:
        self._client = client
        self._clock = clock
        self._parser_of = parser_of
        self._batch = Batch()

    @property
    def in_flight(self) -> int:
        """How many leases have no page yet, those that are not due among them."""
        return self._batch.in_flight

    def submit(self, leases: Iterable[SourceLease], now: datetime) -> None:
        """Start the transfer of each lease at its due time, seen from `now`; at once when that is past."""
        started = time.monotonic()
        for lease in leases:
            ahead_s = (lease.due_at - now).total_seconds()
            start_at = started + ahead_s if ahead_s > 0 else None
            self._batch.add([_request(lease, self._parser_of(lease.source), start_at)])

    def collect(self, wait_s: float) -> Iterator[tuple[SourceLease, Page]]:
        """The pages that end within wait_s seconds, each as it ends; returns at once when nothing is in flight."""
        for response in self._client.collect(self._batch, wait_s):
            yield _answer(response, self._clock())

    def close(self) -> None:
        """Abandon what is in flight and close the connections."""
        self._client.abandon(self._batch)
        self._client.close()


def _answer(response: Response, now: datetime) -> tuple[SourceLease, Page]:
    asked = cast("_Asked", response.request.key)
    return asked.lease, _page(asked, response, now)


def _request(lease: SourceLease, parser: str, start_at: float | None) -> Request:
    source, state = lease.source, lease.state
    asked = _Asked(lease, state.parser == parser, _address(source, state))
    headers = {"Accept": _ACCEPT[source.kind]}
    if asked.is_known_parser and state.etag:
        headers["If-None-Match"] = state.etag
    if asked.is_known_parser and state.last_modified:
        headers["If-Modified-Since"] = state.last_modified
    own = {name.lower() for name in source.headers}
    headers = {name: value for name, value in headers.items() if name.lower() not in own} | dict(source.headers)
    return Request(url=asked.url, headers=headers, start_at=start_at, key=asked)


def _address(source: Source, state: PollState) -> str:
    """Where to ask: the permanent new address, but now and then the old one when the new one keeps failing."""
    if state.moved_to is None or (state.failures >= _TRUST_MOVE and state.failures % 2):
        return source.url
    return state.moved_to


def _page(asked: _Asked, response: Response, now: datetime) -> Page:
    state, headers = asked.lease.state, response.headers
    page = Page(
        source_id=asked.lease.source.source_id,
        status=PageStatus.FAILED,
        fetched_at=now,
        body_hash=state.body_hash,
        http_status=response.status,
        url=response.url,
        moved_to=state.moved_to,
        etag=state.etag,
        last_modified=state.last_modified,
        content_type=headers.get("content-type", ""),
        max_age_s=_max_age(headers.get("cache-control", ""), headers.get("age", "")),
        retry_after_s=_retry_after(headers.get("retry-after", ""), now),
    )
    if response.error:
        return replace(page, error=response.error)
    if response.status == HTTPStatus.NOT_MODIFIED:
        return _not_modified(page, asked, response)
    if response.status == HTTPStatus.GONE:
        return replace(page, status=PageStatus.GONE, error="HTTP 410 Gone: the publisher took this source down for good")
    if response.status != HTTPStatus.OK:
        return replace(page, error=_status_words(response.status))
    return _with_body(page, asked, response)


def _not_modified(page: Page, asked: _Asked, response: Response) -> Page:
    state = asked.lease.state
    if not (asked.is_known_parser and (state.etag or state.last_modified)):
        return replace(page, error="HTTP 304 Not Modified, although the whole page was asked for")
    return replace(
        page,
        status=PageStatus.NOT_MODIFIED,
        moved_to=_moved_to(asked, response),
        etag=_validator(response, "etag") or state.etag,
        last_modified=_validator(response, "last-modified") or state.last_modified,
    )


def _with_body(page: Page, asked: _Asked, response: Response) -> Page:
    digest = body_hash(response.body)
    is_same = asked.is_known_parser and digest == asked.lease.state.body_hash
    error = "" if is_same else _wrong_body(asked.lease.source.kind, response.body)
    if error:
        return replace(page, error=error)
    return replace(
        page,
        status=PageStatus.UNCHANGED if is_same else PageStatus.CHANGED,
        body=b"" if is_same else response.body,
        body_hash=digest,
        moved_to=_moved_to(asked, response),
        etag=_validator(response, "etag"),
        last_modified=_validator(response, "last-modified"),
    )


def _moved_to(asked: _Asked, response: Response) -> str | None:
    """The address to ask from now on, when it is not the source's own (RFC 9110, 15.4.2 and 15.4.9)."""
    if response.hops and all(status in _PERMANENT for status, _ in response.hops):
        return response.url
    return asked.url if asked.url != asked.lease.source.url else None


def _validator(response: Response, name: str) -> str | None:
    value = response.headers.get(name, "")
    return value if value and len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable() else None


def _max_age(cache_control: str, age: str) -> float | None:
    """Seconds for which this answer stays fresh (RFC 9111, 4.2): max-age less what it spent in caches."""
    match = _MAX_AGE.search(cache_control)
    if match is None:
        return None
    spent = int(age) if age.isdecimal() and len(age) < 10 else 0
    return float(max(0, int(match[1]) - spent))


def _retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait, from seconds or a date (RFC 9110, 10.2.3); None when there is neither."""
    if value.isdecimal():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def _status_words(status: int) -> str:
    try:
        phrase = f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = f"HTTP {status}"
    advice = "the publisher's server has trouble; it is asked again" if status >= 500 else "no page came with it"
    return f"{phrase}: {_ADVICE.get(status, advice)}"


def _wrong_body(kind: SourceKind, body: bytes) -> str:
    """Why a body cannot be what the source is declared as, in words; empty when it may be."""
    if not body.strip():
        return "HTTP 200 with an empty body"
    if kind not in _WANTED or not _is_html(body):
        return ""
    title = _TITLE.search(body[:_HEAD])
    named = f" ({plain(title[1].decode('utf-8', 'replace'))[:80]})" if title else ""
    return f"HTML page where {_WANTED[kind]} should be{named}; open its address in a browser to see what it is"


def _is_html(body: bytes) -> bool:
    """Whether a body begins with an element of HTML, and no feed begins after it (some print warnings first)."""
    head = body[:_HEAD].replace(b"\0", b"").lstrip(_BOM_AND_SPACE)  # without NULs UTF-16 reads like ASCII
    if not head.startswith(b"<"):
        return False
    head = _PREAMBLE.sub(b"", head)
    first = _FIRST_TAG.search(head)
    return bool(first and first[1].lower() in _HTML_TAGS and not _FEED_ROOT.search(head))
