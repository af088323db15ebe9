"""When the next digest is due, by the times a subscriber asked for, in the subscriber's zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from alerts.delivery.wall import instant, local
from alerts.preferences import DigestTime, Preferences, Rhythm


def next_digest(preferences: Preferences, now: datetime) -> datetime | None:
    """The first digest time after now, UTC; None when no digest was asked for.

    A time that the clocks skip is told when they jump, one that comes twice the first time.
    """
    return min((_next(preferences.zone, wanted, now) for wanted in preferences.digests), default=None)


def _next(zone: str, wanted: DigestTime, now: datetime) -> datetime:
    if wanted.rhythm is Rhythm.HOURLY:
        return _full_hour(zone, now)
    return next(at for at in _times(zone, wanted, local(zone, now)) if at > now)


def _full_hour(zone: str, now: datetime) -> datetime:
    """When the wall clock next shows a full hour; where clocks jump by half an hour, that may be after two steps."""
    at = now.replace(second=0, microsecond=0)
    at += timedelta(minutes=60 - local(zone, at).minute)
    return at if local(zone, at).minute == 0 else _full_hour(zone, at)


def _times(zone: str, wanted: DigestTime, there: datetime) -> Iterator[datetime]:
    for ahead in range(16):
        day = there.date() + timedelta(days=ahead)
        if wanted.rhythm is Rhythm.DAILY or day.weekday() == wanted.weekday:
            yield instant(zone, day, wanted.minute)
