"""The store's promises: commits are atomic, repeatable and refuse to overwrite what others changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.errors import NotFoundError, StateError
from alerts.models import DeliveryStatus, Mark, PollState
from alerts.ports import Expansion, Lane, LaneAsk, LaneEnd, Outcome, Settlement, Verdict
from alerts.state.codec import changed_chunks, pack_mark, unpack_chunks, unpack_marks
from alerts.state.redis import RedisState
from tests.builders import (
    NOW,
    a_bell,
    a_change,
    a_channel,
    a_delivery,
    a_poll_commit,
    a_rule,
    a_sift_commit,
    a_source,
    a_story,
    an_alert,
)
from tests.harness import claim_all


def a_mark(number: int, **fields: Any) -> Mark:
    hour = 1_772_000_000 // 3600 + 5
    return Mark(number + 2**40, number, number + 1, number + 2, number + 3, 1_772_000_000, hour, True)._replace(**fields)


def claim(state: RedisState, owner: str = "poller", **fields: float) -> list[str]:
    leases = state.claim_sources(owner, **{"limit": 10, "horizon_s": 1, "lease_s": 30, "downtime_s": 1800, **fields})  # type: ignore[arg-type]
    return [lease.source.source_id for lease in leases]


# ---------------------------------------------------------------- marks


def test_a_mark_takes_39_bytes_and_comes_back_whole() -> None:
    mark = a_mark(7, last_seen_h=1_772_000_000 // 3600 + 70)
    assert len(pack_mark(mark)) == 39
    assert unpack_marks(pack_mark(mark)) == [mark]


def test_only_the_chunks_a_poll_touched_are_written() -> None:
    marks = {i: a_mark(i) for i in range(130)}
    chunks = changed_chunks(marks, added=[a_mark(500)], updated={3: a_mark(3, title=9)}, forgotten=frozenset())
    assert set(chunks) == {0, 2}
    assert unpack_chunks({b"%d" % n: c for n, c in chunks.items()})[3].title == 9


def test_a_full_last_chunk_is_continued_in_a_new_one() -> None:
    marks = {i: a_mark(i) for i in range(64)}
    chunks = changed_chunks(marks, added=[a_mark(500)], updated={}, forgotten=frozenset())
    assert [len(chunks[n]) // 39 for n in sorted(chunks)] == [64, 1]


def test_a_chunk_of_forgotten_marks_is_deleted() -> None:
    marks = {i: a_mark(i) for i in range(70)}
    assert changed_chunks(marks, added=(), updated={}, forgotten=frozenset(range(64))) == {0: b""}


# ---------------------------------------------------------------- poll


def test_a_source_is_claimed_by_one_worker_only(state: RedisState) -> None:
    state.put_source(a_source())
    assert claim(state) == ["harbour"]
    assert claim(state, "other") == []


def test_a_dead_worker_s_source_is_due_again_at_once(state: RedisState) -> None:
    state.put_source(a_source())
    claim(state, "dead")
    assert state.free_leases("dead") == 1
    assert claim(state, "other") == ["harbour"]


def test_a_paused_source_is_not_due_and_a_resumed_one_is(state: RedisState) -> None:
    state.put_source(a_source(is_paused=True))
    assert claim(state) == []
    state.put_source(a_source())
    assert claim(state) == ["harbour"]


def test_a_poll_commit_writes_marks_items_and_state_together(state: RedisState) -> None:
    state.put_source(a_source())
    commit = a_poll_commit(state=PollState(etag="v1"), changes=[a_change()], added=[a_mark(1)])
    assert state.commit_polls([commit]) == [Outcome.DONE]
    assert list(state.marks("harbour").values()) == [a_mark(1)]
    assert state.source("harbour")[1] == PollState(etag="v1", revision=1)
    assert [item.change for item in state.read_items("s", 10)] == [a_change()]


def test_a_repeated_poll_commit_is_already_done_and_writes_nothing(state: RedisState) -> None:
    state.put_source(a_source())
    commit = a_poll_commit(changes=[a_change()])
    assert state.commit_polls([commit, commit]) == [Outcome.DONE, Outcome.ALREADY]
    assert len(state.read_items("s", 10)) == 1


def test_a_poll_commit_on_an_old_revision_is_stale_and_writes_nothing(state: RedisState) -> None:
    state.put_source(a_source())
    state.commit_polls([a_poll_commit()])
    late = a_poll_commit(request_id="r2", changes=[a_change()], added=[a_mark(1)])
    assert state.commit_polls([late]) == [Outcome.STALE]
    assert (state.read_items("s", 10), state.marks("harbour")) == ([], {})


def test_a_poll_of_a_source_removed_meanwhile_writes_nothing(state: RedisState) -> None:
    assert state.commit_polls([a_poll_commit(changes=[a_change()])]) == [Outcome.STALE]
    assert state.read_items("s", 10) == []


def test_a_source_at_a_new_address_forgets_what_the_old_one_said(state: RedisState) -> None:
    state.put_source(a_source())
    learned = PollState(etag="v1", moved_to="https://old.example/", interval_s=61.5, lines=("a line",))
    state.commit_polls([a_poll_commit(state=learned)])
    state.put_source(a_source(url="https://new.example/feed"))
    assert state.source("harbour")[1] == PollState(revision=2, interval_s=61.5, lines=("a line",))
    assert state.commit_polls([a_poll_commit(request_id="late", state=replace(learned, revision=1))]) == [Outcome.STALE]


def test_leasing_an_unknown_source_says_how_to_find_one(state: RedisState) -> None:
    with pytest.raises(NotFoundError, match="sources list"):
        state.lease_source("me", "nowhere", lease_s=1)


def test_the_first_poll_after_a_downtime_of_ours_is_a_catch_up(state: RedisState) -> None:
    state.put_source(a_source())
    claim(state)
    state.commit_polls([a_poll_commit(state=PollState(ok_at=NOW))])
    leases = state.claim_sources("p", limit=10, horizon_s=1e9, lease_s=1, downtime_s=-1)
    assert [lease.is_catch_up for lease in leases] == [True]


# ---------------------------------------------------------------- sift


def held(state: RedisState, owner: str = "a") -> int:
    lease = state.hold_sifter(owner, 5)
    assert lease is not None
    return lease.fence


def one_item(state: RedisState) -> str:
    state.put_source(a_source())
    state.commit_polls([a_poll_commit(changes=[a_change()])])
    return state.read_items("a", 10)[0].entry_id


def test_only_one_worker_holds_the_sifter_s_lease(state: RedisState) -> None:
    held(state)
    assert state.hold_sifter("b", 5) is None
    state.free_leases("a")
    assert state.hold_sifter("b", 5) is not None


def test_a_deposed_sifter_s_commit_is_stale(state: RedisState) -> None:
    entry, fence = one_item(state), held(state)
    state.free_leases("a")
    assert held(state, "b") > fence
    assert state.commit_sifts([a_sift_commit(entry, fence)]) == [Outcome.STALE]


def test_two_sifters_cannot_create_two_stories_for_one_item(state: RedisState) -> None:
    entry, fence = one_item(state), held(state)
    other = replace(a_story(), story_id="another")
    commits = [a_sift_commit(entry, fence), a_sift_commit(entry, fence, story=other)]
    assert state.commit_sifts(commits) == [Outcome.DONE, Outcome.ALREADY]
    assert [s.story_id for s in state.live_stories(NOW - timedelta(hours=1))] == [a_story().story_id]


def test_a_story_changed_by_another_makes_the_commit_stale(state: RedisState) -> None:
    entry, fence = one_item(state), held(state)
    assert state.commit_sifts([a_sift_commit(entry, fence, story=a_story(revision=3))]) == [Outcome.STALE]


def test_an_item_left_unfinished_comes_again_and_is_counted(state: RedisState) -> None:
    one_item(state)
    assert [i.claims for i in state.read_items("b", 10)] == [2]
    assert [i.claims for i in state.read_items("b", 10)] == [3]


def test_a_buried_item_can_be_replayed(state: RedisState) -> None:
    entry = one_item(state)
    state.bury_item(entry, "it bites")
    assert [(i, r) for _, i, r in state.dead_items()] == [(a_change().item_id, "it bites")]
    state.replay_item(entry)
    assert (state.dead_items(), len(state.read_items("a", 10))) == ([], 1)


def test_a_rule_change_is_seen_from_the_version_on(state: RedisState) -> None:
    state.put_rules([(a_rule("one"), "q1"), (a_rule("two"), "q1")])
    version, _, rules = state.rules_since(0)
    assert [(r.rule_id, q) for r, q in rules] == [("one", "q1"), ("two", "q1")]
    state.remove_rule("one")
    assert state.rules_since(version)[1:] == (["one"], [])


# ---------------------------------------------------------------- deliver


def ring(state: RedisState, *, channels: tuple[str, ...] = ("desk",)) -> None:
    """Sift an item whose bell matches q1 and write its deliveries."""
    state.put_rules([(a_rule(), "q1")])
    for channel in channels:
        state.put_channel(a_channel(channel))
    entry, fence = one_item(state), held(state)
    state.commit_sifts([a_sift_commit(entry, fence, bells=(a_bell(),))])
    assert state.commit_expansions([an_expansion(channels)]) == [Outcome.DONE]


def an_expansion(channels: tuple[str, ...] = ("desk",)) -> Expansion:
    alert = an_alert(a_bell())
    deliveries = [a_delivery(alert, c) for c in channels]
    return Expansion(bell_id=a_bell().bell_id, expected_cursor="0:", cursor="", alerts=[alert], deliveries=deliveries)


def lanes(state: RedisState, owner: str = "d") -> list[Lane]:
    return claim_all(state, owner)


def test_a_repeated_chunk_of_a_fan_out_writes_nothing(state: RedisState) -> None:
    ring(state)
    assert state.commit_expansions([an_expansion()]) == [Outcome.ALREADY]
    assert [len(lane.parcels) for lane in lanes(state)] == [1]
    assert state.next_fanouts(9) == []


def test_a_chunk_that_was_written_in_part_is_written_once_more_and_nothing_of_it_twice(state: RedisState) -> None:
    channels = tuple(f"c{n:03}" for n in range(250))
    ring(state, channels=channels[:1])
    state.put_bell(a_bell(2))
    alert = an_alert(a_bell(2))
    whole = Expansion(
        bell_id=a_bell(2).bell_id, expected_cursor="0:", cursor="", alerts=[alert], deliveries=[a_delivery(alert, c) for c in channels]
    )
    assert state.commit_expansions([replace(whole, cursor="0:", deliveries=whole.deliveries[:130])]) == [Outcome.DONE]
    assert state.commit_expansions([whole]) == [Outcome.DONE]
    assert state.commit_expansions([whole, replace(whole, expected_cursor="0:x", cursor="0:y")]) == [Outcome.ALREADY, Outcome.STALE]
    assert state.counters()["deliveries"] == 1 + 250
    assert len({d.delivery_id for d in state.deliveries(status="", limit=1000)}) == 251


def test_a_lane_with_many_deliveries_is_claimed_whole_though_in_several_calls(state: RedisState) -> None:
    channels = tuple(f"c{n:03}" for n in range(90))
    ring(state, channels=channels)
    asks = [LaneAsk(a_channel(c)) for c in channels]
    claimed = state.claim_lanes("d", asks, batch=10, lease_s=30)
    assert sorted(lane.channel.channel_id for lane in claimed) == list(channels)
    assert state.claim_lanes("other", asks, batch=10, lease_s=30) == []


def test_a_claimed_delivery_carries_all_that_is_needed_to_render_it(state: RedisState) -> None:
    ring(state)
    [lane] = lanes(state)
    [parcel] = lane.parcels
    assert (parcel.bells, parcel.rule_names, parcel.alert.rule_ids) == ((a_bell(),), ("Gates",), ("gates",))
    assert (parcel.delivery.status, parcel.delivery.attempts) == (DeliveryStatus.SENDING, 1)


def test_a_lane_is_served_by_one_worker_only(state: RedisState) -> None:
    ring(state)
    assert (len(lanes(state)), len(lanes(state, "other"))) == (1, 0)


def test_what_a_dead_worker_was_sending_comes_again_marked_as_a_possible_repeat(state: RedisState) -> None:
    ring(state)
    lanes(state, "dead")
    state.free_leases("dead")
    [lane] = lanes(state, "other")
    assert (lane.parcels[0].delivery.is_repeat, lane.parcels[0].delivery.attempts) == (True, 2)


def test_the_result_of_a_worker_that_lost_its_lease_is_refused(state: RedisState) -> None:
    ring(state)
    delivery = lanes(state, "dead")[0].parcels[0].delivery
    state.free_leases("dead")
    lanes(state, "other")
    verdict = Verdict(delivery=replace(delivery, status=DeliveryStatus.DEAD))
    assert state.record("dead", [verdict]) == [Outcome.STALE]


def test_a_sent_delivery_is_recorded_once_and_never_claimed_again(state: RedisState) -> None:
    ring(state)
    delivery = lanes(state)[0].parcels[0].delivery
    verdict = Verdict(delivery=replace(delivery, status=DeliveryStatus.SENT, sent_at=NOW))
    assert state.record("d", [verdict, verdict]) == [Outcome.DONE, Outcome.ALREADY]
    state.release_lanes("d", [LaneEnd(channel_id="desk")])
    assert lanes(state) == []
    assert state.delivery(delivery.delivery_id).sent_at == NOW


def test_a_retry_waits_in_the_lane_until_it_is_due(state: RedisState) -> None:
    ring(state)
    delivery = lanes(state)[0].parcels[0].delivery
    later = replace(delivery, status=DeliveryStatus.RETRY, due_at=state.now() + timedelta(minutes=5))
    state.record("d", [Verdict(delivery=later)])
    state.release_lanes("d", [LaneEnd(channel_id="desk")])
    assert lanes(state) == []


def test_held_deliveries_become_one_digest_and_nothing_falls_between(state: RedisState) -> None:
    ring(state)
    delivery = lanes(state)[0].parcels[0].delivery
    held = replace(delivery, status=DeliveryStatus.HELD, digest="me:desk:planned", due_at=state.now() + timedelta(minutes=5))
    state.settle("d", [Settlement(delivery=held)])
    state.release_lanes("d", [LaneEnd(channel_id="desk")])
    assert state.freeze_digests() == 0
    state.shift_due(-301)
    assert state.freeze_digests() == 1
    assert state.delivery(delivery.delivery_id).status is DeliveryStatus.DIGESTED
    [lane] = lanes(state)
    assert lane.parcels[0].alert.occasion.startswith("digest:planned:")
    assert lane.parcels[0].bells == (a_bell(),)
    assert state.freeze_digests() == 0


def test_a_dropped_delivery_is_not_sent_and_can_be_replayed(state: RedisState) -> None:
    ring(state)
    delivery_id = a_delivery(an_alert(a_bell())).delivery_id
    state.drop_delivery(delivery_id, "not wanted")
    assert lanes(state) == []
    state.replay_delivery(delivery_id)
    assert lanes(state)[0].parcels[0].delivery.is_replay


def test_a_delivery_that_is_being_sent_cannot_be_dropped(state: RedisState) -> None:
    ring(state)
    [lane] = lanes(state)
    with pytest.raises(StateError, match="sending"):
        state.drop_delivery(lane.parcels[0].delivery.delivery_id, "too late")


def test_removing_a_rule_drops_what_only_it_asked_for(state: RedisState) -> None:
    ring(state)
    assert state.remove_rule("gates") == 1
    assert lanes(state) == []


def test_removing_a_channel_drops_its_deliveries_and_no_others(state: RedisState) -> None:
    ring(state, channels=("desk", "phone"))
    assert state.remove_channel("desk") == 1
    assert [lane.channel.channel_id for lane in lanes(state)] == ["phone"]


# ---------------------------------------------------------------- keeping


def test_waiting_counts_what_is_ready_for_each_queue(state: RedisState) -> None:
    assert state.waiting() == {"poll": 0, "sift": 0, "deliver": 0}
    state.put_source(a_source())
    state.commit_polls([a_poll_commit(due_at=NOW, changes=[a_change(1), a_change(2)])])
    assert state.waiting() == {"poll": 1, "sift": 2, "deliver": 0}


def test_a_wake_up_is_sent_once_until_somebody_woke(state: RedisState) -> None:
    assert [state.claim_wake("sift"), state.claim_wake("sift")] == [True, False]
    state.clear_wake("sift")
    assert state.claim_wake("sift")


def test_the_sweep_trims_the_stream_only_below_unacknowledged_items(state: RedisState) -> None:
    state.put_source(a_source())
    state.commit_polls([a_poll_commit(changes=[a_change(n) for n in range(5)])])
    fence = held(state)
    items = state.read_items("a", 3)
    state.commit_sifts([a_sift_commit(items[0].entry_id, fence)])
    assert state.sweep()["trimmed_items"] == 1
    assert state.waiting()["sift"] == 4


def test_a_clock_jump_moves_the_due_times_with_it(state: RedisState) -> None:
    state.put_source(a_source())
    state.commit_polls([a_poll_commit(due_at=state.now() + timedelta(hours=1))])
    assert claim(state) == []
    state.shift_due(-3600)
    assert claim(state) == ["harbour"]


def test_a_store_of_a_newer_version_is_refused(state: RedisState) -> None:
    state.run_command("SET", state.prefix + "schema", 99)
    with pytest.raises(StateError, match="install the newer version"):
        state.prepare()
