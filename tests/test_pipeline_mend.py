"""What follows from errors: channels switched off and mended, chats that moved, sends of which nobody knows what came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.bootstrap import build_guard
from alerts.delivery.notify import LaneNotifier
from alerts.models import Delivery, DeliveryStatus, ReceiptStatus
from alerts.pipeline.expand import expand
from alerts.ports import StoryPlace
from alerts.service.alerts import timeline
from alerts.settings import TelegramSettings
from tests.harness import Rig, claim_all, entry, watched_rig
from tests.servers_http import Asked, reply, reset, serving


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        yield made


def publish(rig: Rig, *numbers: int) -> None:
    """New items, each by itself all the way."""
    for number in numbers:
        rig.publish("harbour", *(entry(n) for n in range(number, 0, -1)))


def of(rig: Rig, channel_id: str) -> list[Delivery]:
    """The deliveries of a channel, oldest first."""
    return [d for d in rig.deliveries() if d.channel_id == channel_id]


# ---------------------------------------------------------------- channels that end


@pytest.mark.parametrize(("status", "code"), [(404, "gone"), (410, "gone"), (403, "blocked"), (401, "unauthorised")])
def test_a_channel_that_takes_nothing_is_switched_off_and_says_why_and_what_to_do(rig: Rig, status: int, code: str) -> None:
    rig.sink.answers = [reply(status, b"nobody here")]
    publish(rig, 2)
    channel = rig.service.channel("desk")
    assert not channel.is_enabled
    assert "nobody here" in channel.error
    assert code in channel.error
    assert "to mend it" in channel.error
    publish(rig, 3)
    assert [d.status for d in of(rig, "desk")] == [DeliveryStatus.DEAD, DeliveryStatus.DROPPED]
    assert len(rig.sink.got) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_that_is_refused_does_not_end_its_channel(rig: Rig, status: int) -> None:
    rig.sink.answers = [reply(status)]
    publish(rig, 2, 3)
    assert rig.service.channel("desk").is_enabled
    assert [d.status for d in of(rig, "desk")] == [DeliveryStatus.DEAD, DeliveryStatus.SENT]


def test_the_subscriber_hears_of_it_on_another_channel_and_so_does_the_operator(rig: Rig) -> None:
    rig.service.add_subscriber("reader")
    for channel_id in ("reader-phone", "reader-mail", "reader-pager"):
        rig.channel(channel_id, subscriber_id="reader")
    rig.channel("operator", is_operator=True)
    rig.rule("*", "everything", subscriber_id="reader", channel_ids=["reader-phone"])
    rig.sink.answers = [reply(410)]
    publish(rig, 2)
    told = {d.channel_id for d in rig.deliveries(DeliveryStatus.SENT)}
    assert told == {"operator", "reader-mail"}, "one other channel is enough"
    [warning, _] = [message for message in rig.sink.got if message["kind"] == "warning"]
    assert "The channel reader-phone was switched off" in warning["message"]["title"]
    assert "tocsin channels enable reader-phone" in warning["message"]["title"]


def test_a_channel_is_on_again_after_it_accepted_a_test_and_not_before(rig: Rig) -> None:
    rig.sink.answers = [reply(410), reply(410)]
    publish(rig, 2)
    assert rig.service.mend_channel("desk").status is ReceiptStatus.PERMANENT
    assert not rig.service.channel("desk").is_enabled
    assert rig.service.mend_channel("desk").status is ReceiptStatus.ACCEPTED
    channel = rig.service.channel("desk")
    assert (channel.is_enabled, channel.error) == (True, "")


def test_what_a_channel_missed_is_sent_in_its_order_when_a_person_asks(rig: Rig) -> None:
    rig.sink.answers = [reply(410)]
    publish(rig, 2, 3, 4)
    rig.service.mend_channel("desk")
    rig.sink.got.clear()
    assert rig.service.replay_missed("desk", since_s=3600) == 3
    rig.deliver()
    assert [title.split()[2] for title in rig.sink.titles] == ["2", "3", "4"]


def test_a_channel_that_a_person_replaced_meanwhile_is_not_switched_off(rig: Rig) -> None:
    def gone(_asked: Asked) -> bytes:
        rig.channel("desk", name="a new one")
        return reply(410)

    with serving(gone) as server:
        rig.service.add_channel(f"webhook+{server.url('/old')}", channel_id="desk")
        publish(rig, 2)
    assert rig.service.channel("desk").is_enabled


# ---------------------------------------------------------------- a chat that moved


def test_a_telegram_group_that_became_a_supergroup_is_followed(rig: Rig) -> None:
    chats: list[str] = []

    def bot(asked: Asked) -> bytes:
        chats.append(str(json.loads(asked.body)["chat_id"]))
        if chats[-1] == "-100":
            body = {"ok": False, "error_code": 400, "description": "upgraded", "parameters": {"migrate_to_chat_id": -1009}}
            return reply(400, json.dumps(body).encode())
        return reply(200, json.dumps({"ok": True, "result": {"message_id": len(chats)}}).encode())

    rig.service.remove_channel("desk")
    with serving(bot) as server:
        settings = rig.tools.settings.model_copy(update={"telegram": TelegramSettings(base_url=server.url("").rstrip("/"))})
        moving = rig.with_tools(settings=settings, notifier=LaneNotifier(settings, build_guard(settings)))
        sealed = rig.tools.keys.seal("tgram://123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/-100")
        rig.service.add_channel("console:", channel_id="desk")
        [channel] = rig.tools.state.channels()
        rig.tools.state.put_channel(type(channel)(channel_id="desk", url=sealed))
        for number in (2, 3):
            moving.show("harbour", *(entry(n) for n in range(number, 0, -1)))
            moving.run()
            moving.wait(10)
    assert chats == ["-100", "-1009", "-1009"]
    assert {d.status for d in rig.deliveries()} == {DeliveryStatus.SENT}
    stories = [view.alert.story_id for view in reversed(rig.service.alerts())]
    kept = rig.tools.state.references([StoryPlace("me", story, "desk") for story in stories])
    assert list(kept.values()) == ["-1009/2", "-1009/3"]


# ---------------------------------------------------------------- nobody knows


def test_a_rule_may_say_that_what_may_have_arrived_is_not_sent_again(rig: Rig) -> None:
    rig.rule("*", "everything", on_ambiguous="drop")
    rig.sink.answers = [reset]
    publish(rig, 2)
    rig.wait(3600)
    rig.deliver()
    [delivery] = of(rig, "desk")
    assert delivery.status is DeliveryStatus.DROPPED
    assert "may have arrived" in delivery.reason
    assert len(rig.sink.got) == 1


def test_such_a_rule_drops_what_a_killed_worker_was_sending(rig: Rig) -> None:
    rig.rule("*", "everything", on_ambiguous="drop")
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    rig.sift()
    expand(rig.tools)
    claim_all(rig.store, "killed")
    rig.store.free_leases("killed")
    rig.deliver()
    assert [d.status for d in of(rig, "desk")] == [DeliveryStatus.DROPPED]
    assert rig.sink.got == []


# ---------------------------------------------------------------- the way of an alert


def test_an_alert_shows_its_whole_way_with_every_attempt_in_the_service_s_words(rig: Rig) -> None:
    rig.sink.answers = [reply(503, b"back in a moment"), reply(429, retry_after="7")]
    rig.publish("harbour", entry(2, date_published="2026-01-01T12:00:00Z"), entry(1))
    for _ in range(2):
        rig.wait(60)
        rig.deliver()
    [alert] = rig.service.alerts()
    moments = timeline(rig.service.alert(alert.alert.alert_id))
    assert [m.what for m in moments] == ["published", "first seen", "matched", "queued", "transient", "transient", "accepted"]
    assert "back in a moment" in moments[4].detail
    assert {m.channel_id for m in moments[3:]} == {"desk"}


def test_only_the_last_attempts_are_kept(rig: Rig) -> None:
    rig.sink.answers = [reply(503)] * 15
    publish(rig, 2)
    for _ in range(15):
        rig.wait(3700)
        rig.deliver()
    [delivery] = of(rig, "desk")
    assert (delivery.attempts, len(delivery.tried)) == (16, 10)
    assert delivery.tried[-1].result == "accepted"


def test_deliveries_are_listed_by_status_channel_and_age(rig: Rig) -> None:
    rig.channel("phone")
    rig.sink.answers = [reply(400)]
    publish(rig, 2, 3)
    assert {d.channel_id for d in rig.service.deliveries(channel_id="phone")} == {"phone"}
    assert len(rig.service.deliveries(status="dead")) == 1
    assert len(rig.service.deliveries(since_s=3600)) == 4
    assert rig.service.deliveries(channel_id="phone", status="dead") + rig.service.deliveries(channel_id="desk", status="dead")
