"""The sift's part of the store: the one sifter's lease, the queue of items, live stories, rules, the sift commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alerts.errors import StateError
from alerts.models import Rule, Tagged
from alerts.ports import Outcome, QueuedItem, SiftCommit, SifterLease
from alerts.state.base import Base, as_hash
from alerts.state.codec import CHANGE, STORED_RULE, STORY, TAGGED
from alerts.state.keys import SIFT_GROUP, SIFTER
from alerts.state.scripts import Arg
from alerts.state.stories import bell_arguments

_ARCHIVED_CHARS = 1000  # of headline and text: the archive is bounded in memory, too


class SiftKeeper(Base):
    """Implements `ports.SiftStore`."""

    archive_items: int = 100_000

    def hold_sifter(self, owner: str, lease_s: float) -> SifterLease | None:
        """Take or renew the lease; None while another worker holds it."""
        answer = self._run("hold_sifter", owner, lease_s)
        return SifterLease(int(answer[0]), int(answer[1]), answer[2].decode()) if answer else None

    def read_items(self, owner: str, limit: int) -> list[QueuedItem]:
        """What a former sifter left comes one by one, so that a poison item is charged alone; then new items."""
        left = self._read("0", 1)
        if left:
            entry_id = left[0][0]
            claims = self._call("HINCRBY", self._keys("items:claims"), entry_id, 1)
            return self._queued(left, int(claims) + 1)
        return self._queued(self._read(">", limit), 1)

    def _read(self, start: str, limit: int) -> list[tuple[bytes, Any]]:
        stream = self._keys("items")
        command = ("XREADGROUP", "GROUP", SIFT_GROUP, SIFTER, "COUNT", limit, "STREAMS", stream, start)
        try:
            answer = self._call(*command)
        except StateError as error:
            if "NOGROUP" not in str(error):
                raise
            self.ensure_group()
            answer = self._call(*command)
        if not answer:
            return []
        entries = answer[stream.encode()] if isinstance(answer, dict) else answer[0][1]
        return [(entry[0], entry[1]) for entry in entries]

    def _queued(self, entries: Sequence[tuple[bytes, Any]], claims: int) -> list[QueuedItem]:
        items = []
        for entry_id, fields in entries:
            if fields is None:  # trimmed or deleted under our hands
                self._call("XACK", self._keys("items"), SIFT_GROUP, entry_id)
                continue
            items.append(QueuedItem(entry_id.decode(), CHANGE.load(_field(fields, b"c")), claims))
        return items

    def ensure_group(self) -> None:
        """Create the consumer group when it is not there (a new or a torn store)."""
        try:
            self._call("XGROUP", "CREATE", self._keys("items"), SIFT_GROUP, "0", "MKSTREAM")
        except StateError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def rules_since(self, version: int) -> tuple[int, list[str], list[tuple[Rule, str]]]:
        """(version now, ids of rules removed, rules added or changed with their query ids) since that version."""
        low = f"({version}" if version else "-inf"
        now, changed = self._calls(
            [("GET", self._keys("rules:version")), ("ZRANGEBYSCORE", self._keys("rules:log"), low, "+inf")]
        )
        if not changed:
            return int(now or 0), [], []
        rows = self._call("HMGET", self._keys("rules"), *changed)
        removed = [i.decode() for i, row in zip(changed, rows, strict=True) if row is None]
        return int(now or 0), removed, [_load(row) for row in rows if row is not None]

    def commit_sifts(self, commits: Sequence[SiftCommit]) -> list[Outcome]:
        """Each commit in one Lua call, all of them in one round trip, in order."""
        if not commits:
            return []
        calls = [self._sift_arguments(commit) for commit in commits]
        return [Outcome(a.decode()) for a in self._run_many("commit_sift", calls)]

    def _sift_arguments(self, commit: SiftCommit) -> list[Arg]:
        story = commit.story
        return [
            commit.entry_id,
            commit.fence,
            story.story_id,
            story.revision,
            STORY.dump(replace(story, revision=story.revision + 1)),
            story.last_at.timestamp(),
            commit.tagged.change.item_id,
            TAGGED.dump(_shortened(commit.tagged)),
            commit.stage,
            self.archive_items,
            self._keep_s,
            *bell_arguments(commit.bells),
        ]

    def bury_item(self, entry_id: str, reason: str) -> None:
        """Move an item that cannot be sifted to the dead letters."""
        found = self._call("XRANGE", self._keys("items"), entry_id, entry_id)
        change = _field(found[0][1], b"c").decode() if found else ""
        item_id = CHANGE.load(change).item_id if change else ""
        self._run("bury_item", entry_id, json.dumps({"item_id": item_id, "reason": reason, "change": change}))


def _shortened(tagged: Tagged) -> Tagged:
    """The item with no more text than the archive keeps."""
    change = tagged.change
    room = max(0, _ARCHIVED_CHARS - len(change.item.title))
    if len(change.item.text) <= room:
        return tagged
    return replace(tagged, change=replace(change, item=replace(change.item, text=change.item.text[:room])))


def load_rule(row: bytes) -> Rule:
    """The rule of one field of `rules`."""
    return _load(row)[0]


def _load(row: bytes) -> tuple[Rule, str]:
    """A rule and its query id."""
    stored = STORED_RULE.load(row)
    return stored.rule, stored.query_id


def _field(fields: Any, name: bytes) -> bytes:
    return as_hash(fields)[name]
