"""The canary goes the real way and its alarm another one; the sign of life is given only while all is well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.errors import ConfigError, NotFoundError
from alerts.pipeline.health import QUEUES
from alerts.ports import Canary
from tests.harness import Rig, watched_rig
from tests.servers_http import Asked, reply, serving


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        made.channel("far")
        made.channel("alarm")
        made.sink.got.clear()
        yield made


def start(rig: Rig, *, within_s: float = 60.0) -> None:
    """Send canaries to `far`; the first one is on the queue."""
    rig.service.start_canary("far", "alarm", every_s=900, within_s=within_s)
    rig.sweep()


def next_turn(rig: Rig, name: str) -> None:
    """Let the time pass in which something is done once."""
    rig.store.run_command("DEL", f"{rig.store.prefix}turn:{name}")


def went_to(rig: Rig) -> list[str]:
    """The channels that were reached, in order."""
    return [asked.path.strip("/") for asked in rig.sink.server.asked]


def test_a_canary_goes_from_sift_to_its_channel_and_rings_no_other_rule(rig: Rig) -> None:
    rig.sink.server.asked.clear()
    start(rig)
    assert rig.sift() == 1
    rig.deliver()
    assert went_to(rig) == ["far"]
    assert "works from end to end" in rig.sink.got[0]["message"]["body"]
    held = rig.service.canary()
    assert held is not None
    assert held.seen == held.item_id


def test_a_canary_s_rule_is_rung_by_nothing_else_and_is_nobody_s_business(rig: Rig) -> None:
    start(rig)
    assert [rule.rule_id for rule in rig.service.rules()] == ["everything"]
    assert all(view.bell.source_name != "tocsin-canary" for view in rig.service.alerts())


def test_a_canary_that_is_accepted_in_time_raises_no_alarm(rig: Rig) -> None:
    start(rig, within_s=1e-3)
    rig.sift()
    rig.deliver()
    rig.sink.server.asked.clear()
    rig.sweep()
    assert went_to(rig) == []


def test_a_missed_canary_is_told_once_on_another_channel_past_all_queues(rig: Rig) -> None:
    start(rig, within_s=1e-3)
    rig.sink.server.asked.clear()
    rig.sweep()
    assert went_to(rig) == ["alarm"]
    assert "did not arrive" in rig.sink.titles[-1]
    next_turn(rig, "canary-alarm")
    rig.sweep()
    assert went_to(rig) == ["alarm"]
    assert any("canary" in problem for problem in rig.service.health()["problems"])


def test_an_alarm_that_is_not_accepted_is_raised_again(rig: Rig) -> None:
    start(rig, within_s=1e-3)
    rig.sink.server.asked.clear()
    rig.sink.answers = [reply(503)]
    rig.sweep()
    next_turn(rig, "canary-alarm")
    rig.sweep()
    assert went_to(rig) == ["alarm", "alarm"]


def test_when_canaries_arrive_again_the_alarm_is_called_off(rig: Rig) -> None:
    start(rig, within_s=1e-3)
    rig.sweep()
    for name in ("canary", "canary-alarm"):
        next_turn(rig, name)
    rig.tools.state.put_canary(Canary(channel_id="far", alarm_id="alarm"))
    rig.sweep()
    rig.sift()
    rig.deliver()
    rig.sweep()
    assert "arrives again" in rig.sink.titles[-1]
    held = rig.service.canary()
    assert held is not None
    assert not held.alarmed


def test_a_canary_ends_when_a_person_says_so(rig: Rig) -> None:
    start(rig)
    rig.service.end_canary()
    assert rig.service.canary() is None
    next_turn(rig, "canary")
    rig.sift()
    rig.sweep()
    assert rig.tools.state.waiting()["sift"] == 0


def test_a_canary_needs_two_channels_that_are_there_and_times_that_make_sense(rig: Rig) -> None:
    with pytest.raises(ConfigError, match="another channel"):
        rig.service.start_canary("far", "far", every_s=900, within_s=60)
    with pytest.raises(NotFoundError):
        rig.service.start_canary("far", "nowhere", every_s=900, within_s=60)
    with pytest.raises(ConfigError, match="--within"):
        rig.service.start_canary("far", "alarm", every_s=60, within_s=60)


# ---------------------------------------------------------------- the sign of life


def asked_by(rig: Rig, *, wells: int) -> list[str]:
    """What an outside watcher was asked by two sweeps, with so many of the queues served."""
    for queue in QUEUES[:wells]:
        rig.tools.state.beat(f"worker-{queue}", queue)
    seen: list[str] = []

    def watcher(asked: Asked) -> bytes:
        seen.append(f"{asked.method} {asked.path}")
        return reply(200)

    with serving(watcher) as server:
        watched = rig.with_settings("watch", ping_url=server.url("/ping/1"))
        watched.sweep()
        watched.sweep()
    return seen


def test_while_all_is_well_an_outside_watcher_gets_a_sign_of_life_once_in_its_time(rig: Rig) -> None:
    assert asked_by(rig, wells=3) == ["GET /ping/1"]


def test_while_a_queue_is_not_served_no_sign_of_life_is_given(rig: Rig) -> None:
    rig.store.run_command("DEL", f"{rig.store.prefix}owners")
    assert asked_by(rig, wells=2) == []
