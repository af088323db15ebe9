"""What the pipeline puts into envelopes, and how an update finds the message it changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alerts.models import Bell, Channel, Receipt, ReceiptStatus
from alerts.pipeline.compose import compose, keep_references
from alerts.ports import Parcel, StoryPlace
from alerts.state.redis import RedisState
from tests.builders import NOW, a_bell, a_channel, a_delivery, an_alert
from tests.harness import Rig, a_rig

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
