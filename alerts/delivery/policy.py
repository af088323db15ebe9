"""What becomes of a delivery: sent, held, told in a digest, dropped, and why; and when a failed one is tried again. Pure.

The questions are asked in this order, and the first that has an answer decides:

    is the channel on?  is it too late?  is anything left to tell?  is it muted?  is it an update of what was told?
    was the story told at all?  is it snoozed?  was it found after a downtime?  is a digest planned?  is it silent?
    is the budget used up?

What none of them holds back is sent. Whatever is critical to its subscriber waits for no planned digest and no budget,
and rings in quiet hours of the mode critical_only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from alerts.delivery import followup
from alerts.delivery.budget import spent
from alerts.delivery.mutes import muted_by, snoozed_until
from alerts.delivery.quiet import silence_end
from alerts.delivery.schedule import next_digest
from alerts.delivery.wall import shown
from alerts.models import Alert, Bell, Channel
from alerts.ports import NO_WISHES, FirstTold, Ring, Wishes
from alerts.preferences import BudgetSpan, DigestKind, QuietMode

_SPREAD = 0.2  # share by which a planned retry is moved either way, so that failed sends do not come back as one crowd
_LATE_SPREAD = 0.1  # share added to a wait that a service asked for: never earlier than it said
_A = {BudgetSpan.HOUR: "an hour", BudgetSpan.DAY: "a day"}
_NOT_ASKED = FirstTold()


class Action(StrEnum):
    """What is to be done with a delivery."""

    SEND = "send"
    UPDATE = "update"  # what was told is changed in place, without a sound
    HOLD = "hold"  # not before `due_at`
    DIGEST = "digest"  # told together with others
    DROP = "drop"  # nobody is to be told
    EXPIRE = "expire"  # it is too late to tell
    TOLD = "told"  # it was told before


@dataclass(frozen=True, slots=True)
class Decision:
    """An action and its reason in words."""

    action: Action
    reason: str
    due_at: datetime | None = None  # of a hold, and of a digest: when it is told
    digest: DigestKind | None = None
    later_at: datetime | None = None  # of a digest: when the one after it is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One delivery that is due, with all that the decision hangs on."""

    bells: Sequence[Bell]  # what the alert tells; of a digest without what is muted
    alert: Alert  # its `expires_at` moved by the time it was held
    channel: Channel
    wishes: Wishes = NO_WISHES
    rings: Sequence[Ring] = ()  # of the channel in the last day, this delivery's own left out; oldest first
    first: FirstTold = _NOT_ASKED  # for occasions that follow the first
    can_update: bool = False  # whether the channel can change in place what it was told
    away_s: float = 60.0  # how long a catch-up digest waits for more

    @property
    def urgency(self) -> int:
        """Of the most urgent thing that is told; 1 is highest."""
        return min((bell.tagged.urgency for bell in self.bells), default=5)

    @property
    def is_critical(self) -> bool:
        """Whether it cannot wait, by the subscriber's own measure."""
        return self.urgency <= self.wishes.preferences.critical

    @property
    def is_whole(self) -> bool:
        """Whether it is a digest, or a warning of our own: neither goes into a digest."""
        return is_digest(self.alert) or self.alert.occasion.startswith("operator:")


def decide(case: Case, *, now: datetime) -> Decision:
    """What becomes of this delivery now, and why. `now` is UTC."""
    found = (decision for question in _QUESTIONS if (decision := question(case, now)) is not None)
    decision = next(found, Decision(Action.SEND, "due"))
    return _at_once(case, decision) if followup.is_at_once(case.alert) else decision


def decide_replay(case: Case, *, now: datetime) -> Decision:
    """The same for one that a person asked for again: nothing but a dead channel or its time stops it."""
    return _switched_off(case, now) or _too_late(case, now) or _gone(case, now) or Decision(Action.SEND, "a person asked for it")


def is_digest(alert: Alert) -> bool:
    """Whether the alert is a digest, which may hold no more than one item."""
    return alert.occasion.startswith("digest:")


def digest_due(kind: DigestKind, wishes: Wishes, now: datetime) -> datetime:
    """When an open digest of this kind is told, by what its subscriber wants now."""
    if kind is DigestKind.PLANNED:
        return next_digest(wishes.preferences, now) or now
    if kind is DigestKind.WAKE:
        is_batched = wishes.preferences.quiet_mode is QuietMode.BATCH_ON_WAKE
        return snoozed_until(wishes.mutes, now) or (silence_end(wishes.preferences, now) if is_batched else None) or now
    return now


# ---------------------------------------------------------------- the questions, in their order


def _switched_off(case: Case, _now: datetime) -> Decision | None:
    if case.channel.is_enabled:
        return None
    return Decision(Action.DROP, f"the channel is switched off{f': {case.channel.error}' if case.channel.error else ''}")


def _too_late(case: Case, now: datetime) -> Decision | None:
    if now < case.alert.expires_at:
        return None
    return Decision(Action.EXPIRE, f"nobody could be told before {case.alert.expires_at:%Y-%m-%d %H:%M} UTC")


def _gone(case: Case, _now: datetime) -> Decision | None:
    return None if case.bells else Decision(Action.DROP, "nothing is left to tell: it was muted, or is past its keep time")


def _muted(case: Case, now: datetime) -> Decision | None:
    mute = None if case.is_whole else muted_by(case.alert, case.bells, case.wishes.mutes, now)
    if mute is None:
        return None
    until = shown(case.wishes.preferences.zone, mute.until_at, now)
    return Decision(Action.DROP, f"the {mute.kind.value} {mute.target} is muted until {until}")


def _update(case: Case, now: datetime) -> Decision | None:
    """An update makes no sound: it changes what was told where it stands, or is dropped."""
    if not followup.is_update(case.alert):
        return None
    refusal = followup.why_no_update(case.first, can_update=case.can_update)
    if refusal:
        return Decision(Action.DROP, refusal)
    due_at = followup.told_at(case.first, now)
    if due_at:
        return Decision(Action.HOLD, "what it updates waits to be told", due_at)
    return Decision(Action.UPDATE, "updates what was told, without a sound")


def _untold(case: Case, _now: datetime) -> Decision | None:
    refusal = followup.why_silent(case.alert, case.first)
    return Decision(Action.DROP, refusal) if refusal else None


def _at_once(case: Case, decision: Decision) -> Decision:
    """What comes of an alert that is to ring sooner than what told the story before: it rings now, or not at all."""
    waits = decision.reason if decision.action in (Action.HOLD, Action.DIGEST) else ""
    refusal = followup.why_no_sooner(case.first, waits)
    if refusal:
        return Decision(Action.DROP, refusal)
    if decision.action is Action.SEND and case.first.status is not None:
        return Decision(Action.SEND, f"another rule matches, and it was to be told in a digest or later: {decision.reason}")
    return decision


def _snoozed(case: Case, now: datetime) -> Decision | None:
    until = snoozed_until(case.wishes.mutes, now)
    return _woken(case, f"snoozed until {shown(case.wishes.preferences.zone, until, now)}", until) if until else None


def _missed(case: Case, now: datetime) -> Decision | None:
    if case.is_whole or not all(bell.tagged.change.is_catch_up for bell in case.bells):
        return None
    due_at = now + timedelta(seconds=case.away_s)
    return _digest(DigestKind.AWAY, "found after a downtime: told together with what else was missed", due_at)


def _planned(case: Case, now: datetime) -> Decision | None:
    preferences = case.wishes.preferences
    due_at = None if case.is_whole or case.is_critical else next_digest(preferences, now)
    if due_at is None:
        return None
    reason = f"told in the digest of {shown(preferences.zone, due_at, now)}"
    return Decision(Action.DIGEST, reason, due_at, DigestKind.PLANNED, next_digest(preferences, due_at))


def _silent(case: Case, now: datetime) -> Decision | None:
    preferences = case.wishes.preferences
    end = silence_end(preferences, now)
    if end is None:
        return None
    until = f"quiet hours ({preferences.quiet_mode.value}) until {shown(preferences.zone, end, now)}"
    if preferences.quiet_mode is QuietMode.BATCH_ON_WAKE:
        return _woken(case, until, end)
    if preferences.quiet_mode is QuietMode.CRITICAL_ONLY and case.is_critical:
        return Decision(Action.SEND, f"urgency {case.urgency} is critical and rings in {until}")
    return _held(case, until, end)


def _over_budget(case: Case, now: datetime) -> Decision | None:
    if case.is_whole or case.is_critical:
        return None
    used = spent(case.wishes.preferences.budgets, case.rings, case.urgency, now)
    if used is None:
        return None
    whose = f" of urgency {used.budget.urgency} and below" if used.budget.urgency > 1 else ""
    room = shown(case.wishes.preferences.zone, used.room_at, now)
    reason = f"the budget of {used.budget.most}{whose} in {_A[used.budget.span]} is used up: told in a digest at {room}"
    return _digest(DigestKind.OVERFLOW, reason, used.room_at)


_QUESTIONS: tuple[Callable[[Case, datetime], Decision | None], ...] = (
    _switched_off,
    _too_late,
    _gone,
    _muted,
    _update,
    _untold,
    _snoozed,
    _missed,
    _planned,
    _silent,
    _over_budget,
)


def _woken(case: Case, reason: str, end: datetime) -> Decision:
    """Told in one digest when it ends; what goes into no digest is held."""
    return _held(case, reason, end) if case.is_whole else _digest(DigestKind.WAKE, f"{reason}: told in one digest then", end)


def _held(case: Case, reason: str, end: datetime) -> Decision:
    """Told when it ends: the most urgent first, should not all fit into the budget."""
    return Decision(Action.HOLD, reason, end + timedelta(milliseconds=case.urgency))


def _digest(kind: DigestKind, reason: str, due_at: datetime) -> Decision:
    return Decision(Action.DIGEST, reason, due_at, kind, due_at)


# ---------------------------------------------------------------- retries


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
