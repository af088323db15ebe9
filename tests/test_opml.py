"""Lists of feeds, in and out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.errors import ParseError
from alerts.models import SourceKind
from alerts.sources.load import SLUG
from alerts.sources.opml import read_opml, slug, write_opml
from tests.builders import a_source

LISTS = Path(__file__).parents[2] / "shared" / "data" / "feedlists"


def opml(*lines: str) -> bytes:
    return ('<?xml version="1.0"?>\n<opml version="2.0"><body>\n' + "\n".join(lines) + "\n</body></opml>").encode()


def test_titles_around_a_feed_become_its_tags() -> None:
    listed = read_opml(
        opml(
            '<outline text="Coast"><outline title="Ports &amp; piers">',
            '<outline type="rss" text="Quay News" xmlUrl="https://quay.example/rss" htmlUrl="https://quay.example/" language="en-GB"/>',
            "</outline></outline>",
        )
    )
    (source,) = listed.sources
    assert ("quay-news", "Quay News", "https://quay.example/rss", "en") == (source.source_id, source.name, source.url, source.language)
    assert ("Coast", "Ports & piers") == source.tags
    assert listed.problems == ()


def test_ids_are_made_of_names_and_unique() -> None:
    lines = [
        f'<outline text="{name}" xmlUrl="https://{n}.example/"/>' for n, name in enumerate(["Älv Nytt", "alv nytt", "عاجل", "", "!!!"])
    ]
    listed = read_opml(opml(*lines))
    assert ["alv-nytt", "alv-nytt-2", "2-example", "3-example", "4-example"] == [source.source_id for source in listed.sources]
    assert [source.name for source in listed.sources][2:] == ["عاجل", "3-example", "!!!"]


def test_bad_outlines_are_left_out_and_named_with_their_line() -> None:
    listed = read_opml(
        opml(
            '<outline text="Good" xmlUrl="https://good.example/rss"/>',
            '<outline text="File" xmlUrl="file:///etc/passwd"/>',
            '<outline type="rss" text="None"/>',
            '<outline text="Twice" xmlUrl="https://good.example/rss"/>',
            '<outline text="Secret" xmlUrl="https://me:pw@good.example/rss"/>',
            '<outline text="Host" xmlUrl="https:///rss"/>',
        )
    )
    assert ["good"] == [source.source_id for source in listed.sources]
    assert [3 + 1, 5, 6, 7, 8] == [int(problem.split(":")[0].removeprefix("line ")) for problem in listed.problems]
    assert "no http or https URL" in listed.problems[0]
    assert "pw" not in listed.problems[3]


@pytest.mark.parametrize("body", [b"", b"hello", b"<rss/>", b"<html><body>", b"\x00\x01", b"{}"])
def test_what_is_no_opml_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(ParseError, match="this is no OPML"):
        read_opml(body)


def test_entities_are_not_expanded_and_files_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush")
    body = (
        f'<!DOCTYPE opml [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY y "lol">]>'
        '<opml><body><outline text="A &y;" xmlUrl="https://a.example/"/><outline>&x;</outline></body></opml>'
    )
    assert "hush" not in str(read_opml(body.encode()))


def test_slightly_broken_xml_is_read_as_far_as_it_goes() -> None:
    listed = read_opml(b'<opml><body><outline text="A & B" xmlUrl="https://a.example/?x=1&y=2"/><outline text="C" xmlUrl="https://c.exa')
    assert ["A B"] == [re.sub(r"\W+", " ", source.name) for source in listed.sources]


def test_what_is_written_is_read_back() -> None:
    sources = (
        a_source("one", tags=("Coast", "Ports")),
        a_source("two", name="Zwei \x00<&>", language="de"),
        a_source("three", tags=("Coast",)),
        a_source("page", kind=SourceKind.TICKER),
    )
    listed = read_opml(write_opml(sources))
    found = {source.name: (source.url, source.tags, source.language) for source in listed.sources}
    assert {
        "One": ("https://one.example/feed.xml", ("Coast", "Ports"), None),
        "Zwei <&>": ("https://two.example/feed.xml", (), "de"),
        "Three": ("https://three.example/feed.xml", ("Coast",), None),
    } == found


@given(st.text(max_size=80))
def test_a_slug_is_an_id_or_empty(text: str) -> None:
    assert not slug(text) or re.fullmatch(SLUG, slug(text))


@settings(deadline=None, max_examples=80)
@given(
    st.binary(max_size=120)
    | st.text(max_size=60).map(lambda t: f'<opml><outline text="{t}" xmlUrl="http:{t}"/></opml>'.encode("utf-8", "replace"))
)
def test_any_bytes_are_a_list_or_a_clear_error(body: bytes) -> None:
    try:
        listed = read_opml(body)
    except ParseError:
        return
    write_opml(listed.sources)


@pytest.mark.skipif(not LISTS.is_dir(), reason="../shared/data/feedlists is not here")
def test_every_list_we_have_loads_without_a_problem() -> None:
    lists = sorted(LISTS.rglob("*.opml"))
    assert lists
    for path in lists:
        listed = read_opml(path.read_bytes())
        assert (True, ()) == (bool(listed.sources), listed.problems), path.name
        assert all(re.fullmatch(SLUG, source.source_id) for source in listed.sources), path.name
        assert read_opml(write_opml(listed.sources)).sources == listed.sources, path.name
