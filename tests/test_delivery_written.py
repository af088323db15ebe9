"""Preferences as people write them: what is understood, and what is said when it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.written import preferences_table, read_preferences, read_span
from alerts.errors import ConfigError
from alerts.preferences import NO_PREFERENCES, Budget, BudgetSpan, DigestTime, Preferences, QuietMode, QuietWindow, Rhythm
from alerts.text.durations import duration, nearest_duration, seconds_of
from bench._policy_world import ZONES

WRONG = [
    ("zone", "Berlin", "did you mean Europe/Berlin?"),
    ("zone", "europe/berlin", "did you mean Europe/Berlin?"),
    ("zone", "Euroe/Berlin", "did you mean Europe/Berlin?"),
    ("zone", "xyzzy", "must be a time zone such as Europe/Berlin, not 'xyzzy'"),
    ("zone", 3, "must be a time zone"),
    ("quiet", "22-7", "did you mean 22:00-07:00?"),
    ("quiet", "10pm-7am", "did you mean 22:00-07:00?"),
    ("quiet", "at night", 'must be hours such as "22:00-07:00"'),
    ("quiet", "monday 22:00-07:00", "did you mean mon?"),
    ("quiet", "22:00-22:00", "a whole day is 00:00-24:00"),
    ("quiet", "24:00-07:00", "the last is 23:59"),
    ("quiet", "22:00-24:30", "the last is 24:00"),
    ("quiet", "00:00-24:00", "nothing would ever be told"),
    ("quiet", ["06:00-22:30", "22:00-07:00"], "nothing would ever be told"),
    ("quiet", [7], "must be a text or a list of texts"),
    ("quiet", ["22:00-07:00"] * 21, "up to 20"),
    ("quiet_mode", "critical", "did you mean critical_only?"),
    ("critical", 6, "an urgency from 1 (highest) to 5, or 0"),
    ("critical", True, "an urgency from 1 (highest) to 5, or 0"),
    ("budget_hour", "ten", 'a number up to 1000, or "4:3"'),
    ("budget_day", 2000, "a number up to 1000"),
    ("budget_day", "7:3", '"4:3" for at most 3 of urgency 4 and below'),
    ("digest", "dayly@7:30", "did you mean daily@07:30?"),
    ("digest", "weekly 8am on monday", "did you mean weekly@mon 08:00?"),
    ("digest", "weekly@foo 07:00", "'foo' is no day"),
    ("digest", "now and then", 'must be "hourly", "daily@07:30" or "weekly@mon 07:30"'),
]


@pytest.mark.parametrize(("key", "value", "says"), WRONG)
def test_a_wrong_word_is_named_with_the_nearest_that_is_right(key: str, value: object, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_preferences("people.toml: subscriber me", {key: value}, NO_PREFERENCES)
    assert str(caught.value).startswith(f"people.toml: subscriber me: {key}: ")
    assert says in str(caught.value)


def test_what_is_not_named_stays() -> None:
    before = read_preferences("me", {"zone": "Asia/Beirut", "budget_day": 40}, NO_PREFERENCES)
    after = read_preferences("me", {"quiet": "22:00-07:00", "budget_hour": ["10", "4:3"]}, before)
    assert after.zone == "Asia/Beirut"
    assert preferences_table(after)["budget_day"] == ["40"]
    assert preferences_table(after)["budget_hour"] == ["10", "4:3"]


@pytest.mark.parametrize("key", ["quiet", "budget_hour", "budget_day", "digest"])
def test_off_takes_back_what_was_set(key: str) -> None:
    value = {"quiet": "22:00-07:00", "digest": "hourly"}.get(key, "5")
    before = read_preferences("me", {key: value}, NO_PREFERENCES)
    assert before != NO_PREFERENCES
    assert read_preferences("me", {key: "off"}, before) == read_preferences("me", {key: []}, before) == NO_PREFERENCES


@pytest.mark.parametrize(
    ("text", "days"),
    [("22:00-07:00", range(7)), ("mon-fri 22:00-07:00", range(5)), ("sat,sun 22:00-07:00", (5, 6)), ("fri-mon 22:00-07:00", (0, 4, 5, 6))],
)
def test_days_are_named_one_by_one_or_from_to(text: str, days: range) -> None:
    [window] = read_preferences("me", {"quiet": text}, NO_PREFERENCES).quiet
    assert window == QuietWindow(start=1320, end=420, days=tuple(days))


WINDOWS = st.builds(
    QuietWindow,
    start=st.integers(0, 1439),
    end=st.integers(1, 900),
    days=st.sets(st.integers(0, 6), min_size=1, max_size=6).map(lambda days: tuple(sorted(days))),
).filter(lambda w: w.start != w.end)
DIGESTS = st.one_of(
    st.just(DigestTime(rhythm=Rhythm.HOURLY)),
    st.builds(DigestTime, rhythm=st.just(Rhythm.DAILY), minute=st.integers(0, 1439)),
    st.builds(DigestTime, rhythm=st.just(Rhythm.WEEKLY), minute=st.integers(0, 1439), weekday=st.integers(0, 6)),
)
HOURS, DAYS = (
    st.lists(st.builds(Budget, span=st.just(span), most=st.integers(0, 1000), urgency=st.integers(1, 5)), max_size=2)
    for span in (BudgetSpan.HOUR, BudgetSpan.DAY)
)


@given(
    preferences=st.builds(
        Preferences,
        zone=st.sampled_from(ZONES),
        quiet=st.lists(WINDOWS, max_size=1).map(tuple),
        quiet_mode=st.sampled_from(QuietMode),
        critical=st.integers(0, 5),
        budgets=st.tuples(HOURS, DAYS).map(lambda pair: (*pair[0], *pair[1])),
        digests=st.lists(DIGESTS, max_size=3).map(tuple),
    )
)
def test_whatever_is_written_is_read_again(preferences: Preferences) -> None:
    assert read_preferences("me", preferences_table(preferences), NO_PREFERENCES) == preferences


def test_preferences_nobody_changed_have_no_keys() -> None:
    assert preferences_table(NO_PREFERENCES) == {}


# ---------------------------------------------------------------- lengths of time


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), (" 2 h", 7200), ("4d", 345600)])
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


MEANT = [("2 hours", "2h"), ("1h30", "90m"), ("1 week", "7d"), ("soon", ""), ("5", "")]


@pytest.mark.parametrize(("text", "meant"), MEANT)
def test_what_was_probably_meant_is_said(text: str, meant: str) -> None:
    assert seconds_of(text) is None
    assert nearest_duration(text) == meant


@given(seconds=st.integers(0, 999_999))
def test_a_length_of_time_that_is_written_is_read_again(seconds: int) -> None:
    assert seconds_of(duration(seconds)) == seconds


@pytest.mark.parametrize(("text", "says"), [("2 hours", "did you mean 2h?"), ("0m", "more than nothing"), ("90d", "at most 14d")])
def test_a_wrong_length_of_time_says_what_is_right(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("?", r"\?")):
        read_span("for", text, most_s=14 * 86400)
