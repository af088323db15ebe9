"""What the pipeline puts into envelopes, and how an update finds the message it changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerts.bootstrap import build_tools
from alerts.models import Bell, Channel, DeliveryStatus, Receipt, ReceiptStatus
from alerts.pipeline.audience import channels_for
from alerts.pipeline.compose import compose, keep_references
from alerts.ports import Expansion, Parcel, StoryPlace
from alerts.settings import TelegramSettings
from alerts.state.redis import RedisState
from tests.builders import NOW, a_bell, a_channel, a_delivery, an_alert
from tests.harness import Rig, a_rig, entry
from tests.servers_http import serving
from tests.standins.telegram import TelegramApi

TELEGRAM = "tgram://123456789:abcdefghijklmnopqrstuvwxyz012345/5"


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with a_rig(valkey_url, tmp_path) as rig:
        yield rig


def a_parcel(bell: Bell, channel: Channel, **fields: Any) -> Parcel:
    alert = an_alert(bell)
    return Parcel(a_delivery(alert, channel.channel_id), alert, (bell,), ("Gates",), **fields)


def accepted(parcel: Parcel, reference: str, status: ReceiptStatus = ReceiptStatus.ACCEPTED) -> tuple[Parcel, Receipt]:
    return parcel, Receipt(delivery_id=parcel.delivery.delivery_id, status=status, at=NOW, message_ref=reference)


def test_an_update_replaces_the_newest_message_of_its_story_on_its_channel(rig: Rig) -> None:
    phone, other = a_channel("phone"), a_channel("other")
    keep_references(rig.tools, [accepted(a_parcel(a_bell(), phone), "5/1"), accepted(a_parcel(a_bell(), other), "9/9")])
    keep_references(rig.tools, [accepted(a_parcel(a_bell(occasion="escalation:urgency:1"), phone), "5/2")])
    update = a_parcel(a_bell(occasion="update:2"), phone)
    (envelope,) = compose(rig.tools, phone, TELEGRAM, [update])
    assert (envelope.replaces, envelope.is_silent) == ("5/2", True)


@pytest.mark.parametrize(("occasion", "url"), [("first", TELEGRAM), ("correction", TELEGRAM), ("update:2", "slack://a/b/c")])
def test_what_rings_and_what_cannot_be_changed_replaces_nothing(rig: Rig, occasion: str, url: str) -> None:
    phone = a_channel("phone")
    keep_references(rig.tools, [accepted(a_parcel(a_bell(), phone), "5/1")])
    (envelope,) = compose(rig.tools, phone, url, [a_parcel(a_bell(occasion=occasion), phone)])
    assert (envelope.replaces, envelope.is_silent) == ("", occasion == "update:2")


def test_what_was_not_accepted_leaves_no_reference(rig: Rig) -> None:
    parcel = a_parcel(a_bell(), a_channel("phone"))
    keep_references(rig.tools, [accepted(parcel, "5/1", ReceiptStatus.AMBIGUOUS), accepted(parcel, "")])
    assert rig.store.references([StoryPlace("me", parcel.alert.story_id, "phone")]) == {}


def test_references_end_with_the_ledger(state: RedisState) -> None:
    place = StoryPlace("me", "s1", "phone")
    state.keep_references({place: "5/1"})
    assert state.references([place, StoryPlace("me", "s1", "other"), StoryPlace("me", "s2", "phone")]) == {place: "5/1"}
    assert 29 * 86400 < state._client.ttl(f"{state.prefix}told:me:s1") <= 30 * 86400


def test_the_words_that_a_rule_asked_for_are_told(rig: Rig) -> None:
    desk = a_channel()
    parcel = a_parcel(a_bell(), desk, queries=("(gate OR ferry) AND collisions NOT strike AND region:NL", "@nobodys-list", "((("))
    (envelope,) = compose(rig.tools, desk, "console:", [parcel])
    assert 'Why: rule Gates ("gate"' in envelope.body
    assert "strike" not in envelope.body
    many = replace(a_bell(), query_ids=tuple(f"q{n}" for n in range(51)))
    (without,) = compose(rig.tools, desk, "console:", [replace(parcel, bells=(many,))])
    assert without.body.count("Why: rule Gates\n") == 1


def test_the_channels_template_and_the_subscribers_zone_are_used(rig: Rig) -> None:
    desk = a_channel(template="{headline|upper} {when}")
    (envelope,) = compose(rig.tools, desk, "console:", [a_parcel(a_bell(), desk)], {"me": "Europe/Berlin"})
    assert envelope.title == "HARBOUR GATE 1 CLOSES AFTER COLLISION 1 Mar 13:00 CET (first seen)"


def test_mails_get_a_link_that_ends_them_where_readers_can_reach_us(rig: Rig) -> None:
    rig.channel("mail")
    mail = a_channel("mail")
    (without,) = compose(rig.tools, mail, "mailtos://u:p@h.example", [a_parcel(a_bell(), mail)])
    tools = rig.with_settings("web", public_url="https://alerts.example/").tools
    (envelope,) = compose(tools, mail, "mailtos://u:p@h.example", [a_parcel(a_bell(), mail)])
    (console,) = compose(tools, mail, "console:", [a_parcel(a_bell(), mail)])
    assert without.unsubscribe_url == console.unsubscribe_url == ""
    start = "https://alerts.example/unsubscribe/"
    assert envelope.unsubscribe_url.startswith(start)
    ended = rig.service.unsubscribe(envelope.unsubscribe_url.removeprefix(start))
    assert (ended.channel_id, ended.is_enabled, ended.error) == ("mail", False, "its reader ended it by the link in a mail")


@pytest.mark.parametrize(("url", "is_told"), [(TELEGRAM, True), ("webhook+https://hooks.example/", False)])
def test_a_channel_of_an_older_version_gets_updates_when_its_url_says_it_can(rig: Rig, url: str, is_told: bool) -> None:
    old = replace(a_channel("old"), url=rig.tools.keys.seal(url), can_update=False)
    assert channels_for(rig.tools, a_bell(occasion="update:1"), [old]) == ([old] if is_told else [])
    assert channels_for(rig.tools, a_bell(occasion="correction"), [old]) == [old]


def an_update_of(rig: Rig, title: str) -> None:
    """Let the newest alert's story change: what was told is to say this now."""
    (told,) = [delivery for delivery in rig.deliveries() if delivery.channel_id == "phone"]
    (alert,) = rig.store.alerts_by_id([told.alert_id]).values()
    (bell,) = rig.store.bells_by_id(alert.bell_ids).values()
    change = replace(bell.tagged.change, item=replace(bell.tagged.change.item, title=title))
    changed = replace(bell, bell_id="update-bell", occasion="update:2", tagged=replace(bell.tagged, change=change))
    update = replace(alert, alert_id="update-alert", occasion="update:2", bell_ids=(changed.bell_id,))
    fresh = replace(told, status=DeliveryStatus.PENDING, attempts=0, reason="", sent_at=None)
    delivery = replace(fresh, delivery_id="update-delivery", alert_id=update.alert_id)
    assert rig.tools.state.put_bell(changed)
    expansion = Expansion(bell_id=changed.bell_id, expected_cursor="0:", cursor="", alerts=[update], deliveries=[delivery])
    rig.tools.state.commit_expansions([expansion])


def test_an_update_of_a_story_edits_the_message_that_told_it(rig: Rig) -> None:
    api = TelegramApi(per_chat=100)
    with serving(api.answer) as server:
        telegram = TelegramSettings(base_url=server.url("").rstrip("/"))
        settings = rig.tools.settings.model_copy(update={"telegram": telegram})
        rig = rig.with_tools(settings=settings, notifier=build_tools(settings, owner="other").notifier)
        rig.watch()
        rig.service.add_channel(TELEGRAM, channel_id="phone")
        rig.rule()
        rig.publish("harbour", entry(1))
        rig.publish("harbour", entry(2, "Harbour gate 2 closes"), entry(1))
        an_update_of(rig, "Harbour gate 2 is open again")
        rig.wait(2)  # one message a second to a chat
        rig.deliver()
        assert [text.splitlines()[0] for text in api.texts("5")] == ["Update: Harbour gate 2 is open again"]
        assert api.requests == {"send": 1, "edit": 1}
        assert api.messages["5", 1].edits == 1
