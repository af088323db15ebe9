"""Quiet hours, digest times and budgets: in any zone, across midnight, and where clocks jump."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.budget import spent
from alerts.delivery.quiet import silence_end
from alerts.delivery.schedule import next_digest
from alerts.delivery.wall import instant, shown
from alerts.delivery.written import read_preferences
from alerts.ports import Ring
from alerts.preferences import NO_PREFERENCES, Budget, BudgetSpan, Preferences, QuietWindow
from bench._policy_world import ZONES, is_wall_quiet

BERLIN = "Europe/Berlin"  # 2026: clocks go forward on 29 March at 02:00, back on 25 October at 03:00


def wanting(zone: str = BERLIN, **table: object) -> Preferences:
    return read_preferences("me", {"zone": zone, **table}, NO_PREFERENCES)


def at(text: str, zone: str = BERLIN, fold: int = 0) -> datetime:
    """A time of the wall clock as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def ends(preferences: Preferences, now: datetime) -> str:
    """When the silence of a moment ends, on the wall clock; '' when it is not silent."""
    end = silence_end(preferences, now)
    return f"{end.astimezone(ZoneInfo(preferences.zone)):%a %H:%M}" if end else ""


# ---------------------------------------------------------------- quiet hours


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-06-10T21:59", ""),
        ("2026-06-10T22:00", "Thu 07:00"),
        ("2026-06-11T00:00", "Thu 07:00"),
        ("2026-06-11T06:59", "Thu 07:00"),
        ("2026-06-11T07:00", ""),
    ],
)
def test_quiet_hours_go_across_midnight_and_end_at_their_very_minute(now: str, end: str) -> None:
    assert ends(wanting(quiet="22:00-07:00"), at(now)) == end


@pytest.mark.parametrize(("now", "end"), [("2026-06-12T23:00", "Sat 07:00"), ("2026-06-13T01:00", "Sat 07:00"), ("2026-06-13T23:00", "")])
def test_days_are_those_on_which_the_hours_begin(now: str, end: str) -> None:
    assert ends(wanting(quiet="mon-fri 22:00-07:00"), at(now)) == end


def test_hours_that_follow_each_other_are_one_silence() -> None:
    preferences = wanting(quiet=["22:00-24:00", "00:00-06:00", "sat,sun 06:00-09:30"])
    assert ends(preferences, at("2026-06-12T22:30")) == "Sat 09:30"
    assert ends(preferences, at("2026-06-11T22:30")) == "Fri 06:00"


def test_hours_of_one_zone_are_not_those_of_another() -> None:
    noon = datetime(2026, 6, 10, 12, tzinfo=UTC)
    assert ends(wanting("Asia/Tokyo", quiet="21:00-06:00"), noon) == "Thu 06:00"
    assert ends(wanting("America/Lima", quiet="21:00-06:00"), noon) == ""


def test_an_end_that_the_clocks_skip_is_when_they_jump() -> None:
    end = silence_end(wanting(quiet="22:00-02:30"), at("2026-03-29T01:00"))
    assert end == at("2026-03-29T03:00")


def test_an_end_that_comes_twice_is_the_second_one() -> None:
    preferences = wanting(quiet="22:00-02:30")
    assert silence_end(preferences, at("2026-10-25T02:15")) == at("2026-10-25T02:30", fold=1)
    assert silence_end(preferences, at("2026-10-25T02:15", fold=1)) == at("2026-10-25T02:30", fold=1)


def test_a_start_that_comes_twice_is_the_first_one() -> None:
    preferences = wanting(quiet="02:30-06:00")
    assert silence_end(preferences, at("2026-10-25T02:29")) is None
    assert silence_end(preferences, at("2026-10-25T02:10", fold=1)) == at("2026-10-25T06:00")


def test_a_start_that_the_clocks_skip_begins_when_they_jump() -> None:
    preferences = wanting(quiet="02:30-06:00")
    assert silence_end(preferences, at("2026-03-29T01:59")) is None
    assert silence_end(preferences, at("2026-03-29T03:00")) == at("2026-03-29T06:00")


WINDOWS = st.builds(
    QuietWindow,
    start=st.integers(0, 1439),
    end=st.integers(1, 1440),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
).filter(lambda w: w.start != w.end)
JUMPS = st.sampled_from([datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3, 4, 9, 10, 11)])


@given(
    zone=st.sampled_from(ZONES),
    windows=st.lists(WINDOWS, min_size=1, max_size=3),
    month=JUMPS,
    minutes=st.integers(0, 60 * 24 * 60),
)
def test_whenever_the_wall_clock_shows_a_quiet_time_it_is_silent(
    zone: str, windows: list[QuietWindow], month: datetime, minutes: int
) -> None:
    preferences = Preferences(zone=zone, quiet=tuple(windows))
    now = month + timedelta(minutes=minutes)
    end = silence_end(preferences, now)
    if is_wall_quiet(preferences, now):
        assert end is not None
        assert end > now
    if end is not None and end - now < timedelta(days=20):
        assert not is_wall_quiet(preferences, end)


def test_windows_that_leave_no_time_between_them_are_one_silence() -> None:
    always = (QuietWindow(start=0, end=2, days=tuple(range(7))), QuietWindow(start=2, end=1, days=tuple(range(7))))
    now = datetime(2026, 2, 1, tzinfo=UTC)
    end = silence_end(Preferences(zone="Europe/Berlin", quiet=always), now)
    assert end is not None
    assert end - now >= timedelta(days=28)


# ---------------------------------------------------------------- digest times


def digests(preferences: Preferences, since: datetime, number: int) -> list[str]:
    """The next digest times on the wall clock."""
    found = []
    for _ in range(number):
        following = next_digest(preferences, since)
        assert following is not None
        assert following > since
        since = following
        found.append(f"{since.astimezone(ZoneInfo(preferences.zone)):%a %d %H:%M}")
    return found


def test_a_daily_digest_comes_at_the_time_of_the_subscriber_s_own_clock() -> None:
    assert digests(wanting(digest="daily@07:30"), at("2026-03-28T07:30"), 2) == ["Sun 29 07:30", "Mon 30 07:30"]


def test_several_digest_times_take_turns() -> None:
    preferences = wanting(digest=["daily@07:30", "weekly@mon 18:00"])
    assert digests(preferences, at("2026-06-14T08:00"), 3) == ["Mon 15 07:30", "Mon 15 18:00", "Tue 16 07:30"]


def test_a_digest_time_that_the_clocks_skip_is_told_when_they_jump_and_one_that_comes_twice_once() -> None:
    preferences = wanting(digest="daily@02:30")
    assert digests(preferences, at("2026-03-28T12:00"), 2) == ["Sun 29 03:00", "Mon 30 02:30"]
    assert digests(preferences, at("2026-10-24T12:00"), 2) == ["Sun 25 02:30", "Mon 26 02:30"]


def test_an_hourly_digest_comes_on_the_hour_of_the_wall_clock() -> None:
    assert digests(wanting("Asia/Kolkata", digest="hourly"), datetime(2026, 6, 1, 0, 10, tzinfo=UTC), 2) == ["Mon 01 06:00", "Mon 01 07:00"]


def test_nobody_who_asked_for_no_digest_gets_one() -> None:
    assert next_digest(NO_PREFERENCES, at("2026-06-01T00:00")) is None


@given(zone=st.sampled_from(ZONES), day=st.dates(date(2026, 1, 1), date(2027, 12, 31)), minute=st.integers(0, 1439))
def test_no_instant_of_a_day_is_before_an_earlier_one(zone: str, day: date, minute: int) -> None:
    assert instant(zone, day, minute) <= instant(zone, day, minute, is_last=True)
    assert instant(zone, day, minute) <= instant(zone, day, minute + 1)


def test_a_time_is_shown_with_its_day_when_that_is_not_today() -> None:
    now = at("2026-06-10T22:30")
    assert shown(BERLIN, at("2026-06-10T23:00"), now) == "23:00 Europe/Berlin"
    assert shown(BERLIN, at("2026-06-11T07:00"), now) == "Thu 11 Jun 07:00 Europe/Berlin"


# ---------------------------------------------------------------- budgets

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def rings(*minutes_ago: int, urgency: int = 5) -> list[Ring]:
    return [Ring(NOW - timedelta(minutes=m), urgency, str(m)) for m in sorted(minutes_ago, reverse=True)]


HOURLY = Budget(span=BudgetSpan.HOUR, most=2)


def test_a_budget_has_room_until_it_is_used_up_and_again_when_the_oldest_ring_is_an_hour_old() -> None:
    assert spent([HOURLY], rings(10), 5, NOW) is None
    used = spent([HOURLY], rings(10, 50), 5, NOW)
    assert used
    assert used.room_at == NOW + timedelta(minutes=10)
    assert spent([HOURLY], rings(10, 60), 5, NOW) is None


def test_a_budget_that_was_overrun_by_what_is_critical_has_room_when_enough_has_passed() -> None:
    used = spent([HOURLY], rings(10, 20, 50), 5, NOW)
    assert used
    assert used.room_at == NOW + timedelta(minutes=40)


def test_a_budget_for_low_urgency_leaves_the_rest_alone() -> None:
    low = Budget(span=BudgetSpan.HOUR, most=1, urgency=4)
    assert spent([low], rings(10), 3, NOW) is None
    assert spent([low], rings(10, urgency=3), 4, NOW) is None
    assert spent([low], rings(10), 4, NOW) is not None


def test_of_two_budgets_the_one_without_room_for_longest_counts() -> None:
    daily = Budget(span=BudgetSpan.DAY, most=3)
    used = spent([HOURLY, daily], rings(10, 50, 700), 5, NOW)
    assert used
    assert (used.budget, used.room_at) == (daily, NOW + timedelta(minutes=740))


def test_a_budget_of_none_never_has_room() -> None:
    used = spent([Budget(span=BudgetSpan.HOUR, most=0)], [], 5, NOW)
    assert used
    assert used.room_at == NOW + timedelta(hours=1)
