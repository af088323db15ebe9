"""deliver: who must be told on which channel, and what came of it.

First every bell is expanded (expand.py). Then lanes are claimed (claim.py): a lane is one channel with its due deliveries,
sent in order, and it ends at the first failure that may pass. What to do with each delivery is decided (decide.py), all that
is to be sent is written into the local ledger in one go, and handed over; `sending` is in the store before anything leaves. What
came of it is recorded together (record.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from alerts.delivery.ledger import LedgerRow
from alerts.delivery.memo import Memo
from alerts.delivery.services import can_update
from alerts.errors import ConfigError
from alerts.models import DeliveryStatus
from alerts.pipeline.claim import claim, url_of
from alerts.pipeline.compose import compose
from alerts.pipeline.decide import Decider, Ready
from alerts.pipeline.expand import expand
from alerts.pipeline.mend import report_dead
from alerts.pipeline.record import Sending, record
from alerts.pipeline.tools import Tools, Turn
from alerts.ports import Lane, LaneEnd, Load, Parcel, Verdict

_WAIT_S = 0.1  # longest wait for what is being sent before it is looked what else is due


def deliver(tools: Tools) -> int:
    """Expand bells and send what is due; how many deliveries were taken up."""
    turn, taken = Turn(tools, "deliver"), 0
    decider = Decider(tools, can_update=lambda channel: can_update(url_of(tools, channel)))
    while True:
        expanded = expand(tools)
        lanes = claim(tools)
        ready = decider.ready(lanes, datetime.now(UTC))
        _start(tools, lanes, ready, decider.zones)
        taken += sum(len(lane.parcels) for lane in lanes)
        is_busy = bool(lanes or expanded)
        progress = tools.notifier.collect(_WAIT_S)
        record(tools, progress)
        if not (is_busy or progress) and tools.notifier.is_idle():
            return taken
        if turn.is_over():
            return taken


def finish(tools: Tools) -> None:
    """Wait for what is being sent, skip the rest, and record what came of it: the end of a worker."""
    record(tools, tools.notifier.close(tools.settings.watch.stop_s))


# ---------------------------------------------------------------- render, hand over


@dataclass(slots=True)
class _Batch:
    """What comes of lanes that were claimed together."""

    zones: Mapping[str, str]
    memo: Memo = field(default_factory=Memo)
    verdicts: list[Verdict] = field(default_factory=list)
    ends: list[LaneEnd] = field(default_factory=list)
    intended: list[LedgerRow] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)


def _start(tools: Tools, lanes: Sequence[Lane], ready: Sequence[Sequence[Ready]], zones: Mapping[str, str]) -> None:
    """Hand over what of the lanes is to be sent, in their order."""
    batch = _Batch(zones)
    for lane, sends in zip(lanes, ready, strict=True):
        _prepare(tools, lane, [one.parcel for one in sends], batch)
    tools.state.record(tools.owner, batch.verdicts)
    tools.state.release_lanes(tools.owner, batch.ends)
    tools.ledger.intend(batch.intended)
    tools.notifier.submit(batch.loads)


def _prepare(tools: Tools, lane: Lane, sends: Sequence[Parcel], batch: _Batch) -> None:
    """Put what one lane needs into the batch."""
    try:
        url = tools.keys.unseal(lane.channel.url) if lane.channel.is_enabled else ""
    except ConfigError as error:
        _refuse(tools, lane, batch, str(error))
        return
    if not sends:
        batch.ends.append(LaneEnd(channel_id=lane.channel.channel_id))
        return
    batch.intended += [_ledger_row(parcel) for parcel in sends]
    sending = Sending(lane, url, sends)
    envelopes = tuple(compose(tools, lane.channel, url, sends, batch.zones, memo=batch.memo))
    batch.loads.append(Load(sending, envelopes, looks_past=sending.looks_past))


def _refuse(tools: Tools, lane: Lane, batch: _Batch, reason: str) -> None:
    """Give a lane up whose channel cannot be opened, and tell the operator; the other lanes go on."""
    dead = [replace(p.delivery, status=DeliveryStatus.DEAD, attempts=p.delivery.attempts - 1, reason=reason) for p in lane.parcels]
    batch.verdicts += [Verdict(delivery=delivery) for delivery in dead]
    batch.ends.append(LaneEnd(channel_id=lane.channel.channel_id))
    report_dead(tools, lane.channel, reason)


def _ledger_row(parcel: Parcel) -> LedgerRow:
    items = tuple(i for bell in parcel.bells for i in bell.item_ids)
    delivery = parcel.delivery
    return LedgerRow(delivery.delivery_id, delivery.subscriber_id, delivery.channel_id, items)
