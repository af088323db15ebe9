"""The life of a story: what it learns from each item, and what of that may ring again.

`grown` takes an item's findings into its story: how many items name a country, the highest tolls, the phases reached, the
best headline. `again` then compares the story with what people were told when it rang last, and answers with the most
important reason to ring them again, or to update what they were told without a sound, or with none. What was too soon to
ring, or not enough, is compared again at the next item, since the comparison is with what was told, not with the last item.

A story is new, developing, quiet, then closed (`stage_of`), by its times alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.models import Story, Tagged
from alerts.stories.velocity import story_urgency
from alerts.stories.witnesses import names_of, times_of

FIRST = "first"
CORRECTION = "correction"
ALL_CLEAR = "all_clear"
_ONCE = {CORRECTION: "a report of it was corrected", ALL_CLEAR: "the danger is over"}

_URGENT = 2  # an urgency that rises, but to no more than 3, wakes nobody
_MOST_RINGS = 20  # times one story rings; what is still to come is no alarm any more
_MOST_UPDATES = 20
_MOST_PHASES = 20
_MOST_COUNTRIES = 20
_DEVELOPING_S = 900.0  # a story with one item is new for so long
_QUIET_S = 6 * 3600.0  # without an item for so long
_UPDATE_AT = (2, 3, 5, 10, 20, 50)  # independent origins at which what was told is brought up to date


@dataclass(frozen=True, slots=True)
class _Growth:
    """How much a toll has to grow to ring: at least by `factor` and by `least`; `from_none` = a first number counts, too."""

    factor: float
    least: int
    from_none: bool = False


_GROWTH: Mapping[str, _Growth] = {
    "dead": _Growth(1.5, 2, from_none=True),
    "missing": _Growth(2.0, 5),
    "hostages": _Growth(2.0, 3),
    "injured": _Growth(2.0, 10),
    "displaced": _Growth(3.0, 1000),
    "arrested": _Growth(3.0, 20),
}


class Stage(StrEnum):
    """Where a story stands in its life."""

    NEW = "new"
    DEVELOPING = "developing"
    QUIET = "quiet"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Step:
    """A reason to tell a story again; an `update:<n>` makes no sound."""

    occasion: str
    why: str

    @property
    def is_silent(self) -> bool:
        """Whether it only brings up to date what was told."""
        return self.occasion.startswith("update:")


def stage_of(story: Story, now: datetime, *, window_s: float) -> Stage:
    """Where the story stands at this time; window_s: seconds without an item after which it is closed."""
    silence_s = (now - story.last_at).total_seconds()
    if silence_s > window_s or story.merged_into:
        return Stage.CLOSED
    if silence_s > _QUIET_S:
        return Stage.QUIET
    is_new = len(story.item_ids) == 1 and (now - story.first_at).total_seconds() < _DEVELOPING_S
    return Stage.NEW if is_new else Stage.DEVELOPING


def grown(before: Story | None, story: Story, tagged: Tagged, *, records: tuple[str, ...] = (), usual: float = 0.0) -> Story:
    """The story with what this item says of origins, urgency, tolls, phases and countries.

    Args:
        before: The story as it was; None when the item starts it.
        story: The story with the item in it, as grouping made it.
        tagged: The item.
        records: Its items as witnesses, this one included; () leaves its origins as grouping made them.
        usual: Origins a minute that stories of its region usually get; 0 = not known.
    """
    item_urgency = min(before.item_urgency if before else 5, tagged.urgency)
    has_raised = before is None or tagged.urgency < before.item_urgency
    item_why = tagged.urgency_why if has_raised or before is None else before.urgency_why
    level, why = story_urgency([(item_urgency, item_why)], times_of(records), usual, is_news=story.has_news)
    if before is not None and before.urgency <= level:
        level, why = before.urgency, before.urgency_why
    is_known = before is not None and tagged.change.item_id in before.item_ids
    votes = _voted(before.votes if before else (), () if is_known else tagged.countries)
    return replace(
        story,
        votes=votes,
        countries=tuple(country for country, _ in votes) or story.countries,
        tolls=_highest(before.tolls if before else (), tagged.tolls),
        phases=_reached(before.phases if before else (), tagged.phase),
        records=records,
        source_ids=names_of(records) or story.source_ids,
        item_urgency=item_urgency,
        urgency=level,
        urgency_why=why,
    )


def again(before: Story, story: Story, tagged: Tagged, *, now: datetime, gap_s: float) -> Step | None:
    """Why a story that rang rings again, or is brought up to date; None when there is nothing to say.

    Args:
        before: As it was before the item.
        story: As `grown` left it.
        tagged: The item.
        now: The poll's time, UTC.
        gap_s: Seconds between two rings of a story that are not urgent; an all-clear, a correction or a higher urgency does not wait.
    """
    if FIRST not in story.rung:
        return None
    if _rings(story) >= _MOST_RINGS:
        return _update_step(before, story)
    if tagged.nature in _ONCE and tagged.nature not in story.rung:
        return Step(tagged.nature, _ONCE[tagged.nature])
    if story.urgency < story.rung_urgency and story.urgency <= _URGENT:
        why = f"urgency rose from {story.rung_urgency} to {story.urgency}"
        return _fresh(story, f"escalation:urgency:{story.urgency}", f"{why} ({story.urgency_why})" if story.urgency_why else why)
    is_soon = story.rung_at is not None and now - story.rung_at < timedelta(seconds=gap_s)
    loud = None if is_soon else _phase_step(before, story, tagged) or _toll_step(story)
    return loud or _update_step(before, story)


def rang(story: Story, occasion: str, now: datetime) -> Story:
    """The story after it rang on this occasion: what was told is what it knows now."""
    told = replace(story, rung=tuple(dict.fromkeys((*story.rung, occasion))))
    if occasion.startswith("update:"):
        return told
    return replace(told, rung_at=now, rung_urgency=story.urgency, rung_tolls=story.tolls)


def _rings(story: Story) -> int:
    return sum(not occasion.startswith("update:") for occasion in story.rung)


def _fresh(story: Story, occasion: str, why: str) -> Step | None:
    return None if occasion in story.rung else Step(occasion, why)


def _phase_step(before: Story, story: Story, tagged: Tagged) -> Step | None:
    """A phase that follows another of the same topic: detained, then released."""
    if tagged.phase is None:
        return None
    topic, phase = tagged.phase
    known = dict(before.phases).get(topic)
    if known is None or known == phase:
        return None
    return _fresh(story, f"escalation:phase:{topic}-{phase}", f"{known.replace('_', ' ')}, now {phase.replace('_', ' ')}")


def _toll_step(story: Story) -> Step | None:
    """A number that grew enough since people were told; the dead come first."""
    told = dict(story.rung_tolls)
    now = dict(story.tolls)
    for role, growth in _GROWTH.items():
        new, old = now.get(role, 0), told.get(role)
        if not new or (old is None and not growth.from_none):
            continue
        if new - (old or 0) >= (growth.least if old else 1) and new >= growth.factor * (old or 0):
            why = f"{role}: {new}, was {old}" if old else f"{role}: {new}"
            return _fresh(story, f"escalation:toll:{role}-{new}", why)
    return None


def _update_step(before: Story, story: Story) -> Step | None:
    """What is worth an update without a sound: confirmed by more origins, another headline, other numbers."""
    origins = len(story.source_ids)
    reasons = [
        f"{origins} independent origins" if any(len(before.source_ids) < n <= origins for n in _UPDATE_AT) else "",
        "the headline was edited" if story.headline != before.headline else "",
        "numbers changed" if story.tolls != before.tolls else "",
    ]
    why = ", ".join(filter(None, reasons))
    number = len(story.rung) - _rings(story) + 1
    if not why or number > _MOST_UPDATES:
        return None
    return Step(f"update:{number}", why)


def _voted(votes: Iterable[tuple[str, int]], countries: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Countries by how many items name them; of equal ones the earlier known comes first."""
    counted = Counter(dict(votes))
    counted.update(countries)
    return tuple(counted.most_common(_MOST_COUNTRIES))


def _highest(tolls: Iterable[tuple[str, int]], more: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    highest = dict(tolls)
    for role, number in more:
        highest[role] = max(number, highest.get(role, 0))
    return tuple(highest.items())


def _reached(phases: Iterable[tuple[str, str]], phase: tuple[str, str] | None) -> tuple[tuple[str, str], ...]:
    reached = dict(phases)
    if phase is not None:
        reached[phase[0]] = phase[1]
    return tuple(reached.items())[-_MOST_PHASES:]
