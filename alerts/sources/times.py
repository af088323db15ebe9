"""Times as publishers write them, to aware UTC datetimes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_NUMBER = re.compile(r"-?\d{9,16}(?:\.\d{1,9})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = 1e11  # as seconds this would be the year 5138
_MICROSECONDS = 1e14


def time_of(value: object) -> datetime | None:
    """The moment in UTC, or None when the value does not name one.

    Args:
        value: ISO 8601 or RFC 822 text, or seconds, milliseconds or microseconds since 1970, as number or digits.
            A time without a zone is taken as UTC; a clock time without a date names no moment.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _from_epoch(value)
    if not isinstance(value, str) or len(value) > 100:
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _from_epoch(float(text))
    return _from_text(text)


def _from_epoch(value: float) -> datetime | None:
    if not abs(value) < 1e17 or not value:  # false for NaN, too
        return None
    divisor = 1e6 if abs(value) >= _MICROSECONDS else 1e3 if abs(value) >= _MILLISECONDS else 1
    try:
        return _EPOCH + timedelta(seconds=value / divisor)
    except OverflowError:
        return None


def _from_text(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
