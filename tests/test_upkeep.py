"""The sweep: what was left unfinished is kicked, a jump of the clock is followed, the operator is warned once an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.models import DeliveryStatus, PollState
from alerts.pipeline import warn
from alerts.pipeline.expand import expand
from alerts.pipeline.upkeep import Sweeper
from tests.builders import a_poll_commit
from tests.harness import Rig, claim_all, entry, watched_rig


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        made.channel("operator", is_operator=True)
        made.rule("*", "everything", channel_ids=["desk"])
        yield made


def warnings(rig: Rig) -> list[str]:
    """What the operator was told."""
    rig.deliver()
    return [m["message"]["title"] for m in rig.sink.got if m["kind"] == "warning"]


def test_a_jump_of_the_store_s_clock_is_seen_in_both_directions(rig: Rig) -> None:
    sweeper, now = Sweeper(), rig.tools.state.now()
    assert sweeper.jump_s(now, 30.0) == 0
    assert sweeper.jump_s(now + timedelta(hours=2), 30.0) == pytest.approx(7200, abs=5)
    assert sweeper.jump_s(now + timedelta(hours=1), 30.0) == pytest.approx(-3600, abs=5)


def test_a_small_drift_of_the_clock_is_no_jump(rig: Rig) -> None:
    sweeper, now = Sweeper(), rig.tools.state.now()
    sweeper.jump_s(now, 30.0)
    assert sweeper.jump_s(now + timedelta(seconds=20), 30.0) == 0
    assert sweeper.jump_s(now + timedelta(seconds=40), 30.0) == 0


def test_after_a_jump_back_due_times_move_with_the_clock_and_the_operator_hears_of_it(rig: Rig) -> None:
    """The store's clock stood an hour ahead at the last sweep: what was put off by a minute then is not an hour away."""
    rig.sweeper.jump_s(rig.tools.state.now() + timedelta(hours=1), 30.0)
    rig.tools.state.commit_polls([a_poll_commit(state=rig.state_of(), due_at=rig.tools.state.now() + timedelta(minutes=59))])
    rig.sweep()
    assert rig.tools.state.waiting()["poll"] == 1
    assert any("jumped by -3600 s" in title for title in warnings(rig))


def test_the_sweep_kicks_every_queue_that_has_work_and_no_other(rig: Rig) -> None:
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    for queue in ("poll", "sift", "deliver"):
        rig.tools.state.clear_wake(queue)
    rig.woken.clear()
    rig.sweep()
    assert rig.woken == ["sift"]
    rig.sift()
    rig.woken.clear()
    rig.tools.state.clear_wake("deliver")
    rig.wait(7200)
    rig.sweep()
    assert sorted(rig.woken) == ["deliver", "poll"]


def test_a_queue_is_not_kicked_again_while_a_wake_up_is_on_its_way(rig: Rig) -> None:
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    rig.woken.clear()
    rig.sweep()
    rig.sweep()
    assert rig.woken == []  # the poll's own wake-up is not answered yet


def test_what_a_vanished_worker_was_sending_is_freed_when_its_lease_has_ended(rig: Rig) -> None:
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    rig.sift()
    while expand(rig.tools):
        pass
    assert len(claim_all(rig.store, "vanished")) == 1
    assert rig.sweep()["freed_lanes"] == 0
    rig.wait(60)
    assert rig.sweep()["freed_lanes"] == 1
    rig.deliver()
    assert [d.status for d in rig.deliveries()] == [DeliveryStatus.SENT]


def test_a_warning_is_given_once_an_hour_for_each_subject(rig: Rig) -> None:
    assert warn(rig.tools, "disk", "data", "Only 5 MB are free.")
    assert not warn(rig.tools, "disk", "data", "Only 4 MB are free.")
    assert warn(rig.tools, "source_blind", "harbour", "The source Harbour is blind.")
    assert sorted(warnings(rig)) == ["Tocsin warns: Only 5 MB are free.", "Tocsin warns: The source Harbour is blind."]


def test_without_an_operator_s_channel_nobody_is_warned(rig: Rig) -> None:
    rig.service.remove_channel("operator")
    assert not warn(rig.tools, "disk", "data", "Only 5 MB are free.")
    assert rig.tools.state.waiting()["deliver"] == 0


def test_a_switched_off_operator_s_channel_is_not_warned(rig: Rig) -> None:
    rig.service.enable_channel("operator", is_enabled=False)
    assert not warn(rig.tools, "disk", "data", "Only 5 MB are free.")


def test_the_operator_hears_when_the_disk_runs_full(rig: Rig) -> None:
    rig.with_settings("watch", disk_free_mb=10**9).sweep()
    assert any("make room" in title for title in warnings(rig))


def test_the_operator_hears_of_a_blind_source_but_not_of_a_paused_one(rig: Rig) -> None:
    failing = PollState(failures=9, error="HTTP 404 Not Found", ok_at=rig.clock() - timedelta(hours=3))
    rig.watch("quay")
    rig.watch("pier", is_paused=True)
    for source_id in ("quay", "pier"):
        rig.tools.state.commit_polls([a_poll_commit(source_id, state=failing, due_at=rig.clock() + timedelta(hours=1))])
    rig.sweep()
    told = warnings(rig)
    assert len(told) == 1
    assert "Quay is blind" in told[0]


def test_the_slow_checks_are_made_once_a_minute_for_all_workers(rig: Rig) -> None:
    rig.sweep()
    full = rig.with_settings("watch", disk_free_mb=10**9)
    full.sweep()
    assert warnings(rig) == []


def test_the_operator_hears_of_restarted_workers_once(rig: Rig) -> None:
    rig.tools.state.bump("worker_restarts", 3)
    rig.sweep()
    told = warnings(rig)
    assert len(told) == 1
    assert "restarted 3 times" in told[0]


def test_when_the_store_s_memory_runs_short_the_archive_is_shed_first(rig: Rig) -> None:
    rig.publish("harbour", *(entry(n) for n in range(12, 0, -1)))
    kept = len(rig.stages())
    used = int(rig.tools.state.info()["used_memory"])
    rig.store.run_command("CONFIG", "SET", "maxmemory", int(used * 1.05))
    try:
        rig.sweep()
    finally:
        rig.store.run_command("CONFIG", "SET", "maxmemory", 256_000_000)
    assert len(rig.stages()) == kept // 2
    assert any("archive were shed" in title for title in warnings(rig))
