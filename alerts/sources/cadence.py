"""When a source is asked next, and whether it is quiet or blind. Pure; all durations are seconds.

The interval is decided in this order: a fixed cadence keeps the floor; a source that is gone is asked once a day; a
failure backs off; else the interval follows the source's own rhythm between its floor and its ceiling, and an answer
that says how long it stays fresh is not asked for again before.
"""

from __future__ import annotations

import math
from datetime import datetime
from random import Random

from alerts.models import Page, PageStatus, PollState, Source, SourceKind
from alerts.settings import PollSettings

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_PER_RHYTHM = 0.1  # of the usual time between news: found after a twentieth of it on average, with ten cheap polls
_PER_QUIET = 0.002  # of the time without news: at the floor of 60 s for 8 hours of night, at an hour after 3 weeks
_NEWEST_GAP_WEIGHT = 0.3  # of the newest gap in the rhythm; a change of pace is learned in about five gaps
_MOST_DOUBLINGS = 20  # keeps 2 ** failures a number; the cap is reached long before
_BLIND_FAILURES = 3
_BLIND_AFTER_S = 900.0  # failing for less is a hiccup
_BLIND_RHYTHMS = 10.0  # without news for this many usual gaps, and at least a day, is suspicious


def next_interval(source: Source, state: PollState, page: Page, *, found_new: int, settings: PollSettings) -> float:
    """Seconds until the next poll, counted from this one, before jitter.

    Args:
        state: As it was before this poll.
        page: What this poll found.
        found_new: Items of this poll that were new, 0 or more.
        settings: Of polling; `is_adaptive` off keeps every source at its floor, whatever it answers.
    """
    if not settings.is_adaptive:
        return source.floor_s
    if page.status is PageStatus.GONE:
        return _DAY_S
    if page.status is PageStatus.FAILED:
        return _back_off(source, state, page)
    ceiling_s = max(source.ceiling_s, source.floor_s)
    interval_s = max(_rhythm_interval(state, page.fetched_at, found_new), page.max_age_s or 0.0, source.floor_s)
    return min(interval_s, ceiling_s)


def _rhythm_interval(state: PollState, now: datetime, found_new: int) -> float:
    """What the source's own pace suggests: a share of its rhythm, growing slowly while nothing comes.

    A source without a learned rhythm starts at its floor and is asked less and less while it brings nothing.
    """
    last = now if found_new else state.item_at or state.changed_at or now
    quiet_s = max(0.0, (now - last).total_seconds())
    return max(learn_rhythm(state, now, found_new) * _PER_RHYTHM, quiet_s * _PER_QUIET)


def _back_off(source: Source, state: PollState, page: Page) -> float:
    """One floor after the first failure, doubled by each further one up to the ceiling or an hour.

    A publisher's Retry-After counts even beyond that, up to a day. The first success ends the back-off at once.
    """
    cap_s = max(source.ceiling_s, source.floor_s, _HOUR_S)
    doubled_s = source.floor_s * 2.0 ** min(state.failures, _MOST_DOUBLINGS)
    return max(min(doubled_s, cap_s), min(page.retry_after_s or 0.0, _DAY_S))


def jittered(interval_s: float, ratio: float, random: Random) -> float:
    """The interval and up to `ratio` of it on top, so that sources do not stay in step."""
    return interval_s * (1.0 + ratio * random.random())


def learn_rhythm(state: PollState, now: datetime, found_new: int) -> float:
    """Usual seconds between polls that bring something new; 0 while fewer than two did.

    A moving average of the gaps' logarithms: one quiet night among gaps of minutes does not make a source slow.

    Args:
        state: As it was before this poll.
        now: The time of this poll, UTC.
        found_new: Items of this poll that were new.
    """
    if found_new <= 0 or state.item_at is None:
        return state.rhythm_s
    gap_s = max(1.0, (now - state.item_at).total_seconds())
    if state.rhythm_s <= 0:
        return gap_s
    return math.exp((1 - _NEWEST_GAP_WEIGHT) * math.log(state.rhythm_s) + _NEWEST_GAP_WEIGHT * math.log(gap_s))


def is_blind(source: Source, state: PollState, now: datetime) -> str | None:
    """Why we may be missing this source's news, in words; None when it is well, merely quiet, or paused.

    Silence is measured against the source's own rhythm and up to its last good answer, so that a downtime of ours is
    not held against it. An empty ticker is its normal state: only failures (its canary among them) make it blind.

    Args:
        state: As it is stored now.
        now: UTC.
    """
    if source.is_paused:
        return None
    if state.is_gone:
        return "gone: the publisher took it down (HTTP 410); remove it or look for its new address"
    if state.failures >= _BLIND_FAILURES:
        return _failing(state, now)
    if source.kind is SourceKind.TICKER or state.rhythm_s <= 0 or state.item_at is None or state.ok_at is None:
        return None
    silent_s = (state.ok_at - state.item_at).total_seconds()
    if silent_s <= max(_BLIND_RHYTHMS * state.rhythm_s, _DAY_S):
        return None
    return f"nothing new for {_words(silent_s)}, usually every {_words(state.rhythm_s)}; look at its address in a browser"


def _failing(state: PollState, now: datetime) -> str | None:
    why = f"{state.failures} failures in a row, the last: {state.error or 'unknown'}"
    if state.ok_at is None:
        return f"never answered: {why}"
    failing_s = (now - state.ok_at).total_seconds()
    return f"no good answer for {_words(failing_s)}: {why}" if failing_s > _BLIND_AFTER_S else None


def _words(seconds: float) -> str:
    for size_s, unit in ((_DAY_S, "days"), (_HOUR_S, "h"), (60.0, "min")):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds:.0f} s"
