"""When a source is asked next: at the pace of its own news, with manners, and with patience when it fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.models import Page, PageStatus, PollState, SourceKind
from alerts.settings import PollSettings
from alerts.sources.cadence import is_blind, jittered, learn_rhythm, next_interval
from tests.builders import NOW, a_source

SOURCE = a_source(floor_s=60.0, ceiling_s=3600.0)
ADAPTIVE = PollSettings.model_validate({})
FIXED = PollSettings.model_validate({"is_adaptive": False})


def ago(seconds: float) -> Any:
    """A time before NOW."""
    return NOW - timedelta(seconds=seconds)


def page(status: PageStatus = PageStatus.CHANGED, **fields: Any) -> Page:
    """What a poll at NOW found."""
    return Page(source_id=SOURCE.source_id, status=status, fetched_at=NOW, **fields)


def interval(state: PollState, found: Page | None = None, *, new: int = 0, settings: PollSettings = ADAPTIVE) -> float:
    """The next interval of SOURCE."""
    return next_interval(SOURCE, state, found or page(), found_new=new, settings=settings)


def rhythm(seconds: float, *, quiet_s: float = 0.0) -> PollState:
    """A state with a learned rhythm, whose last news is this old."""
    return PollState(rhythm_s=seconds, item_at=ago(quiet_s))


# ---------------------------------------------------------------- rhythm


def test_a_new_source_is_asked_at_its_floor() -> None:
    assert interval(PollState()) == 60.0


@pytest.mark.parametrize(
    ("rhythm_s", "expected"),
    [pytest.param(60, 60.0, id="busy: the floor"), (600, 60.0), (6000, 600.0), pytest.param(360_000, 3600.0, id="rare: the ceiling")],
)
def test_a_source_is_asked_ten_times_in_its_rhythm(rhythm_s: float, expected: float) -> None:
    assert interval(rhythm(rhythm_s)) == expected


@pytest.mark.parametrize(("quiet_s", "expected"), [(3600, 60.0), (28_800, 60.0), (86_400, 172.8), (864_000, 1728.0), (8_640_000, 3600.0)])
def test_silence_slows_a_source_down_only_after_a_night(quiet_s: float, expected: float) -> None:
    assert interval(rhythm(600, quiet_s=quiet_s)) == expected


def test_a_source_that_never_brought_news_is_asked_less_and_less() -> None:
    assert interval(PollState(changed_at=ago(864_000))) == 1728.0


def test_news_after_a_long_silence_brings_the_pace_back() -> None:
    assert interval(rhythm(600, quiet_s=864_000), new=1) < interval(rhythm(600, quiet_s=864_000))


def test_the_first_gap_is_the_rhythm_and_later_ones_move_it() -> None:
    assert learn_rhythm(PollState(), NOW, 3) == 0.0
    assert learn_rhythm(PollState(item_at=ago(500)), NOW, 1) == 500.0
    assert 500.0 < learn_rhythm(rhythm(500, quiet_s=1000), NOW, 1) < 750.0
    assert learn_rhythm(rhythm(500, quiet_s=1000), NOW, 0) == 500.0


def test_one_night_without_news_does_not_make_a_source_slow() -> None:
    assert learn_rhythm(rhythm(600, quiet_s=28_800), NOW, 1) < 2000.0


def test_a_steady_source_is_learned_whatever_was_believed_before() -> None:
    state = rhythm(86_400, quiet_s=300)
    for _ in range(20):
        state = replace(state, rhythm_s=learn_rhythm(state, NOW, 1))
    assert state.rhythm_s == pytest.approx(300, rel=0.02)


# ---------------------------------------------------------------- manners


@pytest.mark.parametrize(("max_age_s", "expected"), [(None, 60.0), (0.0, 60.0), (300.0, 300.0), (86_400.0, 3600.0)])
def test_a_fresh_answer_is_not_asked_for_again_before_the_ceiling(max_age_s: float | None, expected: float) -> None:
    assert interval(rhythm(60), page(PageStatus.NOT_MODIFIED, max_age_s=max_age_s)) == expected


@pytest.mark.parametrize(("failures", "expected"), [(0, 60.0), (1, 120.0), (2, 240.0), (5, 1920.0), (6, 3600.0), (1_000_000, 3600.0)])
def test_each_failure_in_a_row_doubles_the_wait_up_to_an_hour(failures: int, expected: float) -> None:
    assert interval(PollState(failures=failures), page(PageStatus.FAILED)) == expected


def test_a_source_with_a_low_ceiling_still_backs_off_up_to_an_hour() -> None:
    quick = a_source(floor_s=1.0, ceiling_s=5.0)
    assert next_interval(quick, PollState(failures=30), page(PageStatus.FAILED), found_new=0, settings=ADAPTIVE) == 3600.0


@pytest.mark.parametrize(("retry_after_s", "expected"), [(None, 120.0), (10.0, 120.0), (7200.0, 7200.0), (999_999.0, 86_400.0)])
def test_retry_after_counts_beyond_the_ceiling_up_to_a_day(retry_after_s: float | None, expected: float) -> None:
    assert interval(PollState(failures=1), page(PageStatus.FAILED, retry_after_s=retry_after_s)) == expected


def test_the_first_success_ends_the_back_off() -> None:
    assert interval(replace(rhythm(60), failures=12), page(PageStatus.NOT_MODIFIED)) == 60.0


def test_a_source_that_is_gone_is_asked_once_a_day() -> None:
    assert interval(PollState(), page(PageStatus.GONE)) == 86_400.0


@pytest.mark.parametrize("status", list(PageStatus))
def test_a_fixed_cadence_keeps_the_floor_whatever_comes(status: PageStatus) -> None:
    found = page(status, max_age_s=900.0, retry_after_s=900.0)
    assert interval(replace(rhythm(86_400), failures=9), found, settings=FIXED) == 60.0


@given(
    rhythm_s=st.floats(0, 1e9),
    quiet_s=st.floats(0, 1e9),
    max_age_s=st.none() | st.floats(0, 1e9),
    new=st.integers(0, 1000),
    floor_s=st.floats(1, 86_400),
    ceiling_s=st.floats(1, 604_800),
)
def test_a_success_never_leaves_the_span_of_floor_and_ceiling(
    rhythm_s: float, quiet_s: float, max_age_s: float | None, new: int, floor_s: float, ceiling_s: float
) -> None:
    source = a_source(floor_s=floor_s, ceiling_s=ceiling_s)
    state = PollState(rhythm_s=rhythm_s, item_at=ago(quiet_s))
    found = next_interval(source, state, page(max_age_s=max_age_s), found_new=new, settings=ADAPTIVE)
    assert floor_s <= found <= max(floor_s, ceiling_s)


def test_jitter_only_adds_and_at_most_its_share() -> None:
    random = Random(7)
    found = [jittered(100.0, 0.1, random) for _ in range(200)]
    assert all(100.0 <= seconds <= 110.0 for seconds in found)
    assert len(set(found)) > 100
    assert jittered(100.0, 0.0, random) == 100.0


# ---------------------------------------------------------------- quiet or blind


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(PollState(), id="never polled"),
        pytest.param(PollState(failures=2, ok_at=ago(86_400)), id="two failures"),
        pytest.param(PollState(failures=4, ok_at=ago(600)), id="failing for minutes"),
        pytest.param(PollState(rhythm_s=600, item_at=ago(80_000), ok_at=NOW), id="a quiet night"),
        pytest.param(PollState(rhythm_s=86_400, item_at=ago(700_000), ok_at=NOW), id="a weekly that is a week old"),
        pytest.param(PollState(rhythm_s=600, item_at=ago(500_000), ok_at=ago(499_000)), id="a downtime of ours"),
        pytest.param(PollState(item_at=ago(9_000_000), ok_at=NOW), id="no rhythm learned"),
    ],
)
def test_a_quiet_source_is_not_blind(state: PollState) -> None:
    assert is_blind(SOURCE, state, NOW) is None


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (PollState(is_gone=True), "gone: the publisher took it down (HTTP 410); remove it or look for its new address"),
        (PollState(failures=3, error="HTTP 404"), "never answered: 3 failures in a row, the last: HTTP 404"),
        (PollState(failures=9, error="HTTP 500", ok_at=ago(10_800)), "no good answer for 3 h: 9 failures in a row, the last: HTTP 500"),
        (
            PollState(rhythm_s=600, item_at=ago(172_800), ok_at=NOW),
            "nothing new for 2 days, usually every 10 min; look at its address in a browser",
        ),
    ],
)
def test_a_blind_source_says_why(state: PollState, words: str) -> None:
    assert is_blind(SOURCE, state, NOW) == words


def test_a_paused_source_is_never_blind() -> None:
    assert is_blind(a_source(is_paused=True), PollState(is_gone=True, failures=99), NOW) is None


def test_an_empty_ticker_is_not_blind_but_a_failing_one_is() -> None:
    ticker = a_source(kind=SourceKind.TICKER)
    silent = PollState(rhythm_s=600, item_at=ago(864_000), ok_at=NOW)
    assert is_blind(ticker, silent, NOW) is None
    assert is_blind(ticker, replace(silent, failures=5, ok_at=ago(3600)), NOW) is not None
