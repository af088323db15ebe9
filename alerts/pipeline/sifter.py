"""What the active sifter keeps in memory: live stories, rules in force, sources; rebuilt whenever it may be wrong.

It is rebuilt when the lease changed hands, the store was restarted, or a commit turned out stale.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import structlog

from alerts.errors import NotFoundError
from alerts.models import Source, Story
from alerts.pipeline.tools import Tools
from alerts.ports import SifterLease
from alerts.regions.areas import AreaIndex
from alerts.regions.tagger import Tagger
from alerts.rules.index import RuleIndex
from alerts.rules.lists import NO_LISTS, Lists
from alerts.rules.rarity import Rarity
from alerts.stories.grouping import StoryIndex
from alerts.stories.owners import NO_OWNERS, Owners
from alerts.stories.semantic import Encoder
from alerts.stories.velocity import UsualRates
from alerts.text.collector import without_collector

_log = structlog.get_logger("sift")


class Sifter:
    """What the active sifter keeps in memory between two turns."""

    def __init__(
        self, tagger: Tagger, areas: AreaIndex, lists: Lists = NO_LISTS, owners: Owners = NO_OWNERS, encode: Encoder | None = None
    ) -> None:
        self.tagger, self.owners, self._encode = tagger, owners, encode
        self._areas, self._lists = areas, lists
        self.rarity = Rarity()
        self._held: SifterLease | None = None
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next turn reads it from the store."""
        self.doubt()
        self.stories = StoryIndex(encode=self._encode)
        self.usual = UsualRates()  # how fast stories of a region usually spread; learned from those that closed
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
            with without_collector():
                self._rebuild(tools)
        if self._version != lease.rules_version:
            with without_collector():
                self._learn_rules(tools, lease.rules_version)
        self.trust(lease)
        return lease

    def _rebuild(self, tools: Tools) -> None:
        """Read the live stories, holding on to the lease however many they are."""
        self.reset()
        self.stories.join_chance = tools.settings.sift.join_chance
        since = tools.clock() - timedelta(seconds=tools.settings.sift.story_window_s)
        self.stories.load(_holding(tools, tools.state.live_stories(since)))
        self.usual = UsualRates.of(map(_spread, self.stories))

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

    def close_stories(self, than: datetime) -> None:
        """Forget stories whose last item is older, and learn from them how fast stories spread."""
        for story in self.stories.drop_older(than):
            self.usual.learn(*_spread(story))

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


def _holding(tools: Tools, stories: Iterable[Story]) -> Iterator[Story]:
    """The stories, while the lease is renewed: another standby must not take it from whoever still reads."""
    lease_s = tools.settings.sift.lease_s
    renewed = time.monotonic()
    for story in stories:
        yield story
        if time.monotonic() - renewed > lease_s / 3:
            tools.state.hold_sifter(tools.owner, lease_s)  # if it is lost, the first commit is refused, and all is read again
            renewed = time.monotonic()


def _spread(story: Story) -> tuple[tuple[str, ...], int, float]:
    """What a story teaches of the usual: countries, origins, seconds of its life."""
    return story.countries, len(story.source_ids), (story.last_at - story.first_at).total_seconds()
