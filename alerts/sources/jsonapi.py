"""Items of a JSON endpoint, found by jmespath expressions.

`item` yields a list, or one object, or a string; the others are seen from each item. Null fields, an empty list and an
empty body all mean that nothing is breaking now, which is the normal state.
"""

from __future__ import annotations

import math
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from alerts.errors import ParseError
from alerts.models import Item, Selectors
from alerts.sources.entries import GUID_CHARS, MAX_ENTRIES, TITLE_CHARS, link_of, whole
from alerts.sources.jsonfeed import load_json
from alerts.sources.times import time_of
from alerts.text.normalise import fold, plain

VERSION = "json1"


def read_json(source_id: str, body: bytes, *, selectors: Selectors, content_type: str, base_url: str) -> tuple[Item, ...]:
    """The items of the body in its order, each headline once; none is the normal state.

    Raises:
        ParseError: Not JSON, an expression that does not compile, or the canary is missing.
    """
    value = load_json(body, content_type)
    if value is None:
        return ()
    if selectors.canary and _search(selectors.canary, value, "canary") is None:
        raise ParseError(
            f"body no longer parses: canary {selectors.canary!r} found nothing; look at the answer and adapt the source's selectors"
        )
    lines: dict[str, Item] = {}
    for entry in _entries(_search(selectors.item, value, "item"))[:MAX_ENTRIES]:
        item = _item(source_id, entry, selectors, base_url)
        if item:
            lines.setdefault(item.guid or fold(item.title), item)
    return tuple(lines.values())


def check_selectors(selectors: Selectors) -> None:
    """Nothing, when every expression compiles. Raises: ParseError naming the one that does not."""
    for name in ("item", "text", "link", "time", "guid", "canary"):
        expression = getattr(selectors, name)
        try:
            if expression:
                jmespath.compile(expression)
        except (JMESPathError, RecursionError) as error:
            raise _unusable(name, expression, error) from error


def _entries(found: Any) -> list[Any]:
    if isinstance(found, list):
        return found
    return [] if found is None else [found]


def _item(source_id: str, entry: Any, selectors: Selectors, base_url: str) -> Item | None:
    title = plain(_string(_part(selectors.text, entry, "text")))[:TITLE_CHARS].rstrip()
    if not title:
        return None
    link = _string(_search(selectors.link, entry, "link")) if selectors.link else ""
    return Item(
        source_id=source_id,
        guid=_string(_search(selectors.guid, entry, "guid")).strip()[:GUID_CHARS] if selectors.guid else "",
        url=link_of(base_url, link),
        title=title,
        published_at=time_of(_search(selectors.time, entry, "time")) if selectors.time else None,
    )


def _part(expression: str, entry: Any, name: str) -> Any:
    """What the expression finds in the item, or the item itself when there is no expression."""
    return _search(expression, entry, name) if expression else entry


def _search(expression: str, value: Any, name: str) -> Any:
    try:
        return jmespath.search(expression, value)
    except (JMESPathError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
        raise _unusable(name, expression, error) from error


def _unusable(name: str, expression: str, error: Exception) -> ParseError:
    reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return ParseError(f"selectors.{name}: {expression!r} cannot be used: {reason}; correct it in the source")


def _string(value: Any) -> str:
    """Text, or a number in digits; empty for null, true, lists and objects."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    is_writable = math.isfinite(value) and abs(value) < 1 << 63
    return str(value) if is_writable else ""
