"""deliver: who must be told on which channel, and what came of it.

First every bell is expanded: its queries' rules, chunk by chunk, become alerts and deliveries with ids that are content
hashes, so that a repeated chunk writes nothing. Then lanes are claimed: a lane is one channel with its due deliveries;
it is sent in order by one worker, and ends at the first failure that may pass. `sending` is in the store, and the
intention in the local ledger, before anything leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from alerts.delivery.ledger import LedgerRow
from alerts.delivery.policy import Action, Decision, decide, retry_at
from alerts.delivery.render import render
from alerts.errors import ConfigError, StateError
from alerts.models import Alert, Bell, Channel, Delivery, DeliveryStatus, Envelope, Receipt, ReceiptStatus, Rule
from alerts.pipeline.audience import audience, channels_for, without_kin
from alerts.pipeline.tools import Tools, Turn
from alerts.pipeline.upkeep import warn
from alerts.ports import Expansion, Fanout, Lane, Parcel, Verdict
from alerts.text.fingerprint import content_id

_FANOUTS = 20  # bells expanded between two claims of lanes
_WAIT_S = 0.25  # longest wait for a lane to end before new lanes are claimed
_AFTER_FAILURE_S = 5.0  # a channel that failed is left alone for this long
_log = structlog.get_logger("deliver")


def deliver(tools: Tools) -> int:
    """Expand bells and send what is due; how many deliveries were taken up."""
    turn, taken = Turn(tools, "deliver"), 0
    while True:
        expanded = expand(tools)
        lanes = _claim(tools)
        for lane in lanes:
            taken += _start(tools, lane)
        if not lanes and not expanded:
            if tools.notifier.is_idle():
                return taken
            tools.notifier.wait(_WAIT_S)
        if turn.is_over():
            return taken


def _claim(tools: Tools) -> list[Lane]:
    settings = tools.settings.deliver
    places = tools.notifier.places()
    if not places:
        return []
    return tools.state.claim_lanes(tools.owner, lanes=places, batch=settings.batch, lease_s=2 * settings.timeout_s + 10)


# ---------------------------------------------------------------- expand


def expand(tools: Tools) -> int:
    """Write the next chunk of each of the oldest fan-outs; how many there were."""
    oldest: dict[str, Fanout] = {}  # of each story: who is told again must have been told first
    for fanout in tools.state.next_fanouts(_FANOUTS):
        oldest.setdefault(fanout.bell.story_id, fanout)
    fanouts = list(oldest.values())
    if fanouts:
        channels = tools.state.channels()
        tools.state.commit_expansions([_chunk(tools, fanout, channels) for fanout in fanouts])
    return len(fanouts)


def _chunk(tools: Tools, fanout: Fanout, channels: Sequence[Channel]) -> Expansion:
    """The next rules of the fan-out's queries, as alerts and deliveries."""
    bell = fanout.bell
    rules, cursor = _next_rules(tools, fanout)
    alerts: dict[str, Alert] = {}
    deliveries: dict[str, Delivery] = {}
    ttl = timedelta(seconds=tools.settings.deliver.ttl_s)
    open_channels = channels_for(bell, channels)
    for rule in audience(tools, bell, _ringing(tools, rules, bell)):
        alert = _alert(rule, bell, ttl, alerts)
        made = [_delivery(alert, channel) for channel in open_channels if _rings(rule, channel)]
        if made or bell.occasion == "first":
            alerts[alert.alert_id] = alert
        deliveries.update({delivery.delivery_id: delivery for delivery in made})
    fresh = without_kin(tools, bell, deliveries.values())
    return Expansion(
        bell_id=bell.bell_id,
        expected_cursor=fanout.cursor,
        cursor=cursor,
        alerts=list(alerts.values()),
        deliveries=fresh,
    )


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
    """The rules that are on, not expired, and not cooling down after another story; updates of a story need no cooling."""
    live = [r for r in rules if r.is_enabled and (r.expires_at is None or bell.rung_at < r.expires_at)]
    if bell.occasion != "first":
        return live
    cooling = {r.rule_id: r.cooldown_s for r in live if r.cooldown_s}
    allowed = tools.state.start_cooldowns(bell.bell_id, cooling) if cooling else frozenset()
    return [r for r in live if not r.cooldown_s or r.rule_id in allowed]


def _rings(rule: Rule, channel: Channel) -> bool:
    """Whether a rule rings a channel: one it names, else every one of its subscriber."""
    if rule.channel_ids:
        return channel.channel_id in rule.channel_ids
    return channel.subscriber_id == rule.subscriber_id


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


# ---------------------------------------------------------------- decide, render, send, record


def _start(tools: Tools, lane: Lane) -> int:
    """Decide about each delivery of a lane and hand over what is to be sent; how many deliveries it had."""
    now = datetime.now(UTC)
    tools.ledger.refresh()
    try:
        url = tools.keys.unseal(lane.channel.url) if lane.channel.is_enabled else ""
    except ConfigError as error:
        return _refuse(tools, lane, str(error))
    verdicts, sends = [], []
    for parcel in (_as_known(tools, parcel, now) for parcel in lane.parcels):
        decision = _decide(tools, parcel, lane.channel, now)
        if decision.action is Action.SEND:
            sends.append(parcel)
        else:
            verdicts.append(Verdict(delivery=_decided(parcel.delivery, decision)))
    tools.state.record(tools.owner, verdicts)
    if not sends:
        tools.state.release_lane(tools.owner, lane.channel.channel_id)
        return len(lane.parcels)
    tools.ledger.intend([_ledger_row(p) for p in sends])
    sending = _Sending(tools, lane.channel, sends)
    tools.notifier.submit([_envelope(p, url) for p in sends], sending.on_receipt, sending.on_end)
    return len(lane.parcels)


def _as_known(tools: Tools, parcel: Parcel, now: datetime) -> Parcel:
    """The parcel with what only this host knows, and with a new time-to-live when a person sends it again."""
    delivery, alert = parcel.delivery, parcel.alert
    if delivery.is_replay and delivery.attempts <= len(tools.settings.deliver.retries_s):  # once through the list, whatever its age
        alert = replace(alert, expires_at=max(alert.expires_at, now + timedelta(seconds=tools.settings.deliver.ttl_s)))
    if not delivery.reason and tools.ledger.outcome(delivery.delivery_id) == "intended":  # the store forgot that it was being sent
        delivery = replace(delivery, is_repeat=True)
    return replace(parcel, delivery=delivery, alert=alert)


def _refuse(tools: Tools, lane: Lane, reason: str) -> int:
    """Give a lane up whose channel cannot be opened, and tell the operator; the other lanes go on."""
    dead = [replace(p.delivery, status=DeliveryStatus.DEAD, attempts=p.delivery.attempts - 1, reason=reason) for p in lane.parcels]
    tools.state.record(tools.owner, [Verdict(delivery=delivery) for delivery in dead])
    tools.state.release_lane(tools.owner, lane.channel.channel_id)
    report_dead(tools, lane.channel, reason)
    return len(lane.parcels)


def _decide(tools: Tools, parcel: Parcel, channel: Channel, now: datetime) -> Decision:
    """Send, hold, digest or drop; what the ledger says was accepted is not sent again unless a person asks."""
    delivery = parcel.delivery
    if not delivery.is_replay:
        if tools.ledger.outcome(delivery.delivery_id) == "accepted":
            return Decision(Action.TOLD, "the ledger of this host says it was accepted before")
        items = tuple(i for bell in parcel.bells for i in bell.item_ids)
        told = tools.ledger.was_told(delivery.subscriber_id, delivery.channel_id, items) if _is_first(parcel) else None
        if told:
            return Decision(Action.TOLD, f"the ledger of this host says {told} told this story before")
    decision = decide(parcel.bells, parcel.alert, channel, now=now)
    if delivery.is_replay and decision.action is Action.DIGEST:
        return Decision(Action.SEND, "a person asked for it")
    return decision


def _is_first(parcel: Parcel) -> bool:
    return parcel.alert.occasion == "first"


_STATUS = {
    Action.HOLD: DeliveryStatus.RETRY,
    Action.DIGEST: DeliveryStatus.HELD,
    Action.DROP: DeliveryStatus.DROPPED,
    Action.EXPIRE: DeliveryStatus.EXPIRED,
    Action.TOLD: DeliveryStatus.SENT,
}


def _decided(delivery: Delivery, decision: Decision) -> Delivery:
    """A delivery that is not sent now; no attempt was made."""
    return replace(
        delivery,
        status=_STATUS[decision.action],
        attempts=delivery.attempts - 1,
        reason=decision.reason,
        due_at=decision.due_at,
        sent_at=datetime.now(UTC) if decision.action is Action.TOLD else None,
    )


def _ledger_row(parcel: Parcel) -> LedgerRow:
    items = tuple(i for bell in parcel.bells for i in bell.item_ids)
    delivery = parcel.delivery
    return LedgerRow(delivery.delivery_id, delivery.subscriber_id, delivery.channel_id, items)


def _envelope(parcel: Parcel, url: str) -> Envelope:
    delivery = parcel.delivery
    rendered = render(parcel.bells, parcel.alert, delivery, rule_names=parcel.rule_names, url=url)
    return Envelope(
        delivery_id=delivery.delivery_id,
        channel_id=delivery.channel_id,
        url=url,
        title=rendered.title,
        body=rendered.body,
        link=rendered.link,
        urgency=min(bell.tagged.urgency for bell in parcel.bells),
        is_repeat=delivery.is_repeat,
        payload=rendered.payload,
    )


class _Sending:
    """A lane on its way: turns receipts into verdicts as they come, and gives the channel back at the end."""

    def __init__(self, tools: Tools, channel: Channel, parcels: Sequence[Parcel]) -> None:
        self._tools = tools
        self._channel = channel
        self._parcels = {p.delivery.delivery_id: p for p in parcels}
        self._rest_s = 0.0

    def on_receipt(self, receipt: Receipt) -> None:
        """Record what came of one send."""
        parcel = self._parcels[receipt.delivery_id]
        if receipt.status is ReceiptStatus.ACCEPTED:
            self._tools.ledger.accept(receipt.delivery_id)
        delivery = verdict_of(self._tools, parcel, receipt)
        if receipt.status in (ReceiptStatus.TRANSIENT, ReceiptStatus.AMBIGUOUS):
            self._rest_s = max(self._rest_s, receipt.retry_after_s or _AFTER_FAILURE_S)
        try:
            self._tools.state.record(self._tools.owner, [Verdict(delivery=delivery)])
            if delivery.status is DeliveryStatus.DEAD:
                report_dead(self._tools, self._channel, receipt.detail)
        except StateError as error:  # it stays `sending`: claimed again when the lease ends, and the ledger knows
            _log.error("receipt not recorded", delivery_id=receipt.delivery_id, error=str(error))

    def on_end(self) -> None:
        """Give the channel back; after a failure it is left alone for a while."""
        try:
            self._tools.state.release_lane(self._tools.owner, self._channel.channel_id, not_before_s=self._rest_s)
            self._tools.wake_up("deliver")
        except StateError as error:
            _log.error("lane not released", channel_id=self._channel.channel_id, error=str(error))


def report_dead(tools: Tools, channel: Channel, reason: str) -> None:
    """Tell the operator of a channel that takes nothing, unless it is the operator's own."""
    _log.warning("delivery dead", channel_id=channel.channel_id, reason=reason)
    if not channel.is_operator:
        text = f"The channel {channel.name or channel.channel_id} refuses what is sent to it: {reason}"
        warn(tools, "channel_dead", channel.channel_id, text)


def verdict_of(tools: Tools, parcel: Parcel, receipt: Receipt) -> Delivery:
    """What a delivery becomes after this receipt."""
    delivery = replace(parcel.delivery, reason=receipt.detail)
    now = receipt.at
    match receipt.status:
        case ReceiptStatus.ACCEPTED:
            return replace(delivery, status=DeliveryStatus.SENT, sent_at=now)
        case ReceiptStatus.PERMANENT:
            return replace(delivery, status=DeliveryStatus.DEAD)
        case ReceiptStatus.SKIPPED:
            return replace(delivery, status=DeliveryStatus.PENDING, attempts=delivery.attempts - 1, due_at=now)
    is_asked = receipt.retry_after_s is not None
    attempts = delivery.attempts - is_asked  # being asked to wait costs no attempt
    due_at = retry_at(
        attempts, receipt.retry_after_s, tools.settings.deliver.retries_s, tools.random, now=now, expires_at=parcel.alert.expires_at
    )
    if due_at is None:
        return replace(delivery, status=DeliveryStatus.EXPIRED, reason=f"not told in time; last: {receipt.detail}")
    is_repeat = delivery.is_repeat or receipt.status is ReceiptStatus.AMBIGUOUS
    return replace(delivery, status=DeliveryStatus.RETRY, attempts=attempts, due_at=due_at, is_repeat=is_repeat)
