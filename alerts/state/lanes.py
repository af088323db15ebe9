"""The lanes in the store: which are due, claims within the rate limits, results, and lanes given back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from alerts.errors import StateError
from alerts.models import Alert, Attempt, Bell, Channel, Delivery, DeliveryStatus, Rule
from alerts.ports import Breaker, ChannelBook, DueLane, Lane, LaneAsk, LaneEnd, Outcome, Parcel, Verdict
from alerts.state.base import Base, as_hash
from alerts.state.codec import ALERT, BELL, BREAKER, CHANNEL, DELIVERY
from alerts.state.scripts import Arg
from alerts.state.sift import load_rule

_PROBE = 2  # deliveries taken from a channel that fails: the first, and one to look past it
_PAGE = 100  # results, or lanes, written by one call of a script
_MOST_CLAIMED = 400  # deliveries claimed by one call
_MOST_TRIED = 10  # attempts kept of one delivery
_LONGEST_REASON = 500

T = TypeVar("T")


class LaneKeeper(Base):
    """Implements a part of `ports.DeliverStore`."""

    _book: tuple[bytes, ChannelBook] | None = None  # and the version it has

    def channel_book(self) -> ChannelBook:
        """All channels as they are now; the same object as before when none was changed."""
        return self._book_of(self._call("GET", self._keys("channels:version")) or b"")

    def _book_of(self, version: bytes) -> ChannelBook:
        """The channels as of a version that was asked for before: what is changed meanwhile is seen next time."""
        if self._book is None or self._book[0] != version or not version:
            rows = sorted(self._large_hash("channels").items())
            self._book = version, ChannelBook([CHANNEL.load(row) for _, row in rows])
        return self._book[1]

    def due_lanes(self, *, limit: int, skip: int = 0) -> list[DueLane]:
        """Channels with something due that nobody serves: the urgent ones first, then who waits longest."""
        version, urgent, others = self._run("due_lanes", limit, skip)
        by_id = self._book_of(version).by_id
        return [
            DueLane(by_id.get(channel_id) or _removed(channel_id), is_urgent)
            for rows, is_urgent in ((urgent, True), (others, False))
            for channel_id in (row.decode() for row in rows)
        ]

    def claim_lanes(self, owner: str, asks: Sequence[LaneAsk], *, batch: int, lease_s: float) -> list[Lane]:
        """The lanes that may go on, with their due deliveries, now `sending`."""
        if not asks:
            return []
        lanes = [_ask_arguments(ask) for ask in asks]
        pages = pages_of(lanes, max(1, _MOST_CLAIMED // batch))
        calls = [(owner, batch, lease_s, _PROBE, len(page), *(a for row in page for a in row)) for page in pages]
        rows = [row for answer in self._run_many("claim_lanes", calls) for row in answer]
        claimed = [(row[0].decode(), row[1], [load_delivery(i, as_hash(h)) for i, h in row[2:]]) for row in rows]
        alerts = self.alerts_by_id({d.alert_id for _, _, ds in claimed for d in ds})
        bells = self.bells_by_id({b for alert in alerts.values() for b in alert.bell_ids})
        rules = self.rules_by_id({r for alert in alerts.values() for r in alert.rule_ids})
        channels = {ask.channel.channel_id: ask.channel for ask in asks}
        return [
            Lane(
                channels[channel_id],
                tuple(_parcel(d, alerts[d.alert_id], bells, rules) for d in deliveries if d.alert_id in alerts),
                BREAKER.load(breaker) if breaker else None,
            )
            for channel_id, breaker, deliveries in claimed
        ]

    def record(self, owner: str, verdicts: Sequence[Verdict]) -> list[Outcome]:
        """Write results; stale when the delivery's lease was lost to another worker."""
        rows = [_verdict_arguments(verdict) for verdict in verdicts]
        calls = [(owner, len(page), *(a for row in page for a in row)) for page in pages_of(rows)]
        return [Outcome(a.decode()) for answer in self._run_many("record", calls) for a in answer] if calls else []

    def release_lanes(self, owner: str, ends: Sequence[LaneEnd]) -> None:
        """Give channels back."""
        rows = [_end_arguments(end) for end in ends]
        calls = [(owner, len(page), *(a for row in page for a in row)) for page in pages_of(rows)]
        if calls:
            self._run_many("release_lanes", calls)

    def breakers(self) -> dict[str, Breaker]:
        """channel id -> what is known of a channel that fails."""
        return {name.decode(): BREAKER.load(row) for name, row in self._hash("breakers").items()}

    # ------------------------------------------------------------ what a delivery is made of

    def rules_by_id(self, rule_ids: Iterable[str]) -> dict[str, Rule]:
        """rule id -> rule, of those that still exist."""
        ids = sorted(rule_ids)
        rows = self._call("HMGET", self._keys("rules"), *ids) if ids else []
        return {i: load_rule(row) for i, row in zip(ids, rows, strict=True) if row}

    def alerts_by_id(self, alert_ids: Iterable[str]) -> dict[str, Alert]:
        """alert id -> alert with its rule ids, of those that still exist."""
        ids = sorted(alert_ids)
        return {i: load_alert(row) for i, row in zip(ids, self._hashes("alert", ids), strict=True) if row}

    def bells_by_id(self, bell_ids: Iterable[str]) -> dict[str, Bell]:
        """bell id -> bell, of those that still exist."""
        ids = sorted(bell_ids)
        rows = self._calls([("HGET", self._keys("bell", i), "json") for i in ids]) if ids else []
        return {i: BELL.load(row) for i, row in zip(ids, rows, strict=True) if row}

    def deliveries_by_id(self, delivery_ids: Sequence[str]) -> list[Delivery]:
        """Deliveries in the order of the ids, without those that no longer exist."""
        rows = self._hashes("delivery", delivery_ids)
        return [load_delivery(i, row) for i, row in zip(delivery_ids, rows, strict=True) if row]

    def _hashes(self, name: str, ids: Sequence[str]) -> list[dict[bytes, bytes]]:
        """The hashes of that name, one for each id; an empty one where there is none."""
        calls = [[f"{name}:{i}" for i in page] for page in pages_of(ids)]
        return [as_hash(row) for answer in self._run_many("read_hashes", calls) for row in answer] if calls else []


def pages_of(rows: Sequence[T], most: int = _PAGE) -> list[Sequence[T]]:
    """The rows in pages of what one call of a script may write without holding up others."""
    return [rows[start : start + most] for start in range(0, len(rows), most)]


def _removed(channel_id: str) -> Channel:
    """A channel that is no longer there: its deliveries are to be dropped."""
    return Channel(channel_id=channel_id, url="", is_enabled=False, error="the channel was removed")


def _ask_arguments(ask: LaneAsk) -> list[Arg]:
    return [ask.channel.channel_id, len(ask.buckets), *(part for bucket in ask.buckets for part in bucket)]


def _parcel(delivery: Delivery, alert: Alert, bells: Mapping[str, Bell], rules: Mapping[str, Rule]) -> Parcel:
    known = [rules[r] for r in alert.rule_ids if r in rules]
    return Parcel(
        delivery,
        alert,
        tuple(bells[b] for b in alert.bell_ids if b in bells),
        tuple((rules[r].name or r) if r in rules else r for r in alert.rule_ids),
        tuple(rule.query for rule in known),
        is_resent=not known or any(rule.on_ambiguous != "drop" for rule in known),
    )


def _verdict_arguments(verdict: Verdict) -> list[Arg]:
    delivery = verdict.delivery
    due = f"{delivery.due_at.timestamp():.3f}" if delivery.due_at else 0
    sent = delivery.sent_at.timestamp() if delivery.sent_at else ""
    head: list[Arg] = [delivery.delivery_id, delivery.channel_id, delivery.status.value, delivery.attempts]
    tail: list[Arg] = [sent, dump_tried(delivery.tried), int(verdict.keeps_place)]
    return [*head, delivery.reason[:_LONGEST_REASON], due, int(delivery.is_repeat), *tail]


def _end_arguments(end: LaneEnd) -> list[Arg]:
    breaker = b"closed" if end.is_well else b""
    if end.breaker:
        breaker = BREAKER.dump(end.breaker)
    return [end.channel_id, end.rest_s, breaker, end.limited, end.asked_s]


# ---------------------------------------------------------------- hashes


def load_alert(row: Mapping[bytes, bytes]) -> Alert:
    """An alert from its hash."""
    rules = sorted(name.decode().removeprefix("rule:") for name in row if name.startswith(b"rule:"))
    alert = ALERT.load(row[b"json"])
    return replace(alert, rule_ids=tuple(rules)) if rules else alert


def load_delivery(delivery_id: bytes | str, row: Mapping[bytes, bytes]) -> Delivery:
    """A delivery from its hash. Raises: StateError when it is torn."""
    if b"json" not in row:
        raise StateError(f"delivery {delivery_id!r} is torn; `tocsin deliveries drop` removes it")
    return replace(
        DELIVERY.load(row[b"json"]),
        status=DeliveryStatus(row[b"status"].decode()),
        attempts=int(row[b"attempts"]),
        reason=row.get(b"reason", b"").decode(),
        is_repeat=row.get(b"repeat") == b"1",
        is_replay=row.get(b"replay") == b"1",
        policy=row.get(b"policy", b"").decode(),
        digest=row.get(b"digest", b"").decode(),
        paused_s=float(row.get(b"paused", 0)),
        due_at=_time(row.get(b"due")),
        queued_at=_time(row.get(b"queued")),
        sent_at=_time(row.get(b"sent")),
        tried=_load_tried(row[b"tried"]) if b"tried" in row else (),
    )


def _time(data: Any) -> datetime | None:
    return datetime.fromtimestamp(float(data), UTC) if data else None


def dump_tried(tried: Sequence[Attempt]) -> str:
    """The last attempts as lines of Unix seconds, result and words."""
    return "\n".join(f"{a.at.timestamp():.3f}\t{a.result}\t{' '.join(a.detail.split())[:_LONGEST_REASON]}" for a in tried[-_MOST_TRIED:])


def _load_tried(data: bytes) -> tuple[Attempt, ...]:
    rows = (line.split("\t", 2) for line in data.decode().split("\n") if line)
    return tuple(Attempt(datetime.fromtimestamp(float(at), UTC), result, detail) for at, result, detail in rows)
