"""What kind of headline it is: an event, an update, a correction, an all-clear, or one that tells no news.

Asked in this order, the first that fits wins: correction, all-clear, live blog, opinion, explainer, look back, fixture,
sport, soft (recipes, horoscopes, offers), update; else event. Signs of sport and soft are everyday words: beside words of
harm two are wanted, since a crowd crush in a stadium is an event.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

from alerts.stories.lexicon import Hit, Passage, read, table


class Nature(StrEnum):
    """What a headline is."""

    EVENT = "event"
    UPDATE = "update"
    CORRECTION = "correction"
    ALL_CLEAR = "all_clear"
    EXPLAINER = "explainer"
    OPINION = "opinion"  # also analysis, interview, review: a person's view
    LIVE_BLOG = "live_blog"  # the shell of a page with many events
    RETROSPECTIVE = "retrospective"  # anniversaries, history
    FIXTURE = "fixture"  # what a match will be like, and where it is shown
    SPORT = "sport"
    SOFT = "soft"  # recipes, horoscopes, lists, offers

    @property
    def starts_ringing(self) -> bool:
        """Whether a story that begins with such a headline may ring."""
        return self not in _SILENT

    @property
    def is_news(self) -> bool:
        """Whether words of harm in it are about something that happened now."""
        return self in (Nature.EVENT, Nature.UPDATE, Nature.CORRECTION, Nature.ALL_CLEAR, Nature.LIVE_BLOG)


_SILENT = {Nature.EXPLAINER, Nature.OPINION, Nature.LIVE_BLOG, Nature.RETROSPECTIVE, Nature.FIXTURE, Nature.SOFT}
_WEAK = {Nature.SPORT, Nature.SOFT}  # one sign alone is not enough beside words of harm
_SAYS = {
    Nature.CORRECTION: "a correction",
    Nature.ALL_CLEAR: "an all-clear",
    Nature.LIVE_BLOG: "a live page of many events",
    Nature.OPINION: "an opinion, analysis or interview",
    Nature.EXPLAINER: "an explainer",
    Nature.RETROSPECTIVE: "a look back",
    Nature.FIXTURE: "a preview of a match",
    Nature.SPORT: "sport",
    Nature.SOFT: "a list, offer or pastime",
    Nature.UPDATE: "an update",
}
_AT = {"start": 0, "opening": 2, "any": 14}  # the last word a sign may begin with: further on it is an aside
_AFTER_LABEL = re.compile(r"\s*(?:[:：|»›/\])】）・]|[-–—]\s|\s[-–—])")
_BEFORE_LABEL = re.compile(r"(?:[|\[(【（«‹/:：]|\s[-–—]|[–—])\s*$")


class Verdict(NamedTuple):
    """A nature, and why in words; an event needs no reason."""

    nature: Nature
    why: str


def nature_of(title: str, *, language: str | None = None, url: str = "") -> Verdict:
    """What kind of headline this is.

    Args:
        language: Primary tag; None looks for it.
        url: The item's link: its sections say opinion, sport and the like.
    """
    passage = read(title, "", language).title
    has_harm = any(hit.sense.startswith("harm.") for hit in passage.hits)
    by_path = _of_path(url)
    for nature, says in _SAYS.items():
        firm, weak = _signs(passage, nature)
        enough = firm if len(firm) > (nature in _WEAK and has_harm) else weak if len(weak) > 1 else ()
        if not enough and nature is Nature.FIXTURE and weak and passage.has("nature.sport.any"):
            enough = weak
        if enough:
            return Verdict(nature, f'{says} ("{passage.words_of(enough[0])}")')
        if nature in by_path and not (nature in _WEAK and has_harm):
            return Verdict(nature, f"{says} (its link says so)")
    return Verdict(Nature.EVENT, "")


def _signs(passage: Passage, nature: Nature) -> tuple[list[Hit], list[Hit]]:
    """The signs of a nature that stand where they must, then its everyday words; the same words count once."""
    firm: dict[int, Hit] = {}
    weak: dict[int, Hit] = {}
    for hit in passage.hits:
        if not hit.sense.startswith("nature."):
            continue
        name, _, place = hit.sense[7:].partition(".")
        if name == nature and place == "weak":
            weak.setdefault(hit.start, hit)
        elif name == nature and _stands(passage, hit, place):
            firm.setdefault(hit.start, hit)
    return list(firm.values()), list(weak.values())


def _stands(passage: Passage, hit: Hit, place: str) -> bool:
    if place == "label":
        return _is_label(passage, hit)
    return hit.start <= _AT[place]


def _is_label(passage: Passage, hit: Hit) -> bool:
    """Whether the words stand first before a sign, or last behind one."""
    start, end = passage.tokens[hit.start].start, passage.tokens[hit.end - 1].end
    if hit.start == 0 and hit.end < len(passage.tokens):
        return _AFTER_LABEL.match(passage.text, end) is not None
    return 0 < hit.start and hit.end == len(passage.tokens) and _BEFORE_LABEL.search(passage.text[:start]) is not None


def _of_path(url: str) -> frozenset[Nature]:
    """The natures that the sections of a link's path name; its last part is the headline again and says nothing."""
    if not url:
        return frozenset()
    try:
        parts = urlsplit(url).path.lower().strip("/").split("/")[:-1]
    except ValueError:  # a link that is none
        return frozenset()
    sections = _sections()
    return frozenset(sections[part] for part in parts if part in sections)


@cache
def _sections() -> dict[str, Nature]:
    rows = table("nature")["path"]
    return {part: Nature(name) for name, line in rows.items() for part in line.split("|")}
