"""Policy in the running service: what is held, gathered, muted and told along, on the real store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from alerts.models import Bell, Channel, Delivery, DeliveryStatus
from alerts.pipeline.decide import Decider, Ready
from alerts.pipeline.expand import expand
from alerts.ports import Expansion, Outcome, Place, Release, Settlement
from alerts.preferences import DigestKind, MuteKind
from alerts.rules.query import query_id
from alerts.state.redis import RedisState
from tests.builders import a_bell, a_delivery, an_alert
from tests.harness import Rig, claim_all, entry, give_back, watched_rig
from tests.servers_http import reply

FLASH = "BREAKING: Volcano of Isla Brava erupts"


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        yield made


def now_quiet() -> str:
    """Hours around this moment, in UTC."""
    now = datetime.now(UTC)
    return f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"


def later(hours: int = 5) -> str:
    """A time of the day in UTC that is hours away."""
    return f"{datetime.now(UTC) + timedelta(hours=hours):%H:%M}"


def want(rig: Rig, **table: object) -> None:
    rig.service.set_preferences("me", table)


def news(rig: Rig, number: int = 2, title: str = "") -> None:
    rig.publish("harbour", entry(number, title, title and f"{title} at dawn."), *(entry(n) for n in range(number - 1, 0, -1)))


def only(rig: Rig, status: DeliveryStatus) -> Delivery:
    [delivery] = rig.deliveries(status)
    return delivery


def ring(rig: Rig, occasion: str, *, urgency: int = 5, minutes: int = 0) -> None:
    """Ring the first story's bell again, on another occasion; the channel can change what it was told."""
    [desk] = rig.tools.state.channels()
    rig.tools.state.put_channel(replace(desk, can_update=True))
    [(_, bell), *_] = rig.tools.state.alerts(subscriber_id="me", limit=10)[::-1]
    number = query_id("*", False)
    tagged = replace(bell.tagged, urgency=urgency)
    rung_at = bell.rung_at + timedelta(minutes=minutes)
    again = replace(
        bell, bell_id=f"{bell.bell_id}-{occasion}", occasion=occasion, tagged=tagged, query_ids=(number,), rung_at=rung_at
    )
    rig.tools.state.put_bell(again)
    rig.store.run_command("ZADD", f"{rig.store.prefix}fanouts", 1, again.bell_id)
    while expand(rig.tools):
        pass


# ---------------------------------------------------------------- quiet hours


def test_what_comes_in_quiet_hours_is_told_when_they_end(rig: Rig) -> None:
    want(rig, quiet=now_quiet())
    news(rig)
    held = only(rig, DeliveryStatus.HELD)
    assert rig.sink.got == []
    assert "quiet hours (critical_only) until" in held.policy
    want(rig, quiet="off")
    rig.deliver()
    sent = only(rig, DeliveryStatus.SENT)
    assert (sent.attempts, len(rig.sink.got)) == (1, 1)
    assert "quiet hours" in sent.policy, "why it came late is still known"


def test_something_urgent_overtakes_what_is_held_in_the_same_lane(rig: Rig) -> None:
    want(rig, quiet=now_quiet())
    news(rig)
    news(rig, 3, FLASH)
    assert rig.sink.titles == [FLASH]
    assert "is critical and rings in quiet hours" in only(rig, DeliveryStatus.SENT).policy
    assert only(rig, DeliveryStatus.HELD).due_at


def test_the_time_to_live_stands_still_while_an_alert_is_held(rig: Rig) -> None:
    brief = rig.with_settings("deliver", ttl_s=1.0)
    want(brief, quiet=now_quiet())
    news(brief)
    held = only(rig, DeliveryStatus.HELD)
    assert held.paused_s > 3600
    rig.store.run_command("HSET", f"{rig.store.prefix}delivery:{held.delivery_id}", "paused", "7200")
    want(brief, quiet="off")
    brief.deliver()
    assert only(rig, DeliveryStatus.SENT)


def test_batch_on_wake_tells_one_digest(rig: Rig) -> None:
    want(rig, quiet=now_quiet(), quiet_mode="batch_on_wake")
    news(rig)
    news(rig, 3)
    assert {d.digest for d in rig.deliveries(DeliveryStatus.HELD)} == {"me:desk:wake"}
    want(rig, quiet="off")
    rig.sweep()
    rig.deliver()
    assert [(m["kind"], len(m["items"])) for m in rig.sink.got] == [("digest", 2)]


def test_a_retry_that_falls_into_quiet_hours_waits_for_their_end(rig: Rig) -> None:
    rig.sink.answers = [reply(503)]
    news(rig)
    want(rig, quiet=now_quiet())
    rig.wait(3600)
    rig.deliver()
    assert len(rig.sink.got) == 1
    assert only(rig, DeliveryStatus.HELD).attempts == 1


# ---------------------------------------------------------------- digests and budgets


def test_a_planned_digest_is_told_at_its_time_and_what_comes_later_is_for_the_next(rig: Rig) -> None:
    want(rig, digest=f"daily@{later()}")
    news(rig)
    rig.sweep()
    rig.deliver()
    assert rig.sink.got == []
    rig.wait(5 * 3600)
    rig.sweep()
    news(rig, 3)
    rig.deliver()
    assert [[item["title"] for item in m["items"]] for m in rig.sink.got] == [["Harbour gate 2 closes after collision"]]
    assert only(rig, DeliveryStatus.HELD).digest == "me:desk:planned"


def test_what_is_over_the_budget_is_told_in_one_digest_ranked_by_urgency(rig: Rig) -> None:
    want(rig, budget_hour=2)
    for number in range(2, 7):
        news(rig, number)
    assert len(rig.sink.got) == 2
    assert len(rig.deliveries(DeliveryStatus.HELD)) == 3
    assert "the budget of 2 in an hour is used up" in rig.deliveries(DeliveryStatus.HELD)[0].reason
    news(rig, 7, FLASH)
    assert rig.sink.titles[-1] == FLASH
    rig.wait(3700)
    rig.sweep()
    rig.deliver()
    assert (rig.sink.got[-1]["kind"], len(rig.sink.got[-1]["items"])) == ("digest", 3)


def test_a_message_that_is_tried_again_counts_once(rig: Rig) -> None:
    want(rig, budget_hour=1)
    rig.sink.answers = [reply(503)]
    news(rig)
    rig.wait(3600)
    rig.deliver()
    assert only(rig, DeliveryStatus.SENT)
    assert len(rig.tools.state.facts([Place("me", "desk")], []).rings[Place("me", "desk")]) == 1


# ---------------------------------------------------------------- mutes


def test_a_mute_drops_what_waits_in_the_lane_and_in_digests(rig: Rig) -> None:
    want(rig, digest=f"daily@{later()}")
    news(rig)
    story = rig.service.alerts()[0].alert.story_id
    assert rig.service.mute(MuteKind.STORY, story, span="4h").dropped == 1
    assert "was muted" in only(rig, DeliveryStatus.DROPPED).reason
    rig.wait(5 * 3600)
    rig.sweep()
    rig.deliver()
    assert rig.sink.got == []


def test_a_paused_rule_drops_what_waits_in_a_digest_too(rig: Rig) -> None:
    want(rig, digest=f"daily@{later()}")
    news(rig)
    assert rig.service.pause_rule("everything", is_paused=True) == 1
    assert only(rig, DeliveryStatus.DROPPED)


def test_a_muted_rule_is_silent_until_the_mute_is_removed(rig: Rig) -> None:
    rig.service.mute(MuteKind.RULE, "everything", span="1h")
    news(rig)
    assert "the rule everything is muted until" in only(rig, DeliveryStatus.DROPPED).reason
    rig.service.unmute("rule:everything")
    news(rig, 3)
    assert rig.sink.titles == ["Harbour gate 3 closes after collision"]


def test_a_muted_region_is_known_by_its_name(rig: Rig) -> None:
    rig.service.mute(MuteKind.REGION, "Lebanon", span="1h")
    news(rig, 2, "Ferry aground off Tripoli, Lebanon")
    assert "the region LB is muted" in only(rig, DeliveryStatus.DROPPED).reason


def test_a_snooze_gathers_everything_and_its_end_tells_it(rig: Rig) -> None:
    rig.service.snooze("2h")
    news(rig)
    news(rig, 3, FLASH)
    assert rig.sink.got == []
    rig.service.snooze("off")
    rig.sweep()
    rig.deliver()
    assert [len(m["items"]) for m in rig.sink.got] == [2]


# ---------------------------------------------------------------- stories that go on


def decided(rig: Rig, *, can_update: bool = False) -> list[Ready]:
    """What of everything that is due would be sent."""
    lanes = claim_all(rig.tools.state, rig.tools.owner, batch=10)
    found = Decider(rig.tools, can_update=lambda _: can_update).ready(lanes, datetime.now(UTC))
    for lane in lanes:
        give_back(rig.tools.state, rig.tools.owner, lane.channel.channel_id)
    return [ready for row in found for ready in row]


def test_an_escalation_at_night_tells_along_what_was_held(rig: Rig) -> None:
    want(rig, quiet=now_quiet())
    news(rig)
    first = only(rig, DeliveryStatus.HELD)
    ring(rig, "escalation:urgency:1", urgency=1)
    rig.deliver()
    assert len(rig.sink.got) == 1
    carried = only(rig, DeliveryStatus.DIGESTED)
    assert carried.delivery_id == first.delivery_id
    assert carried.reason == f"told by {only(rig, DeliveryStatus.SENT).delivery_id}"
    want(rig, quiet="off")
    rig.deliver()
    assert len(rig.sink.got) == 1, "the story is told once"


def test_an_escalation_that_waits_too_takes_the_first_alert_s_place(rig: Rig) -> None:
    want(rig, digest=f"daily@{later()}")
    news(rig)
    ring(rig, "escalation:deaths:9")
    rig.deliver()
    rig.wait(5 * 3600)
    rig.sweep()
    rig.deliver()
    assert [len(m["items"]) for m in rig.sink.got] == [1]


def test_an_all_clear_rings_only_whoever_was_told(rig: Rig) -> None:
    rig.service.mute(MuteKind.RULE, "everything", span="1h")
    news(rig)
    rig.service.unmute("rule:everything")
    ring(rig, "all_clear")
    rig.deliver()
    assert rig.sink.got == []
    assert "first alert was dropped" in rig.deliveries(DeliveryStatus.DROPPED)[-1].reason


def test_what_follows_a_story_that_took_another_in_knows_who_was_told_there(rig: Rig) -> None:
    news(rig)
    told = rig.service.alerts()[0]
    first = only(rig, DeliveryStatus.SENT)
    bell = replace(told.bell, bell_id="merged", story_id="larger", occasion="escalation:deaths:9", kin_ids=(told.bell.story_id,))
    fill(rig.store, bell)
    fill(rig.store, replace(bell, bell_id="again", occasion="update:1"))
    louder, update = decided(rig, can_update=True)
    assert (louder.updates, update.updates) == ("", first.delivery_id)


def test_an_update_changes_what_was_told_in_place_or_is_dropped(rig: Rig) -> None:
    news(rig)
    first = only(rig, DeliveryStatus.SENT)
    ring(rig, "update:1")
    [ready] = decided(rig, can_update=True)
    assert ready.updates == first.delivery_id
    ring(rig, "update:2")
    assert decided(rig, can_update=False) == []
    assert "cannot change what it was told" in {d.reason.partition("channel ")[2] for d in rig.deliveries(DeliveryStatus.DROPPED)}


def test_of_several_updates_only_the_newest_is_made(rig: Rig) -> None:
    news(rig)
    for number in range(3):
        ring(rig, f"update:{number}", minutes=number)
    [ready] = decided(rig, can_update=True)
    assert ready.parcel.alert.occasion == "update:2"
    assert {d.reason for d in rig.deliveries(DeliveryStatus.DROPPED)} == {"a newer update of the story says more"}


def test_an_update_of_what_is_being_sent_waits_a_moment(rig: Rig) -> None:
    rig.poll()
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    rig.sift()
    while expand(rig.tools):
        pass
    ring(rig, "update:1")
    [first] = decided(rig, can_update=True)
    assert first.parcel.alert.occasion == "first"
    assert only(rig, DeliveryStatus.HELD).reason == "what it updates waits to be told"


def test_an_update_of_an_alert_that_an_escalation_told_along_changes_that_one(rig: Rig) -> None:
    want(rig, quiet=now_quiet())
    news(rig)
    ring(rig, "escalation:urgency:1", urgency=1)
    rig.deliver()
    ring(rig, "update:1")
    [ready] = decided(rig, can_update=True)
    assert ready.updates == only(rig, DeliveryStatus.SENT).delivery_id


def test_an_update_of_what_was_only_told_in_a_digest_is_dropped(rig: Rig) -> None:
    want(rig, digest=f"daily@{later()}")
    news(rig)
    ring(rig, "escalation:deaths:9")
    rig.deliver()
    ring(rig, "update:1")
    assert decided(rig, can_update=True) == []
    assert "digest" in only(rig, DeliveryStatus.DROPPED).reason


# ---------------------------------------------------------------- another rule, a more immediate mode

SHIP = "Ferry with forty aboard runs aground off Northpoint"
AGROUND = "Ferry aground off Northpoint, at least 3 dead"


def told_by_another(rig: Rig, text: str = "The lifeboats were lowered at dawn.", title: str = SHIP, rule: str = "lifeboats") -> None:
    """The story goes on; what is new of it matches another rule for the first time."""
    rig.rule(rule, rule)
    rig.publish("harbour", entry(3, title, text), entry(2, SHIP, "It ran aground."), entry(1))


def occasions(rig: Rig) -> list[str]:
    return [str(message["occasion"]) for message in rig.sink.got]


def test_a_rule_that_matches_later_rings_what_only_waits_for_a_digest_once_it_is_critical(rig: Rig) -> None:
    want(rig, digest=f"daily@{later()}", critical=3)
    news(rig, 2, SHIP)
    assert rig.sink.got == []
    told_by_another(rig, title=f"{AGROUND}: lifeboats on their way")
    assert occasions(rig) == ["escalation:mode:now"]
    assert only(rig, DeliveryStatus.DIGESTED).reason == f"told by {only(rig, DeliveryStatus.SENT).delivery_id}"
    rig.wait(6 * 3600)
    rig.sweep()
    rig.deliver()
    assert len(rig.sink.got) == 1, "the digest does not tell it again"


def test_a_rule_that_matches_later_rings_nobody_when_it_could_only_wait_as_well(rig: Rig) -> None:
    want(rig, digest=f"daily@{later()}")
    news(rig, 2, SHIP)
    told_by_another(rig)
    assert rig.sink.got == []
    assert only(rig, DeliveryStatus.DROPPED).reason.startswith("no sooner than it is told already: told in the digest of")


def test_a_rule_that_matches_later_rings_once_what_a_digest_told(rig: Rig) -> None:
    want(rig, quiet=now_quiet(), quiet_mode="batch_on_wake")
    news(rig, 2, SHIP)
    want(rig, quiet="off")
    rig.sweep()
    rig.deliver()
    told_by_another(rig)
    told_by_another(rig, "Tugs came from the mainland.", rule="tugs")
    assert [occasion[:11] for occasion in occasions(rig)] == ["digest:wake", "escalation:"]


def test_a_rule_that_matches_later_rings_nobody_whom_the_story_rang(rig: Rig) -> None:
    news(rig, 2, SHIP)
    told_by_another(rig)
    assert occasions(rig) == ["first"]


def test_a_rule_that_matches_later_rings_what_a_muted_rule_kept_quiet(rig: Rig) -> None:
    rig.service.mute(MuteKind.RULE, "everything", span="1h")
    news(rig, 2, SHIP)
    told_by_another(rig)
    assert occasions(rig) == ["escalation:mode:now"]


def test_a_rule_that_matches_later_rings_nobody_who_was_rung_by_an_escalation_since(rig: Rig) -> None:
    want(rig, quiet=now_quiet(), quiet_mode="batch_on_wake")
    news(rig, 2, SHIP)
    want(rig, quiet="off")
    rig.sweep()
    rig.deliver()
    rig.clock.move(minutes=10)
    rig.publish("harbour", entry(3, "Ferry aground off Northpoint, 12 dead", SHIP), entry(2, SHIP, "It ran aground."), entry(1))
    before = occasions(rig)
    assert before[-1] in ("escalation:urgency:2", "escalation:toll:dead-12")
    rig.rule("tugs", "tugs")
    rig.publish("harbour", entry(4, SHIP, "Tugs came."), entry(3, "Ferry aground off Northpoint, 12 dead", SHIP), entry(1))
    assert occasions(rig) == before
    assert only(rig, DeliveryStatus.DROPPED).reason == "the story rang on this channel before"


def test_a_chunk_that_is_written_twice_rings_nobody_twice_at_once(rig: Rig) -> None:
    want(rig, digest=f"daily@{later()}", critical=3)
    news(rig, 2, SHIP)
    told_by_another(rig, title=f"{AGROUND}: lifeboats on their way")
    bells = {bell_id for view in rig.service.alerts() for bell_id in view.alert.bell_ids}
    for bell_id in bells:
        rig.store.run_command("HSET", f"{rig.store.prefix}bell:{bell_id}", "cursor", "0:")
        rig.store.run_command("ZADD", f"{rig.store.prefix}fanouts", 1, bell_id)
    while expand(rig.tools):
        pass
    rig.deliver()
    assert occasions(rig) == ["escalation:mode:now"]


# ---------------------------------------------------------------- the store


class Counting(RedisState):
    """A store that counts how often it is asked."""

    asked = 0

    def _call(self, *command: Any) -> Any:
        self.asked += 1
        return super()._call(*command)

    def _calls(self, commands: Any) -> list[Any]:
        self.asked += 1
        return super()._calls(commands)

    def _run_many(self, script: str, calls: Any) -> list[Any]:
        self.asked += 1
        return super()._run_many(script, calls)


def test_a_hundred_deliveries_are_decided_in_as_many_calls_as_one(rig: Rig, valkey_url: str) -> None:
    want(rig, digest=f"daily@{later()}", budget_hour=3)
    asked = []
    with redis.Redis.from_url(valkey_url) as client:
        state = Counting(client)
        worker = rig.with_tools(state=state)
        for number in (1, 10, 100):
            for bell in [a_bell(100 + number + n) for n in range(number)]:
                fill(state, bell)
            lanes = claim_all(state, rig.tools.owner, batch=500)
            before = state.asked
            Decider(worker.tools).ready(lanes, datetime.now(UTC))
            asked.append((sum(len(lane.parcels) for lane in lanes), state.asked - before))
            give_back(state, rig.tools.owner, "desk")
    assert asked == [(1, 4), (10, 4), (100, 4)]


def fill(state: RedisState, bell: Bell, subscriber_id: str = "me") -> Delivery:
    """Put one alert on the way to desk."""
    alert = an_alert(bell, subscriber_id, expires_at=datetime.now(UTC) + timedelta(days=1))
    delivery = a_delivery(alert)
    state.put_bell(bell)
    whole = Expansion(bell_id=bell.bell_id, expected_cursor="0:", cursor="", alerts=[alert], deliveries=[delivery])
    state.commit_expansions([whole])
    return delivery


def claimed(state: RedisState) -> list[Delivery]:
    lanes = claim_all(state, "d", batch=10)
    return [p.delivery for lane in lanes for p in lane.parcels]


@pytest.fixture
def desk(state: RedisState) -> RedisState:
    state.put_channel(Channel(channel_id="desk", url="console:"))
    return state


def into_digest(delivery: Delivery, due_at: datetime) -> Delivery:
    return replace(delivery, status=DeliveryStatus.HELD, digest="me:desk:planned", due_at=due_at, reason="planned")


def test_one_for_a_digest_that_was_frozen_meanwhile_is_for_the_next(desk: RedisState) -> None:
    """Decided a moment before the digest's time, written a moment after it was frozen."""
    fill(desk, a_bell(1))
    fill(desk, a_bell(2))
    early, late = claimed(desk)
    now = desk.now()
    tomorrow = now + timedelta(days=1)
    desk.settle("d", [Settlement(delivery=into_digest(early, now - timedelta(milliseconds=1)), later_at=now - timedelta(milliseconds=1))])
    assert desk.freeze_digests() == 1
    desk.settle("d", [Settlement(delivery=into_digest(late, now - timedelta(milliseconds=1)), later_at=tomorrow)])
    assert desk.freeze_digests() == 0
    due = desk.delivery(late.delivery_id).due_at
    assert due
    assert abs(due - tomorrow) < timedelta(milliseconds=2)


def test_one_for_a_digest_that_is_due_but_not_frozen_yet_is_in_it(desk: RedisState) -> None:
    fill(desk, a_bell(1))
    fill(desk, a_bell(2))
    past = desk.now() - timedelta(seconds=1)
    desk.settle("d", [Settlement(delivery=into_digest(d, past), later_at=past) for d in claimed(desk)])
    give_back(desk, "d", "desk")
    assert desk.freeze_digests() == 1
    [digest] = claimed(desk)
    assert len(desk.alerts_by_id([digest.alert_id])[digest.alert_id].bell_ids) == 2


def test_a_settlement_is_repeated_without_harm_and_refused_to_whoever_lost_the_lease(desk: RedisState) -> None:
    fill(desk, a_bell(1))
    [delivery] = claimed(desk)
    settlement = Settlement(delivery=replace(delivery, status=DeliveryStatus.DROPPED, reason="muted"))
    assert desk.settle("other", [settlement]) == [Outcome.STALE]
    assert desk.settle("d", [settlement, settlement]) == [Outcome.DONE, Outcome.ALREADY]
    assert desk.release("d", [Release(delivery=delivery, urgency=3)]) == [Outcome.STALE]
    assert desk.facts([Place("me", "desk")], []).rings[Place("me", "desk")] == ()


def test_what_is_held_too_briefly_by_a_clock_that_is_behind_is_not_claimed_in_a_loop(desk: RedisState) -> None:
    fill(desk, a_bell(1))
    [delivery] = claimed(desk)
    held = replace(delivery, status=DeliveryStatus.HELD, due_at=desk.now() - timedelta(seconds=2))
    desk.settle("d", [Settlement(delivery=held)])
    give_back(desk, "d", "desk")
    assert claimed(desk) == []
    desk.shift_due(-1)
    assert len(claimed(desk)) == 1


def test_what_left_its_digest_is_not_told_and_an_empty_digest_tells_nothing(desk: RedisState) -> None:
    delivery = fill(desk, a_bell(1))
    [held] = claimed(desk)
    past = desk.now() - timedelta(seconds=1)
    desk.settle("d", [Settlement(delivery=into_digest(held, past), later_at=past)])
    desk.drop_delivery(delivery.delivery_id, "not wanted")
    assert desk.freeze_digests() == 0
    assert desk.lag()["open_digests"] == 0


def test_more_than_a_digest_holds_make_another_one(desk: RedisState) -> None:
    for number in range(505):
        fill(desk, a_bell(number))
    past = desk.now() - timedelta(seconds=1)
    lanes = claim_all(desk, "d", batch=1000)
    desk.settle("d", [Settlement(delivery=into_digest(p.delivery, past), later_at=past) for p in lanes[0].parcels])
    give_back(desk, "d", "desk")
    assert [desk.freeze_digests() for _ in range(3)] == [1, 1, 0]
    sizes = [len(a.bell_ids) for a in desk.alerts_by_id({d.alert_id for d in claimed(desk)}).values()]
    assert sorted(sizes) == [5, 500]


def test_an_open_digest_moves_when_its_subscriber_wants_another_time(desk: RedisState) -> None:
    fill(desk, a_bell(1))
    now = desk.now()
    [delivery] = claimed(desk)
    desk.settle("d", [Settlement(delivery=into_digest(delivery, now + timedelta(days=6)), later_at=now + timedelta(days=13))])
    assert desk.reconsider("me", {DigestKind.PLANNED: now, DigestKind.WAKE: now}) == 0
    assert desk.freeze_digests() == 1


def test_nobody_remembers_wishes_that_have_changed(rig: Rig) -> None:
    decider = Decider(rig.tools)

    def sends(bell: Bell) -> Sequence[Ready]:
        fill(rig.store, bell)
        lanes = claim_all(rig.tools.state, rig.tools.owner, batch=10)
        give_back(rig.tools.state, rig.tools.owner, "desk")
        return decider.ready(lanes, datetime.now(UTC))[0]

    assert len(sends(a_bell(1))) == 1
    rig.service.mute(MuteKind.RULE, "everything", span="1h")
    rig.service.snooze("1h")
    assert len(sends(a_bell(2))) == 0
