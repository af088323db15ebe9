"""Whom a bell tells: everybody whose rule matched, less those who were told of it, or those who were not.

`first` tells who was not told of the story, nor of its items in a story it was merged with or split off from. Every other
occasion tells only who was told before, and not by the `first` of the same item.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alerts.delivery.services import can_update
from alerts.models import Bell, Channel, Delivery, DeliveryStatus, Rule
from alerts.pipeline.claim import url_of
from alerts.pipeline.tools import Tools
from alerts.stories.life import FIRST
from alerts.text.fingerprint import content_id

UNTOLD = (DeliveryStatus.DROPPED, DeliveryStatus.DEAD, DeliveryStatus.EXPIRED)


def audience(tools: Tools, bell: Bell, rules: Sequence[Rule]) -> list[Rule]:
    """Of these rules, those whose subscribers the bell is for."""
    if bell.occasion == FIRST:
        return list(rules)
    told = _told(tools, bell, {rule.subscriber_id for rule in rules})
    return [rule for rule in rules if rule.subscriber_id in told]


def channels_for(tools: Tools, bell: Bell, channels: Iterable[Channel]) -> list[Channel]:
    """Of these channels, those that the bell may go to: an update without a sound only where what was sent can be changed.

    A channel that an older version stored does not say so: then its URL does.
    """
    if not bell.occasion.startswith("update:"):
        return list(channels)
    return [channel for channel in channels if channel.can_update or can_update(url_of(tools, channel))]


def without_kin(tools: Tools, bell: Bell, deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Of these deliveries, those whose channel was not told of the same items in a story that is kin to this one."""
    made = list(deliveries)
    if bell.occasion != FIRST or not bell.kin_ids or not made:
        return made
    now_of = {_delivery_id(d, kin): d.delivery_id for d in made for kin in bell.kin_ids}
    before = [d for d in tools.state.deliveries_by_id(list(now_of)) if d.status not in UNTOLD]
    alerts = tools.state.alerts_by_id({d.alert_id for d in before})
    bells = tools.state.bells_by_id({bell_id for alert in alerts.values() for bell_id in alert.bell_ids})
    sharing = {bell_id for bell_id, other in bells.items() if not set(bell.item_ids).isdisjoint(other.item_ids)}
    told = {now_of[d.delivery_id] for d in before if d.alert_id in alerts and not sharing.isdisjoint(alerts[d.alert_id].bell_ids)}
    return [d for d in made if d.delivery_id not in told]


def _told(tools: Tools, bell: Bell, subscribers: Iterable[str]) -> set[str]:
    """The subscribers who were told of the story, or of its kin, by another bell than this one's sibling."""
    ids = {content_id("alert", s, story, FIRST): s for s in subscribers for story in (bell.story_id, *bell.kin_ids)}
    alerts = tools.state.alerts_by_id(ids)
    return {ids[alert_id] for alert_id, alert in alerts.items() if alert.bell_ids[0] != bell.sibling_id}


def _delivery_id(delivery: Delivery, story_id: str) -> str:
    return content_id("delivery", delivery.subscriber_id, story_id, FIRST, delivery.channel_id)
