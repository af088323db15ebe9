"""Open digests: frozen when their time has come, each by one call that moves its members into the delivery that tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from alerts.models import Alert, Delivery
from alerts.preferences import DigestKind
from alerts.state.codec import ALERT, DELIVERY
from alerts.state.deliver import DeliverKeeper
from alerts.state.scripts import Arg
from alerts.text.fingerprint import content_id

_MOST_MEMBERS = 500  # of one digest; more make another one
_MOST_FROZEN = 200  # in one call: what is left is due at the next sweep
_TRIES = 3  # a digest that grows while it is frozen is read again


class DigestName(NamedTuple):
    """Whose digest it is, where it is told, and why there is one."""

    subscriber_id: str
    channel_id: str
    kind: str

    def __str__(self) -> str:
        return ":".join(self)


def read_name(text: str) -> DigestName:
    """The parts of <subscriber>:<channel>:<kind>."""
    subscriber, _, rest = text.partition(":")
    channel, _, kind = rest.partition(":")
    return DigestName(subscriber, channel, kind or DigestKind.AWAY.value)


class DigestKeeper(DeliverKeeper):
    """The part of `ports.DeliverStore` that is about digests."""

    def freeze_digests(self) -> int:
        """Turn the open digests that are due into one delivery each; how many."""
        now = self.now()
        due = self._call("ZRANGEBYSCORE", self._keys("digests"), "-inf", now.timestamp(), "LIMIT", 0, _MOST_FROZEN)
        names, frozen = [name.decode() for name in due], 0
        for _ in range(_TRIES):
            answers = self._freeze(names, now)
            frozen += answers.count(b"done")
            names = [name for name, answer in zip(names, answers, strict=True) if answer == b"stale"]
            if not names:
                break
        return frozen

    def _freeze(self, names: Sequence[str], now: datetime) -> list[bytes]:
        if not names:
            return []
        rows = self._calls([("ZRANGE", self._keys("digest", name), 0, _MOST_MEMBERS - 1) for name in names])
        members = [[m.decode() for m in row] for row in rows]
        held = {d.delivery_id: d for d in self.deliveries_by_id([m for row in members for m in row])}
        alerts = self.alerts_by_id({d.alert_id for d in held.values()})
        of = {i: alerts[d.alert_id] for i, d in held.items() if d.alert_id in alerts}
        calls = [self._freeze_arguments(name, row, of, now) for name, row in zip(names, members, strict=True)]
        return self._run_many("freeze_digest", calls)

    def _freeze_arguments(self, name: str, members: Sequence[str], alert_of: Mapping[str, Alert], now: datetime) -> list[Arg]:
        digest = read_name(name)
        alert, delivery = digest_delivery(digest, members, [alert_of[m] for m in members if m in alert_of], now)
        head = (name, alert.alert_id, ALERT.dump(alert), delivery.delivery_id, DELIVERY.dump(delivery))
        return [*head, digest.subscriber_id, digest.channel_id, self._keep_s, len(members), *members]


def digest_delivery(digest: DigestName, members: Sequence[str], alerts: Sequence[Alert], now: datetime) -> tuple[Alert, Delivery]:
    """The alert and delivery of a digest; its number is a hash of its members, so that freezing again gives the same ones."""
    number = content_id("digest", digest.subscriber_id, *sorted(members))
    alert = Alert(
        alert_id=content_id("alert", digest.subscriber_id, number, "digest"),
        subscriber_id=digest.subscriber_id,
        story_id=number,
        occasion=f"digest:{digest.kind}:{number}",
        bell_ids=tuple(dict.fromkeys(b for one in alerts for b in one.bell_ids)),
        rule_ids=tuple(sorted({r for one in alerts for r in one.rule_ids})),
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    delivery = Delivery(
        delivery_id=content_id("delivery", digest.subscriber_id, alert.story_id, alert.occasion, digest.channel_id),
        alert_id=alert.alert_id,
        subscriber_id=digest.subscriber_id,
        channel_id=digest.channel_id,
        created_at=now,
    )
    return alert, delivery
