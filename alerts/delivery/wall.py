"""When a wall clock shows a time: instants of minutes of a day in a zone, also where clocks jump.

In a gap (clocks go forward over that time) it is the moment of the jump. In a fold (clocks go back, the time comes twice)
it is the first, or the last when asked for: so silence that ends at that time lasts through both.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY_MIN = 1440


@lru_cache(maxsize=65_536)
def instant(zone: str, day: date, minute: int, *, is_last: bool = False) -> datetime:
    """The UTC time at which the clocks of a zone show this minute of that day.

    Args:
        zone: IANA name.
        day: The local date.
        minute: 0 to 1440; 1440 is midnight at the end of the day.
        is_last: In a fold, the second time instead of the first.
    """
    shown = datetime.combine(day, time()) + timedelta(minutes=minute)
    place = _place(zone)
    first = shown.replace(tzinfo=place, fold=0).astimezone(UTC)
    second = shown.replace(tzinfo=place, fold=1).astimezone(UTC)
    if first > second:  # a gap: read with the offset before the jump and with the one after it
        return _jump(place, second, first)
    return second if is_last else first


def _jump(place: tzinfo, before: datetime, after: datetime) -> datetime:
    """The second between two times at which the offset of a zone changes."""
    offset = before.astimezone(place).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, place).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def _place(zone: str) -> tzinfo:
    return UTC if zone == "UTC" else ZoneInfo(zone)  # the default needs no table of zones on the machine


def local(zone: str, at: datetime) -> datetime:
    """What the clocks of a zone show."""
    return at.astimezone(_place(zone))


def shown(zone: str, at: datetime, now: datetime) -> str:
    """A time for a person: "07:00", with the date when it is not today, and the zone."""
    there = local(zone, at)
    day = "" if there.date() == local(zone, now).date() else f"{there:%a %d %b} "
    return f"{day}{there:%H:%M} {zone}"
