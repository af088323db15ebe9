"""sift: what a changed item is about, which story it belongs to, which queries it matches; one atomic commit an item.

One sifter is active: grouping compares with what came before, so order matters. What it keeps in memory (live stories,
rules) is rebuilt whenever the lease changed hands, the store was restarted, or a commit turned out stale.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from alerts.errors import NotFoundError
from alerts.models import Bell, Change, ChangeKind, Source, Story, Tagged
from alerts.pipeline.tools import Tools, Turn
from alerts.pipeline.upkeep import warn
from alerts.ports import Outcome, QueuedItem, SiftCommit, SifterLease
from alerts.regions.areas import AreaIndex
from alerts.regions.tagger import Tagger
from alerts.rules.index import RuleIndex
from alerts.rules.lists import NO_LISTS, Lists
from alerts.rules.match import Document
from alerts.rules.rarity import Rarity
from alerts.stories.grouping import StoryIndex
from alerts.stories.tag import tag
from alerts.text.fingerprint import content_id

_MOST_WAITING = 200  # queries one story keeps that wait for it to grow
_COMMIT = 20  # items committed in one round trip: what a kill makes the next sifter look at one by one
_LONGEST_AHEAD_S = 3600.0  # a date further ahead, or older than 30 days, is implausible: the first sighting counts
_OLDEST_S = 30 * 86400.0
_log = structlog.get_logger("sift")


class Sifter:
    """What the active sifter keeps in memory between two turns."""

    def __init__(self, tagger: Tagger, areas: AreaIndex, lists: Lists = NO_LISTS) -> None:
        self.tagger = tagger
        self._areas, self._lists = areas, lists
        self.rarity = Rarity()
        self._held: SifterLease | None = None
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next turn reads it from the store."""
        self.doubt()
        self.stories = StoryIndex()
        self.rules = self._no_rules()
        self._queries: dict[str, str] = {}  # rule id -> query id
        self._users: Counter[str] = Counter()  # query id -> how many rules have it
        self._sources: dict[str, Source] = {}
        self._version = 0

    def doubt(self) -> None:
        """The memory may be ahead of the store: unless it is `trusted` again, the next turn reads the store."""
        self._held = None

    def trust(self, lease: SifterLease) -> None:
        """The memory is what the store holds under this lease."""
        self._held = lease

    @property
    def is_trusted(self) -> bool:
        """Whether the memory is known to be what the store holds."""
        return self._held is not None

    def renew(self, tools: Tools) -> SifterLease | None:
        """Hold the lease and bring the memory up to date; None while another worker sifts."""
        lease = tools.state.hold_sifter(tools.owner, tools.settings.sift.lease_s)
        if lease is None:
            self.reset()
            return None
        held = self._held
        if held is None or (held.fence, held.store_run) != (lease.fence, lease.store_run):
            self.reset()
            self.stories.join_chance = tools.settings.sift.join_chance
            since = tools.clock() - timedelta(seconds=tools.settings.sift.story_window_s)
            self.stories.load(tools.state.live_stories(since))
        if self._version != lease.rules_version:
            self._learn_rules(tools, lease.rules_version)
        self.trust(lease)
        return lease

    def _learn_rules(self, tools: Tools, version: int) -> None:
        if version < self._version:  # a torn log took changes back
            self.rules, self._queries, self._users, self._version = self._no_rules(), {}, Counter(), 0
        self._version, removed, changed = tools.state.rules_since(self._version)
        for rule_id in removed:
            self._drop_rule(rule_id)
        for rule, _ in changed:
            self._drop_rule(rule.rule_id)
        live = [(rule, number) for rule, number in changed if rule.is_enabled]
        wanted = {number: (number, rule.query, rule.is_unknown_in) for rule, number in live if number not in self.rules}
        refused = dict(self.rules.put_many(wanted.values()))
        for rule, number in live:
            if number in refused:
                _log.error("rule ignored", rule_id=rule.rule_id, error=str(refused[number]))
            else:
                self._queries[rule.rule_id] = number
                self._users[number] += 1

    def _no_rules(self) -> RuleIndex:
        return RuleIndex(self._areas, self._lists, self.rarity)

    def _drop_rule(self, rule_id: str) -> None:
        number = self._queries.pop(rule_id, None)
        if number is None:
            return
        self._users[number] -= 1
        if not self._users[number]:
            del self._users[number]
            self.rules.remove(number)

    def forget_sources(self) -> None:
        """Read the sources again: a person may have corrected one."""
        self._sources = {}

    def source_of(self, tools: Tools, source_id: str) -> Source:
        """The source of an item; a bare one when it was removed meanwhile."""
        if source_id not in self._sources:
            try:
                self._sources[source_id] = tools.state.source(source_id)[0]
            except NotFoundError:
                return Source(source_id=source_id, url="")
        return self._sources[source_id]

    @property
    def rules_version(self) -> int:
        """The version of the rules that items are matched with."""
        return self._version


def sift(tools: Tools, sifter: Sifter) -> int:
    """Sift what is on the queue; how many items were committed (0 for a standby)."""
    turn, done = Turn(tools, "sift"), 0
    sifter.forget_sources()
    while lease := sifter.renew(tools):
        items = tools.state.read_items(tools.owner, tools.settings.sift.batch)
        if not items:
            return done
        for start in range(0, len(items), _COMMIT):
            done += _commit(tools, sifter, lease, items[start : start + _COMMIT])
            if not sifter.is_trusted:
                break  # the rest stays on the queue and is read again
        sifter.stories.drop_older(tools.clock() - timedelta(seconds=tools.settings.sift.story_window_s))
        if turn.is_over():
            return done
    return done


def _commit(tools: Tools, sifter: Sifter, lease: SifterLease, items: Sequence[QueuedItem]) -> int:
    sifter.doubt()  # a poison item or a store that does not answer must not leave a memory of what was never written
    commits = [c for item in items if (c := _sift_one(tools, sifter, lease, item))]
    outcomes = tools.state.commit_sifts(commits)
    if any(c.bell and o is not Outcome.STALE for c, o in zip(commits, outcomes, strict=True)):
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
    story = sifter.stories.assign(tagged, item.change.polled_at)
    stale = _staleness(tools, item.change)
    story = replace(story, has_news=story.has_news or (item.change.kind is ChangeKind.NEW and not stale))
    matched, waiting = _matched(sifter, tagged, story)
    story = replace(story, waiting=waiting)
    fresh = tuple(q for q in matched if q not in story.query_ids)
    refusal = stale or _why_silent(item.change, story)
    if fresh and not refusal:
        story = replace(story, query_ids=(*story.query_ids, *fresh))
        bell = _bell(tagged, story, fresh, source, sifter.rules_version)
    else:
        bell = None
    sifter.stories.apply(story)
    return SiftCommit(
        entry_id=item.entry_id,
        fence=lease.fence,
        tagged=tagged,
        story=story,
        bell=bell,
        stage=refusal or _stage(len(matched), len(fresh)),
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


def _why_silent(change: Change, story: Story) -> str:
    """Why an item rings nobody whatever the rules say; '' when it may ring."""
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


def _stage(matched: int, fresh: int) -> str:
    if fresh:
        return f"matched {fresh} quer{'y' if fresh == 1 else 'ies'}: a bell was rung"
    return "matched, but the story was told before" if matched else "no rule matched"


def _bell(tagged: Tagged, story: Story, queries: tuple[str, ...], source: Source, version: int) -> Bell:
    return Bell(
        bell_id=content_id("bell", story.story_id, tagged.change.item_id, *sorted(queries)),
        story_id=story.story_id,
        occasion="first",
        query_ids=queries,
        rules_version=version,
        tagged=tagged,
        source_name=source.name or source.source_id,
        source_ids=story.source_ids,
        item_ids=story.item_ids,
        rung_at=datetime.now(tagged.change.found_at.tzinfo),
    )
