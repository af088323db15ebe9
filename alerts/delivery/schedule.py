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
    there = local(zone, now)
    if wanted.rhythm is Rhythm.HOURLY:
        return now - timedelta(minutes=there.minute, seconds=there.second, microseconds=there.microsecond) + timedelta(hours=1)
    return next(at for at in _times(zone, wanted, there) if at > now)


def _times(zone: str, wanted: DigestTime, there: datetime) -> Iterator[datetime]:
    for ahead in range(16):
        day = there.date() + timedelta(days=ahead)
        if wanted.rhythm is Rhythm.DAILY or day.weekday() == wanted.weekday:
            yield instant(zone, day, wanted.minute)
