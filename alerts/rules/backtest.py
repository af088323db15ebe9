"""What a rule would have done to the archive: how often it would have rung, when most, and whether that is too much.

One story rings once, as in life: at the first item that makes the query true. Counting ends where a flood is certain.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.models import Tagged
from alerts.rules.glance import Glance, Growing, RememberedAreas, asked_of_stories, cheapest_first
from alerts.rules.lists import NO_LISTS, Lists, parsed
from alerts.rules.looks import Looks
from alerts.rules.match import Areas, answer_of, remainder
from alerts.rules.nodes import Query, Region
from alerts.text.collector import without_collector

FLOOD_DAY = 50  # rings a day, on average
FLOOD_HOUR = 20  # rings in the busiest hour
ENOUGH = 5_000  # rings after which nothing more is counted: a flood, whatever follows
SHOWN = 1_000  # rings that are kept to be shown


@dataclass(frozen=True, slots=True)
class Ring:
    """One time the rule would have rung."""

    at: datetime
    story_id: str
    tagged: Tagged


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a rule would have done."""

    rings: tuple[Ring, ...]  # newest first, at most 1,000
    count: int  # how often it would have rung; at least so often when counting stopped
    items: int  # that it matched; several of one story ring once
    unknown: int  # that it would have matched if their region were known and right
    days: float  # that were asked for
    since: datetime | None  # the oldest item that was read; None when there was none
    stopped_at: datetime | None  # the time of the item at which counting stopped; None when all were read
    busiest: int  # rings in the busiest hour
    busiest_at: datetime | None
    warning: str  # "" when there is nothing to warn of
    reach: str  # what to say when the archive does not go back so far; else ""

    @property
    def summary(self) -> str:
        """`would have rung 37 times in 7 days, most 9 in an hour`"""
        times = "once" if self.count == 1 else f"{'at least ' if self.stopped_at else ''}{self.count} times"
        most = f", most {self.busiest} in an hour" if self.count > 1 else ""
        return f"would have rung {times} in {_days(self.days)}{most}"


def _reach(first: datetime | None, until: datetime, days: float) -> str:
    """What to say of an archive that does not go back as far as was asked; "" when it does, within a tenth."""
    if first is None:
        return f"the archive holds no item of the last {_days(days)}"
    read = (until - first) / timedelta(days=1)
    return f"the archive goes back {_days(round(read, 1))}" if read < 0.9 * days else ""


def preview(
    query: Query | str,
    archive: Iterable[tuple[bytes, str]],
    areas: Areas,
    *,
    load: Callable[[bytes], Tagged],
    until: datetime,
    days: float,
    is_unknown_in: bool = False,
    lists: Lists = NO_LISTS,
) -> Preview:
    """What the query would have done to archived items.

    Args:
        archive: (JSON of `Tagged`, story id), oldest first.
        load: Makes the item of its JSON; asked for those that are shown alone.
        until: Now, UTC.
        days: How far the archive was asked to go back; says what "too often" is.

    Raises:
        QueryError: A query as typed that does not parse, or a list nobody knows.
    """
    run = _Run(cheapest_first(parsed(query, lists)), RememberedAreas(areas), is_unknown_in)
    with without_collector():
        for raw, story_id in archive:
            run.read(raw, story_id)
            if run.count >= ENOUGH:
                break
    return _preview(run, load, until=until, days=days)


class _Run:
    """One reading of the archive."""

    def __init__(self, query: Query, areas: Areas, is_unknown_in: bool) -> None:
        self._query, self._areas, self._is_unknown_in = query, areas, is_unknown_in
        self._looks, self._asked = Looks(query, areas), asked_of_stories(query)
        self._stories: dict[str, Growing] = {}
        self._waiting: dict[str, Query] = {}
        self._rung: set[str] = set()
        self.rings: deque[tuple[datetime, str, bytes]] = deque(maxlen=SHOWN)
        self.times: list[datetime] = []
        self.items = self.unknown = 0
        self.first = self.last = b""

    @property
    def count(self) -> int:
        """Rings so far."""
        return len(self.times)

    def read(self, raw: bytes, story_id: str) -> None:
        """Take up the next item."""
        self.first, self.last = self.first or raw, raw
        is_candidate = self._looks.may_match(raw)
        if not is_candidate and not self._asked:
            return
        glance = Glance(raw, self._looks)
        if self._asked:
            glance.story = self._grown(story_id, glance)
            if not is_candidate and story_id not in self._waiting:
                return
        if (self._is_true(glance, story_id) if is_candidate else self._grew(glance, story_id)) and story_id not in self._rung:
            self._rung.add(story_id)
            self.times.append(glance.polled_at)
            self.rings.append((glance.polled_at, story_id, raw))

    def _grown(self, story_id: str, glance: Glance) -> Growing:
        """The item's story with the item in it."""
        story = self._stories.get(story_id)
        if story is None:
            story = self._stories[story_id] = Growing()
        story.add(glance, self._asked)
        return story

    def _is_true(self, glance: Glance, story_id: str) -> bool:
        answer = answer_of(self._query, glance, self._areas, self._is_unknown_in)
        self.items += answer is True
        self.unknown += answer is None
        if self._asked and answer is not True and story_id not in self._rung and story_id not in self._waiting:
            self._leave(glance, story_id, answer)
        return answer is True or self._grew(glance, story_id)

    def _leave(self, glance: Glance, story_id: str, answer: bool | None) -> None:
        """Keep what the story may yet make true; what places alone make false is false for good."""
        left = False if answer is False and self._asked == {Region} else remainder(self._query, glance, self._areas)
        if not isinstance(left, bool):
            self._waiting[story_id] = left

    def _grew(self, glance: Glance, story_id: str) -> bool:
        """Whether the story makes true what an earlier item of it left open."""
        left = self._waiting.get(story_id)
        return left is not None and answer_of(left, glance, self._areas, self._is_unknown_in) is True


def _preview(run: _Run, load: Callable[[bytes], Tagged], *, until: datetime, days: float) -> Preview:
    hours = Counter(at.replace(minute=0, second=0, microsecond=0) for at in run.times if at > until - timedelta(days=days))
    busiest_at, busiest = max(hours.items(), key=lambda pair: (pair[1], pair[0]), default=(None, 0))
    first, last = (load(raw).change.polled_at if raw else None for raw in (run.first, run.last))
    stopped_at = last if run.count >= ENOUGH else None
    rings = [Ring(at, story_id, load(raw)) for at, story_id, raw in run.rings]
    return Preview(
        rings=tuple(sorted(rings, key=lambda ring: ring.at, reverse=True)),
        count=run.count,
        items=run.items,
        unknown=run.unknown,
        days=days,
        since=first,
        stopped_at=stopped_at,
        busiest=busiest,
        busiest_at=busiest_at,
        warning=_warning(run, busiest, days, first, stopped_at),
        reach=_reach(first, until, days),
    )


def _warning(run: _Run, busiest: int, days: float, first: datetime | None, stopped_at: datetime | None) -> str:
    if not run.count:
        more = f"; {run.unknown} items have no known region: `unknown = \"in\"` would count them" if run.unknown else ""
        return f"silence: nothing in {_days(days)} would have rung{more}"
    if first and stopped_at:
        read = (stopped_at - first) / timedelta(days=1)
        return f"a flood: {run.count} in the first {_days(round(read, 1))}, where counting stopped; add words, a region or sources:>=2"
    if run.count / max(days, 1.0) > FLOOD_DAY or busiest > FLOOD_HOUR:
        return f"a flood: {run.count / max(days, 1.0):.0f} a day, {busiest} in the busiest hour; add words, a region or sources:>=2"
    return ""


def _days(days: float) -> str:
    return "a day" if days == 1 else f"{days:g} days"
