"""What every feed parser hands over, and how it becomes items; nothing after this module knows RSS from Atom."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from alerts.models import Item
from alerts.sources.times import time_of
from alerts.text.normalise import plain
from alerts.text.urls import absolute_url

MAX_ENTRIES = 10_000
TITLE_CHARS = 1000
TEXT_CHARS = 4000
GUID_CHARS = 2000
_MARKUP_CHARS = 20_000  # of a summary: more than 4,000 characters of text need
_FIRST_LOOK = 8_000
_OPEN_SCRIPT = re.compile(r"<(?:script|style)\b(?:(?!</(?:script|style)\b).)*\Z", re.I | re.S)
# What absolute_url would give back as it is: nine in ten links, in a tenth of its time.
_PLAIN_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?/[A-Za-z0-9_~%/.,:;=@!$&'()*+-]*(?:\?[A-Za-z0-9_~%/.,:;=@!$&'()*+-]+)?")
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?![a-zA-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """One entry as its parser read it: markup in titles and texts, links perhaps relative."""

    guid: str = ""
    link: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    published: str = ""  # ISO 8601 with zone; empty = none
    updated: str = ""
    author: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFeed:
    """A feed as its parser read it."""

    entries: tuple[RawEntry, ...]
    title: str = ""
    link: str = ""
    language: str = ""
    version: str = ""  # feedparser's name of the format; empty = no feed that it knows
    is_bozo: bool = False  # not well-formed, or of an encoding it did not declare


def items_of(raw: RawFeed, *, source_id: str, base_url: str) -> tuple[Item, ...]:
    """The items, in the feed's order; entries without title, text and link are left out.

    Args:
        base_url: What relative links are seen from, unless the feed has a link of its own.
    """
    base = absolute_url(base_url, raw.link) or base_url
    language = language_of(raw.language)
    found = (_item(entry, source_id, base, language) for entry in raw.entries[:MAX_ENTRIES])
    return tuple(item for item in found if item)


def _item(entry: RawEntry, source_id: str, base: str, language: str | None) -> Item | None:
    url = link_of(base, entry.link)
    text = _text(entry)
    title = plain(whole(entry.title))[:TITLE_CHARS].rstrip() or start_of(text) or url
    if not title:
        return None
    return Item(
        source_id=source_id,
        guid=whole(entry.guid).strip()[:GUID_CHARS],
        url=url,
        title=title,
        text=text,
        published_at=_second(entry.published) or _second(entry.updated),
        author=plain(whole(entry.author))[:200] if entry.author else "",
        topics=topics_of(entry.tags) if entry.tags else (),
        language=language,
    )


def _second(text: str) -> datetime | None:
    """The moment to the second: not every parser reads fractions."""
    moment = time_of(text)
    return moment.replace(microsecond=0) if moment else None


def topics_of(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags as plain text, each once, at most 20."""
    return tuple(dict.fromkeys(tag for tag in (plain(whole(t))[:100] for t in tags) if tag))[:20]


def language_of(tag: str) -> str | None:
    """The primary language of a tag, in lower case: "en" of "en-GB"."""
    found = _LANGUAGE.match(tag.strip())
    return found.group().lower() if found else None


def start_of(text: str, chars: int = 120) -> str:
    """The first words of a text, for what has no headline; an ellipsis says that there is more."""
    if len(text) <= chars:
        return text
    head = text[:chars]
    return (head[: head.rfind(" ")] if " " in head[chars // 2 :] else head).rstrip() + "…"


def whole(text: str) -> str:
    """The text without halves of surrogate pairs, which cannot be stored."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _text(entry: RawEntry) -> str:
    """The summary, or the content where there is none, as plain text."""
    return _plain_start(entry.summary) or _plain_start(entry.content)


def _plain_start(markup: str) -> str:
    """The first 4,000 characters of the text; most markup needs a look at its start only."""
    for chars in (_FIRST_LOOK, _MARKUP_CHARS):
        text = plain(_cut(markup, chars))
        if len(markup) <= chars or len(text) > TEXT_CHARS:
            break
    return text[:TEXT_CHARS].rstrip()


def _cut(markup: str, chars: int) -> str:
    """The start of markup, not ending inside a tag or a script."""
    if len(markup) <= chars:
        return whole(markup)
    head = markup[:chars]
    opened = head.rfind("<")
    head = head[:opened] if opened > head.rfind(">") else head
    return whole(_OPEN_SCRIPT.sub("", head))


def link_of(base: str, link: str) -> str:
    """The link as an absolute http(s) URL seen from `base`; empty when it is none."""
    link = link.strip().replace("&amp;", "&")  # links escaped twice
    if not link:
        return ""
    return link if _PLAIN_LINK.fullmatch(link) else absolute_url(base, link)
