"""Feeds become items: formats, headlines, links, times, encodings, votes, and what is no feed."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alerts.errors import ParseError
from alerts.models import Item
from alerts.sources.feed import DISTRUSTED, TRUSTED, Reading, read_feed
from alerts.sources.parse import parse, parser_version
from alerts.sources.sandbox import Sandbox
from tests.builders import a_source

FEEDS = Path(__file__).parent / "data" / "feeds"
GOLDEN: dict[str, list[dict[str, Any]]] = json.loads((FEEDS / "golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def read(body: bytes, sandbox: Sandbox, *, content_type: str = "application/xml", votes: int = 0) -> Reading:
    return read_feed("s", body, content_type=content_type, base_url="https://fetched.example/dir/feed", votes=votes, sandbox=sandbox)


def rss(*items: str, head: str = "") -> bytes:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{head}{inside}</channel></rss>'.encode()


def only(reading: Reading) -> Item:
    (item,) = reading.items
    return item


def a_golden(fields: dict[str, Any]) -> Item:
    published = fields.get("published_at")
    given = {**fields, "topics": tuple(fields.get("topics", ())), "published_at": datetime.fromisoformat(published) if published else None}
    return Item(source_id="s", **given)


@pytest.mark.parametrize("votes", [DISTRUSTED, TRUSTED], ids=["reference", "fast"])
@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_every_format_gives_its_golden_items_from_either_parser(name: str, votes: int, sandbox: Sandbox) -> None:
    reading = read((FEEDS / name).read_bytes(), sandbox, votes=votes, content_type="")
    assert tuple(a_golden(fields) for fields in GOLDEN[name]) == reading.items
    expected = "json feed" if name.endswith("json") else "fastfeedparser" if votes == TRUSTED else "feedparser"
    assert expected == reading.parser


def test_three_agreements_make_the_fast_parser_trusted(sandbox: Sandbox) -> None:
    body, votes, parsers = (FEEDS / "rss20.xml").read_bytes(), 0, []
    for _ in range(4):
        reading = read(body, sandbox, votes=votes)
        votes = reading.votes
        parsers.append(reading.parser)
    assert ["feedparser"] * 3 + ["fastfeedparser"] == parsers
    assert votes == TRUSTED


def test_one_disagreement_means_the_reference_for_ever(sandbox: Sandbox) -> None:
    body = rss("<title>A</title><link>https://a.example/1</link><link>https://a.example/2</link>")
    first = read(body, sandbox, votes=2)
    assert (DISTRUSTED, "feedparser") == (first.votes, first.parser)
    assert read((FEEDS / "rss20.xml").read_bytes(), sandbox, votes=first.votes).votes == DISTRUSTED


def test_a_feed_without_entries_is_no_vote(sandbox: Sandbox) -> None:
    reading = read(rss(), sandbox, votes=1)
    assert ((), 1, True) == (reading.items, reading.votes, reading.is_complete)


@pytest.mark.parametrize(
    "body",
    [
        rss("<title>a &nbsp; b</title><link>https://a.example/1</link>"),
        b'<!DOCTYPE rss [<!ENTITY x "boo">]>' + rss("<title>&x;</title><link>https://a.example/1</link>").partition(b"?>")[2],
        rss("<title>a <b>c</b></title><link>https://a.example/1</link>"),
        b'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example/x/"><entry><title>T</title><link href="y"/></entry></feed>',
    ],
    ids=["undefined entity", "document type", "markup in a title", "relative links under xml:base"],
)
def test_an_unsound_body_is_read_by_the_reference_even_when_the_fast_parser_is_trusted(body: bytes, sandbox: Sandbox) -> None:
    reading = read(body, sandbox, votes=TRUSTED)
    assert ("feedparser", TRUSTED, 1) == (reading.parser, reading.votes, len(reading.items))


def test_a_body_that_breaks_off_is_read_but_not_complete(sandbox: Sandbox) -> None:
    body = (FEEDS / "rss20.xml").read_bytes()
    reading = read(body[: body.index(b"<item>", body.index(b"<item>") + 1)], sandbox, votes=TRUSTED)
    assert ("hg-1001", False) == (only(reading).guid, reading.is_complete)


def test_a_stray_ampersand_does_not_make_a_whole_feed_incomplete(sandbox: Sandbox) -> None:
    reading = read(rss("<title>Salt & vinegar</title>", "<title>Two</title>"), sandbox)
    assert (["Salt & vinegar", "Two"], True) == ([item.title for item in reading.items], reading.is_complete)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html><html><head><title>403 Forbidden</title></head></html>", 'an HTML page ("403 Forbidden")'),
        (b"\n<html lang=en><body>Sign in</body></html>", "an HTML page"),
        (b"<urlset><url><loc>https://a.example/</loc></url></urlset>", "no feed (its root is <urlset>)"),
        (b"", "an empty body"),
        (b" \r\n", "an empty body"),
        (b"Too many requests", "neither XML nor JSON"),
        (b'{"error": 429}', "no JSON Feed"),
        (b"[1, 2]", "no JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": [', "not JSON where JSON should be"),
        (b"<rss>" + b"<a>" * 200_000, "nested over 250 deep"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "neither XML nor JSON"),
    ],
    ids=["403 page", "sign-in page", "sitemap", "empty", "blank", "text", "json error", "json list", "cut json", "deep", "picture"],
)
def test_what_is_no_feed_is_a_clear_error(body: bytes, said: str, sandbox: Sandbox) -> None:
    with pytest.raises(ParseError) as caught:
        read(body, sandbox)
    assert said in str(caught.value)


CYRILLIC = "<title>Пристань</title><link>https://a.example/1</link>"


@pytest.mark.parametrize("votes", [DISTRUSTED, TRUSTED], ids=["reference", "fast"])
@pytest.mark.parametrize(
    ("encoding", "declared", "content_type"),
    [
        ("utf-8", "", "application/rss+xml"),
        ("utf-8", "", ""),
        ("windows-1251", "windows-1251", ""),
        ("koi8-r", "utf-8", "application/xml; charset=koi8-r"),
        ("koi8-r", "", 'text/xml; charset="KOI8-R"'),
        ("utf-8", "utf-8", "text/html"),
        ("utf-16", "utf-16", "application/xml"),
        ("utf-16-le", "utf-16", "application/xml"),
        ("utf-8-sig", "utf-8", "text/xml"),
        ("utf-8", "no-such-charset", ""),
        ("utf-8", "", "application/xml; charset=unicode_escape"),
    ],
)
def test_the_charset_is_found_in_the_header_the_declaration_and_the_mark(
    encoding: str, declared: str, content_type: str, votes: int, sandbox: Sandbox
) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else '<?xml version="1.0"?>'
    text = f'{declaration}<rss version="2.0"><channel><title>T</title><item>{CYRILLIC}</item></channel></rss>'
    reading = read(text.encode(encoding), sandbox, content_type=content_type, votes=votes)
    assert only(reading).title == "Пристань"


@pytest.mark.parametrize("votes", [DISTRUSTED, TRUSTED], ids=["reference", "fast"])
def test_one_broken_byte_does_not_turn_a_feed_into_another_charset(votes: int, sandbox: Sandbox) -> None:
    body = rss("<title>Fähre läuft wieder äußerst gut</title>").replace("läuft".encode(), b"l\xc3uft")
    assert only(read(body, sandbox, votes=votes)).title == "Fähre l\ufffduft wieder äußerst gut"


@pytest.mark.parametrize("votes", [DISTRUSTED, TRUSTED], ids=["reference", "fast"])
@pytest.mark.parametrize(
    ("inside", "head", "url"),
    [
        ("<link>/n/1</link>", "<link>https://site.example/front/</link>", "https://site.example/n/1"),
        ("<link>n/1</link>", "", "https://fetched.example/dir/n/1"),
        ("<link>javascript:alert(1)</link>", "", ""),
        ("<link>data:text/html,x</link>", "", ""),
        ("<link>ftp://a.example/1</link>", "", ""),
        ("<link>https://a.example/1?a=1&amp;amp;b=2</link>", "", "https://a.example/1?a=1&b=2"),
        ("<link> https://a.example/1 </link>", "", "https://a.example/1"),
        ("<link>http://[broken/1</link>", "", ""),
        ('<guid isPermaLink="true">https://a.example/g</guid>', "", "https://a.example/g"),
    ],
)
def test_links_are_absolute_http_or_nothing(inside: str, head: str, url: str, votes: int, sandbox: Sandbox) -> None:
    assert only(read(rss(f"<title>T</title>{inside}", head=head), sandbox, votes=votes)).url == url


def test_a_feed_without_guids_gives_none_from_either_parser(sandbox: Sandbox) -> None:
    body = (FEEDS / "rss091.xml").read_bytes()
    assert [["", ""], ["", ""]] == [[item.guid for item in read(body, sandbox, votes=votes).items] for votes in (DISTRUSTED, TRUSTED)]


@pytest.mark.parametrize("votes", [DISTRUSTED, TRUSTED], ids=["reference", "fast"])
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Sun, 01 Mar 2026 11:58:30 +0530", datetime(2026, 3, 1, 6, 28, 30, tzinfo=UTC)),
        ("2026-03-01T11:58:30.75Z", datetime(2026, 3, 1, 11, 58, 30, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 11:58:30 GMT", datetime(2026, 3, 1, 11, 58, 30, tzinfo=UTC)),
        ("yesterday or so", None),
    ],
)
def test_times_are_utc_or_none(written: str, expected: datetime | None, votes: int, sandbox: Sandbox) -> None:
    assert only(read(rss(f"<title>T</title><pubDate>{written}</pubDate>"), sandbox, votes=votes)).published_at == expected


def test_the_fast_parser_takes_no_guid_for_a_date(sandbox: Sandbox) -> None:
    item = only(read(rss('<title>T</title><guid isPermaLink="false">20260301</guid>'), sandbox, votes=TRUSTED))
    assert ("20260301", None) == (item.guid, item.published_at)


@pytest.mark.parametrize("votes", [DISTRUSTED, TRUSTED], ids=["reference", "fast"])
def test_markup_never_comes_out(votes: int, sandbox: Sandbox) -> None:
    inside = "<title>&lt;img src=x onerror=alert(1)&gt;A&lt;script&gt;x()&lt;/script&gt;</title>"
    long = "&lt;p&gt;" + "word " * 3000 + "&lt;/p&gt;"
    item = only(read(rss(f"{inside}<description>&lt;style&gt;p{{}}&lt;/style&gt;{long}</description>"), sandbox, votes=votes))
    assert item.title == "A"
    assert item.text.startswith("word word")
    assert 3990 < len(item.text) <= 4000


def test_a_bare_version_number_is_enough_for_a_json_feed_with_items(sandbox: Sandbox) -> None:
    body = json.dumps({"version": "1.1", "items": [{"id": 1, "title": "\ud800 Hm", "url": "https://a.example/1"}]}).encode("utf-16")
    item = only(read(body, sandbox, content_type="application/json"))
    assert ("1", "? Hm") == (item.guid, item.title)


def test_no_more_than_ten_thousand_entries_are_read(sandbox: Sandbox) -> None:
    body = rss(*(f"<title>{number}</title>" for number in range(10_050)))
    assert len(read(body, sandbox, votes=TRUSTED).items) == 10_000


def test_parse_hands_on_what_the_feed_reader_found(sandbox: Sandbox) -> None:
    source = a_source("digue")
    parsed = parse(source, (FEEDS / "atom10.xml").read_bytes(), content_type="", base_url=source.url, votes=1, sandbox=sandbox)
    assert (2, 2, True, True, "fr") == (len(parsed.items), parsed.votes, parsed.is_complete, parsed.is_canary_ok, parsed.language)
    assert {"digue"} == {item.source_id for item in parsed.items}
    assert parser_version(source) == parser_version(a_source("other"))


def test_a_feed_that_takes_too_long_is_an_error_and_the_next_one_is_read() -> None:
    with Sandbox(timeout_s=0.5) as sandbox:
        sandbox.feedparser(rss("<title>A</title>"), {}, "")
        with pytest.raises(ParseError, match="did not finish"):
            sandbox.feedparser(b"<rss>" + b"<a>" * 200_000, {}, "")
        assert len(sandbox.feedparser(rss("<title>A</title>"), {}, "").entries) == 1


def test_a_feed_that_eats_cpu_at_the_first_call_is_ended_by_its_limit() -> None:
    with Sandbox(timeout_s=0.1) as sandbox, pytest.raises(ParseError, match="did not finish"):
        sandbox.feedparser(b"<rss>" + b"<a>" * 200_000, {}, "")


def test_a_feed_that_wants_too_much_memory_is_an_error() -> None:
    with Sandbox(memory_mb=120) as sandbox, pytest.raises(ParseError, match="memory limit"):
        sandbox.feedparser(rss("<title>" + "x" * 40_000_000 + "</title>"), {}, "")


def test_a_child_that_left_for_want_of_work_is_replaced() -> None:
    with Sandbox(idle_s=0.01) as sandbox:
        titles = [sandbox.feedparser(rss(f"<title>{number}</title>"), {}, "").entries[0].title for number in range(3)]
    assert ["0", "1", "2"] == titles


def test_a_sandbox_that_cannot_start_says_so() -> None:
    with Sandbox(python="/nowhere/python") as sandbox, pytest.raises(ParseError, match="does not start"):
        sandbox.feedparser(b"<rss/>", {}, "")


def test_the_name_of_a_file_is_text_not_a_file(sandbox: Sandbox) -> None:
    raw = sandbox.feedparser(str(FEEDS / "rss20.xml").encode(), {}, "")
    assert ((), "") == (raw.entries, raw.version)


def test_a_compressed_body_that_nobody_unpacked_is_a_clear_error(sandbox: Sandbox) -> None:
    with pytest.raises(ParseError):
        read(gzip.compress((FEEDS / "rss20.xml").read_bytes(), mtime=0), sandbox)


PARENT = """
import os, sys
from alerts.sources.sandbox import Sandbox
sandbox = Sandbox()
sandbox.feedparser(b"<rss/>", {}, "")
print(sandbox._child.process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_the_child_ends_with_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, check=False, cwd=Path(__file__).parents[1])
    child = Path("/proc") / done.stdout.decode().strip()
    deadline = time.monotonic() + 30
    while child.exists() and "sandbox_child" in (child / "cmdline").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert done.stdout.strip()
    assert not child.exists() or "sandbox_child" not in (child / "cmdline").read_text()
