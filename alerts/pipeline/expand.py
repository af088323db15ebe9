"""Bells become alerts and deliveries: chunk by chunk, with ids that are content hashes, so that a repeated chunk writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from alerts.models import Alert, Bell, Channel, Delivery, Rule
from alerts.pipeline.audience import audience, channels_for, without_kin
from alerts.pipeline.canary import CANARY
from alerts.pipeline.later import told_later, without_sibling
from alerts.pipeline.tools import Tools
from alerts.ports import ChannelBook, Expansion, Fanout
from alerts.text.fingerprint import content_id

_FANOUTS = 20  # bells expanded between two claims of lanes
_START = "0:"  # the cursor of a bell of which nothing was written yet


def expand(tools: Tools) -> int:
    """Write the next chunk of each of the oldest fan-outs; how many there were."""
    oldest: dict[str, Fanout] = {}  # of each story: who is told again must have been told first
    for fanout in tools.state.next_fanouts(_FANOUTS):
        oldest.setdefault(fanout.bell.story_id, fanout)
    fanouts = list(oldest.values())
    if fanouts:
        book = tools.state.channel_book()
        tools.state.commit_expansions([_chunk(tools, fanout, book) for fanout in fanouts])
    return len(fanouts)


def _chunk(tools: Tools, fanout: Fanout, book: ChannelBook) -> Expansion:
    """The next rules of the fan-out's queries, as alerts and deliveries.

    The first chunk of an urgent bell is urgent; what follows is bulk, which another urgent story is not to wait for.
    """
    bell = fanout.bell
    rules, cursor = _next_rules(tools, fanout)
    alerts: dict[str, Alert] = {}
    deliveries: dict[str, Delivery] = {}
    ttl = timedelta(seconds=tools.settings.deliver.ttl_s)
    for rule in audience(tools, bell, _ringing(tools, rules, bell)):
        alert = _alert(rule, bell, ttl, alerts)
        own = [_delivery(alert, channel) for channel in channels_for(tools, bell, book.rung_by(rule))]
        if own or bell.occasion == "first":
            alerts[alert.alert_id] = alert
        deliveries.update({delivery.delivery_id: delivery for delivery in own})
    untold = without_sibling(tools, bell, without_kin(tools, bell, deliveries.values()))
    told_of, made = told_later(tools, bell, alerts, untold)
    return Expansion(
        bell_id=bell.bell_id,
        expected_cursor=fanout.cursor,
        cursor=cursor,
        alerts=told_of,
        deliveries=made,
        is_urgent=fanout.cursor == _START and _is_urgent(bell, tools.settings.deliver.urgent),
    )


def _is_urgent(bell: Bell, limit: int) -> bool:
    """Whether it is to go before others; what only changes messages in place can wait."""
    return bell.tagged.urgency <= limit and not bell.occasion.startswith("update:")


def _next_rules(tools: Tools, fanout: Fanout) -> tuple[list[Rule], str]:
    """The rules that come next, at most a chunk of them, and the cursor after them.

    Queries follow each other within a chunk: a message then names every rule of its subscriber, not the first query's.
    """
    queries, limit = fanout.bell.query_ids, tools.settings.deliver.chunk
    number, _, after = fanout.cursor.partition(":")
    at, rules = int(number), list[Rule]()
    while at < len(queries) and len(rules) < limit:
        page, after = tools.state.rules_of_query(queries[at], after=after, limit=limit - len(rules))
        rules += page
        at += not after
    return rules, f"{at}:{after}" if at < len(queries) else ""


def _ringing(tools: Tools, rules: Sequence[Rule], bell: Bell) -> list[Rule]:
    """The rules that are on, not expired, and not cooling down after another story; updates of a story need no cooling.

    The canary rings its own rule only, and nothing else rings that.
    """
    is_canary = bell.tagged.change.item.source_id == CANARY
    mine = [r for r in rules if (r.rule_id == CANARY) == is_canary]
    live = [r for r in mine if r.is_enabled and (r.expires_at is None or bell.rung_at < r.expires_at)]
    if bell.occasion != "first":
        return live
    cooling = {r.rule_id: r.cooldown_s for r in live if r.cooldown_s}
    allowed = tools.state.start_cooldowns(bell.bell_id, cooling) if cooling else frozenset()
    return [r for r in live if not r.cooldown_s or r.rule_id in allowed]


def _alert(rule: Rule, bell: Bell, ttl: timedelta, so_far: dict[str, Alert]) -> Alert:
    alert_id = content_id("alert", rule.subscriber_id, bell.story_id, bell.occasion)
    known = so_far.get(alert_id)
    return Alert(
        alert_id=alert_id,
        subscriber_id=rule.subscriber_id,
        story_id=bell.story_id,
        occasion=bell.occasion,
        bell_ids=(bell.bell_id,),
        rule_ids=(*known.rule_ids, rule.rule_id) if known else (rule.rule_id,),
        created_at=bell.rung_at,
        expires_at=bell.rung_at + ttl,
    )


def _delivery(alert: Alert, channel: Channel) -> Delivery:
    return Delivery(
        delivery_id=content_id("delivery", alert.subscriber_id, alert.story_id, alert.occasion, channel.channel_id),
        alert_id=alert.alert_id,
        subscriber_id=alert.subscriber_id,
        channel_id=channel.channel_id,
        created_at=alert.created_at,
    )
