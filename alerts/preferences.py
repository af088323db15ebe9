"""What a subscriber asked for: when to be left in peace, how often to be rung, what to be told together, what not at all.

Wall-clock times are minutes of the day in the subscriber's zone, 0 to 1440; weekdays count from 0 = Monday.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


class QuietMode(StrEnum):
    """What quiet hours do to an alert."""

    SILENCE_ALL = "silence_all"  # nothing rings; each is told when they end
    CRITICAL_ONLY = "critical_only"  # what is critical rings, the rest as above
    BATCH_ON_WAKE = "batch_on_wake"  # nothing rings; all are told in one digest when they end


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietWindow:
    """Hours of silence; an end at or before the start lies on the next day."""

    start: int
    end: int
    days: tuple[int, ...] = EVERY_DAY  # on which it starts


class BudgetSpan(StrEnum):
    """The time a budget is for; both roll."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How often one channel may ring in a span of time."""

    span: BudgetSpan
    most: int
    urgency: int = 1  # counts alerts of this urgency and less urgent ones


class Rhythm(StrEnum):
    """How often a digest comes."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTime:
    """When a digest is told; an hourly one on the hour."""

    rhythm: Rhythm
    minute: int = 0
    weekday: int = 0  # of a weekly one


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How a subscriber wants to be told; the default is at once, whatever it is."""

    zone: str = "UTC"  # IANA name
    quiet: tuple[QuietWindow, ...] = ()
    quiet_mode: QuietMode = QuietMode.CRITICAL_ONLY
    critical: int = 1  # urgency up to which an alert is critical; 0 = none is
    budgets: tuple[Budget, ...] = ()
    digests: tuple[DigestTime, ...] = ()  # what is not critical waits for the next of these


NO_PREFERENCES = Preferences()


class MuteKind(StrEnum):
    """What is muted."""

    STORY = "story"
    RULE = "rule"
    REGION = "region"
    ALL = "all"  # a snooze: held back, not dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Something a subscriber does not want to hear of for a time."""

    kind: MuteKind
    target: str = ""  # story id, rule id or name of a region
    until_at: datetime
    codes: tuple[str, ...] = ()  # of a region: ISO 3166 codes wholly inside
    places: tuple[str, ...] = ()  # of a region: names of places inside

    @property
    def mute_id(self) -> str:
        """By which it is removed: story:3f2a..., region:LB, all."""
        return f"{self.kind.value}:{self.target}" if self.target else self.kind.value


class DigestKind(StrEnum):
    """Why alerts are told together; each kind has an open digest of its own for each channel."""

    AWAY = "away"  # found after a downtime of ours
    WAKE = "wake"  # came in quiet hours or during a snooze
    OVERFLOW = "overflow"  # more than the budget
    PLANNED = "planned"  # asked for
