"""Two stories as one, and one as two: pure. Ids never change, and what rang in either rang in both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from alerts.models import Story, Tagged
from alerts.stories.grouping import MAX_COUNTRIES, MAX_ITEMS, MAX_KEYS, MAX_SKETCHES, MAX_SOURCES, begin, extend, joined
from alerts.stories.life import grown
from alerts.stories.witnesses import joined_records, kept_records, names_of
from alerts.text.fingerprint import content_id


def merged(story: Story, other: Story) -> Story:
    """The story with everything of the other one; its id, headline and link stay."""
    records = joined_records(story.records, other.records)
    votes = Counter(dict(story.votes)) + Counter(dict(other.votes))
    return replace(
        story,
        item_ids=joined(story.item_ids, other.item_ids, MAX_ITEMS),
        records=records,
        source_ids=names_of(records) or joined(story.source_ids, other.source_ids, MAX_SOURCES),
        item_urgency=min(story.item_urgency, other.item_urgency),
        keys=joined(story.keys, other.keys, MAX_KEYS),
        sketches=joined(story.sketches, other.sketches, MAX_SKETCHES),
        countries=joined(story.countries, other.countries, MAX_COUNTRIES),
        votes=tuple(votes.most_common(MAX_COUNTRIES)),
        urgency=min(story.urgency, other.urgency),
        query_ids=_each(story.query_ids, other.query_ids),
        waiting=tuple(dict((*other.waiting, *story.waiting)).items()),
        has_news=story.has_news or other.has_news,
        first_at=min(story.first_at, other.first_at),
        last_at=max(story.last_at, other.last_at),
        tolls=_highest(story.tolls, other.tolls),
        phases=tuple(dict((*other.phases, *story.phases)).items()),
        rung=_each(story.rung, other.rung),
        rung_at=max((at for at in (story.rung_at, other.rung_at) if at), default=None),
        rung_urgency=min(story.rung_urgency, other.rung_urgency),
        rung_tolls=_highest(story.rung_tolls, other.rung_tolls),
        kin_ids=_each(story.kin_ids, (other.story_id, *other.kin_ids))[-MAX_KIN:],
    )


def rebuilt(story: Story, items: Sequence[Tagged]) -> Story:
    """The story as if it had only these items (at least one, oldest first); what it rang, and for which queries, stays."""
    records = kept_records(story.records, {tagged.change.item_id for tagged in items})
    first = items[0]
    fresh = grown(None, begin(first, first.change.polled_at), first, records=records)
    for tagged in items[1:]:
        fresh = grown(fresh, extend(fresh, tagged, tagged.change.polled_at), tagged, records=records)
    return replace(
        fresh,
        story_id=story.story_id,
        revision=story.revision,
        query_ids=story.query_ids,
        has_news=story.has_news,
        rung=story.rung,
        rung_at=story.rung_at,
        rung_urgency=story.rung_urgency,
        rung_tolls=story.rung_tolls,
        kin_ids=story.kin_ids,
    )


def split_id(items: Sequence[Tagged]) -> str:
    """The id of a story that begins with the first of these items: the one grouping gives it."""
    return content_id("story", items[0].change.item_id)


MAX_KIN = 20  # stories a story remembers as its kin


def _each(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _highest(one: Iterable[tuple[str, int]], other: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    highest = dict(one)
    for role, number in other:
        highest[role] = max(number, highest.get(role, 0))
    return tuple(highest.items())
