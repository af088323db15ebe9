"""What came of sends: receipts become verdicts, lanes are given back, and what a person must mend is told.

A failure that may pass holds its whole lane: order is kept, and the channel rests until it is tried again. After some
failures in a row the breaker is open: the channel is only probed. When the first delivery of a lane has failed again and
again, the one behind it is tried as well: if that is accepted, the message was to blame, and it lets the others pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.delivery.codes import ENDS_CHANNEL
from alerts.delivery.policy import retry_at
from alerts.models import Attempt, Delivery, DeliveryStatus, Receipt, ReceiptStatus
from alerts.pipeline.canary import CANARY
from alerts.pipeline.compose import keep_references
from alerts.pipeline.mend import end_channel, follow, report_dead
from alerts.pipeline.tools import Tools
from alerts.ports import Breaker, Lane, LaneEnd, Parcel, Progress, Verdict

_LOOKS_PAST = 4  # attempts after which it is asked whether the message is to blame
_SPREAD = 0.1  # share added to the time between two probes, so that channels of one dead host do not come back as a crowd
_AFTER_FAILURE_S = 5.0  # a channel is left alone for so long when what failed is not sent again
_PASSING = (ReceiptStatus.TRANSIENT, ReceiptStatus.AMBIGUOUS)


class Sending:
    """A lane on its way, and what its receipts said so far."""

    def __init__(self, lane: Lane, url: str, parcels: Sequence[Parcel]) -> None:
        self.channel, self.breaker, self.url = lane.channel, lane.breaker, url
        self.parcels = {p.delivery.delivery_id: p for p in parcels}
        self.looks_past = lane.breaker is not None and parcels[0].delivery.attempts > _LOOKS_PAST
        self.failed: tuple[Delivery, Receipt] | None = None  # the last failure that may pass
        self.has_accepted = False
        self.asked_s = 0.0  # what the service wants us to wait although it accepted

    @property
    def failures(self) -> int:
        """Failures in a row, the present one included."""
        return 1 if self.breaker is None or self.has_accepted else self.breaker.failures + 1


def record(tools: Tools, progress: Sequence[Progress]) -> None:
    """Write down what came of sends, and give back the lanes that are over."""
    if not progress:
        return
    accepted = [r.delivery_id for p in progress for r in p.receipts if r.status is ReceiptStatus.ACCEPTED]
    tools.ledger.accept(accepted)
    verdicts: list[Verdict] = []
    ended: list[Sending] = []
    for one in progress:
        assert isinstance(one.key, Sending)
        for receipt in one.receipts:
            verdicts += _on_receipt(tools, one.key, receipt)
        if one.is_over:
            ended.append(one.key)
            verdicts += _held_back(tools, one.key)
    keep_references(tools, [(p.key.parcels[r.delivery_id], r) for p in progress if isinstance(p.key, Sending) for r in p.receipts])
    tools.state.record(tools.owner, verdicts)
    _note_canaries(tools, verdicts, [one.key for one in progress if isinstance(one.key, Sending)])
    tools.state.release_lanes(tools.owner, [_release(tools, sending) for sending in ended])


def _note_canaries(tools: Tools, verdicts: Sequence[Verdict], sendings: Sequence[Sending]) -> None:
    """Tell whoever looks after the canary that the last one was accepted."""
    sent = {v.delivery.delivery_id for v in verdicts if v.delivery.subscriber_id == CANARY and v.delivery.status is DeliveryStatus.SENT}
    canary = tools.state.canary() if sent else None
    if canary is None:
        return
    parcels = [p for sending in sendings for p in sending.parcels.values() if p.delivery.delivery_id in sent]
    if any(parcel.bells[0].tagged.change.item_id == canary.item_id for parcel in parcels):
        tools.state.note_canary(seen=canary.item_id)


def _on_receipt(tools: Tools, sending: Sending, receipt: Receipt) -> list[Verdict]:
    """The verdicts that a receipt makes possible."""
    parcel = sending.parcels[receipt.delivery_id]
    if receipt.status is ReceiptStatus.ACCEPTED:
        passed = _passed_over(sending)
        sending.has_accepted, sending.asked_s = True, receipt.retry_after_s or 0.0
        if receipt.new_url:
            sending.url = receipt.new_url
            follow(tools, sending.channel, receipt.new_url)
        return [*passed, Verdict(delivery=verdict_of(tools, parcel, receipt))]
    delivery = verdict_of(tools, parcel, receipt)
    if receipt.status in _PASSING:
        earlier, sending.failed = _held_back(tools, sending), (delivery, receipt)
        return earlier  # its own verdict waits for what comes of the next one
    if receipt.code in ENDS_CHANNEL:
        end_channel(tools, sending.channel, receipt)
    elif receipt.status is ReceiptStatus.PERMANENT:
        report_dead(tools, sending.channel, receipt.detail)
    return [Verdict(delivery=delivery, keeps_place=receipt.status is ReceiptStatus.SKIPPED)]


def _held_back(tools: Tools, sending: Sending) -> list[Verdict]:
    """The verdict of a failure after which nothing was accepted: it keeps its place, and the lane waits for it.

    No longer than between two probes, though: when it is the channel that fails, everything behind waits as well.
    """
    if sending.failed is None:
        return []
    delivery, receipt = sending.failed
    if delivery.due_at and delivery.status is DeliveryStatus.RETRY and receipt.retry_after_s is None:
        settings = tools.settings.deliver
        probed_at = receipt.at + timedelta(seconds=settings.breaker_s * (1 + tools.random.uniform(0, _SPREAD)))
        is_open = sending.failures >= settings.breaker_after
        delivery = replace(delivery, due_at=probed_at if is_open else min(delivery.due_at, probed_at))
        sending.failed = delivery, receipt
    return [Verdict(delivery=delivery, keeps_place=True)]


def _passed_over(sending: Sending) -> list[Verdict]:
    """The verdict of a failure right after which another delivery was accepted: the others go on without it."""
    failed, sending.failed = sending.failed, None
    return [Verdict(delivery=failed[0])] if failed else []


def _release(tools: Tools, sending: Sending) -> LaneEnd:
    """How the lane is given back: at once, or after a rest when it failed."""
    channel_id = sending.channel.channel_id
    if sending.failed is None:
        is_well = sending.breaker is not None and sending.has_accepted
        return LaneEnd(channel_id=channel_id, rest_s=sending.asked_s, is_well=is_well)
    delivery, receipt = sending.failed
    is_retried = delivery.status is DeliveryStatus.RETRY
    until = delivery.due_at if delivery.due_at and is_retried else receipt.at + timedelta(seconds=_AFTER_FAILURE_S)
    rest_s = max(0.0, (until - datetime.now(UTC)).total_seconds())
    if receipt.retry_after_s is not None:
        limited = tools.governor.shared_bucket(sending.url)
        return LaneEnd(channel_id=channel_id, rest_s=rest_s, is_well=sending.has_accepted, limited=limited, asked_s=rest_s)
    since = sending.breaker.since if sending.breaker and not sending.has_accepted else receipt.at
    breaker = Breaker(failures=sending.failures, since=since, detail=receipt.detail, until=until)
    return LaneEnd(channel_id=channel_id, rest_s=rest_s, breaker=breaker)


def verdict_of(tools: Tools, parcel: Parcel, receipt: Receipt) -> Delivery:
    """What a delivery becomes after this receipt."""
    if receipt.status is ReceiptStatus.SKIPPED:
        skipped = parcel.delivery
        return replace(
            skipped, status=DeliveryStatus.PENDING, attempts=skipped.attempts - 1, reason=receipt.detail, due_at=receipt.at
        )
    tried = (*parcel.delivery.tried, Attempt(receipt.at, receipt.status.value, receipt.detail))
    delivery = replace(parcel.delivery, reason=receipt.detail, tried=tried)
    match receipt.status:
        case ReceiptStatus.ACCEPTED:
            return replace(delivery, status=DeliveryStatus.SENT, sent_at=receipt.at)
        case ReceiptStatus.PERMANENT:
            return replace(delivery, status=DeliveryStatus.DEAD)
        case ReceiptStatus.AMBIGUOUS if not parcel.is_resent:
            reason = f"it may have arrived, and its rule says not to send it again then: {receipt.detail}"
            return replace(delivery, status=DeliveryStatus.DROPPED, reason=reason)
    return _tried_again(tools, parcel, receipt, delivery)


def _tried_again(tools: Tools, parcel: Parcel, receipt: Receipt, delivery: Delivery) -> Delivery:
    """A delivery whose failure may pass: when it is tried again, or that it is too late for it."""
    settings = tools.settings.deliver
    attempts = delivery.attempts - (receipt.retry_after_s is not None)  # being asked to wait costs no attempt
    paces = [settings.retries_s] if receipt.retry_after_s is not None else [settings.retries_s, (settings.breaker_s,)]
    found = (
        retry_at(attempts, receipt.retry_after_s, pace, tools.random, now=receipt.at, expires_at=parcel.alert.expires_at)
        for pace in paces  # when its own pace would be too late, that of probes may not be
    )
    due_at = next((at for at in found if at), None)
    if due_at is None:
        return replace(delivery, status=DeliveryStatus.EXPIRED, reason=f"not told in time; last: {receipt.detail}")
    is_repeat = delivery.is_repeat or receipt.status is ReceiptStatus.AMBIGUOUS
    return replace(delivery, status=DeliveryStatus.RETRY, attempts=attempts, due_at=due_at, is_repeat=is_repeat)
