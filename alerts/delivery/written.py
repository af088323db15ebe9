"""Preferences as people write them, on the command line and in files; and what they probably meant when it is wrong.

    zone = "Europe/Berlin"   quiet = ["22:00-07:00", "sat,sun 00:00-09:30"]   quiet_mode = "critical_only"   critical = 1
    budget_hour = 10         budget_day = ["40", "4:15"]                      digest = ["daily@07:30", "weekly@mon 08:00"]
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from alerts.errors import ConfigError
from alerts.preferences import EVERY_DAY, NO_PREFERENCES, Budget, BudgetSpan, DigestTime, Preferences, QuietMode, QuietWindow, Rhythm
from alerts.text.durations import nearest_duration, seconds_of

KEYS = ("zone", "quiet", "quiet_mode", "critical", "budget_hour", "budget_day", "digest")
OFF = "off"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK_MIN = 7 * 1440
_MOST = 20  # windows, budgets or digest times of one subscriber
_MOST_RINGS = 1000
_CLOCK = r"([01]\d|2[0-4]):([0-5]\d)"
_WINDOW = re.compile(rf"(?:([a-z,-]+)\s+)?{_CLOCK}-{_CLOCK}")
_DIGEST = re.compile(rf"hourly|daily@{_CLOCK}|weekly@([a-z]{{3}})[ @]{_CLOCK}")
_LOOSE_TIME = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm)?", re.I)
_FIELDS = {"digest": "digests"}  # key of a file -> field


def read_preferences(where: str, table: Mapping[str, Any], before: Preferences) -> Preferences:
    """The preferences with what a table says; what it does not name stays.

    Args:
        where: What an error begins with.
        table: Keys of `KEYS`; a list may be given as its only member, "off" is an empty one.
        before: What holds so far.

    Raises:
        ConfigError: Names the key, what is wrong and the nearest that is right.
    """
    read = {_FIELDS.get(key, key): _READ[key](f"{where}: {key}", value) for key, value in table.items() if key in _READ}
    budgets = {span: [b for b in before.budgets if b.span is span] for span in BudgetSpan}
    for span in BudgetSpan:
        budgets[span] = read.pop(f"budget_{span.value}", budgets[span])
    after = replace(before, **read, budgets=tuple(b for span in BudgetSpan for b in budgets[span]))
    if is_endless(after.quiet):
        raise ConfigError(f"{where}: quiet: these hours never end: nothing would ever be told; leave a minute, or pause the rules")
    return after


def preferences_table(preferences: Preferences) -> dict[str, Any]:
    """The keys that a file would name; those at their default are left out."""
    spans = {f"budget_{span.value}": [write_budget(b) for b in preferences.budgets if b.span is span] for span in BudgetSpan}
    table: dict[str, Any] = {
        "zone": preferences.zone,
        "quiet": [write_window(w) for w in preferences.quiet],
        "quiet_mode": preferences.quiet_mode.value,
        "critical": preferences.critical,
        **spans,
        "digest": [write_digest(d) for d in preferences.digests],
    }
    plain = {"zone": NO_PREFERENCES.zone, "quiet_mode": NO_PREFERENCES.quiet_mode.value, "critical": NO_PREFERENCES.critical}
    return {key: value for key, value in table.items() if value != plain.get(key, [])}


def read_span(where: str, text: str, *, most_s: float) -> float:
    """Seconds of "4h". Raises: ConfigError with the nearest that is right."""
    seconds = seconds_of(text)
    if seconds is None:
        near = nearest_duration(text)
        raise ConfigError(f"{where}: must be a time such as 30m, 4h or 2d, not {text[:60]!r}{f'; did you mean {near}?' if near else ''}")
    if not 0 < seconds <= most_s:
        raise ConfigError(f"{where}: must be more than nothing and at most {most_s / 86400:.0f}d, not {text[:60]}")
    return seconds


# ---------------------------------------------------------------- how each part is written


def write_window(window: QuietWindow) -> str:
    """ "sat,sun 22:00-07:00"."""
    days = "" if window.days == EVERY_DAY else ",".join(_DAYS[d] for d in window.days) + " "
    return f"{days}{_clock(window.start)}-{_clock(window.end)}"


def write_digest(digest: DigestTime) -> str:
    """ "hourly", "daily@07:30" or "weekly@mon 07:30"."""
    if digest.rhythm is Rhythm.HOURLY:
        return digest.rhythm.value
    day = f"{_DAYS[digest.weekday]} " if digest.rhythm is Rhythm.WEEKLY else ""
    return f"{digest.rhythm.value}@{day}{_clock(digest.minute)}"


def write_budget(budget: Budget) -> str:
    """ "10", or "4:3" for at most 3 of urgency 4 and below."""
    return f"{budget.urgency}:{budget.most}" if budget.urgency > 1 else str(budget.most)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


# ---------------------------------------------------------------- how each part is read


def _zone(where: str, value: object) -> str:
    names = zoneinfo.available_timezones() | {"UTC"}
    if isinstance(value, str) and value in names:
        return value
    if len(names) == 1:
        raise ConfigError(f"{where}: this machine knows no time zones; install its package tzdata (Debian: apt install tzdata)")
    text = str(value)
    by_end = {name.rpartition("/")[2].casefold(): name for name in sorted(names, reverse=True) if "/" in name}
    by_name = {name.casefold(): name for name in names}
    asked = text.strip().casefold().replace(" ", "_")
    close = get_close_matches(asked, [*by_name, *by_end], n=1, cutoff=0.7)
    near = by_name.get(asked) or by_end.get(asked) or (by_name | by_end)[close[0]] if close else ""
    raise ConfigError(f"{where}: must be a time zone such as Europe/Berlin, not {text[:60]!r}{f'; did you mean {near}?' if near else ''}")


def _windows(where: str, value: object) -> tuple[QuietWindow, ...]:
    return tuple(_window(where, text) for text in _texts(where, value))


def _window(where: str, text: str) -> QuietWindow:
    match = _WINDOW.fullmatch(text.strip().lower())
    if not match:
        near = _near_window(text)
        hint = f"; did you mean {near}?" if near else ""
        raise ConfigError(f'{where}: must be hours such as "22:00-07:00" or "sat,sun 00:00-09:30", not {text[:60]!r}{hint}')
    start, end = _minute(where, match[2], match[3], most=1439), _minute(where, match[4], match[5])
    if start == end:
        raise ConfigError(f"{where}: {text[:60]!r} begins when it ends; a whole day is 00:00-24:00")
    return QuietWindow(start=start, end=end, days=_days(where, match[1] or "mon-sun"))


def _minute(where: str, hour: str, minute: str, *, most: int = 1440) -> int:
    found = int(hour) * 60 + int(minute)
    if found > most:
        last = "24:00" if most == 1440 else f"{_clock(most)}; midnight is 00:00 of the next day"
        raise ConfigError(f"{where}: {hour}:{minute} is no time there; the last is {last}")
    return found


def _days(where: str, text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        low, high = _day(where, first), _day(where, last or first)
        found |= {day % 7 for day in range(low, high + 1 if high >= low else high + 8)}
    return tuple(sorted(found))


def _day(where: str, text: str) -> int:
    if text in _DAYS:
        return _DAYS.index(text)
    near = next((day for day in _DAYS if text.startswith(day)), "") or next(iter(get_close_matches(text, _DAYS, n=1)), "")
    raise ConfigError(f"{where}: {text[:20]!r} is no day; days are {', '.join(_DAYS)}{f'; did you mean {near}?' if near else ''}")


def _near_window(text: str) -> str:
    times = [_near_time(*found) for found in _LOOSE_TIME.findall(text)]
    return f"{times[0]}-{times[1]}" if len(times) == 2 and all(times) else ""


def _near_time(hour: str, minute: str, half: str) -> str:
    hours, minutes = int(hour), int(minute or 0)
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    return _clock(hours * 60 + minutes) if hours < 24 and minutes < 60 else ""


def is_endless(windows: Sequence[QuietWindow]) -> bool:
    """Whether every minute of the week is quiet: nothing would ever be told."""
    covered: set[int] = set()
    for window in windows:
        length = (window.end - window.start) % 1440 or 1440
        covered |= {(day * 1440 + window.start + m) % _WEEK_MIN for day in window.days for m in range(length)}
    return len(covered) == _WEEK_MIN


def _mode(where: str, value: object) -> QuietMode:
    if value in list(QuietMode):
        return QuietMode(str(value))
    known = [mode.value for mode in QuietMode]
    near = next(iter(get_close_matches(str(value), known, n=1)), "")
    raise ConfigError(f"{where}: must be {', '.join(known)}, not {str(value)[:60]!r}{f'; did you mean {near}?' if near else ''}")


def _critical(where: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 5:
        return value
    raise ConfigError(f"{where}: must be an urgency from 1 (highest) to 5, or 0 when nothing is critical, not {str(value)[:60]!r}")


def _budgets(span: BudgetSpan) -> Callable[[str, object], list[Budget]]:
    def read(where: str, value: object) -> list[Budget]:
        return [_budget(where, span, text) for text in _texts(where, str(value) if _is_number(value) else value)]

    return read


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _budget(where: str, span: BudgetSpan, text: str) -> Budget:
    match = re.fullmatch(r"(?:([1-5]):)?(\d{1,4})", text.strip())
    if not match or int(match[2]) > _MOST_RINGS:
        allowed = f'a number up to {_MOST_RINGS}, or "4:3" for at most 3 of urgency 4 and below'
        raise ConfigError(f"{where}: must be {allowed}, not {text[:60]!r}")
    return Budget(span=span, most=int(match[2]), urgency=int(match[1] or 1))


def _digests(where: str, value: object) -> tuple[DigestTime, ...]:
    return tuple(_digest(where, text) for text in _texts(where, value))


def _digest(where: str, text: str) -> DigestTime:
    match = _DIGEST.fullmatch(text.strip().lower())
    if not match:
        near = _near_digest(text)
        hint = f"; did you mean {near}?" if near else ""
        raise ConfigError(f'{where}: must be "hourly", "daily@07:30" or "weekly@mon 07:30", not {text[:60]!r}{hint}')
    if match[3]:
        minute = _minute(where, match[4], match[5], most=1439)
        return DigestTime(rhythm=Rhythm.WEEKLY, minute=minute, weekday=_day(where, match[3]))
    if match[1]:
        return DigestTime(rhythm=Rhythm.DAILY, minute=_minute(where, match[1], match[2], most=1439))
    return DigestTime(rhythm=Rhythm.HOURLY)


def _near_digest(text: str) -> str:
    rhythm = next(iter(get_close_matches(re.split(r"[@ ]", text.strip().lower())[0], [r.value for r in Rhythm], n=1)), "")
    times = [_near_time(*found) for found in _LOOSE_TIME.findall(text)]
    time = times[0] if times and times[0] else "07:30"
    day = next((day for day in _DAYS if re.search(rf"\b{day}", text.lower())), "mon")
    return {"hourly": "hourly", "daily": f"daily@{time}", "weekly": f"weekly@{day} {time}"}.get(rhythm, "")


def _texts(where: str, value: object) -> list[str]:
    texts: list[Any] = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise ConfigError(f"{where}: must be a text or a list of texts, not {str(value)[:60]!r}")
    texts = [text for text in texts if text not in (OFF, "")]
    if len(texts) > _MOST:
        raise ConfigError(f"{where}: up to {_MOST} can be given, not {len(texts)}")
    return texts


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "zone": _zone,
    "quiet": _windows,
    "quiet_mode": _mode,
    "critical": _critical,
    "budget_hour": _budgets(BudgetSpan.HOUR),
    "budget_day": _budgets(BudgetSpan.DAY),
    "digest": _digests,
}
