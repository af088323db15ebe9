"""Which feeds a page points to, and what kind of source an answer is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.models import SourceKind
from alerts.sources.discover import MAX_CANDIDATES, USUAL_PATHS, Candidate, classify, discover

PAGE = b"""<!doctype html><html><head>
<link rel="stylesheet" href="/style.css">
<link rel="alternate" hreflang="fr" href="https://quay.example/fr/">
<link rel="alternate" type="application/rss+xml" title=" Quay
 News " href="/rss/news">
<link rel="ALTERNATE feed" type="application/atom+xml" href="feed://quay.example/atom">
<link rel="alternate" type="application/feed+json" href="feed:https://quay.example/feed.json">
<link rel="alternate" type="application/rss+xml" href="https://quay.example/rss/news?utm_source=head">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
<link rel="alternate" type="application/rss+xml" href="">
</head></html>"""
SITE = "https://quay.example"


def test_named_feeds_come_first_then_the_usual_paths_each_once() -> None:
    found = discover(PAGE, f"{SITE}/world/index.html")
    named = (Candidate(url=f"{SITE}/rss/news", title="Quay News"), Candidate(url=f"{SITE}/atom"), Candidate(url=f"{SITE}/feed.json"))
    assert named == found[:3]
    assert [f"{SITE}{path}" for path in USUAL_PATHS if path != "/feed.json"] == [candidate.url for candidate in found[3:]]


def test_a_base_element_moves_the_links_but_not_the_usual_paths() -> None:
    page = b'<base href="https://cdn.example/x/"><link rel=alternate type="application/rss+xml" href="y.xml">'
    found = discover(page, SITE)
    assert ["https://cdn.example/x/y.xml", f"{SITE}/feed"] == [candidate.url for candidate in found[:2]]


def test_a_page_that_names_hundreds_is_cut() -> None:
    page = "".join(f'<link rel=alternate type="text/xml" href="/{number}">' for number in range(500)).encode()
    assert len(discover(page, SITE)) == MAX_CANDIDATES


@pytest.mark.parametrize("base_url", ["", "nonsense", "file:///etc/passwd", "http://[broken/"])
def test_a_page_without_a_usable_address_has_no_usual_paths(base_url: str) -> None:
    assert discover(b"<p>nothing", base_url) == ()


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b'<?xml version="1.0"?><!-- made by hand --><rss version="2.0"></rss>', "text/html", SourceKind.FEED),
        (b"\n<feed xmlns='http://www.w3.org/2005/Atom'/>", "", SourceKind.FEED),
        ('<?xml version="1.0" encoding="utf-16"?><rdf:RDF/>'.encode("utf-16"), "", SourceKind.FEED),
        (b'{"version": "https://jsonfeed.org/version/1", "items": []}', "application/json", SourceKind.FEED),
        (b'\xef\xbb\xbf{"message": "x"}', "", SourceKind.JSON),
        (b"[]", "text/plain", SourceKind.JSON),
        (b"<!DOCTYPE html><p>Hello", "application/xml", SourceKind.TICKER),
        (b"  <html><body>", "", SourceKind.TICKER),
        (b"<urlset></urlset>", "text/xml", None),
        (b"42", "application/json", None),
        (b"Hello", "text/html", None),
        (b"", "text/html", None),
    ],
)
def test_the_body_says_what_kind_of_source_it_is(body: bytes, content_type: str, kind: SourceKind | None) -> None:
    assert classify(body, content_type) == kind


@settings(deadline=None, max_examples=80)
@given(st.binary(max_size=200), st.text(max_size=30))
def test_any_bytes_are_looked_at_without_harm(body: bytes, text: str) -> None:
    classify(body, text)
    discover(body, text)
    discover(b'<link rel=feed href="%s">' % body, SITE)
