"""Breaking lines of an HTML page, found by CSS selectors.

A selector may end in `@attribute`: `a@href`, `time@datetime`, or `@data-id` for an attribute of the item itself. Without
it, the text counts; for links, the address. An empty banner is the normal state: the canary, which stands on every
healthy page, tells it from a page that was rebuilt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from alerts.errors import ParseError
from alerts.models import Item, Selectors
from alerts.sources.charset import html_text
from alerts.sources.entries import GUID_CHARS, MAX_ENTRIES, TITLE_CHARS, link_of, whole
from alerts.sources.times import time_of
from alerts.text.normalise import clean, fold, plain
from alerts.text.urls import absolute_url

VERSION = "ticker1"
_ATTRIBUTE = re.compile(r"(?P<css>.*?)@(?P<attribute>[\w:.-]+)\s*", re.S)
_INLINE = frozenset({"b", "strong", "i", "em", "u", "mark", "font", "sub", "sup", "wbr", "bdi", "bdo", "small", "abbr", "q"})
_UNSEEN = ["script", "style", "noscript", "template"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A selector taken apart: where, and which attribute of it (empty = its text)."""

    css: str
    attribute: str = ""


def pointer_of(selector: str, *, attribute: str = "") -> Pointer:
    """The selector's CSS and attribute.

    Args:
        attribute: What is meant when the selector names none.
    """
    found = _ATTRIBUTE.fullmatch(selector.strip())
    if found:
        return Pointer(css=found["css"].strip(), attribute=found["attribute"])
    return Pointer(css=selector.strip(), attribute=attribute)


def read_ticker(source_id: str, body: bytes, *, selectors: Selectors, content_type: str, base_url: str) -> tuple[Item, ...]:
    """The lines of the page in its order, each once; none is the normal state.

    Raises:
        ParseError: A selector does not compile, or the canary is missing.
    """
    tree = LexborHTMLParser(html_text(body, content_type))
    if selectors.canary and not _found(tree, selectors.canary, "canary"):
        raise ParseError(
            f"page no longer parses: canary {selectors.canary!r} found nothing; look at the page and adapt the source's selectors"
        )
    tree.strip_tags(_UNSEEN)
    base = _base_of(tree, base_url)
    lines: dict[str, Item] = {}
    for node in _select(tree, pointer_of(selectors.item).css, "item")[:MAX_ENTRIES]:
        item = _item(source_id, node, selectors, base)
        if item:
            lines.setdefault(fold(item.title), item)
    return tuple(lines.values())


def check_selectors(selectors: Selectors) -> None:
    """Nothing, when every selector is CSS. Raises: ParseError naming the one that is not."""
    page = LexborHTMLParser("<p></p>")
    for name in ("item", "text", "link", "time", "guid", "canary"):
        css = pointer_of(getattr(selectors, name)).css
        if css:
            _select(page, css, name)


def _item(source_id: str, node: LexborNode, selectors: Selectors, base: str) -> Item | None:
    title = plain(whole(_value(node, pointer_of(selectors.text), "text")))[:TITLE_CHARS].rstrip()
    if not title:
        return None
    link = _value(node, pointer_of(selectors.link, attribute="href"), "link") if selectors.link else ""
    return Item(
        source_id=source_id,
        guid=whole(_value(node, pointer_of(selectors.guid), "guid"))[:GUID_CHARS] if selectors.guid else "",
        url=link_of(base, link),
        title=title,
        published_at=_moment(node, selectors.time) if selectors.time else None,
    )


def _moment(node: LexborNode, selector: str) -> datetime | None:
    pointer = pointer_of(selector)
    return time_of(_value(node, pointer, "time")) or time_of(_value(node, Pointer(css=pointer.css, attribute="datetime"), "time"))


def _value(node: LexborNode, pointer: Pointer, name: str) -> str:
    """The text or attribute that the pointer names in the item; empty when it is not there."""
    found = _select(node, pointer.css, name)[:1] if pointer.css else [node]
    if not found:
        return ""
    if pointer.attribute:
        return clean(found[0].attributes.get(pointer.attribute) or "")
    return _text(found[0])


def _text(node: LexborNode) -> str:
    """The text as it is seen: words marked up in the middle stay whole, blocks stay apart."""
    is_inline = all(inner.tag in _INLINE for inner in node.css("*") if inner.mem_id != node.mem_id)
    return clean(node.text(separator="" if is_inline else " "))


def _found(tree: LexborHTMLParser, selector: str, name: str) -> bool:
    pointer = pointer_of(selector)
    nodes = _select(tree, pointer.css or "*", name)
    return any(pointer.attribute in node.attributes for node in nodes) if pointer.attribute else bool(nodes)


def _select(tree: LexborHTMLParser | LexborNode, css: str, name: str) -> list[LexborNode]:
    try:
        return tree.css(css)
    except SelectolaxError as error:
        raise ParseError(f"selectors.{name}: {css!r} is no CSS selector that can be used; correct it in the source") from error


def _base_of(tree: LexborHTMLParser, base_url: str) -> str:
    """What relative links are seen from: the page's <base>, else its own address."""
    base = tree.css_first("base[href]")
    return (absolute_url(base_url, base.attributes.get("href") or "") if base else "") or base_url
