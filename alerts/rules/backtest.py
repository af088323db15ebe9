"""What a rule would have done to the archive: how often it would have rung, when most, and whether that is too much.

One story rings once, as in life: at the first item that makes the query true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.models import Story, Tagged
from alerts.rules.document import Document
from alerts.rules.lists import NO_LISTS, Lists, parsed
from alerts.rules.match import Areas, answer_of, remainder
from alerts.rules.nodes import Query

FLOOD_DAY = 50  # rings a day, on average
FLOOD_HOUR = 20  # rings in the busiest hour


@dataclass(frozen=True, slots=True)
class Ring:
    """One time the rule would have rung."""

    at: datetime
    story_id: str
    tagged: Tagged


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a rule would have done."""

    rings: tuple[Ring, ...]  # newest first
    items: int  # that it matched; several of one story ring once
    unknown: int  # that it would have matched if their region were known and right
    days: float  # that the archive covers, at most those asked for
    busiest: int  # rings in the busiest hour
    busiest_at: datetime | None
    warning: str  # "" when there is nothing to warn of

    @property
    def summary(self) -> str:
        """`would have rung 37 times in 7 days, most 9 in an hour`"""
        count = len(self.rings)
        times = "once" if count == 1 else f"{count} times"
        most = f", most {self.busiest} in an hour" if count > 1 else ""
        return f"would have rung {times} in {_days(self.days)}{most}"


def preview(
    query: Query | str,
    archive: Iterable[tuple[Tagged, str]],
    areas: Areas,
    *,
    until: datetime,
    days: float,
    is_unknown_in: bool = False,
    lists: Lists = NO_LISTS,
) -> Preview:
    """What the query would have done to archived items.

    Args:
        archive: (item, story id), oldest first; items that cannot match may be left out (see `sieve`).
        until: Now, UTC.
        days: How far the archive was asked to go back; says what "too often" is.

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    ready = parsed(query, lists)
    stories: dict[str, Story] = {}
    waiting: dict[str, Query] = {}
    rings: dict[str, Ring] = {}
    items = unknown = 0
    for tagged, story_id in archive:
        story = stories[story_id] = _grown(stories.get(story_id), tagged, story_id)
        document = Document.of(tagged, story)
        answer = answer_of(ready, document, areas, is_unknown_in)
        left = remainder(ready, document, areas) if not answer else True
        if not isinstance(left, bool):
            waiting.setdefault(story_id, left)
        grew = story_id in waiting and answer_of(waiting[story_id], document, areas, is_unknown_in) is True
        items += answer is True
        unknown += answer is None
        if (answer or grew) and story_id not in rings:
            rings[story_id] = Ring(tagged.change.polled_at, story_id, tagged)
    return _preview(sorted(rings.values(), key=lambda r: r.at, reverse=True), items, unknown, until=until, days=days)


def _grown(story: Story | None, tagged: Tagged, story_id: str) -> Story:
    """The story with this item in it."""
    change = tagged.change
    if story is None:
        return Story(
            story_id=story_id,
            headline=change.item.title,
            item_ids=(change.item_id,),
            source_ids=(change.item.source_id,),
            countries=tagged.countries,
            urgency=tagged.urgency,
            first_at=change.polled_at,
            last_at=change.polled_at,
        )
    return replace(
        story,
        item_ids=tuple(dict.fromkeys((*story.item_ids, change.item_id))),
        source_ids=tuple(dict.fromkeys((*story.source_ids, change.item.source_id))),
        countries=tuple(dict.fromkeys((*story.countries, *tagged.countries))),
        urgency=min(story.urgency, tagged.urgency),
        last_at=change.polled_at,
    )


def _preview(rings: list[Ring], items: int, unknown: int, *, until: datetime, days: float) -> Preview:
    hours = Counter(ring.at.replace(minute=0, second=0, microsecond=0) for ring in rings if ring.at > until - timedelta(days=days))
    busiest_at, busiest = max(hours.items(), key=lambda pair: (pair[1], pair[0]), default=(None, 0))
    return Preview(
        rings=tuple(rings),
        items=items,
        unknown=unknown,
        days=days,
        busiest=busiest,
        busiest_at=busiest_at,
        warning=_warning(len(rings), unknown, busiest, days),
    )


def _warning(count: int, unknown: int, busiest: int, days: float) -> str:
    if not count:
        more = f"; {unknown} items have no known region: `unknown = \"in\"` would count them" if unknown else ""
        return f"silence: nothing in {_days(days)} would have rung{more}"
    if count / max(days, 1.0) > FLOOD_DAY or busiest > FLOOD_HOUR:
        return f"a flood: {count / max(days, 1.0):.0f} a day, {busiest} in the busiest hour; add words, a region or sources:>=2"
    return ""


def _days(days: float) -> str:
    return "a day" if days == 1 else f"{days:g} days"
