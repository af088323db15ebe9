"""Feeds to items: RSS 0.9x to 2.0, RDF, Atom 0.3 and 1.0, JSON Feed.

    body -> UTF-8 -> is it sound? -> fast parser, reference, or both -> items

feedparser is the reference: it reads what others refuse, takes fifty times as long, and runs in the sandbox. A source's
first three sound bodies are read by both; where the items are the same, down to guid, link, headline, text and instant,
the fast parser is trusted. One difference, and it is feedparser for ever. A body that is not sound (broken XML, a
document type, relative links under an xml:base) is always feedparser's, and is no vote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from alerts.errors import ParseError
from alerts.models import Item
from alerts.sources.charset import html_text, xml_as_utf8
from alerts.sources.entries import MAX_ENTRIES, RawFeed, items_of, language_of
from alerts.sources.fast import VERSION as FAST_VERSION
from alerts.sources.fast import fast_feed, tree_of
from alerts.sources.jsonfeed import read_json_feed
from alerts.sources.sandbox import Sandbox
from alerts.text.normalise import plain
from alerts.text.urls import canonical_url

TRUSTED = 3  # votes
DISTRUSTED = -1
VERSION = f"feed1-{FAST_VERSION}"

_HTML = re.compile(rb"\A\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_FEED = re.compile(rb"<(?:rss|feed|rdf:RDF)[\s>]")  # some feeds have the document type of a page
_HTML_TITLE = re.compile(r"<title[^>]*>(.{0,300}?)</title", re.I | re.S)
_END = re.compile(rb"</(?:[\w.-]+:)?(?:rss|feed|rdf)\s*>", re.I)
_ENTRY = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s>]", re.I)
_ROOT = re.compile(rb"\A\s*(?:<[?!][^>]*>\s*)*<([\w.:-]{1,60})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a feed's body says, and what it taught about the fast parser."""

    items: tuple[Item, ...]
    votes: int
    is_complete: bool  # False: broken off; what is missing may not be gone
    language: str | None
    parser: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """A feed's body on its way through the parsers."""

    source_id: str
    body: bytes
    utf8: bytes
    content_type: str
    base_url: str
    is_repaired: bool

    def items(self, raw: RawFeed) -> tuple[Item, ...]:
        return items_of(raw, source_id=self.source_id, base_url=self.base_url)


def read_feed(source_id: str, body: bytes, *, content_type: str, base_url: str, votes: int, sandbox: Sandbox) -> Reading:
    """The items of a feed, in its order, and the new count of votes.

    Args:
        body: At most a few MB; always bytes, the encoding is found out here.
        votes: -1 the fast parser disagreed once, 0 to 2 it is on trial, 3 it is trusted.

    Raises:
        ParseError: An HTML page, XML or JSON that is no feed, or a feed that the reference does not survive.
    """
    if body.lstrip(b"\xef\xbb\xbf \t\r\n\x00\xff\xfe")[:1] in (b"{", b"["):
        raw = read_json_feed(body, content_type)
        items = items_of(raw, source_id=source_id, base_url=base_url)
        return Reading(items=items, votes=votes, is_complete=True, language=language_of(raw.language), parser="json feed")
    utf8, is_repaired = xml_as_utf8(body, content_type)
    _refuse_no_xml(utf8)
    document = _Document(source_id=source_id, body=body, utf8=utf8, content_type=content_type, base_url=base_url, is_repaired=is_repaired)
    return _read_xml(document, votes, sandbox)


def _read_xml(document: _Document, votes: int, sandbox: Sandbox) -> Reading:
    root = tree_of(document.utf8)
    fast = fast_feed(document.utf8, root) if root is not None and votes != DISTRUSTED else None
    if fast and votes >= TRUSTED:
        return Reading(
            items=document.items(fast),
            votes=votes,
            is_complete=True,
            language=language_of(fast.language),
            parser="fastfeedparser",
        )
    raw = _reference(document, sandbox)
    items = document.items(raw)
    if fast and (fast.entries or items):
        votes = votes + 1 if is_same(document.items(fast), items) else DISTRUSTED
    is_complete = root is not None or _is_whole(document.utf8, raw)
    return Reading(items=items, votes=votes, is_complete=is_complete, language=language_of(raw.language), parser="feedparser")


def is_same(fast: tuple[Item, ...], reference: tuple[Item, ...]) -> bool:
    """Whether two parsers read the same items.

    The text counts, too: a text that changes with the parser would look like an edit of every item.
    """
    return [_seen(item) for item in fast] == [_seen(item) for item in reference]


def _seen(item: Item) -> tuple[object, ...]:
    return item.guid, canonical_url(item.url), item.title, item.text, item.published_at


def _reference(document: _Document, sandbox: Sandbox) -> RawFeed:
    """What feedparser reads. Raises: ParseError, also when that is no feed."""
    body, content_type = document.body.lstrip(b" \t\r\n"), document.content_type
    if document.is_repaired:
        body, content_type = document.utf8, "application/xml; charset=utf-8"
    base_url = document.base_url if b"xml:base" in document.utf8 else ""
    raw = sandbox.feedparser(body, {"content-type": content_type}, base_url)
    if raw.entries or raw.version:
        return raw
    root = _root(document.utf8)
    found = f"XML that is no feed (its root is <{root}>)" if root else "neither XML nor JSON"
    raise ParseError(f"{found} where a feed should be; check the source's URL, or its kind")


def _refuse_no_xml(body: bytes) -> None:
    head = body[:4096]
    if not head.strip(b"\x00 \t\r\n"):
        raise ParseError("an empty body where a feed should be; check the source's URL")
    if not _HTML.match(head) or _FEED.search(head):
        return
    found = _HTML_TITLE.search(html_text(head, "text/html; charset=utf-8"))
    title = plain(found.group(1))[:80] if found else ""
    named = f' ("{title}")' if title else ""
    raise ParseError(f"an HTML page{named} where a feed should be; open the source's URL, and see `tocsin sources probe`")


def _root(body: bytes) -> str:
    """The name of the first element, without prefix, in lower case."""
    found = _ROOT.match(body[:8192])
    return found.group(1).decode("ascii").rpartition(":")[2].lower() if found else ""


def _is_whole(body: bytes, raw: RawFeed) -> bool:
    """Whether a broken document has its end tag, and every entry that it opens was read."""
    return bool(_END.search(body[-2048:])) and len(raw.entries) >= min(len(_ENTRY.findall(body)), MAX_ENTRIES)
