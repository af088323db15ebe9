"""Ticker pages become lines: selectors, canary, encodings, duplicates."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.errors import ParseError
from alerts.models import Item, Selectors, SourceKind
from alerts.sources.parse import parse, parser_version
from alerts.sources.sandbox import Sandbox
from alerts.sources.ticker import Pointer, pointer_of, read_ticker
from tests.builders import a_source

PAGE = (Path(__file__).parent / "data" / "ticker.html").read_bytes()
SELECTORS = Selectors(item="#banner li.line", text="a.title", link="a.title@href", time="time@datetime", guid="@data-id", canary="#banner")


def read(body: bytes = PAGE, selectors: Selectors = SELECTORS, content_type: str = "text/html") -> tuple[Item, ...]:
    return read_ticker("herald", body, selectors=selectors, content_type=content_type, base_url="https://herald.example/live/")


def titles(body: bytes, selector: str = "li", content_type: str = "text/html") -> list[str]:
    return [item.title for item in read(body, Selectors(item=selector), content_type)]


def test_lines_come_in_the_order_of_the_page_each_once() -> None:
    assert ["BREAKING: Strait closed to traffic", "Pilots on standby & tugs out", "Fog lifts"] == [item.title for item in read()]


def test_guid_link_and_time_come_from_attributes() -> None:
    first = read()[0]
    assert ("b-3", "https://herald.example/live/3") == (first.guid, first.url)
    assert datetime(2026, 3, 1, 10, 4, tzinfo=UTC) == first.published_at


def test_links_are_seen_from_the_page_and_scripts_are_none() -> None:
    assert ["https://herald.example/live/3", "https://herald.example/live/2", ""] == [item.url for item in read()]


def test_a_base_element_moves_relative_links() -> None:
    body = b'<html><head><base href="/old/"></head><li><a href=x>Line</a></li></html>'
    (item,) = read(body, Selectors(item="li", link="a"))
    assert item.url == "https://herald.example/old/x"


def test_a_time_without_attribute_is_read_from_its_text() -> None:
    moments = [item.published_at for item in read(selectors=replace(SELECTORS, time="time"))]
    assert [datetime(2026, 3, 1, 10, 4, tzinfo=UTC), datetime(2026, 3, 1, 10, 0, tzinfo=UTC), None] == moments


def test_without_a_text_selector_the_item_itself_is_the_line() -> None:
    assert titles(b"<ul><li><b>Up</b>per deck<li>12:04<p>Lower deck</ul>") == ["Upper deck", "12:04 Lower deck"]


def test_an_empty_banner_with_its_canary_is_the_normal_state() -> None:
    assert read(b"<div id=banner></div>") == ()


def test_an_empty_page_without_a_canary_asked_for_is_the_normal_state() -> None:
    assert read(b"", Selectors(item="li")) == ()


def test_a_missing_canary_is_an_error_that_names_it() -> None:
    with pytest.raises(ParseError, match="page no longer parses: canary '#banner' found nothing"):
        read(b"<html><div id=new-banner><li class=line>Old line</li></div>")


@pytest.mark.parametrize(("canary", "is_there"), [("script#build", True), ("#banner@id", True), ("#banner@data-x", False)])
def test_a_canary_may_be_a_script_or_an_attribute(canary: str, is_there: bool) -> None:
    selectors = replace(SELECTORS, canary=canary)
    if is_there:
        assert len(read(selectors=selectors)) == 3
    else:
        with pytest.raises(ParseError):
            read(selectors=selectors)


@pytest.mark.parametrize("name", ["item", "text", "link", "time", "guid", "canary"])
@pytest.mark.parametrize("selector", ["li[", "::", "li:no-such-class()", ">", "a@b@"])
def test_a_selector_that_does_not_compile_is_named(name: str, selector: str) -> None:
    with pytest.raises(ParseError, match=rf"selectors\.{name}: "):
        read(selectors=Selectors(**{"item": "li", name: selector}))


@pytest.mark.parametrize(
    ("selector", "pointer"),
    [
        ("a.title@href", Pointer(css="a.title", attribute="href")),
        ("@data-id", Pointer(css="", attribute="data-id")),
        ("div > a", Pointer(css="div > a")),
        ('a[href="x@y.example"]', Pointer(css='a[href="x@y.example"]')),
        ("", Pointer(css="")),
    ],
)
def test_a_selector_is_css_and_perhaps_an_attribute(selector: str, pointer: Pointer) -> None:
    assert pointer_of(selector) == pointer


@pytest.mark.parametrize(
    ("encoding", "meta", "content_type"),
    [
        ("windows-1256", "", "text/html; charset=windows-1256"),
        ("windows-1256", '<meta charset="windows-1256">', "text/html"),
        ("windows-1256", '<meta http-equiv=content-type content="text/html; charset=windows-1256">', ""),
        ("utf-8", "", ""),
        ("utf-16", "", "text/html"),
        ("utf-8", "", "text/html; charset=no-such-thing"),
        ("utf-8", '<meta charset="utf-8">', "text/html; charset=us-ascii"),
    ],
)
def test_the_charset_comes_from_header_meta_or_is_utf8(encoding: str, meta: str, content_type: str) -> None:
    assert titles(f"<html>{meta}<li>عاجل</li>".encode(encoding), content_type=content_type) == ["عاجل"]


def test_a_broken_byte_costs_one_character_not_the_page() -> None:
    assert titles("<li>Über\xff uns ändert</li>".encode("latin-1").replace(b"\xdc", "Ü".encode()).replace(b"\xe4", "ä".encode())) == [
        "Über\ufffd uns ändert"
    ]


def test_markup_written_as_text_does_not_come_out_as_markup() -> None:
    assert titles(b"<li>A &lt;script&gt;x()&lt;/script&gt; line</li>") == ["A line"]


def test_a_changed_selector_is_a_new_parser_version() -> None:
    source = a_source(kind=SourceKind.TICKER, selectors=SELECTORS)
    assert parser_version(source) == parser_version(replace(source, url="https://other.example/"))
    assert parser_version(source) != parser_version(replace(source, selectors=replace(SELECTORS, canary="main")))


def test_a_ticker_without_selectors_says_what_it_needs() -> None:
    source = a_source(kind=SourceKind.TICKER)
    with pytest.raises(ParseError, match=r"needs at least selectors\.item"):
        parse(source, PAGE, content_type="", base_url=source.url, votes=0, sandbox=Sandbox())


@settings(deadline=None, max_examples=100)
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: f"<li>{text}</li>".encode("utf-8", "surrogatepass"))),
    st.sampled_from(["", "text/html; charset=utf-16", "text/html; charset=idna", "text/html; charset=\x00", "text/html; charset=cp037"]),
)
def test_any_bytes_give_lines_or_none(body: bytes, content_type: str) -> None:
    for item in read(body, Selectors(item="li", link="a", time="time"), content_type):
        assert item.title
        item.title.encode("utf-8")


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30))
def test_any_selector_works_or_is_a_clear_error(selector: str) -> None:
    with suppress(ParseError):
        read(selectors=Selectors(item="li", text=selector, canary=selector))
