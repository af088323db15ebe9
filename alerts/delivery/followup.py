"""What comes after a story's first alert: updates in place, and escalations, corrections and all-clears that ring again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.models import Alert, DeliveryStatus
from alerts.ports import FirstTold

AT_ONCE = "escalation:mode:now"  # a rule matched later, and what told the story before did not ring
_RINGING = ("escalation", "correction", "all_clear")
_RUNG = (DeliveryStatus.SENT, DeliveryStatus.PENDING, DeliveryStatus.SENDING, DeliveryStatus.RETRY)
QUIETLY = (DeliveryStatus.HELD, DeliveryStatus.DIGESTED)  # waits, or was told in a digest
_AFTER = timedelta(seconds=1)  # by which an update of what waits comes after it
_SENDING = timedelta(seconds=5)  # the same for what is on its way


def follows(alert: Alert) -> bool:
    """Whether the alert is about a story that a first alert told."""
    return is_update(alert) or alert.occasion.partition(":")[0] in _RINGING


def nearest(firsts: Sequence[FirstTold]) -> FirstTold:
    """Of a story's first alert and those of stories that are kin to it, the one that told the subscriber, or is about to."""
    ranked = sorted(firsts, key=lambda f: (f.status is None, f.status is DeliveryStatus.DROPPED, not f.is_known))
    return ranked[0] if ranked else FirstTold()


def loudest(told: Sequence[FirstTold]) -> FirstTold:
    """Of what told a story, that which rang, or is about to; else what waits; else what a digest told."""
    order = {status: place for place, status in enumerate((*_RUNG, *QUIETLY))}
    return min(told, key=lambda one: order.get(one.status, len(order)) if one.status else len(order), default=FirstTold())


def is_at_once(alert: Alert) -> bool:
    """Whether the alert rings only if it does so sooner than what told the story before."""
    return alert.occasion == AT_ONCE


def why_no_sooner(told: FirstTold, refusal: str) -> str:
    """Why an alert that is to ring at once does not; '' when it does, or when nothing else tells the story.

    Args:
        told: What told the story before, the loudest.
        refusal: Why it cannot ring now; '' when it can.
    """
    if told.status in _RUNG:
        return "the story rang on this channel before"
    if told.status in QUIETLY and refusal:
        return f"no sooner than it is told already: {refusal}"
    return ""


def is_update(alert: Alert) -> bool:
    """Whether the alert only changes what was told."""
    return alert.occasion.startswith("update:")


def why_no_update(first: FirstTold, *, can_update: bool) -> str:
    """Why nothing can be changed in place; '' when it can, now or when the first alert was told."""
    if not can_update:
        return "an update makes no sound, and this channel cannot change what it was told"
    if first.status in _RUNG:
        return ""
    if first.status is DeliveryStatus.HELD:
        return "" if first.due_at and not first.digest else "the story is told in a digest, which is not updated"
    if first.status is DeliveryStatus.DIGESTED:
        return "the story was told in a digest, which is not updated"
    return "this channel was not told the story, so there is nothing to update"


def told_at(first: FirstTold, now: datetime) -> datetime | None:
    """When an update can be made because what it changes was told by then; None = it was told."""
    if first.status in (DeliveryStatus.PENDING, DeliveryStatus.SENDING):
        return now + _SENDING
    if first.status in (DeliveryStatus.HELD, DeliveryStatus.RETRY):
        return max(first.due_at or now, now) + _AFTER
    return None


def why_silent(alert: Alert, first: FirstTold) -> str:
    """Why an alert that follows rings nobody; '' when it rings.

    It rings whoever was told, or is about to be, that the story began; and whoever was to be, but could not be reached.
    """
    if not follows(alert) or is_at_once(alert) or (first.is_known and first.status is not DeliveryStatus.DROPPED):
        return ""
    if first.is_known:
        return "the story's first alert was dropped, so what follows is not told either"
    return "the story was not told to this subscriber, so what follows is not told either"


def carries_first(alert: Alert, first: FirstTold) -> bool:
    """Whether what follows is told in place of a first alert that still waits: the newer words tell both."""
    return follows(alert) and not is_update(alert) and first.status is DeliveryStatus.HELD and not first.is_carried
