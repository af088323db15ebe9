"""What a later `first` of a story brings: news for channels that were not told, a ring for those that only a digest told.

A delivery's id says subscriber, story, occasion and channel, so a channel hears `first` once. A channel that a rule names
later is told of the item that matched, in an alert of its own: the one that began the story speaks of another item, and may
have expired. A channel that has its `first`, but was not rung by it, gets an alert that rings now or not at all
(`delivery.followup.AT_ONCE`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from alerts.delivery.followup import AT_ONCE, QUIETLY
from alerts.models import Alert, Bell, Delivery
from alerts.pipeline.audience import UNTOLD
from alerts.pipeline.tools import Tools
from alerts.stories.life import FIRST
from alerts.text.fingerprint import content_id


def told_later(
    tools: Tools, bell: Bell, alerts: Mapping[str, Alert], deliveries: Iterable[Delivery]
) -> tuple[list[Alert], list[Delivery]]:
    """The alerts and deliveries as they are to be written: unchanged unless the story rang before.

    Args:
        alerts: id -> alert; those that exist already only learn of their new rules.
        deliveries: Of these alerts, told in no story that is kin.
    """
    wanted = list(deliveries)
    if not bell.rung:
        return list(alerts.values()), wanted
    written = tools.state.deliveries_by_id([delivery.delivery_id for delivery in wanted])
    earlier = {d.delivery_id: d for d in written if d.created_at and d.created_at < bell.rung_at}
    began = {alert_id for alert_id, alert in tools.state.alerts_by_id(alerts).items() if alert.bell_ids[0] != bell.bell_id}
    found, made = dict(alerts), list[Delivery]()
    for delivery in wanted:
        before, alert = earlier.get(delivery.delivery_id), alerts[delivery.alert_id]
        if before is None and delivery.alert_id in began:
            own = replace(alert, alert_id=later_id(alert.subscriber_id, bell.story_id, bell.bell_id))
            found[own.alert_id] = own
            made.append(replace(delivery, alert_id=own.alert_id))
        elif before is None:
            made.append(delivery)
        elif not bell.sibling_id and _was_not_rung(before):  # a sibling tells them that the story escalated
            louder = replace(alert, alert_id=content_id("alert", alert.subscriber_id, alert.story_id, AT_ONCE), occasion=AT_ONCE)
            found[louder.alert_id] = louder
            made.append(_at_once(louder, delivery))
    return list(found.values()), made


def without_sibling(tools: Tools, bell: Bell, deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Of these deliveries of what follows, those whose channel the `first` of the same item does not tell."""
    made = list(deliveries)
    if bell.occasion == FIRST or not bell.sibling_id or not made:
        return made
    firsts = {content_id("delivery", d.subscriber_id, bell.story_id, FIRST, d.channel_id): d.delivery_id for d in made}
    told = {
        firsts[d.delivery_id]
        for d in tools.state.deliveries_by_id(list(firsts))
        if d.alert_id == later_id(d.subscriber_id, bell.story_id, bell.sibling_id)
    }
    return [d for d in made if d.delivery_id not in told]


def later_id(subscriber_id: str, story_id: str, bell_id: str) -> str:
    """The id of the alert that tells a subscriber, on channels not told yet, what a later bell rings for."""
    return content_id("alert", subscriber_id, story_id, FIRST, bell_id)


def _was_not_rung(delivery: Delivery) -> bool:
    """Whether it waits, was told in a digest, or was not told; what may have arrived counts as told."""
    is_untold = delivery.status in UNTOLD and not any(attempt.result == "ambiguous" for attempt in delivery.tried)
    return delivery.status in QUIETLY or is_untold


def _at_once(louder: Alert, delivery: Delivery) -> Delivery:
    delivery_id = content_id("delivery", louder.subscriber_id, louder.story_id, louder.occasion, delivery.channel_id)
    return replace(delivery, delivery_id=delivery_id, alert_id=louder.alert_id)
