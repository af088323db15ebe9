"""The deliverer's part of the store: expand bells, claim lanes, record verdicts, freeze digests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.errors import StateError
from alerts.models import Alert, Bell, Channel, Delivery, DeliveryStatus, Rule
from alerts.ports import Expansion, Fanout, Lane, Outcome, Parcel, Verdict
from alerts.state.base import Base, as_hash
from alerts.state.codec import ALERT, BELL, CHANNEL, DELIVERY
from alerts.state.scripts import Arg
from alerts.state.sift import load_rule
from alerts.text.fingerprint import content_id


class DeliverKeeper(Base):
    """Implements `ports.DeliverStore`."""

    def next_fanouts(self, limit: int) -> list[Fanout]:
        """Bells not yet expanded, oldest first."""
        ids = self._call("ZRANGE", self._keys("fanouts"), 0, limit - 1)
        rows = self._calls([("HMGET", self._keys("bell", i.decode()), "json", "cursor") for i in ids]) if ids else []
        gone = [i for i, (data, _) in zip(ids, rows, strict=True) if data is None]
        if gone:  # past its keep time
            self._call("ZREM", self._keys("fanouts"), *gone)
        return [Fanout(BELL.load(data), cursor.decode()) for data, cursor in rows if data is not None]

    def rules_of_query(self, query_id: str, *, after: str, limit: int) -> tuple[list[Rule], str]:
        """Rules with this query in the order of their ids, after that id; and the id to go on after ('' = no more)."""
        low = f"({after}" if after else "-"
        ids = self._call("ZRANGEBYLEX", self._keys("query", query_id), low, "+", "LIMIT", 0, limit)
        rows = self._call("HMGET", self._keys("rules"), *ids) if ids else []
        # One that was removed in between makes the page shorter, not the last.
        return [load_rule(row) for row in rows if row], ids[-1].decode() if len(ids) == limit else ""

    def start_cooldowns(self, bell_id: str, cooldowns: Mapping[str, float]) -> frozenset[str]:
        """Which of these rules may ring: those that no other bell rang within their seconds. Asking again changes nothing."""
        rules = list(cooldowns)
        started = [("SET", self._keys("cooling", r), bell_id, "NX", "EX", max(1, round(cooldowns[r]))) for r in rules]
        held = self._calls([*started, *(("GET", self._keys("cooling", r)) for r in rules)])[len(rules) :] if rules else []
        return frozenset(r for r, bell in zip(rules, held, strict=True) if bell == bell_id.encode())

    def commit_expansions(self, expansions: Sequence[Expansion]) -> list[Outcome]:
        """Write chunks of alerts and deliveries and move their cursors, all in one round trip."""
        if not expansions:
            return []
        answers = self._run_many("commit_expansion", [self._expansion_arguments(e) for e in expansions])
        return [Outcome(a.decode()) for a in answers]

    def _expansion_arguments(self, expansion: Expansion) -> list[Arg]:
        alerts: list[Arg] = []
        for alert in expansion.alerts:
            alerts += [alert.alert_id, alert.subscriber_id, ALERT.dump(replace(alert, rule_ids=()))]
            alerts += [len(alert.rule_ids), *alert.rule_ids]
        deliveries: list[Arg] = []
        for delivery in expansion.deliveries:
            deliveries += [delivery.delivery_id, delivery.alert_id, delivery.channel_id, DELIVERY.dump(delivery)]
        head = (expansion.bell_id, expansion.expected_cursor, expansion.cursor, self._keep_s)
        return [*head, len(expansion.alerts), *alerts, len(expansion.deliveries), *deliveries]

    def claim_lanes(self, owner: str, *, lanes: int, batch: int, lease_s: float) -> list[Lane]:
        """Channels with something due that nobody else serves, and their due deliveries, now `sending`."""
        rows = self._run("claim_lanes", owner, lanes, batch, lease_s)
        claimed = [(row[0].decode(), row[1], [load_delivery(i, as_hash(h)) for i, h in row[2:]]) for row in rows]
        alerts = self.alerts_by_id({d.alert_id for _, _, ds in claimed for d in ds})
        bells = self.bells_by_id({b for alert in alerts.values() for b in alert.bell_ids})
        rules = self._rules_by_id({r for alert in alerts.values() for r in alert.rule_ids})
        return [
            Lane(
                CHANNEL.load(channel) if channel else _removed(channel_id),
                tuple(_parcel(d, alerts, bells, rules) for d in deliveries if d.alert_id in alerts),
            )
            for channel_id, channel, deliveries in claimed
        ]

    def _rules_by_id(self, rule_ids: Iterable[str]) -> dict[str, Rule]:
        ids = sorted(rule_ids)
        rows = self._call("HMGET", self._keys("rules"), *ids) if ids else []
        return {i: load_rule(row) for i, row in zip(ids, rows, strict=True) if row}

    def alerts_by_id(self, alert_ids: Iterable[str]) -> dict[str, Alert]:
        """alert id -> alert with its rule ids, of those that still exist."""
        ids = sorted(alert_ids)
        rows = self._calls([("HGETALL", self._keys("alert", i)) for i in ids]) if ids else []
        found = {i: as_hash(row) for i, row in zip(ids, rows, strict=True)}
        return {i: load_alert(row) for i, row in found.items() if row}

    def bells_by_id(self, bell_ids: Iterable[str]) -> dict[str, Bell]:
        """bell id -> bell, of those that still exist."""
        ids = sorted(bell_ids)
        rows = self._calls([("HGET", self._keys("bell", i), "json") for i in ids]) if ids else []
        return {i: BELL.load(row) for i, row in zip(ids, rows, strict=True) if row}

    def deliveries_by_id(self, delivery_ids: Sequence[str]) -> list[Delivery]:
        """Deliveries in the order of the ids, without those that no longer exist."""
        rows = self._calls([("HGETALL", self._keys("delivery", i)) for i in delivery_ids]) if delivery_ids else []
        return [load_delivery(i, as_hash(row)) for i, row in zip(delivery_ids, rows, strict=True) if row]

    def record(self, owner: str, verdicts: Sequence[Verdict]) -> list[Outcome]:
        """Write results; stale when the delivery's lease was lost to another worker."""
        if not verdicts:
            return []
        answers = self._run_many("record", [_record_arguments(owner, v.delivery) for v in verdicts])
        return [Outcome(a.decode()) for a in answers]

    def release_lane(self, owner: str, channel_id: str, *, not_before_s: float = 0.0) -> None:
        """Give the channel back."""
        self._run("release_lane", owner, channel_id, not_before_s)

    def put_bell(self, bell: Bell) -> bool:
        """Keep a bell that is expanded by its maker; False when it is there already."""
        key = self._keys("bell", bell.bell_id)
        made, *_ = self._calls(
            [("HSETNX", key, "json", BELL.dump(bell)), ("HSETNX", key, "cursor", "0:"), ("EXPIRE", key, self._keep_s)]
        )
        return bool(made)

    def freeze_digests(self, older_than_s: float) -> int:
        """Turn digests whose first member waits that long into one delivery a channel."""
        now = self.now()
        due = self._call("ZRANGEBYSCORE", self._keys("digests"), "-inf", now.timestamp() - older_than_s)
        return sum(self._freeze(name.decode(), now) for name in due)

    def now(self) -> datetime:
        """The store's own time."""
        seconds, micros = self._call("TIME")
        return datetime.fromtimestamp(int(seconds) + int(micros) / 1e6, UTC)

    def _freeze(self, digest: str, now: datetime) -> bool:
        subscriber, _, channel = digest.partition(":")
        members = [m.decode() for m in self._call("ZRANGE", self._keys("digest", digest), 0, 499)]
        if not members:
            self._call("ZREM", self._keys("digests"), digest)
            return False
        held = self.deliveries_by_id(members)
        alerts = self.alerts_by_id({d.alert_id for d in held})
        alert = _digest_alert(subscriber, members, [alerts[d.alert_id] for d in held if d.alert_id in alerts], now)
        delivery = Delivery(
            delivery_id=content_id("delivery", subscriber, alert.story_id, alert.occasion, channel),
            alert_id=alert.alert_id,
            subscriber_id=subscriber,
            channel_id=channel,
            created_at=now,
        )
        head = (subscriber, channel, alert.alert_id, ALERT.dump(alert), delivery.delivery_id, DELIVERY.dump(delivery))
        return bool(self._run("freeze_digest", *head, self._keep_s, len(members), *members) == b"done")


def _digest_alert(subscriber: str, members: Sequence[str], alerts: Sequence[Alert], now: datetime) -> Alert:
    """The alert of a digest; its number is a hash of its members, so that freezing again gives the same one."""
    number = content_id("digest", subscriber, *sorted(members))
    return Alert(
        alert_id=content_id("alert", subscriber, number, "digest"),
        subscriber_id=subscriber,
        story_id=number,
        occasion=f"digest:{number}",
        bell_ids=tuple(dict.fromkeys(b for alert in alerts for b in alert.bell_ids)),
        rule_ids=tuple(sorted({r for alert in alerts for r in alert.rule_ids})),
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


def _removed(channel_id: str) -> Channel:
    """A channel that is no longer there: its deliveries are to be dropped."""
    return Channel(channel_id=channel_id, url="", is_enabled=False, error="the channel was removed")


def _parcel(delivery: Delivery, alerts: Mapping[str, Alert], bells: Mapping[str, Bell], rules: Mapping[str, Rule]) -> Parcel:
    alert = alerts[delivery.alert_id]
    return Parcel(
        delivery,
        alert,
        tuple(bells[b] for b in alert.bell_ids if b in bells),
        tuple(rules[r].name or r if r in rules else r for r in alert.rule_ids),
        tuple(rules[r].query for r in alert.rule_ids if r in rules),
    )


def load_alert(row: Mapping[bytes, bytes]) -> Alert:
    """An alert from its hash."""
    rules = sorted(name.decode().removeprefix("rule:") for name in row if name.startswith(b"rule:"))
    alert = ALERT.load(row[b"json"])
    return replace(alert, rule_ids=tuple(rules) or alert.rule_ids)


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
        due_at=_time(row.get(b"due")),
        sent_at=_time(row.get(b"sent")),
    )


def _time(data: Any) -> datetime | None:
    return datetime.fromtimestamp(float(data), UTC) if data else None


def _record_arguments(owner: str, delivery: Delivery) -> list[Arg]:
    due = delivery.due_at.timestamp() if delivery.due_at else 0
    sent = delivery.sent_at.timestamp() if delivery.sent_at else ""
    head: list[Arg] = [owner, delivery.delivery_id, delivery.channel_id, delivery.status.value, delivery.attempts]
    return [*head, delivery.reason[:500], due, int(delivery.is_repeat), sent, delivery.subscriber_id]
