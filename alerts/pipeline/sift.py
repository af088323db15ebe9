"""sift: what a changed item is about, which story it belongs to, which queries it matches; one atomic commit an item.

One sifter is active: grouping compares with what came before, so order matters. What a person asked to be merged or split
is done first, by the same sifter under the same lease.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from alerts.models import Change, ChangeKind, Source, Story, Tagged
from alerts.pipeline.regroup import regroup
from alerts.pipeline.ring import Ringing, entered_by, ring, stage_of
from alerts.pipeline.sifter import Sifter
from alerts.pipeline.tools import Tools, Turn
from alerts.pipeline.upkeep import warn
from alerts.ports import Outcome, QueuedItem, SiftCommit, SifterLease
from alerts.rules.match import Document
from alerts.stories.life import grown
from alerts.stories.tag import tag
from alerts.stories.witnesses import witnessed
from alerts.text.collector import without_collector

_MOST_WAITING = 200  # queries one story keeps that wait for it to grow
_LOOK_S = 0.25  # between two looks of a standby at the lease
_COMMIT = 20  # items committed in one round trip: what a kill makes the next sifter look at one by one
_LONGEST_AHEAD_S = 3600.0  # a date further ahead, or older than 30 days, is implausible: the first sighting counts
_OLDEST_S = 30 * 86400.0
_log = structlog.get_logger("sift")


def sift(tools: Tools, sifter: Sifter, *, stands_by: bool = False) -> int:
    """Sift what is on the queue; how many items were committed (0 for a standby).

    Args:
        stands_by: Whether a standby spends its turn waiting for the lease, instead of ending it at once.
    """
    turn, done = Turn(tools, "sift"), 0
    sifter.forget_sources()
    while lease := sifter.renew(tools) or (stands_by and _stand_by(tools, sifter, turn)):
        regroup(tools, sifter, lease)
        items = tools.state.read_items(tools.owner, tools.settings.sift.batch) if sifter.is_trusted else []
        if not items:
            return done
        for start in range(0, len(items), _COMMIT):
            done += _commit(tools, sifter, lease, items[start : start + _COMMIT])
            if not sifter.is_trusted:
                break  # the rest stays on the queue and is read again
        sifter.close_stories(tools.clock() - timedelta(seconds=tools.settings.sift.story_window_s))
        if turn.is_over():
            return done
    return done


def _stand_by(tools: Tools, sifter: Sifter, turn: Turn) -> SifterLease | None:
    """Wait for the lease to come free; None when the turn is over before.

    The wake-up that a standby took was meant for the active one: it is sent on. Who waits takes no other.
    """
    tools.wake_up("sift")
    while not turn.is_over():
        time.sleep(_LOOK_S)
        if lease := sifter.renew(tools):
            return lease
    return None


def _commit(tools: Tools, sifter: Sifter, lease: SifterLease, items: Sequence[QueuedItem]) -> int:
    sifter.doubt()  # a poison item or a store that does not answer must not leave a memory of what was never written
    with without_collector():  # nothing in it makes cycles, and it would look at the rules and stories again and again
        commits = [c for item in items if (c := _sift_one(tools, sifter, lease, item))]
    outcomes = tools.state.commit_sifts(commits)
    if any(c.bells and o is not Outcome.STALE for c, o in zip(commits, outcomes, strict=True)):
        tools.wake_up("deliver")
    if Outcome.STALE in outcomes:
        _log.warning("sift commit was stale, reading the store again")
    else:
        sifter.trust(lease)
    return sum(o is not Outcome.STALE for o in outcomes)


def _sift_one(tools: Tools, sifter: Sifter, lease: SifterLease, item: QueuedItem) -> SiftCommit | None:
    """tag -> story -> match of one item; None when it is a poison item and went to the dead letters."""
    if item.claims > tools.settings.sift.max_attempts:
        reason = f"{item.claims - 1} attempts to sift it ended without a result"
        tools.state.bury_item(item.entry_id, reason)
        warn(tools, "item_dead", item.change.item.source_id, f"An item of {item.change.item.source_id} was set aside: {reason}")
        return None
    source = sifter.source_of(tools, item.change.item.source_id)
    tagged = tag(item.change, source, sifter.tagger, is_guessing=tools.settings.sift.guess_language)
    ringing = _grown(tools, sifter, tagged, source)
    story, bells = ring(ringing, gap_s=tools.settings.sift.escalation_gap_s)
    sifter.stories.apply(story)
    return SiftCommit(
        entry_id=item.entry_id, fence=lease.fence, tagged=tagged, story=story, bells=bells, stage=stage_of(ringing, bells)
    )


def _grown(tools: Tools, sifter: Sifter, tagged: Tagged, source: Source) -> Ringing:
    """The item's story with the item in it, and which queries are true now."""
    change = tagged.change
    story = sifter.stories.assign(tagged, change.polled_at)
    before = sifter.stories.get(story.story_id)
    stale = _staleness(tools, change)
    is_silent = tagged.nature in tools.settings.sift.silent_natures
    is_news = change.kind is ChangeKind.NEW and not stale and not is_silent
    records = witnessed(before.records if before else (), tagged, source, sifter.owners, change.polled_at)
    story = replace(story, has_news=story.has_news or is_news)
    story = grown(before, story, tagged, records=records, usual=sifter.usual.rate(story.countries))
    matched, waiting = _matched(sifter, tagged, story)
    return Ringing(
        tagged=tagged,
        source=source,
        before=before,
        story=replace(story, waiting=waiting),
        matched=matched,
        came=_came(sifter, before, story, matched),
        refusal=stale or _why_silent(tagged, story, is_silent=is_silent),
        rules_version=sifter.rules_version,
    )


def _matched(sifter: Sifter, tagged: Tagged, story: Story) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The queries that are true now, by this item or because the story grew; and those that wait for the story."""
    document = Document.of(tagged, story)
    sifter.rarity.learn({word.text for word in document.words})
    found = sifter.rules.match_story(document)
    matched = tuple(sorted({*found.query_ids, *sifter.rules.ready(story.waiting, document)}))
    told = {*matched, *story.query_ids}
    left = {query_id: text for query_id, text in (*story.waiting, *found.waiting) if query_id not in told}
    return matched, tuple(left.items())[:_MOST_WAITING]


def _came(sifter: Sifter, before: Story | None, story: Story, matched: Sequence[str]) -> tuple[str, ...]:
    """Queries true for the first time that waited for the story, or whose region it has entered."""
    if before is None:
        return ()
    entered, waited = entered_by(before, story), {query_id for query_id, _ in before.waiting}
    fresh = (query_id for query_id in matched if query_id not in before.query_ids)
    return tuple(q for q in fresh if q in waited or (entered and sifter.rules.asks_for(q, entered)))


def _why_silent(tagged: Tagged, story: Story, *, is_silent: bool) -> str:
    """Why an item rings nobody whatever the rules say; '' when it may ring."""
    change = tagged.change
    if not story.has_news and is_silent:
        return f"{tagged.nature.replace('_', ' ')}: {tagged.nature_why} starts no story that rings"
    if not story.has_news:
        return f"{change.kind.value}: it was there before we watched, so it starts no story that rings"
    if change.kind is ChangeKind.RETURNED:
        return "returned: an item that comes back is no news"
    return ""


def _staleness(tools: Tools, change: Change) -> str:
    """Why an item found after a downtime is too old to ring; '' when it is not."""
    age_s = _age_s(change)
    if change.is_catch_up and age_s > tools.settings.poll.stale_s:
        return f"stale: published {age_s / 3600:.0f} h before we were back"
    return ""


def _age_s(change: Change) -> float:
    """How old an item was when we found it, in seconds; 0 when it has no date, or one that cannot be right."""
    if change.item.published_at is None:
        return 0.0
    age_s = (change.polled_at - change.item.published_at).total_seconds()
    return age_s if -_LONGEST_AHEAD_S <= age_s <= _OLDEST_S else 0.0
