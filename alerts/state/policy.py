"""What decisions hang on and what they write: preferences, mutes, rings, and deliveries that are not sent now."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from alerts.errors import NotFoundError
from alerts.models import Delivery, DeliveryStatus
from alerts.ports import Facts, FirstIds, FirstTold, Outcome, Place, Release, Ring, Settlement, Wishes
from alerts.preferences import NO_PREFERENCES, DigestKind, Mute
from alerts.state.codec import CHANNEL, MUTE, SUBSCRIBER
from alerts.state.digests import DigestKeeper, DigestName, read_name
from alerts.state.scripts import Arg

_PAGE = 200  # deliveries moved by one script call


class PolicyKeeper(DigestKeeper):
    """Implements `ports.PolicyStore`."""

    def facts(self, places: Sequence[Place], firsts: Sequence[FirstIds]) -> Facts:
        """What decisions about these hang on, in as many round trips however many they are."""
        calls: list[Sequence[Arg]] = [("GET", self._keys("wishes:version"))]
        calls.extend(("ZRANGE", self._keys("rings", *place), 0, -1, "WITHSCORES") for place in places)
        calls.extend(("EXISTS", self._keys("alert", first.alert_id)) for first in firsts)
        version, *rows = self._calls(calls)
        known = rows[len(places) :]
        return Facts(
            version=version.decode() if version else "",
            rings={place: _rings(row) for place, row in zip(places, rows, strict=False)},
            firsts={first: _first(exists, *row) for first, exists, row in zip(firsts, known, self._told(firsts), strict=True)},
        )

    def _told(self, firsts: Sequence[FirstIds]) -> list[tuple[str, bool, Sequence[bytes | None]]]:
        """(delivery id of who tells it, whether that is a later alert, status, due and digest) of each first alert's delivery."""
        rows = self._standings([first.delivery_id for first in firsts])
        carriers = [row[3].decode() if row[3] else "" for row in rows]
        others = sorted({carrier for carrier in carriers if carrier})
        carried = dict(zip(others, self._standings(others), strict=True))
        return [
            (carrier, True, carried[carrier]) if carrier else (first.delivery_id, False, row)
            for first, carrier, row in zip(firsts, carriers, rows, strict=True)
        ]

    def _standings(self, delivery_ids: Sequence[str]) -> list[Any]:
        calls = [("HMGET", self._keys("delivery", i), "status", "due", "digest", "carried") for i in delivery_ids]
        return self._calls(calls) if calls else []

    def wishes(self, subscriber_ids: Iterable[str]) -> dict[str, Wishes]:
        """What each of them asked for; the default for those nobody knows."""
        ids = sorted(subscriber_ids)
        if not ids:
            return {}
        calls: list[Sequence[Arg]] = [("HMGET", self._keys("subscribers"), *ids)]
        calls.extend(("HVALS", self._keys("mutes", i)) for i in ids)
        people, *mutes = self._calls(calls)
        return {
            i: Wishes(SUBSCRIBER.load(row).preferences if row else NO_PREFERENCES, tuple(MUTE.load(m) for m in held))
            for i, row, held in zip(ids, people, mutes, strict=True)
        }

    def settle(self, owner: str, settlements: Sequence[Settlement]) -> list[Outcome]:
        """Hold, put into digests, drop, expire; stale when the delivery's lease was lost to another worker."""
        if not settlements:
            return []
        return [Outcome(a.decode()) for a in self._run_many("settle", [_settle_arguments(owner, s) for s in settlements])]

    def release(self, owner: str, releases: Sequence[Release]) -> list[Outcome]:
        """Count rings, keep reasons, take over what is told along; stale as above."""
        if not releases:
            return []
        return [Outcome(a.decode()) for a in self._run_many("release", [_release_arguments(owner, r) for r in releases])]

    def note_wishes_changed(self) -> None:
        """Whoever remembers wishes reads them again. A hash, not a counter: after a torn log a counter would repeat itself."""
        self._call("SET", self._keys("wishes:version"), uuid.uuid4().hex)

    def put_mute(self, subscriber_id: str, mute: Mute) -> None:
        """Add or replace a mute; in force with the next decision."""
        key, now = self._keys("mutes", subscriber_id), self.now()
        past = [name for name, row in self._hash("mutes", subscriber_id).items() if MUTE.load(row).until_at <= now]
        if past:
            self._call("HDEL", key, *past)
        self._call("HSET", key, mute.mute_id, MUTE.dump(mute))
        self.note_wishes_changed()

    def remove_mute(self, subscriber_id: str, mute_id: str) -> None:
        """End a mute. Raises: NotFoundError."""
        if not self._call("HDEL", self._keys("mutes", subscriber_id), mute_id):
            raise NotFoundError(f"nothing is muted as {mute_id!r} for {subscriber_id}; `tocsin mute list` shows what is")
        self.note_wishes_changed()

    def all_waiting(self) -> list[Delivery]:
        """Deliveries that are pending, retried or held, also in digests."""
        return self._waiting(self._hash("channels"), self._open_digests())

    def waiting_of(self, subscriber_id: str) -> list[Delivery]:
        """Those of one subscriber."""
        channels = [i for i, row in self._hash("channels").items() if CHANNEL.load(row).subscriber_id == subscriber_id]
        digests = [name for name in self._open_digests() if read_name(name).subscriber_id == subscriber_id]
        return [d for d in self._waiting(channels, digests) if d.subscriber_id == subscriber_id]

    def _open_digests(self) -> list[str]:
        return [name.decode() for name in self._call("ZRANGE", self._keys("digests"), 0, -1)]

    def _waiting(self, channels: Iterable[bytes], digests: Iterable[str]) -> list[Delivery]:
        keys = [*(self._keys("lane", c.decode()) for c in channels), *(self._keys("digest", d) for d in digests)]
        rows = self._calls([("ZRANGE", key, 0, -1) for key in keys]) if keys else []
        return self.deliveries_by_id([i.decode() for row in rows for i in row])

    def drop_waiting(self, deliveries: Sequence[Delivery], reason: str) -> int:
        """Take these back, unless they were sent meanwhile; how many."""
        calls = [(d.delivery_id, "dropped", reason, self._keep_s) for d in deliveries]
        return sum(a == b"done" for a in self._run_many("move_delivery", calls)) if calls else 0

    def reconsider(self, subscriber_id: str, due: Mapping[DigestKind, datetime]) -> int:
        """Decide again about what is held, now, and move open digests to these times; how many deliveries."""
        held: dict[str, list[str]] = {}
        channels = {name.decode() for name in self._call("HKEYS", self._keys("channels"))}
        for delivery in self.waiting_of(subscriber_id):
            if delivery.status is DeliveryStatus.HELD and not delivery.digest:
                held.setdefault(delivery.channel_id, []).append(delivery.delivery_id)
        digests = {str(DigestName(subscriber_id, c, kind.value)): at for c in channels for kind, at in due.items()}
        moves = [("ZADD", self._keys("digests"), "XX", f"{at.timestamp():.3f}", name) for name, at in digests.items()]
        if moves:
            self._calls(moves)
        pages = [[channel, *ids[i : i + _PAGE]] for channel, ids in held.items() for i in range(0, len(ids), _PAGE)]
        return sum(self._run_many("hasten", pages)) if pages else 0


def _rings(row: Any) -> tuple[Ring, ...]:
    """Rings from either protocol's answer: RESP3 gives pairs, RESP2 a flat list."""
    pairs = row if row and isinstance(row[0], (list, tuple)) else list(zip(row[::2], row[1::2], strict=True))
    return tuple(Ring(datetime.fromtimestamp(float(at), UTC), int(name[:1]), name[2:].decode()) for name, at in pairs)


def _first(exists: int, delivery_id: str, is_carried: bool, row: Sequence[bytes | None]) -> FirstTold:
    status, due, digest, _ = row
    return FirstTold(
        delivery_id=delivery_id,
        is_known=bool(exists),
        status=DeliveryStatus(status.decode()) if status else None,
        due_at=datetime.fromtimestamp(float(due), UTC) if due and float(due) else None,
        digest=(digest or b"").decode(),
        is_carried=is_carried,
    )


def _settle_arguments(owner: str, settlement: Settlement) -> list[Arg]:
    delivery = settlement.delivery
    due, later, sent = (_stamp(at) for at in (delivery.due_at, settlement.later_at, delivery.sent_at))
    head: list[Arg] = [owner, delivery.delivery_id, delivery.channel_id, delivery.status.value, delivery.attempts, delivery.reason[:500]]
    times = (due or "0", f"{delivery.paused_s:.3f}", sent)
    return [*head, *times, delivery.digest, later or due or "0", settlement.carries, int(delivery.is_repeat)]


def _release_arguments(owner: str, release: Release) -> list[Arg]:
    delivery = release.delivery
    ids = (delivery.delivery_id, delivery.subscriber_id, delivery.channel_id)
    return [owner, *ids, delivery.policy[:500], release.urgency, release.carries]


def _stamp(at: datetime | None) -> str:
    return f"{at.timestamp():.3f}" if at else ""
