"""Who is told, once: fan-out in chunks, the ledger against a torn log, retries, rests, digests, replays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from alerts.delivery.ledger import LedgerRow
from alerts.errors import StateError
from alerts.models import Channel, Delivery, DeliveryStatus, Rule
from alerts.pipeline.expand import expand
from alerts.ports import ChannelBook, Expansion, Outcome
from alerts.rules.query import query_id
from alerts.state.redis import RedisState
from tests.harness import Entry, Rig, claim_all, entry, watched_rig
from tests.servers_http import reply, reset, silent

SUBSCRIBERS = 1200


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        yield made


def news(rig: Rig, number: int = 2) -> None:
    """One new item, found and sifted; it is not delivered yet."""
    rig.show("harbour", *(entry(n) for n in range(number, 0, -1)))
    rig.poll()
    rig.sift()


def expand_all(rig: Rig) -> None:
    """Write every fan-out to its end."""
    while expand(rig.tools):
        pass


def only(rig: Rig) -> Delivery:
    """The one delivery there is."""
    [delivery] = rig.deliveries()
    return delivery


def told(rig: Rig) -> Delivery:
    """The delivery of one new item after one attempt."""
    news(rig)
    rig.deliver()
    return only(rig)


def missed(rig: Rig, *entries: Entry) -> None:
    """Lose the source's state and find these items as a catch-up."""
    rig.tools.state.remove_source("harbour")
    rig.watch()
    rig.publish("harbour", *entries)


# ---------------------------------------------------------------- fan-out


class Crashing(RedisState):
    """A store whose n-th chunk is not answered: the worker that wrote it dies, before or after it was written."""

    crash_at = 0
    is_written = False

    def commit_expansions(self, expansions: Sequence[Expansion]) -> list[Outcome]:
        self.crash_at -= 1
        if self.crash_at == 0 and not self.is_written:
            raise StateError("killed before the chunk")
        outcomes = super().commit_expansions(expansions)
        if self.crash_at == 0:
            raise StateError("killed after the chunk")
        return outcomes


def many_rules(rig: Rig) -> None:
    """1,200 subscribers with one query between them, all on one channel."""
    rig.service.remove_rule("everything")
    number = query_id("gate", False)
    rules = [Rule(rule_id=f"r{n:04}", subscriber_id=f"s{n:04}", query="gate", channel_ids=("desk",)) for n in range(SUBSCRIBERS)]
    rig.tools.state.put_rules([(rule, number) for rule in rules])


@pytest.mark.parametrize("is_written", [True, False], ids=["after the chunk", "before the chunk"])
def test_a_crash_between_chunks_leaves_every_subscriber_exactly_one_delivery(rig: Rig, valkey_url: str, is_written: bool) -> None:
    many_rules(rig)
    news(rig)
    with redis.Redis.from_url(valkey_url) as client:
        state = Crashing(client)
        state.crash_at, state.is_written = 2, is_written
        worker = rig.with_tools(state=state)
        with pytest.raises(StateError, match="killed"):
            expand_all(worker)
    expand_all(rig)
    counts = Counter(d.subscriber_id for d in rig.deliveries())
    assert (len(counts), set(counts.values())) == (SUBSCRIBERS, {1})
    assert rig.tools.state.counters()["alerts"] == SUBSCRIBERS


def test_a_chunk_holds_at_most_500_rules(rig: Rig) -> None:
    many_rules(rig)
    news(rig)
    sizes = []
    while expand(rig.tools):
        sizes.append(len(rig.deliveries()))
    assert sizes == [500, 1000, 1200]


def test_a_second_rule_that_names_another_channel_rings_that_channel_once(rig: Rig) -> None:
    rig.service.remove_rule("everything")
    rig.channel("phone")
    rig.rule("ferry", "ferries", channel_ids=["desk"])
    rig.rule("aground", "groundings", channel_ids=["phone"])
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    title = "Ferry with forty passengers stops off Northpoint"
    rig.publish("harbour", entry(2, title), entry(1))
    rig.publish("quay", entry(2, title, "It ran aground at noon.", outlet="quay"), entry(1, outlet="quay"))
    assert [d.channel_id for d in rig.deliveries(DeliveryStatus.SENT)] == ["desk", "phone"]
    later, began = rig.service.alerts()
    assert began.alert.rule_ids == ("ferries", "groundings")
    assert later.alert.rule_ids == ("groundings",)
    assert rig.sink.got[-1]["text"] == "It ran aground at noon."


def test_a_rule_without_channels_rings_every_channel_of_its_subscriber_and_nobody_else_s(rig: Rig) -> None:
    rig.service.add_subscriber("other")
    rig.channel("phone")
    rig.channel("theirs", subscriber_id="other")
    news(rig)
    rig.deliver()
    assert sorted(d.channel_id for d in rig.deliveries()) == ["desk", "phone"]


# ---------------------------------------------------------------- the ledger and a torn log


def tear(rig: Rig, delivery: Delivery, status: str = "pending") -> None:
    """Take back what the store learned of a delivery since it was made, as a torn log does."""
    store = rig.store
    key = f"{store.prefix}delivery:{delivery.delivery_id}"
    store.run_command("HSET", key, "status", status, "attempts", 0, "reason", "", "repeat", "0")
    store.run_command("HDEL", key, "owner", "sent")
    store.run_command("ZADD", f"{store.prefix}lane:{delivery.channel_id}", 1, delivery.delivery_id)
    store.run_command("ZADD", f"{store.prefix}lanes", 1, delivery.channel_id)


def test_what_the_ledger_says_was_accepted_is_not_sent_again(rig: Rig) -> None:
    tear(rig, told(rig))
    rig.deliver()
    assert len(rig.sink.got) == 1
    assert only(rig).status is DeliveryStatus.SENT
    assert "ledger" in only(rig).reason


def test_the_ledger_knows_the_story_by_its_items_when_its_ids_are_lost(rig: Rig) -> None:
    """The store forgot story, alert and delivery; the item comes again and makes another story of itself."""
    delivery = told(rig)
    [view] = rig.service.alerts()
    rows = [LedgerRow("another-id", "me", "phone", view.bell.item_ids)]
    rig.channel("phone")
    rig.tools.ledger.intend(rows)
    rig.tools.ledger.accept(["another-id"])
    rig.rule("gate", "gates", channel_ids=["phone"])
    rig.publish("harbour", entry(2, "Harbour gate 2 closes, one hurt"), entry(1))
    [phone] = [d for d in rig.deliveries() if d.channel_id == "phone"]
    assert (phone.status, delivery.status) == (DeliveryStatus.SENT, DeliveryStatus.SENT)
    assert "another-id told this story before" in phone.reason
    assert len(rig.sink.got) == 1


def test_what_was_only_intended_is_sent_again_and_marked_as_a_possible_repeat(rig: Rig) -> None:
    news(rig)
    expand_all(rig)
    delivery = only(rig)
    rig.tools.ledger.intend([LedgerRow(delivery.delivery_id, "me", "desk", ())])
    rig.deliver()
    [message] = rig.sink.got
    assert message["is_repeat"] is True
    assert "Possible repeat" in message["message"]["body"]


def test_what_a_killed_worker_was_sending_is_sent_again_and_marked(rig: Rig) -> None:
    news(rig)
    expand_all(rig)
    claim_all(rig.tools.state, "killed")
    rig.tools.state.free_leases("killed")
    rig.deliver()
    assert [message["is_repeat"] for message in rig.sink.got] == [True]


# ---------------------------------------------------------------- retries


def test_a_server_error_is_tried_again_later_and_counted(rig: Rig) -> None:
    rig.sink.answers = [reply(503), reply(500)]
    first = told(rig)
    assert (first.status, first.attempts) == (DeliveryStatus.RETRY, 1)
    assert "503" in first.reason
    assert first.due_at
    assert first.due_at > rig.clock()
    assert rig.deliver() == 0
    rig.wait(3600)
    rig.deliver()
    assert only(rig).attempts == 2
    rig.wait(3600)
    rig.deliver()
    assert (only(rig).status, only(rig).attempts) == (DeliveryStatus.SENT, 3)
    assert [message["is_repeat"] for message in rig.sink.got] == [False] * 3


def test_being_asked_to_wait_costs_no_attempt_and_the_channel_rests(rig: Rig) -> None:
    rig.sink.answers = [reply(429, retry_after="600")]
    first = told(rig)
    assert (first.status, first.attempts) == (DeliveryStatus.RETRY, 0)
    assert first.due_at
    assert first.due_at > rig.clock() + timedelta(seconds=590)
    news(rig, 3)
    rig.deliver()
    assert len(rig.sink.got) == 1
    rig.wait(700)
    rig.deliver()
    assert len(rig.sink.got) == 3
    assert {(d.status, d.attempts) for d in rig.deliveries()} == {(DeliveryStatus.SENT, 1)}
    assert not any(message["is_repeat"] for message in rig.sink.got)


NAMES = ["owner", "until", "rest"]


@pytest.mark.parametrize("name", NAMES)
def test_a_channel_may_have_any_name_that_is_allowed(rig: Rig, name: str) -> None:
    rig.channel(name)
    rig.rule("*", "everything", channel_ids=[name])
    assert told(rig).status is DeliveryStatus.SENT


def test_a_channel_that_fails_does_not_delay_another(rig: Rig) -> None:
    rig.channel("phone")
    news(rig, 4)
    rig.sink.answers = [reply(503)]
    rig.deliver()
    by_channel = Counter((d.channel_id, d.status) for d in rig.deliveries())
    assert sorted(by_channel.values()) == [1, 2, 3]
    assert by_channel[next(c for c, s in by_channel if s is DeliveryStatus.RETRY), DeliveryStatus.PENDING] == 2


def test_a_refusal_is_final_and_the_operator_hears_of_it_once_an_hour(rig: Rig) -> None:
    rig.channel("operator", is_operator=True, subscriber_id="me")
    rig.rule("*", "everything", channel_ids=["desk"])
    rig.sink.answers = [reply(400), reply(204), reply(400)]
    news(rig)
    rig.deliver()
    news(rig, 3)
    rig.deliver()
    dead = rig.deliveries(DeliveryStatus.DEAD)
    assert [d.channel_id for d in dead] == ["desk", "desk"]
    assert "400" in dead[0].reason
    assert rig.service.channel("desk").is_enabled, "the next message may be taken"
    warnings = [m for m in rig.sink.got if m["kind"] == "warning"]
    assert len(warnings) == 1
    assert "The channel desk refuses" in warnings[0]["message"]["title"]


def test_a_refusing_operator_channel_does_not_warn_of_itself(rig: Rig) -> None:
    rig.service.remove_channel("desk")
    rig.channel("operator", is_operator=True)
    rig.sink.answers = [reply(404)]
    assert told(rig).status is DeliveryStatus.DEAD
    assert len(rig.sink.got) == 1


@pytest.mark.parametrize("break_off", ["reset", "silent"])
def test_a_send_of_which_nobody_knows_whether_it_arrived_is_marked_when_repeated(rig: Rig, break_off: str) -> None:
    worker = rig.with_tools()
    rig.sink.answers = [reset if break_off == "reset" else silent(rig.sink.server)]
    first = told(worker)
    assert (first.status, first.is_repeat) == (DeliveryStatus.RETRY, True)
    worker.wait(3600)
    worker.deliver()
    assert [m["is_repeat"] for m in rig.sink.got] == [False, True]
    assert rig.sink.got[0]["delivery"] == rig.sink.got[1]["delivery"]


def test_a_channel_whose_key_is_lost_is_given_up_and_the_others_go_on(rig: Rig) -> None:
    rig.channel("phone")
    rig.channel("operator", is_operator=True)
    rig.tools.state.put_channel(Channel(channel_id="desk", url="gAAAA-not-our-token"))
    rig.rule("*", "everything", channel_ids=["desk", "phone"])
    news(rig)
    rig.deliver()
    status = {d.channel_id: d.status for d in rig.deliveries()}
    assert status == {"desk": DeliveryStatus.DEAD, "phone": DeliveryStatus.SENT, "operator": DeliveryStatus.SENT}
    assert "put the key file back" in rig.deliveries(DeliveryStatus.DEAD)[0].reason


# ---------------------------------------------------------------- not sent


def test_a_switched_off_channel_drops_its_deliveries_and_says_why(rig: Rig) -> None:
    rig.service.enable_channel("desk", is_enabled=False)
    delivery = told(rig)
    assert delivery.status is DeliveryStatus.DROPPED
    assert "switched off" in delivery.reason
    assert rig.sink.got == []


def test_an_alert_past_its_time_to_live_expires(rig: Rig) -> None:
    delivery = told(rig.with_settings("deliver", ttl_s=1e-6))
    assert delivery.status is DeliveryStatus.EXPIRED
    assert rig.sink.got == []


def test_a_retry_that_would_come_too_late_expires_and_says_what_went_wrong(rig: Rig) -> None:
    rig.sink.answers = [reply(503)]
    delivery = told(rig.with_settings("deliver", ttl_s=3.0))
    assert delivery.status is DeliveryStatus.EXPIRED
    assert "503" in delivery.reason


def test_a_removed_channel_s_pending_deliveries_are_dropped(rig: Rig) -> None:
    news(rig)
    expand_all(rig)
    assert rig.service.remove_channel("desk") == 1
    rig.deliver()
    assert only(rig).status is DeliveryStatus.DROPPED
    assert rig.sink.got == []


class Remembering(RedisState):
    """A store whose channels were read before the last one was removed."""

    remembered: Sequence[Channel] = ()

    def channel_book(self) -> ChannelBook:
        return ChannelBook(self.remembered)


def test_what_is_expanded_for_a_channel_removed_meanwhile_is_dropped(rig: Rig, valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        state = Remembering(client)
        state.remembered = rig.tools.state.channels()
        rig.service.remove_channel("desk")
        news(rig)
        expand_all(rig.with_tools(state=state))
    rig.deliver()
    assert only(rig).status is DeliveryStatus.DROPPED
    assert "removed" in only(rig).reason


# ---------------------------------------------------------------- digests


def test_catch_up_items_become_one_digest_for_a_subscriber_and_channel(rig: Rig) -> None:
    rig.channel("phone")
    missed(rig, entry(3), entry(2), entry(1))
    assert rig.sink.got == []
    assert {d.status for d in rig.deliveries()} == {DeliveryStatus.HELD}
    rig.wait(61)
    rig.sweep()
    rig.deliver()
    assert [(m["kind"], len(m["items"])) for m in rig.sink.got] == [("digest", 3)] * 2
    assert Counter(d.status.value for d in rig.deliveries()) == {"digested": 6, "sent": 2}


def test_a_digest_waits_for_more_before_it_is_frozen(rig: Rig) -> None:
    missed(rig, entry(2), entry(1))
    rig.sweep()
    rig.deliver()
    assert rig.sink.got == []


# ---------------------------------------------------------------- what a person does


@dataclass(frozen=True)
class End:
    """A way for a delivery to end."""

    status: DeliveryStatus
    answer: bytes = b""
    ttl_s: float = 86400.0


ENDS = [End(DeliveryStatus.SENT, reply(204)), End(DeliveryStatus.DEAD, reply(400)), End(DeliveryStatus.EXPIRED, ttl_s=1e-6)]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.status.value)
def test_a_delivery_that_has_ended_is_sent_again_when_a_person_asks(rig: Rig, end: End) -> None:
    rig.sink.answers = [end.answer] if end.answer else []
    worker = rig.with_settings("deliver", ttl_s=end.ttl_s)
    delivery = told(worker)
    assert delivery.status is end.status
    before = len(rig.sink.got)
    rig.service.replay_delivery(delivery.delivery_id)
    rig.deliver()
    assert (only(rig).status, only(rig).is_replay) == (DeliveryStatus.SENT, True)
    [message] = rig.sink.got[before:]
    assert message["is_repeat"] is (end.status is DeliveryStatus.SENT)


def test_a_replay_that_fails_is_tried_through_the_list_and_ends(rig: Rig) -> None:
    worker = rig.with_settings("deliver", ttl_s=1e-6, retries_s=(0.0, 5.0))
    delivery = told(worker)
    again = rig.with_settings("deliver", retries_s=(0.0, 5.0))
    again.service.replay_delivery(delivery.delivery_id)
    rig.sink.answers = [reply(503)] * 9
    for _ in range(5):
        again.deliver()
        again.wait(3600)
    assert only(rig).status is DeliveryStatus.EXPIRED
    assert len(rig.sink.got) == 2


def test_a_held_delivery_is_sent_at_once_when_its_digest_ended_and_a_person_asks(rig: Rig) -> None:
    missed(rig, entry(1))
    rig.wait(61)
    rig.sweep()
    rig.deliver()
    [digested] = rig.deliveries(DeliveryStatus.DIGESTED)
    rig.service.replay_delivery(digested.delivery_id)
    rig.deliver()
    assert [m["kind"] for m in rig.sink.got] == ["digest", "alert"]


def test_a_dropped_delivery_is_not_sent(rig: Rig) -> None:
    news(rig)
    expand_all(rig)
    rig.service.drop_delivery(only(rig).delivery_id)
    rig.deliver()
    assert rig.sink.got == []
    assert only(rig).reason == "dropped by hand"


def test_a_delivery_that_has_ended_cannot_be_dropped(rig: Rig) -> None:
    with pytest.raises(StateError, match="is sent"):
        rig.service.drop_delivery(told(rig).delivery_id)


def test_a_message_names_every_rule_of_its_subscriber_that_matched(rig: Rig) -> None:
    """Also rules with different queries: all are written before the first message is sent."""
    rig.rule("gate", "gates")
    told(rig)
    [message] = rig.sink.got
    assert sorted(message["rules"]) == ["everything", "gates"]
