"""Quiet hours: until when it is silent, by a subscriber's windows in the subscriber's zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from alerts.delivery.wall import instant, local
from alerts.preferences import Preferences

_ALWAYS = timedelta(days=28)  # windows that follow each other for so long leave no time between them


def silence_end(preferences: Preferences, now: datetime) -> datetime | None:
    """When the silence of this moment ends, UTC; None when there is none.

    A window that begins when another ends goes on: 22:00-24:00 and 00:00-07:00 are one silence. Windows that leave no time of the
    week between them are silent for four weeks, and then for four weeks more.
    """
    if not preferences.quiet:
        return None
    end, at = None, now
    while at - now < _ALWAYS:
        later = max((until for since, until in _around(preferences, at) if since <= at < until), default=None)
        if later is None:
            break
        end = at = later
    return end


def _around(preferences: Preferences, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The windows that begin on the local day of a time or the day before, as UTC times."""
    today = local(preferences.zone, at).date()
    for day in (today - timedelta(days=1), today):
        for window in preferences.quiet:
            if day.weekday() in window.days:
                last = day if window.end > window.start else day + timedelta(days=1)
                yield instant(preferences.zone, day, window.start), instant(preferences.zone, last, window.end, is_last=True)
