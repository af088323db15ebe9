"""What kind of headline it is: an event, an update, a correction, an all-clear, or one that tells no news.

Asked in this order, the first that fits wins: correction, all-clear, live blog, opinion, explainer, look back, fixture,
sport, soft (recipes, horoscopes, offers), update; else event. Signs of sport and soft are everyday words: beside words of
harm two are wanted, since a crowd crush in a stadium is an event. "Twenty years after" makes a look back, but not of an old
case in which something happens now: an arrest, a verdict, a find.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from alerts.stories.reading import Hit, Passage, read, table


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
    def is_news(self) -> bool:
        """Whether words of harm in it are about something that happened now."""
        return self in (Nature.EVENT, Nature.UPDATE, Nature.CORRECTION, Nature.ALL_CLEAR, Nature.LIVE_BLOG)


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
_AT = {"start": 0, "opening": 2, "any": 14, "weak": 14}  # the last word a sign may begin with: further on it is an aside
_TIME_PASSED = "nature.retrospective.opening"
_ACTS = frozenset(
    f"phases.{act}"
    for act in (
        "captivity.detained", "captivity.released", "justice.accused", "justice.trial", "justice.convicted", "justice.acquitted",
        "person.found_alive", "person.found_dead",
    )
)  # fmt: skip
_CLAUSE = re.compile(r"[,;:،؛、，；：–—]|\s-\s")
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
    signs, by_path = _signs(passage), _of_path(url)
    if not signs and not by_path:
        return Verdict(Nature.EVENT, "")
    has_harm = any(hit.sense.startswith("harm.") for hit in passage.hits)
    for nature, says in _SAYS.items():
        firm, weak = signs.get((nature, True), []), signs.get((nature, False), [])
        enough = firm if len(firm) > (nature in _WEAK and has_harm) else weak if len(weak) > 1 else []
        if nature is Nature.FIXTURE and not enough and (Nature.SPORT, True) in signs:
            enough = weak
        if enough:
            return Verdict(nature, f'{says} ("{passage.words_of(enough[0])}")')
        if nature in by_path and not (nature in _WEAK and has_harm):
            return Verdict(nature, f"{says} (its link says so)")
    return Verdict(Nature.EVENT, "")


def _signs(passage: Passage) -> dict[tuple[str, bool], list[Hit]]:
    """(nature, whether the sign is enough by itself) -> where it stands; the same words count once."""
    found: dict[tuple[str, bool], list[Hit]] = {}
    for hit in passage.hits:
        if not hit.sense.startswith("nature."):
            continue
        name, _, place = hit.sense[7:].partition(".")
        known = found.get((name, place != "weak"), [])
        if _stands(passage, hit, place) and (not known or known[-1].start != hit.start):
            found[name, place != "weak"] = [*known, hit]
    return found


def _stands(passage: Passage, hit: Hit, place: str) -> bool:
    if place == "label":
        return _is_label(passage, hit)
    return hit.start <= _AT[place] and not (hit.sense == _TIME_PASSED and _is_moving(passage, hit))


def _is_moving(passage: Passage, passed: Hit) -> bool:
    """Whether an act of the law, or a find, stands before the words for the time that passed, or behind the clause they begin."""
    ends = _CLAUSE.search(passage.text, passage.tokens[passed.end - 1].end)
    rest = ends.end() if ends else len(passage.text)
    acts = (hit for hit in passage.hits if hit.sense in _ACTS)
    return any(hit.end <= passed.start or passage.tokens[hit.start].start >= rest for hit in acts)


def _is_label(passage: Passage, hit: Hit) -> bool:
    """Whether the words stand first before a sign, or last behind one."""
    start, end = passage.tokens[hit.start].start, passage.tokens[hit.end - 1].end
    if hit.start == 0 and hit.end < len(passage.words):
        return _AFTER_LABEL.match(passage.text, end) is not None
    return 0 < hit.start and hit.end == len(passage.words) and _BEFORE_LABEL.search(passage.text[:start]) is not None


def _of_path(url: str) -> frozenset[Nature]:
    """The natures that the sections of a link's path name; its last part is the headline again and says nothing."""
    parts = url.partition("://")[2].partition("?")[0].lower().split("/")[1:-1]
    sections = _sections()
    return frozenset(sections[part] for part in parts if part in sections)


@cache
def _sections() -> dict[str, Nature]:
    rows = table("nature")["path"]
    return {part: Nature(name) for name, line in rows.items() for part in line.split("|")}
