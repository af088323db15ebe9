"""What kind of source an answer is, and which feeds a page points to; asks nobody, that is the caller's part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from alerts.errors import ParseError
from alerts.models import SourceKind
from alerts.sources.charset import html_text, xml_as_utf8
from alerts.sources.jsonfeed import is_json_feed, load_json
from alerts.text.normalise import clean
from alerts.text.urls import absolute_url, canonical_url

MAX_CANDIDATES = 50
USUAL_PATHS = ("/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feeds/posts/default", "/feed.json")

_FEED_TYPE = re.compile(r"application/(?:rss|atom|rdf|feed)\+(?:xml|json)|application/json\b.*|(?:text|application)/xml", re.I)
_FEED_ROOT = re.compile(rb"\A[^<]{0,1000}(?:<[?!][^>]*>\s*)*<(?:[\w-]+:)?(?:rss|feed|rdf)[\s/>]", re.I)
_HTML_ROOT = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address that may be a source."""

    url: str
    title: str = ""  # the page's own name for it; empty for a usual path that nobody named
    kind: SourceKind = SourceKind.FEED


def discover(html: bytes, base_url: str) -> tuple[Candidate, ...]:
    """The feeds a page names in its head, then the usual paths of its site.

    Args:
        html: The page; one that is no HTML names nothing.
        base_url: The page's address after redirects.

    Returns:
        Each address once, at most 50; those that the page names come first, in its order.
    """
    tree = LexborHTMLParser(html_text(html, ""))
    found = tree.css_first("base[href]")
    base = (absolute_url(base_url, found.attributes.get("href") or "") if found else "") or base_url
    named = [candidate for link in tree.css("link[rel][href]") if (candidate := _named(link, base))]
    usual = [Candidate(url=url) for path in USUAL_PATHS if (url := _on_site(base_url, path))]
    once: dict[str, Candidate] = {}
    for candidate in (*named, *usual):
        once.setdefault(canonical_url(candidate.url), candidate)
    return tuple(once.values())[:MAX_CANDIDATES]


def classify(body: bytes, content_type: str) -> SourceKind | None:
    """The kind of source that could read this body; None when nothing here can.

    The body decides, not the header: feeds are served as text/html, and error pages as application/xml.
    """
    if not body.strip():
        return None
    utf8, _ = xml_as_utf8(body, content_type)
    if _FEED_ROOT.match(utf8[:8192]):
        return SourceKind.FEED
    if _HTML_ROOT.search(utf8[:8192]):
        return SourceKind.TICKER
    try:
        value = load_json(body, content_type)
    except ParseError:
        return None
    if not isinstance(value, dict | list):
        return None
    return SourceKind.FEED if is_json_feed(value) else SourceKind.JSON


def _named(link: LexborNode, base: str) -> Candidate | None:
    attributes = link.attributes
    words = (attributes.get("rel") or "").lower().split()
    kind = (attributes.get("type") or "").strip()
    is_feed = "feed" in words or ("alternate" in words and _FEED_TYPE.fullmatch(kind))
    href = (attributes.get("href") or "").strip()
    url = absolute_url(base, href.removeprefix("feed:")) if is_feed and href else ""
    return Candidate(url=url, title=clean(attributes.get("title") or "")[:200]) if url else None


def _on_site(base_url: str, path: str) -> str:
    try:
        parts = urlsplit(base_url)
    except ValueError:
        return ""
    return absolute_url(f"{parts.scheme}://{parts.netloc}/", path) if parts.netloc else ""
