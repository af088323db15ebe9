"""JSON endpoints become items: the shapes that tickers have in the wild, and what they must not break on."""

from __future__ import annotations

import codecs
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.errors import ParseError
from alerts.models import Item, Selectors, SourceKind
from alerts.sources.jsonapi import read_json
from alerts.sources.parse import parse, parser_version
from alerts.sources.sandbox import Sandbox
from alerts.sources.times import time_of
from tests.builders import a_source

ONE_OBJECT = Selectors(
    item="data.breakingNews", text="tickerText", link="link", time="modified", guid="post.id", canary="data.breakingNews.__typename"
)
A_LIST = Selectors(item="[?active]", text="text", link="url", time="date", guid="id")


def read(value: Any, selectors: Selectors) -> tuple[Item, ...]:
    return read_bytes(json.dumps(value).encode(), selectors)


def read_bytes(body: bytes, selectors: Selectors, content_type: str = "application/json") -> tuple[Item, ...]:
    return read_json("gulf", body, selectors=selectors, content_type=content_type, base_url="https://gulf.example/graphql?x=1")


def one(**fields: Any) -> Any:
    empty = {"post": None, "tickerTitle": None, "tickerText": None, "modified": None, "link": None}
    return {"data": {"breakingNews": {**empty, **fields, "__typename": "BreakingNews"}}}


def test_one_object_with_all_fields_null_is_the_normal_state() -> None:
    assert read(one(), ONE_OBJECT) == ()


def test_one_object_is_one_item() -> None:
    (item,) = read(one(post={"id": "77"}, tickerText="Dam gates open", link="/news/dam", modified="2026-03-01T08:15:00"), ONE_OBJECT)
    expected = Item(
        source_id="gulf",
        guid="77",
        url="https://gulf.example/news/dam",
        title="Dam gates open",
        published_at=datetime(2026, 3, 1, 8, 15, tzinfo=UTC),
    )
    assert expected == item


def test_a_list_gives_its_items_in_its_order() -> None:
    lines = [
        {"id": 2, "text": "Second &amp; last", "date": 1772359200000, "active": True, "url": None},
        {"id": 3, "text": "Withdrawn", "date": 1772359200000, "active": False, "url": None},
        {"id": 1, "text": "First", "date": 1772359200, "active": True, "url": "https://gulf.example/1"},
        {"id": 4, "text": None, "active": True},
        {"id": 1, "text": "First, again", "active": True},
    ]
    items = read(lines, A_LIST)
    assert [("2", "Second & last", ""), ("1", "First", "https://gulf.example/1")] == [(i.guid, i.title, i.url) for i in items]
    assert {datetime(2026, 3, 1, 10, 0, tzinfo=UTC)} == {item.published_at for item in items}


def test_a_list_of_strings_is_a_list_of_headlines_each_once() -> None:
    assert ["Gate shut", "Gate open"] == [
        i.title for i in read({"lines": ["Gate shut", "Gate open", "GATE SHUT"]}, Selectors(item="lines"))
    ]


def test_a_list_of_numbers_is_a_list_of_guids() -> None:
    ids = {"data": {"article": {"children": [45, 44]}}}
    assert ["45", "44"] == [i.guid for i in read(ids, Selectors(item="data.article.children", guid="@"))]


def test_a_single_message_is_one_item() -> None:
    assert ["Fog in the bay"] == [i.title for i in read({"message": "<p>Fog in the bay</p>"}, Selectors(item="message"))]


@pytest.mark.parametrize(
    "value", [{"message": ""}, {"message": None}, {"other": 1}, {"message": []}, {"message": [None, "", {}]}, {"message": True}]
)
def test_nothing_to_tell_is_no_items(value: Any) -> None:
    assert read(value, Selectors(item="message")) == ()


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n\r\n", b"\xff\xfe\r\x00\n\x00", b"\x00\x00", b"null"])
def test_an_empty_body_is_no_items(body: bytes) -> None:
    assert read_bytes(body, ONE_OBJECT) == ()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"message": "صفارات"}'.encode("utf-8-sig"), "application/json"),
        ('{"message": "صفارات"}'.encode("utf-16"), "application/json; charset=utf-8"),
        ('{"message": "صفارات"}'.encode("utf-16-le"), ""),
        (codecs.BOM_UTF16_BE + '{"message": "صفارات"}'.encode("utf-16-be"), ""),
        ('{"message": "صفارات"}'.encode("windows-1256"), "application/json; charset=windows-1256"),
    ],
)
def test_byte_order_marks_and_utf16_are_read(body: bytes, content_type: str) -> None:
    assert ["صفارات"] == [i.title for i in read_bytes(body, Selectors(item="message"), content_type)]


def test_a_missing_canary_is_an_error_that_names_it() -> None:
    with pytest.raises(ParseError, match=r"canary 'data.breakingNews.__typename' found nothing"):
        read({"data": {}}, ONE_OBJECT)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!doctype html><title>Blocked</title>", "an HTML page where JSON should be"),
        (b'{"a": ', "not JSON where JSON should be: Expecting value at line 1, column 6"),
        (b"[" * 100_000, "cannot be read"),
        (b"9" * 5000, "cannot be read"),
    ],
    ids=["html", "cut off", "nested", "huge number"],
)
def test_what_is_no_json_is_a_clear_error(body: bytes, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_bytes(body, A_LIST)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["item", "text", "link", "time", "guid", "canary"])
@pytest.mark.parametrize("expression", ["a[", "no_such_function(@)", "abs('x')", "|"])
def test_an_expression_that_does_not_work_is_named(name: str, expression: str) -> None:
    with pytest.raises(ParseError, match=rf"selectors\.{name}: "):
        read([{"text": "T"}], Selectors(**{"item": "[]", "text": "text", name: expression}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1772359200, datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        ("1772359200000", datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        (1772359200.5, datetime(2026, 3, 1, 10, 0, 0, 500000, tzinfo=UTC)),
        ("2026-03-01T12:00:00+02:00", datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 10:00:00 GMT", datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("12:04", None),
        ("0001-01-01T00:00:00+10:00", None),
        (float("nan"), None),
        (10**30, None),
        (0, None),
        (True, None),
        (None, None),
        ({"a": 1}, None),
    ],
)
def test_times_are_iso_or_epoch_in_seconds_or_milliseconds(value: object, expected: datetime | None) -> None:
    assert time_of(value) == expected


def test_parse_dispatches_json_and_knows_its_version() -> None:
    source = a_source(kind=SourceKind.JSON, selectors=Selectors(item="message"), language="ar")
    parsed = parse(source, b'{"message": "Hm"}', content_type="", base_url=source.url, votes=0, sandbox=Sandbox())
    assert (1, True, 0, "ar", "json") == (len(parsed.items), parsed.is_complete, parsed.votes, parsed.language, parsed.parser)
    assert parser_version(source).startswith("json1-")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["data", "text", "url", "date", "id"]), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(JSON, st.sampled_from(["@", "data", "data[]", "[].data", "values(@)"]))
def test_any_json_gives_items_or_a_clear_error(value: Any, item: str) -> None:
    try:
        items = read(value, Selectors(item=item, text="text", link="url", time="date", guid="id"))
    except ParseError:
        return
    for found in items:
        found.title.encode("utf-8")


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=100), st.text(max_size=20))
def test_any_bytes_and_any_expression_give_items_or_a_clear_error(body: bytes, expression: str) -> None:
    with suppress(ParseError):
        read_bytes(body, Selectors(item="@", text=expression))
    with suppress(ParseError):
        read(["x"], Selectors(item="@", text=expression, guid=expression))
