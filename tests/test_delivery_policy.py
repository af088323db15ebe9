"""Which deliveries are sent, and when a failed one is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.policy import Action, Case, Decision, decide, retry_at
from alerts.models import Alert, Bell, Channel, Tagged
from tests.builders import NOW, a_bell, a_change, a_channel, a_tagged, an_alert

RETRIES = (0.0, 5.0, 30.0, 120.0)
LATE = NOW + timedelta(days=1)


def decided(bells: Sequence[Bell], alert: Alert, channel: Channel, now: datetime = NOW, **fields: Any) -> Decision:
    return decide(Case(bells=bells, alert=alert, channel=channel, **fields), now=now)


def caught_up(number: int = 1) -> Tagged:
    return a_tagged(number, change=a_change(number, is_catch_up=True))


def test_a_due_delivery_is_sent() -> None:
    bell = a_bell()
    assert decided([bell], an_alert(bell), a_channel()).action is Action.SEND


def test_a_channel_that_is_off_drops_and_says_why() -> None:
    bell = a_bell()
    decision = decided([bell], an_alert(bell), a_channel(is_enabled=False, error="chat not found"))
    assert (decision.action, decision.reason) == (Action.DROP, "the channel is switched off: chat not found")


def test_an_alert_expires_at_its_very_moment() -> None:
    bell = a_bell()
    alert = an_alert(bell)
    assert decided([bell], alert, a_channel(), alert.expires_at).action is Action.EXPIRE
    assert decided([bell], alert, a_channel(), alert.expires_at - timedelta(seconds=1)).action is Action.SEND


def test_what_was_found_after_a_downtime_goes_into_a_digest() -> None:
    bell = a_bell(tagged=caught_up())
    assert decided([bell], an_alert(bell), a_channel()).action is Action.DIGEST


def test_a_digest_of_missed_items_is_itself_sent() -> None:
    bell = a_bell(tagged=caught_up())
    assert decided([bell], an_alert(bell, occasion="digest:away:1"), a_channel()).action is Action.SEND


@pytest.mark.parametrize(("attempts", "planned_s"), [(0, 0), (1, 5), (2, 30), (3, 120), (4, 120), (99, 120)])
def test_retries_follow_the_schedule_and_its_last_one_repeats(attempts: int, planned_s: float) -> None:
    due_at = retry_at(attempts, None, RETRIES, Random(1), now=NOW, expires_at=LATE)
    assert due_at is not None
    assert 0.8 * planned_s <= (due_at - NOW).total_seconds() <= 1.2 * planned_s


def test_retries_of_many_deliveries_are_spread() -> None:
    random = Random(1)
    assert len({retry_at(2, None, RETRIES, random, now=NOW, expires_at=LATE) for _ in range(50)}) == 50


def test_a_delivery_that_could_only_be_late_is_given_up() -> None:
    assert retry_at(3, None, RETRIES, Random(1), now=NOW, expires_at=NOW + timedelta(seconds=90)) is None
    assert retry_at(1, None, (), Random(1), now=NOW, expires_at=LATE) is None


@given(wait=st.floats(0, 80_000), attempts=st.integers(-1, 50), seed=st.integers(0, 100))
def test_a_service_that_asks_for_a_wait_is_never_asked_sooner(wait: float, attempts: int, seed: int) -> None:
    due_at = retry_at(attempts, wait, RETRIES, Random(seed), now=NOW, expires_at=NOW + timedelta(days=2))
    assert due_at is not None
    assert due_at >= NOW + timedelta(seconds=wait) - timedelta(microseconds=1)
