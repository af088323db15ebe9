"""Housekeeping in the store: who makes progress, what is waiting, what a dead worker held, what is past its time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alerts.errors import StateError
from alerts.models import Change
from alerts.ports import Canary
from alerts.state.base import Base, as_hash
from alerts.state.codec import CANARY, CHANGE
from alerts.state.keys import SIFT_GROUP

_WAKE_MS = 2000  # a wake-up nobody answered for this long is sent again
_FORGET_OWNER_S = 3600.0
_STORY_KEEP_S = 4 * 86400.0  # the 72 h window and a day


class HouseKeeper(Base):
    """Implements `ports.KeepStore`, but for `now`."""

    archive_s: float = 7 * 86400.0

    def beat(self, owner: str, queue: str) -> None:
        """Note that this worker makes progress."""
        self._call("HSET", self._keys("owners"), owner, f"{queue} {self._seconds():.3f}")

    def progress(self) -> dict[str, tuple[str, float]]:
        """owner -> (queue, seconds since its last progress) of every known worker."""
        now, rows = self._seconds(), self._hash("owners")
        found = {name.decode(): row.decode().split() for name, row in rows.items()}
        return {owner: (queue, max(0.0, now - float(at))) for owner, (queue, at) in found.items()}

    def free_leases(self, owner: str) -> int:
        """What a dead worker held is due again at once; how many leases that were."""
        return int(self._run("free_leases", owner))

    def free_all_leases(self) -> int:
        """What anybody held is due again at once, when it is certain that no worker lives; how many leases."""
        held = self._client.scan_iter(match=self._keys("leases", "*"), count=1000)
        owners = {name.decode().removeprefix(self._keys("leases", "")) for name in held}
        return sum(self.free_leases(owner) for owner in owners | set(self.progress()))

    def claim_wake(self, queue: str) -> bool:
        """Whether a wake-up for this queue should be sent."""
        return self._call("SET", self._keys("wake", queue), 1, "NX", "PX", _WAKE_MS) is not None

    def claim_turn(self, name: str, every_s: float) -> bool:
        """Whether it is the caller's turn to do what is to be done once in so many seconds."""
        return self._call("SET", self._keys("turn", name), 1, "NX", "PX", int(every_s * 1000)) is not None

    def plant(self, change: Change) -> None:
        """Put an item of our own on the queue `items`."""
        self._call("XADD", self._keys("items"), "*", "c", CHANGE.dump(change))

    def canary(self) -> Canary | None:
        """The canary as it is; None when there is none."""
        row = self._hash("canary")
        if not row:
            return None
        held = CANARY.load(row[b"json"])
        return replace(held, seen=row.get(b"seen", b"").decode(), alarmed=row.get(b"alarmed", b"").decode())

    def put_canary(self, canary: Canary | None) -> None:
        """Keep a canary; None ends it."""
        if canary is None:
            self._call("DEL", self._keys("canary"))
        else:
            self._call("HSET", self._keys("canary"), "json", CANARY.dump(canary))

    def note_canary(self, *, seen: str | None = None, alarmed: str | None = None) -> None:
        """Note that a canary was accepted, or that it was missed and told of ('' = called off)."""
        fields = [part for name, value in (("seen", seen), ("alarmed", alarmed)) if value is not None for part in (name, value)]
        self._call("HSET", self._keys("canary"), *fields)

    def shed_archive(self) -> int:
        """Drop the older half of the archive; how many items."""
        length = int(self._call("XLEN", self._keys("archive")))
        return int(self._call("XTRIM", self._keys("archive"), "MAXLEN", length // 2))

    def clear_wake(self, queue: str) -> None:
        """Somebody woke up: the next wake-up is to be sent again."""
        self._call("DEL", self._keys("wake", queue))

    def waiting(self) -> dict[str, int]:
        """queue -> how much is ready to be worked on."""
        now = f"{self._seconds():.6f}"
        due, fanouts, lanes, urgent, asked = self._calls(
            [
                ("ZCOUNT", self._keys("due"), "-inf", now),
                ("ZCARD", self._keys("fanouts")),
                ("ZCOUNT", self._keys("lanes"), "-inf", now),
                ("ZCOUNT", self._keys("lanes:urgent"), "-inf", now),
                ("LLEN", self._keys("stories:asked")),
            ]
        )
        return {"poll": due, "sift": self._unsifted() + asked, "deliver": fanouts + lanes + urgent}

    def _unsifted(self) -> int:
        """Entries of `items` not yet acknowledged."""
        try:
            groups = self._call("XINFO", "GROUPS", self._keys("items"))
        except StateError as error:
            if "no such key" in str(error):
                return 0
            raise
        for group in groups:
            row: dict[Any, Any] = as_hash(group)
            if row[b"name"] == SIFT_GROUP.encode():
                lag = row.get(b"lag")
                return int(row[b"pending"]) + (int(lag) if lag is not None else self._after(row[b"last-delivered-id"]))
        return int(self._call("XLEN", self._keys("items")))

    def _after(self, entry_id: bytes) -> int:
        """The store does not know its lag after entries were deleted: count what was not handed out."""
        return len(self._call("XRANGE", self._keys("items"), b"(" + entry_id, "+", "COUNT", 1000))

    def lag(self) -> dict[str, int]:
        """Deliveries not yet done and sources by state, for status and metrics."""
        dead, owed, paused = self._calls(
            [("HLEN", self._keys("items:dead")), ("ZCARD", self._keys("digests")), ("SCARD", self._keys("paused"))]
        )
        channels = [name.decode() for name in self._call("HKEYS", self._keys("channels"))]
        waiting = self._calls([("ZCARD", self._keys("lane", c)) for c in channels]) if channels else []
        return {"dead_items": dead, "open_digests": owed, "paused_sources": paused, "deliveries": sum(waiting)}

    def sweep(self) -> dict[str, int]:
        """Free expired leases, trim what is past its keep time; counts by what was done."""
        self._forget_owners()
        self._trim_archive()
        try:
            freed, trimmed, closed = self._run("sweep", self._keep_s, _STORY_KEEP_S)
        except StateError as error:
            if "no such key" not in str(error):
                raise
            return {}
        return {"freed_lanes": freed, "trimmed_items": trimmed, "closed_stories": closed}

    def _forget_owners(self) -> None:
        for owner, (_, age_s) in self.progress().items():
            if age_s > _FORGET_OWNER_S:
                self.free_leases(owner)

    def _trim_archive(self) -> None:
        """Items past their time, and names of those that left the archive, at most 1,000 a sweep."""
        past = int((self._seconds() - self.archive_s) * 1000)
        self._call("XTRIM", self._keys("archive"), "MINID", "~", past)
        first = self._call("XRANGE", self._keys("archive"), "-", "+", "COUNT", 1)
        kept, named = self._calls([("XLEN", self._keys("archive")), ("HLEN", self._keys("archive:ids"))])
        if not first or named <= kept + 1000:
            return
        oldest = _order(first[0][0])
        _, rows = self._call("HSCAN", self._keys("archive:ids"), 0, "COUNT", 1000)
        stale = [item for item, entry in as_hash(rows).items() if _order(entry) < oldest]
        if stale:
            self._call("HDEL", self._keys("archive:ids"), *stale)

    def shift_due(self, seconds: float) -> None:
        """Move every due time, after the clock of the store's host jumped."""
        self._run("shift_due", f"{seconds:.3f}")
        buckets = list(self._client.scan_iter(match=self._keys("bucket", "*"), count=1000))
        for name in ("at", "tail", "rest") if buckets else ():
            self._calls([("HINCRBYFLOAT", bucket, name, f"{seconds:.3f}") for bucket in buckets])

    def counters(self) -> dict[str, int]:
        """name -> how often something happened since the store was made."""
        return {name.decode(): int(n) for name, n in self._hash("counters").items()}

    def bump(self, counter: str, by: int = 1) -> None:
        """Count something of ours."""
        self._call("HINCRBY", self._keys("counters"), counter, by)

    def info(self) -> dict[str, str]:
        """What the server says of itself (INFO), for doctor and metrics."""
        text = self._call("INFO")
        if isinstance(text, dict):
            return {str(k): str(v) for k, v in text.items()}
        lines = text.decode().splitlines() if isinstance(text, bytes) else str(text).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


def _order(entry_id: bytes) -> tuple[int, int]:
    ms, _, number = entry_id.partition(b"-")
    return int(ms), int(number or 0)
