"""Lengths of time as people write them: 30m, 2h, 4d."""

from __future__ import annotations

import re

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
_PART = re.compile(r"(\d{1,6})\s*([a-zäöü]*)", re.I)


def seconds_of(text: str) -> float | None:
    """The seconds of "30m"; None when it is no length of time."""
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _UNITS_S[match[2]] if match else None


def duration(seconds: float) -> str:
    """Seconds in the largest unit that says them whole: 5400 is 90m."""
    unit = next((u for u in "dhm" if seconds and seconds % _UNITS_S[u] == 0), "s")
    return f"{seconds / _UNITS_S[unit]:.0f}{unit}"


def nearest_duration(text: str) -> str:
    """What somebody who wrote "2 hours" or "1h30" probably meant; '' when nothing comes near."""
    parts, seconds, unit = _PART.findall(text), 0, ""
    for number, word in parts:
        unit = word[:1].lower() or {"d": "h", "h": "m", "m": "s"}.get(unit, "")
        if unit not in _UNITS_S:
            return ""
        seconds += int(number) * _UNITS_S[unit]
    return duration(seconds) if seconds else ""
