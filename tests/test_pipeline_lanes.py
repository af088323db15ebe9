"""Lanes: who is claimed when, order within a channel, rate limits, breakers, and one sick channel among healthy ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from alerts.bootstrap import build_guard
from alerts.delivery.governor import Governor
from alerts.delivery.notify import LaneNotifier
from alerts.models import Delivery, DeliveryStatus
from alerts.pipeline.expand import expand
from alerts.ports import Bucket, Lane, LaneAsk, LaneEnd, Verdict
from alerts.state.redis import RedisState
from tests.harness import Rig, claim_all, entry, watched_rig
from tests.servers_http import Asked, Script, reply, reset, serving, silent

CHANNELS = ("alpha", "beta", "gamma", "delta", "epsilon")


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        yield made


def news(rig: Rig, *numbers: int, title: str = "") -> None:
    """New items, found, sifted and expanded in this order, each by itself; nothing is sent yet."""
    for number in numbers:
        rig.show("harbour", *(entry(n, title if n == number else "") for n in range(number, 0, -1)))
        rig.poll()
        rig.sift()
        while expand(rig.tools):
            pass


def channels(rig: Rig, *channel_ids: str) -> None:
    """These channels in place of the first one."""
    rig.service.remove_channel("desk")
    for channel_id in channel_ids:
        rig.channel(channel_id)


def due(rig: Rig) -> list[str]:
    """The channels that may be claimed, in the order in which they are."""
    return [lane.channel.channel_id for lane in rig.tools.state.due_lanes(limit=100)]


def claim(rig: Rig, bucket: Bucket, *, batch: int = 10) -> list[Lane]:
    """Claim every lane that is due; all share a rate limit."""
    asks = [LaneAsk(lane.channel, (bucket,)) for lane in rig.tools.state.due_lanes(limit=100)]
    return rig.tools.state.claim_lanes("rig", asks, batch=batch, lease_s=30)


def numbers(rig: Rig, channel_id: str) -> list[int]:
    """The numbers of the items that a channel was told of, in the order in which they were accepted."""
    sent = [d for d in rig.deliveries(DeliveryStatus.SENT) if d.channel_id == channel_id and d.sent_at]
    titles = [rig.service.alert(d.alert_id).bell.tagged.change.item.title for d in sorted(sent, key=lambda d: d.sent_at or 0)]
    return [int(title.split()[2]) for title in titles]


# ---------------------------------------------------------------- order and fairness


def test_urgent_lanes_come_before_those_that_wait_longer(rig: Rig) -> None:
    channels(rig, "bulk", "fast")
    rig.rule("collision", "collisions", channel_ids=["bulk"])
    rig.rule("BREAKING", "flashes", channel_ids=["fast"])
    rig.service.remove_rule("everything")
    news(rig, 2)
    news(rig, 3, title="BREAKING: Ferry aground")
    assert due(rig) == ["fast", "bulk"]


def test_within_a_lane_the_urgent_goes_first_and_the_rest_in_order(rig: Rig) -> None:
    news(rig, 2, 3)
    news(rig, 4, title="BREAKING: Ferry 4 aground")
    rig.deliver()
    assert [title.split()[2] for title in rig.sink.titles] == ["4", "2", "3"]


def test_only_the_first_chunk_of_an_urgent_story_is_urgent(rig: Rig) -> None:
    """A flash for thousands does not stand before another flash for one."""
    channels(rig, "one", "two")
    rig.service.remove_rule("everything")
    rig.rule("aground", "a-first", channel_ids=["one"])
    rig.rule("aground", "b-second", subscriber_id="me", channel_ids=["two"])
    small = rig.with_settings("deliver", chunk=1)
    rig.show("harbour", entry(2, "BREAKING: Ferry aground"), entry(1))
    rig.poll()
    rig.sift()
    while expand(small.tools):
        pass
    assert [(lane.channel.channel_id, lane.is_urgent) for lane in rig.tools.state.due_lanes(limit=9)] == [("one", True), ("two", False)]


def test_a_channel_with_many_deliveries_goes_behind_one_with_a_single_one(rig: Rig) -> None:
    channels(rig, "flooded", "quiet")
    rig.rule("*", "everything", channel_ids=["flooded"])
    news(rig, 2, 3, 4, 5)
    rig.rule("*", "everything", channel_ids=["flooded", "quiet"])
    news(rig, 6)
    assert due(rig) == ["flooded", "quiet"]
    [first] = rig.tools.state.due_lanes(limit=1)
    [lane] = rig.tools.state.claim_lanes("rig", [LaneAsk(first.channel)], batch=2, lease_s=30)
    rig.tools.state.record("rig", [Verdict(delivery=_sent(p.delivery)) for p in lane.parcels])
    rig.tools.state.release_lanes("rig", [LaneEnd(channel_id="flooded")])
    assert due(rig) == ["quiet", "flooded"]


def _sent(delivery: Delivery) -> Delivery:
    return replace(delivery, status=DeliveryStatus.SENT)


# ---------------------------------------------------------------- rate limits


def test_a_lane_that_must_wait_is_not_claimed_before_its_turn_and_loses_no_attempt(rig: Rig) -> None:
    channels(rig, *CHANNELS)
    news(rig, 2)
    bucket = Bucket("bot", 0.5, 1)
    assert len(claim(rig, bucket)) == 1
    assert due(rig) == []
    for _ in range(4):
        rig.wait(2.05)
        [lane] = claim(rig, bucket)
        assert lane.parcels[0].delivery.attempts == 1
    assert len(rig.deliveries(DeliveryStatus.SENDING)) == 5


def test_lanes_that_wait_get_one_turn_after_the_other(rig: Rig) -> None:
    channels(rig, *CHANNELS)
    news(rig, 2)
    assert len(claim(rig, Bucket("bot", 0.1, 2))) == 2
    turns = [score for _, score in rig.store.run_command("ZRANGE", f"{rig.store.prefix}lanes", 0, -1, "WITHSCORES")]
    assert [round(later - earlier) for earlier, later in pairwise(turns)] == [10, 10]


def test_a_bucket_lets_a_burst_pass_and_then_no_more_than_its_rate(rig: Rig) -> None:
    news(rig, 2, 3, 4, 5, 6)
    [lane] = claim(rig, Bucket("chat", 0.1, 3))
    assert len(lane.parcels) == 3


def test_one_limit_does_not_hold_up_a_channel_that_is_not_counted_in_it(rig: Rig) -> None:
    channels(rig, *CHANNELS)
    news(rig, 2)
    full = Bucket("bot", 0.01, 1)
    asks = [LaneAsk(lane.channel, (full,) if lane.channel.channel_id < "delta" else ()) for lane in rig.tools.state.due_lanes(limit=9)]
    claimed = rig.tools.state.claim_lanes("rig", asks, batch=10, lease_s=30)
    assert len(claimed) == 4
    assert {"delta", "epsilon", "gamma"} <= {lane.channel.channel_id for lane in claimed}


def test_when_a_service_asks_two_chats_to_wait_the_whole_bot_rests(rig: Rig) -> None:
    channels(rig, *CHANNELS)
    news(rig, 2)
    wide = Bucket("bot", 100, 100)
    asks = [LaneAsk(lane.channel, (wide,)) for lane in rig.tools.state.due_lanes(limit=9)]
    one, other, *_ = claimed = rig.tools.state.claim_lanes("rig", asks[:3], batch=10, lease_s=30)
    assert len(claimed) == 3
    for lane, left in ((one, 1), (other, 0)):
        end = LaneEnd(channel_id=lane.channel.channel_id, rest_s=300, limited="bot", asked_s=300)
        rig.tools.state.release_lanes("rig", [end])
        rest = [ask for ask in asks[3:] if ask.channel.channel_id in due(rig)]
        assert len(rig.tools.state.claim_lanes("rig", rest[:1], batch=10, lease_s=30)) == left
    rig.wait(301)
    assert claim(rig, wide)


def test_limits_that_the_operator_sets_are_kept_on_the_way(rig: Rig, valkey_url: str) -> None:
    news(rig, 2, 3, 4)
    paced = rig.with_tools(governor=Governor({"webhook": (("chat", 0.01, 1),)}))
    paced.deliver()
    assert len(rig.sink.got) == 1
    paced.wait(101)
    paced.deliver()
    assert len(rig.sink.got) == 2
    assert all(d.attempts <= 1 for d in rig.deliveries())


# ---------------------------------------------------------------- breakers


def test_after_a_failure_a_channel_is_told_everything_in_its_order(rig: Rig) -> None:
    news(rig, 2, 3, 4)
    rig.sink.answers = [reply(503), reply(503)]
    rig.deliver()
    news(rig, 5)
    rig.wait(60)
    rig.deliver()
    rig.wait(600)
    rig.deliver()
    assert numbers(rig, "desk") == [2, 3, 4, 5]
    assert {d.attempts for d in rig.deliveries()} == {1, 3}


def test_a_failing_channel_is_shown_with_the_service_s_words_until_it_accepts_again(rig: Rig) -> None:
    rig.sink.answers = [reply(503, b"closed for repair")] * 3
    news(rig, 2)
    for _ in range(3):
        rig.deliver()
        breaker = rig.service.breakers()["desk"]
        rig.wait(3600)
    assert (breaker.failures, "closed for repair" in breaker.detail) == (3, True)
    rig.deliver()
    assert rig.service.breakers() == {}


def test_an_open_breaker_lets_one_delivery_probe_at_a_steady_pace(rig: Rig) -> None:
    opened = rig.with_settings("deliver", breaker_after=2, breaker_s=40.0)
    opened.sink.answers = [reply(503)] * 6
    news(rig, 2, 3, 4)
    opened.deliver()
    opened.wait(6)
    for probes in (2, 3, 4):
        opened.deliver()
        assert len(rig.sink.got) == probes
        opened.wait(30)
        opened.deliver()
        assert len(rig.sink.got) == probes, "it is left alone between two probes"
        opened.wait(20)
    rig.sink.answers = []
    opened.deliver()
    assert numbers(rig, "desk") == [2, 3, 4]


def test_before_the_breaker_opens_a_channel_waits_no_longer_than_between_two_probes(rig: Rig) -> None:
    patient = rig.with_settings("deliver", retries_s=(0.0, 900.0), breaker_s=40.0)
    patient.sink.answers = [reply(503)] * 3
    news(rig, 2)
    for tries in (1, 2, 3):
        patient.deliver()
        assert len(rig.sink.got) == tries
        patient.wait(45)
    patient.deliver()
    assert numbers(rig, "desk") == [2]


def test_an_alert_is_tried_as_long_as_it_lives_though_its_next_wait_is_longer(rig: Rig) -> None:
    patient = rig.with_settings("deliver", retries_s=(0.0, 900.0), breaker_s=40.0, ttl_s=300.0)
    patient.sink.answers = [reply(503)] * 2
    news(patient, 2)
    for _ in range(3):
        patient.deliver()
        patient.wait(45)
    assert numbers(rig, "desk") == [2]


def test_a_message_that_alone_is_refused_again_and_again_lets_the_others_pass(rig: Rig) -> None:
    def poisoned(asked: Asked) -> bytes | Script:
        return reply(500) if b"gate 2 closes" in asked.body else reply(204)
    with serving(poisoned) as server:
        rig.service.add_channel(f"webhook+{server.url('/desk')}", channel_id="desk")
        news(rig, 2, 3, 4)
        rig.deliver()
        while not rig.deliveries(DeliveryStatus.SENT):
            rig.wait(3700)
            rig.deliver()
    assert numbers(rig, "desk") == [3, 4]
    [stuck] = rig.deliveries(DeliveryStatus.RETRY)
    assert stuck.attempts >= 5
    assert stuck.due_at is not None
    assert (stuck.due_at - stuck.tried[-1].at).total_seconds() > 120, "the message is to blame: it keeps its own pace"


# ---------------------------------------------------------------- sick among healthy


class Ward:
    """A receiver with some sick channels; every message that was accepted, in order."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.is_over = False
        self.accepted: dict[str, list[int]] = defaultdict(list)

    def answer(self, asked: Asked) -> bytes | Script:
        channel = asked.path.strip("/")
        if not self.is_over:
            if channel == "hanging":
                return silent(self.rig.sink.server)
            if channel == "limited":
                return reply(429, retry_after="300")
            if channel == "dead":
                return reset
        self.accepted[channel].append(int(asked.body.split(b"Harbour gate ")[1].split()[0]))
        return reply(204)


def test_sick_channels_delay_nobody_and_are_told_in_order_when_they_are_well(rig: Rig) -> None:
    ward, healthy = Ward(rig), [f"healthy-{n}" for n in range(12)]
    quick = rig.with_settings("deliver", timeout_s=0.5)
    quick = quick.with_tools(notifier=LaneNotifier(quick.tools.settings, build_guard(quick.tools.settings)))
    rig.service.remove_channel("desk")
    with serving(ward.answer) as server:
        for channel in ("hanging", "limited", "dead", *healthy):
            rig.service.add_channel(f"webhook+{server.url('/' + channel)}", channel_id=channel)
        for number in range(2, 6):
            news(rig, number)
            quick.deliver()
            assert all(ward.accepted[channel] == list(range(2, number + 1)) for channel in healthy)
            rig.wait(20)
        assert set(rig.service.breakers()) == {"hanging", "dead"}
        ward.is_over = True
        for _ in range(3):
            rig.wait(3600)
            quick.deliver()
    assert [ward.accepted[channel] for channel in ("hanging", "limited", "dead")] == [[2, 3, 4, 5]] * 3
    assert {d.status for d in rig.deliveries()} == {DeliveryStatus.SENT}
    assert {d.attempts for d in rig.deliveries() if d.channel_id == "limited"} == {1}


def test_a_dead_worker_s_lanes_go_to_another_one(rig: Rig) -> None:
    news(rig, 2)
    assert isinstance(rig.tools.state, RedisState)
    claim_all(rig.store, "dead")
    rig.store.free_leases("dead")
    rig.deliver()
    assert numbers(rig, "desk") == [2]
