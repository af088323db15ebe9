"""Discord: nothing pings, an update edits, and limits are kept as its headers say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.codes import Code
from alerts.delivery.discord import Discord, Hook, escaped, parse
from alerts.delivery.schemes import check_channel_url
from alerts.errors import ConfigError
from alerts.http.guard import AddressGuard
from alerts.models import Receipt, ReceiptStatus
from tests.sending import NOW, an_envelope, http_sender
from tests.servers_http import LocalServer, reply, serving
from tests.standins.discord import DiscordApi

Desk = tuple[DiscordApi, LocalServer, Any]
API = DiscordApi()
URL = f"discord://{API.webhook_id}/{API.token}"


@contextmanager
def a_desk(**fields: Any) -> Iterator[Desk]:
    api = DiscordApi(**fields)
    with serving(api.answer) as server, http_sender(Discord(server.url("").rstrip("/"))) as sender:
        yield api, server, sender


def send(desk: Desk, url: str = URL, **fields: Any) -> Receipt:
    receipt: Receipt = desk[2].send(an_envelope(url, **fields), timeout_s=5)
    return receipt


@pytest.mark.parametrize(
    ("url", "hook"),
    [
        (URL, Hook(API.webhook_id, API.token)),
        (f"{URL}/?thread=99", Hook(API.webhook_id, API.token, "", "99")),
        (URL.replace("//", "//Night%20desk@"), Hook(API.webhook_id, API.token, "Night desk")),
    ],
)
def test_apprises_urls_name_the_same_webhook_here(url: str, hook: Hook) -> None:
    assert parse(url) == hook
    check_channel_url(url, AddressGuard(), resolve=False)


@pytest.mark.parametrize("url", ["discord://word/token", "discord://123/", f"{URL}?thread=night"])
def test_a_url_without_webhook_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="Discord URL"):
        parse(url)


def test_the_headline_is_the_content_and_the_rest_an_embed() -> None:
    with a_desk() as desk:
        receipt = send(desk)
        (message,) = desk[0].messages.values()
        assert desk[1].asked[0].path == f"/api/v10/webhooks/{API.webhook_id}/{API.token}?wait=true"
    assert (receipt.status, receipt.message_ref) == (ReceiptStatus.ACCEPTED, "1000")
    assert message["content"] == "**Harbour gate closes**"
    assert message["allowed_mentions"] == {"parse": []}
    (embed,) = message["embeds"]
    assert embed["url"] == "https://harbour.example/1"
    assert embed["description"].endswith("\nhttps://harbour.example/1")


def test_nothing_pings_and_nothing_is_formatted() -> None:
    with a_desk() as desk:
        send(desk, title="@everyone <@123> [click](https://evil.example) *bold*")
        assert desk[0].pinged == 0
        (message,) = desk[0].messages.values()
    assert r"\[click\]\(https://evil.example)" in message["content"]
    assert escaped("a_b *c* > d") == r"a\_b \*c\* \> d"


def test_an_update_edits_and_a_silent_message_notifies_nobody() -> None:
    with a_desk() as desk:
        first = send(desk, is_silent=True)
        assert desk[0].messages["1000"]["flags"] == 4096
        second = send(desk, title="Gate opens", replaces=first.message_ref)
        assert (second.status, second.message_ref) == (ReceiptStatus.ACCEPTED, "1000")
        assert [m["content"] for m in desk[0].messages.values()] == ["**Gate opens**"]
        assert [asked.method for asked in desk[1].asked] == ["POST", "PATCH"]


def test_an_update_of_a_deleted_message_is_dropped_or_sent_anew() -> None:
    with a_desk() as desk:
        dropped = send(desk, replaces="77")
        anew = send(desk, replaces="77", is_sent_anew=True)
        assert (dropped.status, dropped.code) == (ReceiptStatus.ACCEPTED, Code.MESSAGE_GONE)
        assert (anew.status, anew.message_ref, len(desk[0].messages)) == (ReceiptStatus.ACCEPTED, "1000", 1)


def test_a_used_up_limit_is_told_before_and_waited_for_after() -> None:
    with a_desk(limit=2, clock=lambda: 0.0) as desk:
        receipts = [send(desk, delivery_id=f"d{n}") for n in range(3)]
    assert [r.retry_after_s for r in receipts] == [None, 2.0, 2.0]
    assert (receipts[2].status, receipts[2].code) == (ReceiptStatus.TRANSIENT, Code.RATE_LIMITED)
    assert receipts[2].detail == "HTTP 429: You are being rate limited."


def test_a_deleted_webhook_and_a_wrong_token_are_final() -> None:
    with a_desk(is_deleted=True) as desk:
        gone = send(desk)
    with a_desk(token="other") as desk:
        wrong = send(desk)
    assert (gone.status, gone.code, gone.detail) == (ReceiptStatus.PERMANENT, Code.GONE, "HTTP 404: Unknown Webhook")
    assert (wrong.status, wrong.code) == (ReceiptStatus.PERMANENT, Code.UNAUTHORISED)


def test_a_cloud_in_front_that_answers_no_json_is_told() -> None:
    answer = reply(403, b"<html>blocked</html>")
    with serving(lambda _asked: answer) as server, http_sender(Discord(server.url("").rstrip("/"))) as sender:
        receipt = sender.send(an_envelope(URL), timeout_s=5)
    assert (receipt.status, receipt.code, receipt.detail) == (ReceiptStatus.PERMANENT, Code.BLOCKED, "HTTP 403: <html>blocked</html>")


@given(st.text(max_size=3000), st.text(max_size=6000))
def test_no_message_is_too_long(title: str, body: str) -> None:
    message = json.loads(Discord().request(an_envelope(URL, title=title, body=body), NOW).body or b"")
    assert len(message["content"]) <= 2000
    assert all(len(embed["description"]) <= 4096 for embed in message["embeds"])
