"""ntfy: JSON with priority, tags, click and action; one place on the phone for a message and its updates."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery import apprise_load
from alerts.delivery.codes import Code
from alerts.delivery.ntfy import Ntfy, header_text, parse
from alerts.delivery.schemes import check_channel_url
from alerts.errors import ConfigError
from alerts.http.guard import AddressGuard
from alerts.models import Receipt, ReceiptStatus
from tests.sending import NOW, an_envelope, http_sender
from tests.servers_http import LocalServer, reply, serving
from tests.standins.ntfy import NtfyServer

Desk = tuple[NtfyServer, LocalServer, Any]


@contextmanager
def a_desk(**fields: Any) -> Iterator[Desk]:
    ntfy = NtfyServer(**fields)
    with serving(ntfy.answer) as server, http_sender(Ntfy()) as sender:
        yield ntfy, server, sender


def send(desk: Desk, topic: str = "breaking", user: str = "", **fields: Any) -> Receipt:
    _, server, sender = desk
    receipt: Receipt = sender.send(an_envelope(f"ntfy://{user}127.0.0.1:{server.port}/{topic}", **fields), timeout_s=5)
    return receipt


# ---------------------------------------------------------------- the URL


@pytest.mark.parametrize(
    ("url", "base_url", "topic", "authorization"),
    [
        ("ntfy://Breaking", "https://ntfy.sh", "Breaking", ""),
        ("ntfys://ntfy.sh/Breaking", "https://ntfy.sh", "Breaking", ""),
        ("ntfy://ntfy.example/breaking", "http://ntfy.example", "breaking", ""),
        ("ntfys://ntfy.example:8443/breaking", "https://ntfy.example:8443", "breaking", ""),
        ("ntfys://ntfy.example?to=breaking&mode=private", "https://ntfy.example", "breaking", ""),
        ("ntfys://tk_abc123@ntfy.example/breaking", "https://ntfy.example", "breaking", "Bearer tk_abc123"),
        ("ntfys://ntfy.example/breaking?token=tk_abc123", "https://ntfy.example", "breaking", "Bearer tk_abc123"),
        ("ntfys://abc123@ntfy.example/breaking?auth=token", "https://ntfy.example", "breaking", "Bearer abc123"),
        ("ntfys://desk:p%40ss@ntfy.example/breaking", "https://ntfy.example", "breaking", "Basic ZGVzazpwQHNz"),
    ],
)
def test_apprises_urls_name_the_same_topic_here(url: str, base_url: str, topic: str, authorization: str) -> None:
    read = parse(url)
    assert (read.base_url, read.topic, read.authorization) == (base_url, topic, authorization)
    check_channel_url(url, AddressGuard(), resolve=False)
    service: Any = apprise_load.load(url)
    assert service.topics == [topic]
    assert (service.mode, service.host) in (("cloud", topic), ("private", base_url.partition("//")[2].partition(":")[0]))


@pytest.mark.parametrize("url", ["ntfy://ntfy.example/a/b", "ntfy://ntfy.example/a%20b", "ntfy://", "ntfy://h:99999/a", "ntfy://ntfy.example/a?to=b"])
def test_a_channel_is_one_topic(url: str) -> None:
    with pytest.raises(ConfigError, match="ntfy URL"):
        parse(url)


# ---------------------------------------------------------------- what is sent


def test_a_message_has_title_priority_tags_click_and_an_action() -> None:
    with a_desk() as desk:
        receipt = send(desk, title="Gate closed عاجل")
        (message,) = desk[0].published
    assert (receipt.status, receipt.message_ref) == (ReceiptStatus.ACCEPTED, "0123456789abcdef0123")
    assert message == {
        "topic": "breaking",
        "title": "Gate closed عاجل",
        "message": "Source: Harbour (unconfirmed: one origin)\nhttps://harbour.example/1",
        "priority": 4,
        "tags": ["warning"],
        "sequence_id": "0123456789abcdef0123",
        "click": "https://harbour.example/1",
        "actions": [{"action": "view", "label": "Read", "url": "https://harbour.example/1"}],
    }


@pytest.mark.parametrize(("urgency", "priority"), [(1, 5), (2, 4), (3, 3), (5, 3), (8, 3)])
def test_the_urgency_is_the_priority_unless_the_url_sets_one(urgency: int, priority: int) -> None:
    with a_desk() as desk:
        send(desk, urgency=urgency)
        send(desk, "breaking?priority=min&tags=desk,night&click=https%3A%2F%2Fdesk.example%2F", urgency=urgency)
        first, second = desk[0].published
    assert (first["priority"], second["priority"]) == (priority, 1)
    assert second["tags"][-2:] == ["desk", "night"]
    assert second["click"] == "https://desk.example/"


def test_what_a_person_wrote_for_a_header_arrives_as_it_was_meant() -> None:
    with a_desk() as desk:
        send(desk, "breaking?actions=view,%C3%96ffnen,https%3A%2F%2Fdesk.example&icon=https%3A%2F%2Fdesk.example%2Fi.png")
        (message,) = desk[0].published
        headers = desk[1].asked[0].headers
    assert "actions" not in message
    assert headers["x-icon"] == "https://desk.example/i.png"
    encoded = headers["x-actions"].removeprefix("=?UTF-8?B?").removesuffix("?=")
    assert base64.b64decode(encoded).decode() == "view,Öffnen,https://desk.example"


def test_an_update_takes_the_place_of_the_first_and_rings_nobody() -> None:
    with a_desk() as desk:
        first = send(desk)
        second = send(desk, title="Gate opens", replaces=first.message_ref, is_silent=True, delivery_id="update-1")
        shown = desk[0].shown
    assert second.message_ref == first.message_ref
    assert [(message["title"], message["priority"]) for message in shown.values()] == [("Gate opens", 2)]


def test_a_repeat_takes_the_place_of_the_first_too() -> None:
    with a_desk() as desk:
        send(desk)
        send(desk, is_repeat=True)
        assert (len(desk[0].published), len(desk[0].shown)) == (2, 1)


@given(st.text(max_size=6000), st.text(max_size=2000))
def test_no_message_becomes_a_file(body: str, title: str) -> None:
    request = Ntfy().request(an_envelope("ntfy://breaking", title=title, body=body), NOW)
    message = json.loads(request.body or b"")
    assert len(message["message"].encode()) <= 4096
    assert all(header_text(value).isascii() for value in request.headers.values())


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize("user", ["tk_abc123@", "desk:passw0rd@"])
def test_accounts_are_used_and_a_wrong_one_is_final(user: str) -> None:
    with a_desk(token="tk_abc123") if user.startswith("tk_") else a_desk(user="desk:passw0rd") as desk:
        assert send(desk, user=user).status is ReceiptStatus.ACCEPTED
        refused = send(desk, user="tk_wrong@")
    assert (refused.status, refused.code, refused.detail) == (ReceiptStatus.PERMANENT, Code.UNAUTHORISED, "HTTP 401: unauthorized")


def test_a_reserved_topic_is_final_and_a_limit_is_waited_out() -> None:
    with a_desk(reserved={"breaking"}, left=1) as desk:
        refused = send(desk)
        assert send(desk, "other").status is ReceiptStatus.ACCEPTED
        limited = send(desk, "other")
    assert (refused.status, refused.code) == (ReceiptStatus.PERMANENT, Code.BLOCKED)
    assert (limited.status, limited.code, limited.retry_after_s) == (ReceiptStatus.TRANSIENT, Code.RATE_LIMITED, 30)


def test_a_used_up_day_is_waited_for_longer() -> None:
    body = json.dumps({"code": 42908, "http": 429, "error": "limit reached: daily message quota reached"}).encode()
    with serving(lambda _asked: reply(429, body)) as server, http_sender(Ntfy()) as sender:
        receipt = sender.send(an_envelope(f"ntfy://127.0.0.1:{server.port}/breaking"), timeout_s=5)
    assert (receipt.retry_after_s, receipt.detail) == (3600, "HTTP 429: limit reached: daily message quota reached")


def test_a_server_within_our_own_network_is_refused() -> None:
    with serving(lambda _asked: reply(200)) as server, http_sender(Ntfy(), AddressGuard()) as sender:
        receipt = sender.send(an_envelope(f"ntfy://127.0.0.1:{server.port}/breaking"), timeout_s=5)
        assert (receipt.status, receipt.code, server.asked) == (ReceiptStatus.PERMANENT, Code.ADDRESS_REFUSED, [])
