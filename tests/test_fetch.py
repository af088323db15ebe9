"""What a source's answer becomes: changed, unchanged, not modified, gone or failed, and what the next poll may rely on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.http.client import HttpClient
from alerts.http.guard import AddressGuard
from alerts.models import Page, PageStatus, PollState, Source, SourceKind, SourceLease
from alerts.settings import HttpSettings
from alerts.sources.fetch import Fetcher
from alerts.text.fingerprint import body_hash
from tests.builders import a_source
from tests.servers_http import Answer, Asked, LocalServer, Script, reply, serving, silent

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FEED = b"<?xml version='1.0'?><rss version='2.0'><channel><title>The Invented Herald</title></channel></rss>"
HTML = b"<!DOCTYPE html>\n<html><head><title>Access &amp; denied</title></head><body>no</body></html>"
PARSER = "feed-1"
KNOWN = PollState(parser=PARSER, etag='"e1"', last_modified="Mon, 23 Nov 2026 11:00:00 GMT", body_hash=body_hash(FEED))


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """A client that may dial loopback."""
    settings = HttpSettings.model_validate({"total_timeout_s": 5.0, "max_body_bytes": 100_000, "max_redirects": 3})
    made = HttpClient(settings, AddressGuard(["127.0.0.0/8"]))
    yield made
    made.close()


def source(url: str, **changes: object) -> Source:
    """A feed at this URL."""
    return a_source("herald", url=url, **changes)


def poll(http: HttpClient, polled: Source, state: PollState, parser: str = PARSER) -> Page:
    """The page of one poll."""
    lease = SourceLease(source=polled, state=state, due_at=NOW)
    ((given, page),) = pages(http, [lease], parser)
    assert given is lease
    return page


def pages(http: HttpClient, leases: list[SourceLease], parser: str = PARSER) -> list[tuple[SourceLease, Page]]:
    """The pages of these leases, in the order they ended."""
    fetcher = Fetcher(http, clock=lambda: NOW, parser_of=lambda _source: parser)
    fetcher.submit(leases, NOW)
    found: list[tuple[SourceLease, Page]] = []
    while fetcher.in_flight:
        found += fetcher.collect(1.0)
    return found


def page_of(
    http: HttpClient, said: bytes | Answer, *, state: PollState = KNOWN, kind: SourceKind = SourceKind.FEED, parser: str = PARSER
) -> tuple[Page, LocalServer]:
    """What a poll makes of an answer, and the server that gave it."""
    with serving(said if callable(said) else lambda _asked: said) as server:
        return poll(http, source(server.url("/feed"), kind=kind), state, parser), server


# ---------------------------------------------------------------- the kinds of answer


def test_a_body_that_differs_is_changed_and_carries_what_the_next_poll_needs(http: HttpClient) -> None:
    answer = reply(200, FEED + b"<!-- 2 -->", etag='"e2"', last_modified="Mon, 23 Nov 2026 12:00:00 GMT", content_type="text/xml")
    page, server = page_of(http, answer)
    assert page == Page(
        source_id="herald",
        status=PageStatus.CHANGED,
        fetched_at=NOW,
        body=FEED + b"<!-- 2 -->",
        body_hash=body_hash(FEED + b"<!-- 2 -->"),
        http_status=200,
        url=server.url("/feed"),
        etag='"e2"',
        last_modified="Mon, 23 Nov 2026 12:00:00 GMT",
        content_type="text/xml",
    )


def test_the_same_body_is_unchanged_without_being_parsed(http: HttpClient) -> None:
    page, _ = page_of(http, reply(200, FEED, etag='"e2"'))
    assert (page.status, page.body, page.body_hash, page.etag, page.last_modified) == (
        PageStatus.UNCHANGED, b"", KNOWN.body_hash, '"e2"', None,
    )  # fmt: skip


def test_304_is_not_modified_and_keeps_the_validators(http: HttpClient) -> None:
    page, server = page_of(http, reply(304))
    assert (page.status, page.etag, page.last_modified, page.body_hash) == (
        PageStatus.NOT_MODIFIED, KNOWN.etag, KNOWN.last_modified, KNOWN.body_hash,
    )  # fmt: skip
    asked = server.asked[0].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == (KNOWN.etag, KNOWN.last_modified)


def test_410_is_gone(http: HttpClient) -> None:
    page, _ = page_of(http, reply(410))
    assert (page.status, "410 Gone" in page.error) == (PageStatus.GONE, True)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (204, "HTTP 204 No Content"),
        (300, "HTTP 300 Multiple Choices"),
        (401, "sign-in"),
        (403, "refuses us"),
        (404, "nothing at this address"),
        (418, "HTTP 418"),
        (429, "too often"),
        (500, "has trouble"),
        (503, "HTTP 503 Service Unavailable"),
        (599, "HTTP 599:"),
    ],
)
def test_any_other_status_fails_with_advice(http: HttpClient, status: int, words: str) -> None:
    page, _ = page_of(http, reply(status))
    assert (page.status, page.http_status, words in page.error) == (PageStatus.FAILED, status, True)


def test_a_failure_keeps_what_was_known(http: HttpClient) -> None:
    page, _ = page_of(http, reply(500, etag='"broken"'))
    assert (page.etag, page.last_modified, page.body_hash) == (KNOWN.etag, KNOWN.last_modified, KNOWN.body_hash)


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n<rss>", reply(200, bytes(100_001))])
def test_a_body_that_is_not_whole_fails(http: HttpClient, said: bytes) -> None:
    def cut(_asked: Asked) -> Script:
        return lambda connection: connection.sendall(said)

    page, _ = page_of(http, cut)
    assert (page.status, page.body, page.error != "") == (PageStatus.FAILED, b"", True)


def test_a_refused_address_is_this_sources_failure_only(http: HttpClient) -> None:
    with serving(lambda _asked: reply(200, FEED)) as server:
        leases = [
            SourceLease(source=replace(source(url), source_id=name), state=PollState(), due_at=NOW)
            for name, url in (("inside", "http://10.0.0.1/feed"), ("nonsense", "not a url"), ("herald", server.url()))
        ]
        found = {lease.source.source_id: page for lease, page in pages(http, leases)}
    assert {name: page.status.value for name, page in found.items()} == {"inside": "failed", "nonsense": "failed", "herald": "changed"}
    assert "refused by the address guard" in found["inside"].error


def test_a_transfer_begins_when_its_source_is_due(http: HttpClient) -> None:
    arrived: list[float] = []

    def note(_asked: Asked) -> bytes:
        arrived.append(time.monotonic())
        return reply(200, FEED)

    with serving(note) as server:
        due = time.monotonic() + 0.05
        pages(http, [SourceLease(source=source(server.url()), state=PollState(), due_at=NOW + timedelta(seconds=0.05))])
    assert arrived[0] >= due


# ---------------------------------------------------------------- fetcher


def test_a_fetcher_hands_out_pages_while_another_source_hangs() -> None:
    def answer(asked: Asked) -> bytes | Script:
        return reply(200, FEED) if asked.path != "/hang" else silent(server)

    with serving(answer) as server:
        fetcher = a_fetcher()
        hanging, quick, later = (
            SourceLease(source=a_source(name, url=server.url(f"/{name}")), state=PollState(), due_at=NOW + timedelta(seconds=s))
            for name, s in (("hang", 0), ("quick", -5), ("later", 0.05))
        )
        fetcher.submit([hanging, quick], NOW)
        first = next(fetcher.collect(5))
        fetcher.submit([later], NOW)
        second = next(fetcher.collect(5))
        assert ([first[0], second[0]], fetcher.in_flight) == ([quick, later], 1)
        assert (first[1].status, first[1].fetched_at) == (PageStatus.CHANGED, NOW)
        assert list(fetcher.collect(0)) == []
        fetcher.close()
        assert fetcher.in_flight == 0


def a_fetcher() -> Fetcher:
    """A fetcher that may dial loopback."""
    settings = HttpSettings.model_validate({})
    return Fetcher(HttpClient(settings, AddressGuard(["127.0.0.0/8"])), clock=lambda: NOW, parser_of=lambda _source: PARSER)


# ---------------------------------------------------------------- validators


def test_a_changed_parser_asks_for_the_whole_page_and_reads_the_same_body_again(http: HttpClient) -> None:
    page, server = page_of(http, reply(200, FEED), parser="feed-2")
    assert page.status is PageStatus.CHANGED
    assert not {"if-none-match", "if-modified-since"} & set(server.asked[0].headers)


def test_304_to_an_unconditional_request_is_a_failure(http: HttpClient) -> None:
    page, _ = page_of(http, reply(304), parser="feed-2")
    assert (page.status, "although" in page.error) == (PageStatus.FAILED, True)


@pytest.mark.parametrize("etag", ["x" * 1001, "caf\xe9", ""])
def test_a_validator_that_cannot_be_sent_back_is_dropped(http: HttpClient, etag: str) -> None:
    page, _ = page_of(http, reply(200, FEED + b" ", etag=etag))
    assert (page.status, page.etag) == (PageStatus.CHANGED, None)


def test_a_sources_own_headers_win(http: HttpClient) -> None:
    with serving(lambda _asked: reply(200, FEED)) as server:
        poll(http, source(server.url(), headers={"accept": "text/plain", "User-Agent": "Desk/1"}), PollState())
    headers = server.asked[0].headers
    assert (headers["accept"], headers["user-agent"]) == ("text/plain", "Desk/1")


# ---------------------------------------------------------------- moves


def moving(asked: Asked) -> bytes:
    """/301/302/feed answers 301 to /302/feed, and so on; /dead fails."""
    status, _, rest = asked.path[1:].partition("/")
    if status.isdecimal():
        return reply(int(status), location=f"/{rest}")
    return reply(404) if asked.path == "/dead" else reply(200, FEED)


@pytest.mark.parametrize(
    ("path", "moved_to"),
    [
        ("/feed", None),
        ("/301/feed", "/feed"),
        ("/301/308/feed", "/feed"),
        ("/302/feed", None),
        ("/301/302/feed", None),
        ("/307/301/feed", None),
        ("/301/dead", None),
    ],
)
def test_a_source_has_moved_only_when_every_hop_was_permanent_and_it_answers_there(
    http: HttpClient, path: str, moved_to: str | None
) -> None:
    with serving(moving) as server:
        page = poll(http, source(server.url(path)), PollState())
        assert page.moved_to == (moved_to and server.url(moved_to))


def test_a_moved_source_is_asked_at_its_new_address_and_stays_moved(http: HttpClient) -> None:
    with serving(moving) as server:
        page = poll(http, source(server.url("/301/feed")), PollState(moved_to=server.url("/feed")))
        assert (page.moved_to, [asked.path for asked in server.asked]) == (server.url("/feed"), ["/feed"])


def test_a_new_address_that_keeps_failing_lets_the_old_one_be_tried(http: HttpClient) -> None:
    with serving(moving) as server:
        polled = source(server.url("/feed"))
        pages = [poll(http, polled, PollState(moved_to=server.url("/dead"), failures=n)) for n in (0, 1, 2, 3)]
        assert [asked.path for asked in server.asked] == ["/dead", "/dead", "/dead", "/feed"]
    assert (pages[2].moved_to, pages[3].moved_to) == (server.url("/dead"), None)


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Mon, 23 Nov 2026 12:05:00 GMT", 300.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 12:05:00 -0000", 300.0),
        ("9" * 40, 999_999_999.0),
        ("soon", None),
        ("-5", None),
        ("Mon, 99 Nov 99999999999999999999 12:00:00 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(http: HttpClient, value: str, seconds: float | None) -> None:
    page, _ = page_of(http, reply(503, retry_after=value))
    assert page.retry_after_s == seconds


@pytest.mark.parametrize(
    ("cache_control", "age", "seconds"),
    [
        ("max-age=300", "", 300.0),
        ("public, Max-Age = 300", "", 300.0),
        ('max-age="300"', "", 300.0),
        ("max-age=300", "100", 200.0),
        ("max-age=300", "1000", 0.0),
        ("max-age=300", "old", 300.0),
        ("s-maxage=300", "", None),
        ("no-cache", "", None),
        ("max-age=never", "", None),
        ("", "", None),
    ],
)
def test_max_age_is_what_is_left_of_it(http: HttpClient, cache_control: str, age: str, seconds: float | None) -> None:
    page, _ = page_of(http, reply(200, FEED, cache_control=cache_control, age=age))
    assert page.max_age_s == seconds


# ---------------------------------------------------------------- wrong types


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(HTML, id="plain HTML"),
        pytest.param(b"\xef\xbb\xbf\n" + HTML, id="after a byte order mark"),
        pytest.param(b"<?xml version='1.0'?><!-- <rss> --><html xmlns='x'></html>", id="XHTML with a feed in a comment"),
        pytest.param("<html><body>403</body></html>".encode("utf-16"), id="in UTF-16"),
        pytest.param(b"<HTML><BODY>403", id="in capitals"),
    ],
)
@pytest.mark.parametrize(("kind", "wanted"), [(SourceKind.FEED, "a feed"), (SourceKind.JSON, "JSON")])
def test_an_html_page_in_place_of_the_source_fails(http: HttpClient, body: bytes, kind: SourceKind, wanted: str) -> None:
    page, _ = page_of(http, reply(200, body), kind=kind)
    assert (page.status, f"HTML page where {wanted} should be" in page.error) == (PageStatus.FAILED, True)


def test_the_title_of_the_wrong_page_is_told(http: HttpClient) -> None:
    page, _ = page_of(http, reply(200, HTML))
    assert "(Access & denied)" in page.error


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(SourceKind.FEED, FEED, id="RSS"),
        pytest.param(SourceKind.FEED, b"<rdf:RDF xmlns='x'></rdf:RDF>", id="RDF"),
        pytest.param(SourceKind.FEED, b"<atom:feed xmlns:atom='x'/>", id="Atom with a prefix"),
        pytest.param(SourceKind.FEED, b"<!DOCTYPE rss SYSTEM 'x'><rss/>", id="RSS with a doctype"),
        pytest.param(SourceKind.FEED, b"<div>Warning: line 3</div>" + FEED, id="a feed after a warning"),
        pytest.param(SourceKind.FEED, b'{"items": [{"content_html": "<div>text</div>"}]}', id="JSON Feed with HTML in it"),
        pytest.param(SourceKind.JSON, b'[{"html": "<html>"}]', id="JSON with HTML in it"),
        pytest.param(SourceKind.TICKER, HTML, id="a ticker page"),
        pytest.param(SourceKind.FEED, b"\x1f\x8b\x08 something gzipped twice", id="what only the parser can judge"),
    ],
)
def test_what_may_be_the_source_is_left_to_its_parser(http: HttpClient, kind: SourceKind, body: bytes) -> None:
    page, _ = page_of(http, reply(200, body), state=PollState(), kind=kind)
    assert (page.status, page.body) == (PageStatus.CHANGED, body)


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_body_fails(http: HttpClient, body: bytes) -> None:
    page, _ = page_of(http, reply(200, body), state=PollState())
    assert (page.status, page.error) == (PageStatus.FAILED, "HTTP 200 with an empty body")
