"""Which bells an item rings: for queries that are true of its story for the first time, and for what makes it ring again.

Two bells at most. `first` tells whoever was not told of the story, or has heard of it in a digest only; the other one tells
those who were: because the story escalated, or because what a rule of theirs waited for has come (a region, the second
origin). Nobody is told by both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from alerts.models import Bell, Source, Story, Tagged
from alerts.stories.life import FIRST, Step, again, rang
from alerts.text.fingerprint import content_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing:
    """An item and its story, and what its queries say."""

    tagged: Tagged
    source: Source
    before: Story | None  # None = the item starts the story
    story: Story
    matched: tuple[str, ...]  # query ids that are true now
    came: tuple[str, ...] = ()  # of the fresh ones, those for which what they waited for has come
    refusal: str  # why it rings nobody; '' = it may ring
    rules_version: int

    @property
    def fresh(self) -> tuple[str, ...]:
        """Queries that are true of the story for the first time."""
        return tuple(query_id for query_id in self.matched if query_id not in self.story.query_ids)


def ring(ringing: Ringing, *, gap_s: float) -> tuple[Story, tuple[Bell, ...]]:
    """The story as it is to be stored, and the bells; gap_s: seconds between two rings of a story that are not urgent."""
    story, fresh = ringing.story, ringing.fresh
    now = ringing.tagged.change.polled_at
    if ringing.refusal:
        return story, ()
    step, audience = _again(ringing, now, gap_s)
    first = _bell(ringing, FIRST, fresh) if fresh else None
    other = replace(_bell(ringing, step.occasion, audience), why=step.why) if step is not None and audience else None
    if first is not None:
        story = replace(story, query_ids=(*story.query_ids, *fresh))
        story = rang(story, FIRST, now) if FIRST not in story.rung else story
    if other is not None:
        story = rang(story, other.occasion, now)
    if first is not None and other is not None:
        is_loud = step is not None and not step.is_silent
        first, other = replace(first, sibling_id=other.bell_id if is_loud else ""), replace(other, sibling_id=first.bell_id)
    return story, tuple(bell for bell in (first, other) if bell is not None)


def stage_of(ringing: Ringing, bells: Sequence[Bell]) -> str:
    """How far the item came, in words."""
    if ringing.refusal:
        return ringing.refusal
    fresh = len(ringing.fresh)
    if fresh:
        first = f"matched {fresh} quer{'y' if fresh == 1 else 'ies'}: a bell was rung"
    else:
        first = "matched, but the story was told before" if ringing.matched else "no rule matched"
    return "; ".join([first, *(f"{bell.occasion}: {bell.why}" for bell in bells if bell.occasion != FIRST)])


def _again(ringing: Ringing, now: datetime, gap_s: float) -> tuple[Step | None, tuple[str, ...]]:
    """Why those who were told are told again, and by which queries."""
    before, story = ringing.before, ringing.story
    if before is None or FIRST not in before.rung:
        return None, ()
    step = again(before, story, ringing.tagged, now=now, gap_s=gap_s)
    if step is not None and not step.is_silent:
        return step, tuple(dict.fromkeys((*before.query_ids, *ringing.came)))
    if ringing.came:
        return _arrival(before, story), ringing.came
    return step, before.query_ids


def _arrival(before: Story, story: Story) -> Step:
    """What the story has come to that rules waited for: a country, a number of origins, an urgency."""
    entered = entered_by(before, story)[:3]
    if entered:
        return Step(f"escalation:region:{'+'.join(entered)}", f"it now concerns {', '.join(entered)}")
    if len(story.source_ids) > len(before.source_ids):
        number = len(story.source_ids)
        return Step(f"escalation:origins:{number}", f"{number} independent origins tell it")
    return Step(f"escalation:urgency:{story.urgency}", f"its urgency is {story.urgency} now")


def entered_by(before: Story, story: Story) -> tuple[str, ...]:
    """The countries that a story has come to concern."""
    return tuple(country for country in story.countries if country not in before.countries)


def _bell(ringing: Ringing, occasion: str, queries: tuple[str, ...]) -> Bell:
    tagged, story, source = ringing.tagged, ringing.story, ringing.source
    return Bell(
        bell_id=content_id("bell", story.story_id, tagged.change.item_id, *(() if occasion == FIRST else (occasion,)), *sorted(queries)),
        story_id=story.story_id,
        occasion=occasion,
        query_ids=queries,
        rules_version=ringing.rules_version,
        tagged=replace(tagged, urgency=story.urgency, urgency_why=story.urgency_why) if story.urgency < tagged.urgency else tagged,
        source_name=source.name or source.source_id,
        source_ids=story.source_ids,
        item_ids=story.item_ids,
        kin_ids=story.kin_ids,
        rung=_rung_before(ringing.before) if occasion == FIRST else (),
        rung_at=datetime.now(UTC),
    )


def _rung_before(before: Story | None) -> tuple[str, ...]:
    """The occasions on which a story rang, those without a sound left out."""
    return tuple(occasion for occasion in before.rung if not occasion.startswith("update:")) if before else ()
