"""What a person asks about alerts and deliveries: which rang, why, why not; send again, take back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from alerts.models import Alert, Bell, Delivery, DeliveryStatus, Operand, ReceiptStatus, Rule, Tagged
from alerts.service.channels import ChannelDesk
from alerts.service.sources import SourceDesk
from alerts.service.stories import StoryDesk

_FANOUTS = 1000  # bells looked through for one that is being expanded
_MISSED = (DeliveryStatus.DEAD, DeliveryStatus.DROPPED, DeliveryStatus.EXPIRED)
_MOST_MISSED = 10_000
_WAITS = {DeliveryStatus.RETRY: "to be tried again", DeliveryStatus.HELD: "held until then"}
_ALERTS = 2_000  # the newest alerts of a subscriber that are looked through
_LATE = timedelta(minutes=1)  # between finding an item and ringing for one that was found at the same time
_TIME = "%Y-%m-%d %H:%M:%SZ"
_TOLD = {DeliveryStatus.SENT, DeliveryStatus.DIGESTED}
_DECIDED = {DeliveryStatus.HELD, DeliveryStatus.DROPPED, DeliveryStatus.EXPIRED}  # nobody tried: policy said no, or not now


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert with what it told and where it went."""

    alert: Alert
    bell: Bell
    deliveries: tuple[Delivery, ...]


class Moment(NamedTuple):
    """Something that happened on an alert's way; `channel_id` is empty before it was put into a channel's lane."""

    at: datetime
    what: str
    channel_id: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """At which stage an item was or was not told to a rule's subscriber, in words.

    `stage` is one of: unknown | told | policy | not told | told before | expanding | paused | expired | not matched |
    cooldown | silent. `note` says which rule was asked.
    """

    stage: str
    reason: str
    tagged: Tagged | None = None
    operands: tuple[Operand, ...] = ()
    alert: Alert | None = None
    deliveries: tuple[Delivery, ...] = ()
    note: str = ""


class AlertDesk(SourceDesk, ChannelDesk, StoryDesk):
    """Alerts and deliveries."""

    def alerts(self, *, subscriber_id: str = "me", limit: int = 50) -> list[AlertView]:
        """Alerts of a subscriber, newest first. Raises: NotFoundError."""
        self.check_subscriber(subscriber_id)
        return [AlertView(a, b, ()) for a, b in self.tools.state.alerts(subscriber_id=subscriber_id, limit=limit)]

    def alert(self, alert_id: str) -> AlertView:
        """One alert with its deliveries. Raises: NotFoundError."""
        alert, bell, deliveries = self.tools.state.alert(alert_id)
        return AlertView(alert, bell, tuple(deliveries))

    def items(self, *, limit: int = 50) -> list[tuple[Tagged, str, str]]:
        """(item, story id, stage) of what was sifted, newest first."""
        return self.tools.state.archived(limit=limit)

    def dead_items(self) -> list[tuple[str, str, str]]:
        """(entry id, item id, reason) of items that could not be sifted and were given up."""
        return self.tools.state.dead_items()

    def retry_item(self, entry_id: str) -> None:
        """Put such an item back on the queue. Raises: NotFoundError."""
        self.tools.state.replay_item(entry_id)
        self.tools.wake_up("sift")

    def why(self, item_id: str, rule_id: str) -> Why:
        """Where an item's way to a rule's subscriber ended. It asks the rule as it is today, and says so.

        Raises:
            NotFoundError: Nobody knows the rule.
        """
        rule = self.rule(rule_id)
        found = self.tools.state.archived_item(item_id)
        if found is None:
            return Why("unknown", "no such item in the archive: not found yet, found in a first poll (baseline), or past its keep time")
        tagged, story_id, stage = found
        trial = self.try_query(rule.query, tagged, is_unknown_in=rule.is_unknown_in)
        asked = Why("", stage, tagged, trial.operands, note=self._which_rule(rule, tagged))
        return self._told(rule, story_id, asked) or self._silent(rule, story_id, asked, is_match=trial.is_match)

    def _which_rule(self, rule: Rule, tagged: Tagged) -> str:
        """Whether the rule that is asked is the one that the item met."""
        changed_at = self.tools.state.rule_changed_at(rule.rule_id)
        if changed_at and changed_at > tagged.change.found_at:
            return f"today's rule was asked; it was added or changed at {changed_at:{_TIME}}, after the item was found"
        return "today's rule was asked; it has not changed since the item was found"

    def _told(self, rule: Rule, story_id: str, so_far: Why) -> Why | None:
        """What became of the story's alerts to the subscriber; None when there is none, or none by this rule though it matches."""
        views = [v for v in self._alerts_of(rule.subscriber_id, story_id) if rule.rule_id in v.alert.rule_ids]
        if not views:
            return None
        view = views[0]
        if not view.deliveries:
            reason = "an alert was made, but no channel of the subscriber takes it: `tocsin channels add`"
            return replace(so_far, stage="not told", reason=reason, alert=view.alert)
        states = {d.status for d in view.deliveries}
        stage = "policy" if states <= _DECIDED else "not told" if states.isdisjoint(_TOLD) else "told"
        reason = "; ".join(_came_to(d) for d in view.deliveries)
        return replace(so_far, stage=stage, reason=reason, alert=view.alert, deliveries=view.deliveries)

    def _alerts_of(self, subscriber_id: str, story_id: str) -> list[AlertView]:
        """Alerts of a story to a subscriber, the first one first, with their deliveries."""
        found = [a for a, _ in self.tools.state.alerts(subscriber_id=subscriber_id, limit=_ALERTS) if a.story_id == story_id]
        return [self.alert(a.alert_id) for a in reversed(found)]

    def _silent(self, rule: Rule, story_id: str, so_far: Why, *, is_match: bool | None) -> Why:
        """Why no alert of the story names the rule; the first reason that holds."""
        assert so_far.tagged is not None
        rung_at = so_far.tagged.change.found_at
        others = [v.alert for v in self._alerts_of(rule.subscriber_id, story_id)]
        if not rule.is_enabled:
            return replace(so_far, stage="paused", reason="the rule is paused")
        if not is_match:
            return replace(so_far, stage="not matched", reason="today's rule does not match the item")
        if rule.expires_at and rung_at >= rule.expires_at:
            return replace(so_far, stage="expired", reason=f"the rule rings no more since {rule.expires_at:{_TIME}}")
        if any(fanout.bell.story_id == story_id for fanout in self.tools.state.next_fanouts(_FANOUTS)):
            return replace(so_far, stage="expanding", reason="a bell was rung; who must be told is being written")
        if cooling := self._cooling(rule, rung_at):
            return replace(so_far, stage="cooldown", reason=cooling)
        if others:
            reason = f"the subscriber was told this story by {', '.join(others[0].rule_ids)}"
            return replace(so_far, stage="told before", reason=reason, alert=others[0])
        return replace(so_far, stage="silent", reason=f"it matches today's rule, but no alert was made: {so_far.reason}")

    def _cooling(self, rule: Rule, at: datetime) -> str:
        """What the rule had rung for within its cooldown before a time; "" when nothing."""
        if not rule.cooldown_s:
            return ""
        span = timedelta(seconds=rule.cooldown_s)
        rung = self.tools.state.alerts(subscriber_id=rule.subscriber_id, limit=_ALERTS)
        before = next((a for a, _ in rung if rule.rule_id in a.rule_ids and at - span < a.created_at <= at + _LATE), None)
        if before is None:
            return ""
        return f"the rule rang at {before.created_at:{_TIME}} (alert {before.alert_id}) and is silent for {span} after that"

    def deliveries(self, *, status: str = "", channel_id: str = "", since_s: float = 0.0, limit: int = 50) -> list[Delivery]:
        """Deliveries in a status, to a channel ('' = any), of the last seconds (0 = all), newest first."""
        since = datetime.now(UTC) - timedelta(seconds=since_s) if since_s else None
        return self.tools.state.deliveries(status=status, channel_id=channel_id, since=since, limit=limit)

    def delivery(self, delivery_id: str) -> tuple[Delivery, AlertView]:
        """One delivery, and what it tells. Raises: NotFoundError."""
        delivery = self.tools.state.delivery(delivery_id)
        return delivery, self.alert(delivery.alert_id)

    def replay_delivery(self, delivery_id: str) -> None:
        """Send a delivery that has ended once more. Raises: NotFoundError, StateError."""
        self.tools.state.replay_delivery(delivery_id)
        self.tools.wake_up("deliver")

    def replay_missed(self, channel_id: str, *, since_s: float) -> int:
        """Send once more what a channel missed in the last seconds, in its order; how many deliveries. Raises: NotFoundError."""
        self.channel(channel_id)
        rows = self.deliveries(channel_id=channel_id, since_s=since_s, limit=_MOST_MISSED)
        missed = [d for d in reversed(rows) if d.status in _MISSED]
        for delivery in missed:
            self.tools.state.replay_delivery(delivery.delivery_id)
        self.tools.wake_up("deliver")
        return len(missed)

    def drop_delivery(self, delivery_id: str) -> None:
        """Take a pending delivery back. Raises: NotFoundError, StateError."""
        self.tools.state.drop_delivery(delivery_id, "dropped by hand")


def _came_to(delivery: Delivery) -> str:
    """What became of a delivery, and what policy said of it when that is not the reason itself."""
    words = f"{delivery.channel_id}: {delivery.status.value} {delivery.reason}".strip()
    return f"{words} (policy: {delivery.policy})" if delivery.policy not in ("", delivery.reason) else words


def timeline(view: AlertView) -> list[Moment]:
    """What happened on the way from the source to each channel, in the order of time."""
    tagged = view.bell.tagged
    item = tagged.change.item
    moments = [Moment(item.published_at, "published", detail=item.source_id)] if item.published_at else []
    moments += [Moment(tagged.change.found_at, "first seen"), Moment(view.bell.rung_at, "matched", detail=", ".join(view.alert.rule_ids))]
    return sorted([*moments, *(m for d in view.deliveries for m in delivery_moments(d))], key=lambda m: m.at)


def delivery_moments(delivery: Delivery) -> Iterator[Moment]:
    """What happened to one delivery: when it was written, each of the last attempts, and what it waits for."""
    channel_id = delivery.channel_id
    if delivery.queued_at:
        yield Moment(delivery.queued_at, "queued", channel_id)
    for attempt in delivery.tried:
        yield Moment(attempt.at, attempt.result, channel_id, attempt.detail)
    if delivery.sent_at and not any(attempt.result == ReceiptStatus.ACCEPTED for attempt in delivery.tried):
        yield Moment(delivery.sent_at, "accepted", channel_id, delivery.reason)
    waits = _WAITS.get(delivery.status)
    if delivery.due_at and waits:
        yield Moment(delivery.due_at, waits, channel_id, delivery.reason)
