"""What becomes of a delivery: whether it is sent now, and when it is tried again. Pure: time and chance are arguments.

First the channel (switched off: drop), then the clock (too late: expire), then what happened (found after a downtime:
digest); everything else is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from alerts.models import Alert, Bell, Channel

_SPREAD = 0.2  # share by which a planned retry is moved either way, so that failed sends do not come back as one crowd
_LATE_SPREAD = 0.1  # share added to a wait that a service asked for: never earlier than it said


class Action(StrEnum):
    """What is to be done with a delivery."""

    SEND = "send"
    HOLD = "hold"  # not before `due_at`
    DIGEST = "digest"  # told together with others
    DROP = "drop"  # nobody is to be told
    EXPIRE = "expire"  # it is too late to tell
    TOLD = "told"  # it was told before


@dataclass(frozen=True, slots=True)
class Decision:
    """An action and its reason in words; `due_at` is set for HOLD alone."""

    action: Action
    reason: str
    due_at: datetime | None = None


def decide(bells: Sequence[Bell], alert: Alert, channel: Channel, *, now: datetime) -> Decision:
    """Send, digest, drop or expire this delivery, and why.

    Args:
        bells: What the alert tells; at least one.
        alert: The alert the delivery belongs to.
        channel: Where it is to go.
        now: UTC.
    """
    if not channel.is_enabled:
        return Decision(Action.DROP, f"the channel is switched off{f': {channel.error}' if channel.error else ''}")
    if now >= alert.expires_at:
        return Decision(Action.EXPIRE, f"nobody could be told before {alert.expires_at:%Y-%m-%d %H:%M} UTC")
    if not is_digest(alert) and all(bell.tagged.change.is_catch_up for bell in bells):
        return Decision(Action.DIGEST, "found after a downtime: told together with what else was missed")
    return Decision(Action.SEND, "due")


def is_digest(alert: Alert) -> bool:
    """Whether the alert is a digest, which may hold no more than one item."""
    return alert.occasion.startswith("digest:")


def retry_at(
    attempts: int,
    retry_after_s: float | None,
    retries_s: Sequence[float],
    random: Random,
    *,
    now: datetime,
    expires_at: datetime,
) -> datetime | None:
    """When a failed delivery is tried again; None when that would be too late.

    Args:
        attempts: Attempts made so far that count; a wait that was asked for does not.
        retry_after_s: Seconds the service asked us to wait; None when it did not.
        retries_s: Seconds before the first attempt, the second, and so on; the last one repeats.
        random: Spreads the retries.
        now: UTC.
        expires_at: UTC; nothing is tried at or after this.
    """
    if retry_after_s is not None:
        delay_s = max(0.0, retry_after_s) * (1 + random.uniform(0, _LATE_SPREAD))
    elif retries_s:
        delay_s = retries_s[max(0, min(attempts, len(retries_s) - 1))] * (1 + random.uniform(-_SPREAD, _SPREAD))
    else:
        return None
    left_s = (expires_at - now).total_seconds()
    return now + timedelta(seconds=delay_s) if delay_s < left_s else None
