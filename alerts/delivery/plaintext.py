"""Text that is safe to send: nothing in it pings, nothing in it controls a terminal, and it has the right length.

Lengths are counted in the units of the service. Right-to-left text keeps its letters and joiners; only the overrides that
turn whole lines round are taken out.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum

_MENTION = re.compile(r"@(?=\w)")  # @everyone, @here, @name; in an address as well: some services ping there too
_OPEN_MENTION = re.compile(r"@(?=\w|$)")
_OPEN_ANGLE = re.compile(r"<[!@#&/:]?$")
_ANGLE = re.compile(r"<(?=[!@#&/:]|\w+[:!^])")  # <!channel>, <@U1>, <#C1>, <@&1>, <:name:1>, <subteam^S1>
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_LINK = re.compile(r"https?://[^\s<>\"]+", re.I)
_PINGING = re.compile(r"@(?=(?:everyone|here|channel|room|all)\b)", re.I)
_BREAK = "\u200b"  # zero width: seen by services, not by readers
_ELLIPSIS = "…"
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_JOINERS = "\u200d\ufe0e\ufe0f"


def neutral(text: str) -> str:
    """The text without mentions that ping and without control characters; line breaks stay."""
    plain = _CONTROL.sub(" ", text)
    return _ANGLE.sub("‹", _MENTION.sub(f"@{_BREAK}", plain)).strip()


def harmless_part(text: str) -> str:
    """A part of a message that others are put beside: as `neutral`, and nothing at its end can ping with what follows."""
    plain = _CONTROL.sub(" ", text)
    return _OPEN_ANGLE.sub("‹", _ANGLE.sub("‹", _OPEN_MENTION.sub(f"@{_BREAK}", plain)))


def isolated(text: str) -> str:
    """The text, kept together in a line of another direction when it has letters that read from right to left."""
    if text.isascii() or not any(unicodedata.bidirectional(char) in ("R", "AL") for char in text):
        return text
    return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}"


def safe_link(url: str) -> str:
    """The link as it can be sent, with what would ping percent-encoded; empty when it is no http(s) link."""
    if not _LINK.fullmatch(url) or not url.isprintable():
        return ""
    return _PINGING.sub("%40", url)


class Unit(Enum):
    """What a service counts."""

    UTF16 = "utf-16"  # Telegram, Discord; never less than characters
    BYTES = "bytes"  # of UTF-8: ntfy, Apple's push service


def width(text: str, unit: Unit = Unit.UTF16) -> int:
    """The length in a service's own units."""
    if unit is Unit.BYTES:
        return len(text.encode("utf-8", "replace"))
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int, unit: Unit = Unit.UTF16) -> str:
    """The text, at most limit units long: cut at the end of a word, with an ellipsis; empty when nothing fits."""
    if width(text, unit) <= limit:
        return text
    room = limit - width(_ELLIPSIS, unit)
    if room < 1:
        return ""
    head = _first(text, room, unit)
    word_end = max(head.rfind(" "), head.rfind("\n"))
    if word_end > len(head) // 2 and not text[len(head) :].startswith((" ", "\n")):
        head = head[:word_end]
    return head.rstrip(" \n,;:-–") + _ELLIPSIS


def _first(text: str, limit: int, unit: Unit) -> str:
    """The first characters within the limit, not ending inside a letter with its marks or a joined emoji."""
    end = min(len(text), limit)
    over = width(text[:end], unit) - limit
    while over > 0:
        end -= 1
        over -= width(text[end], unit)
    while end and end < len(text) and (_hangs(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end]


def _hangs(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) in ("Mn", "Me")
