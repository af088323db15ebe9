"""JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1) as a raw feed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alerts.errors import ParseError
from alerts.sources.charset import json_text
from alerts.sources.entries import MAX_ENTRIES, RawEntry, RawFeed


def load_json(body: bytes, content_type: str) -> Any:
    """The value of a JSON body in any Unicode encoding; None for an empty one.

    Raises:
        ParseError: It is not JSON; names line and column.
    """
    text = json_text(body, content_type)
    if not text:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        seen = "an HTML page" if text.lstrip()[:1] == "<" else "not JSON"
        raise ParseError(f"{seen} where JSON should be: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        raise ParseError(f"this JSON cannot be read: {error}") from error


def is_json_feed(value: Any) -> bool:
    """Whether a JSON value says that it is a JSON Feed; a bare version number will do for one with items."""
    if not isinstance(value, dict):
        return False
    version = str(value.get("version"))[:100]
    return "jsonfeed.org/version" in version or (version in ("1", "1.0", "1.1") and isinstance(value.get("items"), list))


def read_json_feed(body: bytes, content_type: str) -> RawFeed:
    """The feed in a JSON Feed body.

    Raises:
        ParseError: Not JSON, or JSON of another kind.
    """
    value = load_json(body, content_type)
    if not is_json_feed(value):
        raise ParseError("JSON that is no JSON Feed (it has no jsonfeed.org version); poll it as kind json, with selectors")
    items = value.get("items")
    return RawFeed(
        entries=tuple(_entry(item) for item in items[:MAX_ENTRIES] if isinstance(item, dict)) if isinstance(items, list) else (),
        title=_string(value, "title"),
        link=_string(value, "home_page_url"),
        language=_string(value, "language"),
        version="json",
    )


def _entry(item: Mapping[str, Any]) -> RawEntry:
    # Plain text is escaped: what comes out of here is taken for markup.
    text = _string(item, "content_text").replace("&", "&amp;").replace("<", "&lt;")
    tags = item.get("tags")
    return RawEntry(
        guid=_string(item, "id"),
        link=_string(item, "url") or _string(item, "external_url"),
        title=_string(item, "title").replace("&", "&amp;").replace("<", "&lt;"),
        summary=_string(item, "summary").replace("&", "&amp;").replace("<", "&lt;"),
        content=_string(item, "content_html") or text,
        published=_string(item, "date_published"),
        updated=_string(item, "date_modified"),
        author=_author(item),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
    )


def _author(item: Mapping[str, Any]) -> str:
    """The name of the first author (1.1), or of the author (1.0)."""
    authors = item.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else item.get("author")
    return _string(first, "name") if isinstance(first, dict) else ""


def _string(item: Mapping[str, Any], key: str) -> str:
    """The text of a field; numbers count, since ids often are some."""
    value = item.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 1 << 63 else ""
    return value if isinstance(value, str) else ""
