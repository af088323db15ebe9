"""deliver: who must be told on which channel, and what came of it.

First every bell is expanded (expand.py). Then lanes are claimed (claim.py): a lane is one channel with its due deliveries,
sent in order, and it ends at the first failure that may pass. What to do with each delivery is decided, all that is to be
sent is written into the local ledger in one go, and handed over; `sending` is in the store before anything leaves. What
came of it is recorded together (record.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from alerts.delivery.ledger import LedgerRow
from alerts.delivery.policy import Action, Decision, decide
from alerts.delivery.render import render
from alerts.errors import ConfigError
from alerts.models import Channel, Delivery, DeliveryStatus, Envelope
from alerts.pipeline.claim import claim
from alerts.pipeline.expand import expand
from alerts.pipeline.record import Sending, record, report_dead
from alerts.pipeline.tools import Tools, Turn
from alerts.ports import Lane, LaneEnd, Load, Parcel, Verdict

_WAIT_S = 0.1  # longest wait for what is being sent before it is looked what else is due


def deliver(tools: Tools) -> int:
    """Expand bells and send what is due; how many deliveries were taken up."""
    turn, taken = Turn(tools, "deliver"), 0
    while True:
        expanded = expand(tools)
        lanes = claim(tools)
        _start(tools, lanes)
        taken += sum(len(lane.parcels) for lane in lanes)
        is_busy = bool(lanes or expanded)
        progress = tools.notifier.collect(0.0 if is_busy else _WAIT_S)
        record(tools, progress)
        if not (is_busy or progress) and tools.notifier.is_idle():
            return taken
        if turn.is_over():
            return taken


def finish(tools: Tools) -> None:
    """Wait for what is being sent, skip the rest, and record what came of it: the end of a worker."""
    record(tools, tools.notifier.close(tools.settings.watch.stop_s))


# ---------------------------------------------------------------- decide, render, hand over


@dataclass(slots=True)
class _Batch:
    """What comes of lanes that were claimed together."""

    verdicts: list[Verdict] = field(default_factory=list)
    ends: list[LaneEnd] = field(default_factory=list)
    intended: list[LedgerRow] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)


def _start(tools: Tools, lanes: Sequence[Lane]) -> None:
    """Decide about each delivery of the lanes and hand over what is to be sent."""
    if not lanes:
        return
    now, batch = datetime.now(UTC), _Batch()
    tools.ledger.refresh()
    for lane in lanes:
        _prepare(tools, lane, batch, now)
    tools.state.record(tools.owner, batch.verdicts)
    tools.state.release_lanes(tools.owner, batch.ends)
    tools.ledger.intend(batch.intended)
    tools.notifier.submit(batch.loads)


def _prepare(tools: Tools, lane: Lane, batch: _Batch, now: datetime) -> None:
    """Put what one lane needs into the batch."""
    try:
        url = tools.keys.unseal(lane.channel.url) if lane.channel.is_enabled else ""
    except ConfigError as error:
        _refuse(tools, lane, batch, str(error))
        return
    sends = []
    for parcel in (_as_known(tools, parcel, now) for parcel in lane.parcels):
        decision = _decide(tools, parcel, lane.channel, now)
        if decision.action is Action.SEND:
            sends.append(parcel)
        else:
            batch.verdicts.append(Verdict(delivery=_decided(parcel.delivery, decision)))
    if not sends:
        batch.ends.append(LaneEnd(channel_id=lane.channel.channel_id))
        return
    batch.intended += [_ledger_row(parcel) for parcel in sends]
    sending = Sending(lane, url, sends)
    batch.loads.append(Load(sending, tuple(_envelope(parcel, url) for parcel in sends), looks_past=sending.looks_past))


def _refuse(tools: Tools, lane: Lane, batch: _Batch, reason: str) -> None:
    """Give a lane up whose channel cannot be opened, and tell the operator; the other lanes go on."""
    dead = [replace(p.delivery, status=DeliveryStatus.DEAD, attempts=p.delivery.attempts - 1, reason=reason) for p in lane.parcels]
    batch.verdicts += [Verdict(delivery=delivery) for delivery in dead]
    batch.ends.append(LaneEnd(channel_id=lane.channel.channel_id))
    report_dead(tools, lane.channel, reason)


def _as_known(tools: Tools, parcel: Parcel, now: datetime) -> Parcel:
    """The parcel with what only this host knows, and with a new time-to-live when a person sends it again."""
    delivery, alert = parcel.delivery, parcel.alert
    if delivery.is_replay and delivery.attempts <= len(tools.settings.deliver.retries_s):  # once through the list, whatever its age
        alert = replace(alert, expires_at=max(alert.expires_at, now + timedelta(seconds=tools.settings.deliver.ttl_s)))
    if not delivery.reason and tools.ledger.outcome(delivery.delivery_id) == "intended":  # the store forgot that it was being sent
        delivery = replace(delivery, is_repeat=True)
    if alert is parcel.alert and delivery is parcel.delivery:
        return parcel
    return replace(parcel, delivery=delivery, alert=alert)


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
        if delivery.is_repeat and not parcel.is_resent:
            return Decision(Action.DROP, "it may have arrived, and its rule says not to send it again then")
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
