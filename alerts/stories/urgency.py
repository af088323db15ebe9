"""How urgent an item is: what its outlet says by a marker or a ticker, or what it tells by words of harm and their scale.

A marker counts in brackets ("[BREAKING]"), before a colon, bar or dash ("Eilmeldung: ..."), or in capitals before a
sentence that is not ("BREAKING Fire at ..."); never inside a phrase ("Breaking Bad", "urgent care", "速報値"). Words of
harm are weighed by `alerts.stories.harm`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from alerts.models import SourceKind
from alerts.stories.harm import NORMAL, harm_of
from alerts.stories.nature import Nature
from alerts.stories.reading import read
from alerts.text.tokens import is_run

TICKER = 2

# Level 1 interrupts, level 2 is fresh. By language; a marker counts in every language, since outlets borrow them.
_MARKERS = {
    1: (
        "BREAKING NEWS ALERT|BREAKING NEWS|BREAKING|NEWS ALERT|NEWS FLASH|NEWSFLASH|FLASH|URGENT|"  # English
        "EILMELDUNG|EIL|DERNIÈRE MINUTE|DERNIERE MINUTE|ALERTE INFO|ALERTE|ÚLTIMA HORA|ULTIMA HORA|ÚLTIMO MINUTO|ULTIMO MINUTO|URGENTE|"
        "ÚLTIMO MOMENTO|ULTIMO MOMENTO|ULTIM'ORA|ULTIM’ORA|ULTIMORA|ULTIMISSIMA|"
        "SON DAKİKA|SON DAKIKA|SON DƏQİQƏ|ACİL|PILNE|Z OSTATNIEJ CHWILI|MIMOŘÁDNÉ|MIMORIADNE|"
        "ULTIMA ORĂ|ULTIMA ORA|BREAKING VIJEST|HITNO|UDARNA VIJEST|IZREDNO|RENDKÍVÜLI|ΕΚΤΑΚΤΟ|ΕΚΤΑΚΤΗ ΕΙΔΗΣΗ|"
        "СРОЧНАЯ НОВОСТЬ|СРОЧНО|МОЛНИЯ|ТЕРМІНОВО|БЛИСКАВКА|ИЗВЪНРЕДНО|ХИТНО|ИТНО|ШҰҒЫЛ|"
        "خبر عاجل|عاجل جدا|عاجل|فوری|خبر فوری|بریکنگ نیوز|بریکنگ|"
        "מבזק חדשות|מבזק|דחוף|ब्रेकिंग न्यूज़|ब्रेकिंग न्यूज|ब्रेकिंग|ब्रेकिंग न्युज|ব্রেকিং নিউজ|ব্রেকিং|"
        "速報|緊急|快讯|快訊|突发|突發|突发新闻|突發新聞|속보|긴급|ด่วน|ข่าวด่วน|TIN NÓNG|NÓNG|KHẨN|TERKINI|BREAKINGNEWS|BERITA TERKINI"
    ),
    2: "JUST IN|DEVELOPING|NEWS UPDATE|LAATSTE NIEUWS|SISTE NYTT|SISTE|SENESTE NYT|SENASTE NYTT|SENASTE|VIIMEISIN",
}
_BARE = {"عاجل", "خبر عاجل", "فوری", "خبر فوری"}  # in front of a headline they need no sign after them
_LEVELS = {marker: level for level, text in _MARKERS.items() for marker in text.split("|")}
_ANY = "|".join(re.escape(marker) for marker in sorted(_LEVELS, key=len, reverse=True))
_BRACKETED = re.compile(rf"[\[(【（〔<《]\s*#?(?P<marker>{_ANY})\s*[!:.…]*\s*[\])】）〕>》]\s*[:：|\-–—]*\s*", re.I)
_LEADING = re.compile(
    rf"[^\w\[(【（〔<《]*(?P<marker>{_ANY})"
    r"(?P<sign>\s*(?:[:：|!！»…–—・/]|\.{2,}|-(?=\s)|\.\s|(?<=\S)\s-)[\s:|!»…–—・\-.]*|\s+)(?=\S)",
    re.I,
)
_NEXT_WORD = re.compile(r"[^\W\d_]+")


class _Marker(NamedTuple):
    text: str
    start: int
    end: int


def urgency_of(
    title: str,
    text: str = "",
    *,
    language: str | None = None,
    kind: SourceKind = SourceKind.FEED,
    nature: Nature = Nature.EVENT,
) -> tuple[int, str]:
    """The urgency of one item from 1 (flash) to 5 (normal), and why in words; no reason for a plain 5.

    Args:
        title: The headline as published.
        text: Its summary: the first sentences give numbers that the headline leaves out.
        language: Its primary tag; markers of all languages count, since outlets borrow them.
        kind: A ticker carries breaking lines only: at least 2.
        nature: What kind of headline it is; a look back at a war is not urgent.
    """
    said, why = _by_outlet(title, kind)
    harm, because = harm_of(read(title, text, language), nature)
    if harm < said or (harm == NORMAL == said and because):
        return harm, because
    return said, f"{why}; {because}" if why and because and harm < NORMAL else why


def _by_outlet(title: str, kind: SourceKind) -> tuple[int, str]:
    marker = _marker(title)
    if marker is not None:
        level = _level(marker.text)
        return min(level, TICKER) if kind is SourceKind.TICKER else level, f'marked "{marker.text}"'
    if kind is SourceKind.TICKER:
        return TICKER, "a line of a breaking ticker"
    return NORMAL, ""


def strip_markers(title: str) -> str:
    """The headline without markers; unchanged when nothing else would be left."""
    rest = title
    while (marker := _marker(rest)) is not None:
        rest = (rest[: marker.start].rstrip() + " " + rest[marker.end :].lstrip()).strip()
    return rest


def _marker(title: str) -> _Marker | None:
    """The first marker that stands as one, with what to cut for it."""
    for match in (_LEADING.match(title), _bracketed(title)):
        if match is not None and _has_news(title, match) and _stands_alone(title, match):
            return _Marker(match["marker"], match.start(), match.end())
    return None


def _bracketed(title: str) -> re.Match[str] | None:
    """A bracket with a marker at the very beginning or end."""
    match = _BRACKETED.search(title)
    is_edge = match is not None and (not any(c.isalnum() for c in title[: match.start()]) or match.end() == len(title))
    return match if is_edge else None


def _has_news(title: str, match: re.Match[str]) -> bool:
    return any(c.isalnum() for c in title[: match.start()] + title[match.end() :])


def _stands_alone(title: str, match: re.Match[str]) -> bool:
    """Whether a leading marker is set off by a sign, or by being in capitals before words that are not."""
    if match.re is _BRACKETED or match["sign"].strip():
        return True
    marker = match["marker"]
    if marker in _BARE or is_run(marker) or "#" + marker in match.group():
        return True
    following = _NEXT_WORD.match(title, match.end())
    if following is None:
        return marker.isupper()
    return marker.isupper() and not following.group().isupper()


def _level(marker: str) -> int:
    return next((level for known, level in _LEVELS.items() if known.casefold() == marker.casefold()), 1)
