"""What a person asks about alerts and deliveries: which rang, why, why not; send again, take back."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.errors import NotFoundError
from alerts.models import Alert, Bell, Delivery, Operand, Tagged
from alerts.service.channels import ChannelDesk
from alerts.service.sources import SourceDesk
from alerts.service.stories import StoryDesk
from alerts.text.fingerprint import content_id

_FANOUTS = 1000  # bells looked through for one that is being expanded


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert with what it told and where it went."""

    alert: Alert
    bell: Bell
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """At which stage an item was or was not told to a rule's subscriber, in words.

    `stage` is one of: unknown | not matched | silent | told before | expanding | told | not told.
    """

    stage: str
    reason: str
    tagged: Tagged | None = None
    operands: tuple[Operand, ...] = ()
    alert: Alert | None = None
    deliveries: tuple[Delivery, ...] = ()


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
        """Where an item's way to a rule's subscriber ended. For old items it asks today's rule.

        Raises:
            NotFoundError: Nobody knows the rule.
        """
        rule = self.rule(rule_id)
        found = self.tools.state.archived_item(item_id)
        if found is None:
            return Why("unknown", "no such item in the archive: not found yet, found in a first poll (baseline), or past its keep time")
        tagged, story_id, stage = found
        trial = self.try_query(rule.query, tagged, is_unknown_in=rule.is_unknown_in)
        if not rule.is_enabled:
            return Why("silent", "the rule is paused", tagged, trial.operands)
        if not trial.is_match:
            return Why("not matched", "today's rule does not match the item", tagged, trial.operands)
        return self._told(rule.subscriber_id, rule_id, story_id, Why("sifted", stage, tagged, trial.operands))

    def _told(self, subscriber_id: str, rule_id: str, story_id: str, so_far: Why) -> Why:
        """What became of the story's first alert to the subscriber."""
        alert_id = content_id("alert", subscriber_id, story_id, "first")
        try:
            view = self.alert(alert_id)
        except NotFoundError:
            if any(fanout.bell.story_id == story_id for fanout in self.tools.state.next_fanouts(_FANOUTS)):
                return Why("expanding", "a bell was rung; who must be told is being written", so_far.tagged, so_far.operands)
            reason = f"it matches today's rule, but no alert was made: {so_far.reason}"
            return Why("silent", reason, so_far.tagged, so_far.operands)
        if rule_id not in view.alert.rule_ids:
            reason = f"the subscriber was told this story by {', '.join(view.alert.rule_ids)}"
            stage = "told before"
        elif not view.deliveries:
            stage, reason = "not told", "an alert was made, but the subscriber has no channel: `tocsin channels add`"
        else:
            told = [d for d in view.deliveries if d.status == "sent"]
            stage = "told" if told else "not told"
            reason = "; ".join(f"{d.channel_id}: {d.status.value} {d.reason}".strip() for d in view.deliveries)
        return Why(stage, reason, so_far.tagged, so_far.operands, view.alert, view.deliveries)

    def deliveries(self, *, status: str = "", limit: int = 50) -> list[Delivery]:
        """Deliveries in a status ('' = any), newest first."""
        return self.tools.state.deliveries(status=status, limit=limit)

    def replay_delivery(self, delivery_id: str) -> None:
        """Send a delivery that has ended once more. Raises: NotFoundError, StateError."""
        self.tools.state.replay_delivery(delivery_id)
        self.tools.wake_up("deliver")

    def drop_delivery(self, delivery_id: str) -> None:
        """Take a pending delivery back. Raises: NotFoundError, StateError."""
        self.tools.state.drop_delivery(delivery_id, "dropped by hand")
