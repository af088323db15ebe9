"""The deliverer's part of the store: expand bells, freeze digests; lanes are in lanes.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.models import Alert, Bell, Delivery, Rule
from alerts.ports import Expansion, Fanout, Outcome
from alerts.state.codec import ALERT, BELL, DELIVERY
from alerts.state.lanes import LaneKeeper
from alerts.state.scripts import Arg
from alerts.state.sift import load_rule
from alerts.text.fingerprint import content_id


class DeliverKeeper(LaneKeeper):
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
        head = (expansion.bell_id, expansion.expected_cursor, expansion.cursor, self._keep_s, int(expansion.is_urgent))
        return [*head, len(expansion.alerts), *alerts, len(expansion.deliveries), *deliveries]

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
