"""A page to items, whatever kind its source is: the dispatch, whole."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.errors import ParseError
from alerts.models import Item, Selectors, Source, SourceKind
from alerts.sources import feed, jsonapi, ticker
from alerts.sources.sandbox import Sandbox
from alerts.text.fingerprint import content_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What one page says."""

    items: tuple[Item, ...]  # in the page's order: newest first, as published
    votes: int = 0  # new count of agreements of the fast feed parser; -1 = it disagreed
    is_complete: bool = True  # False: broken off; the items count, but what is missing may not be gone
    is_canary_ok: bool = True  # a missing canary is a ParseError, so a parsed page has its canary
    language: str | None = None  # the page's own tag
    parser: str  # which one read it, for `sources show`


def parse(source: Source, body: bytes, *, content_type: str, base_url: str, votes: int, sandbox: Sandbox) -> Parsed:
    """The items of a page.

    Args:
        body: Decoded from its transfer, not from its charset; at most a few MB.
        content_type: The HTTP header; empty when there was none.
        base_url: The page's address after redirects.
        votes: What the last parse of this source returned; 0 at first, and after `parser_version` changed.

    Raises:
        ParseError: The page is not what the source is declared as, its canary is gone, or a selector does not compile.
    """
    match source.kind:
        case SourceKind.FEED:
            reading = feed.read_feed(source.source_id, body, content_type=content_type, base_url=base_url, votes=votes, sandbox=sandbox)
            return Parsed(
                items=reading.items,
                votes=reading.votes,
                is_complete=reading.is_complete,
                language=reading.language,
                parser=reading.parser,
            )
        case SourceKind.TICKER:
            lines = ticker.read_ticker(source.source_id, body, selectors=_selectors(source), content_type=content_type, base_url=base_url)
            return Parsed(items=lines, language=source.language, parser="ticker")
        case SourceKind.JSON:
            lines = jsonapi.read_json(source.source_id, body, selectors=_selectors(source), content_type=content_type, base_url=base_url)
            return Parsed(items=lines, language=source.language, parser="json")


def parser_version(source: Source) -> str:
    """The version of the parser and selectors that a source's validators and votes belong to."""
    match source.kind:
        case SourceKind.FEED:
            return feed.VERSION
        case SourceKind.TICKER:
            return f"{ticker.VERSION}-{_hash(source.selectors)}"
        case SourceKind.JSON:
            return f"{jsonapi.VERSION}-{_hash(source.selectors)}"


def _selectors(source: Source) -> Selectors:
    if source.selectors is None or not source.selectors.item:
        raise ParseError(f"source {source.source_id}: a {source.kind.value} needs at least selectors.item")
    return source.selectors


def _hash(selectors: Selectors | None) -> str:
    if selectors is None:
        return "none"
    parts = (selectors.item, selectors.text, selectors.link, selectors.time, selectors.guid, selectors.canary)
    return content_id("selectors", *parts)[:8]
