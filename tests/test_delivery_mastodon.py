"""Mastodon: one status for one key, edits, and limits that name the time of their end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from alerts.delivery.codes import Code
from alerts.delivery.mastodon import Account, Mastodon, parse
from alerts.delivery.schemes import check_channel_url
from alerts.errors import ConfigError
from alerts.http.guard import AddressGuard
from alerts.models import Receipt, ReceiptStatus
from tests.sending import NOW, an_envelope, http_sender
from tests.servers_http import Asked, reply, serving


class Server:
    """Statuses by key, as Mastodon keeps them; `says` answers in its place."""

    def __init__(self, says: bytes = b"") -> None:
        self.says = says
        self.by_key: dict[str, str] = {}
        self.statuses: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> bytes:
        if self.says:
            return self.says
        if asked.headers.get("authorization") != "Bearer t0ken":
            return reply(401, b'{"error": "The access token is invalid"}')
        number = asked.path.rpartition("/")[2] if asked.method == "PUT" else ""
        if number and number not in self.statuses:
            return reply(404, b'{"error": "Record not found"}')
        number = number or self.by_key.setdefault(asked.headers["idempotency-key"], str(100 + len(self.by_key)))
        self.statuses[number] = json.loads(asked.body)
        return reply(200, json.dumps({"id": number}).encode())


def send(server: Server, path: str = "", token: str = "t0ken", **fields: Any) -> Receipt:
    with serving(server.answer) as local, http_sender(Mastodon()) as sender:
        return sender.send(an_envelope(f"mastodon://{token}@127.0.0.1:{local.port}/{path}", **fields), timeout_s=5)


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("mastodons://t0ken@social.example/", Account("https://social.example", "t0ken")),
        ("mastodon://t0ken@social.example:3000/@desk", Account("http://social.example:3000", "t0ken", ("@desk",))),
        ("toots://t0ken@social.example/#breaking", Account("https://social.example", "t0ken", ("#breaking",), "public")),
        ("mastodons://social.example/?token=t0ken&visibility=direct", Account("https://social.example", "t0ken", (), "direct")),
    ],
)
def test_apprises_urls_name_the_same_account_here(url: str, account: Account) -> None:
    assert parse(url) == account
    check_channel_url(url, AddressGuard(), resolve=False)


@pytest.mark.parametrize("url", ["mastodons://social.example/", "mastodons://t@", "mastodons://t@h.example/a b", "mastodons://t@h.example/?visibility=x"])
def test_an_incomplete_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="Mastodon URL"):
        parse(url)


def test_a_repeat_is_the_same_status() -> None:
    server = Server()
    first, second = send(server), send(server, is_repeat=True)
    assert (first.status, first.message_ref, second.message_ref, len(server.statuses)) == (ReceiptStatus.ACCEPTED, "100", "100", 1)
    assert server.statuses["100"] == {"status": "Harbour gate closes\nSource: Harbour (unconfirmed: one origin)\nhttps://harbour.example/1"}


def test_people_and_tags_of_the_url_are_named() -> None:
    server = Server()
    send(server, "@desk/#night?visibility=direct&spoiler=news&language=en", body="x" * 900)
    status = server.statuses["100"]
    assert status["status"].startswith("@desk #night Harbour gate closes\n")
    assert len(status["status"]) <= 500
    assert (status["visibility"], status["spoiler_text"], status["language"]) == ("direct", "news", "en")


def test_an_update_edits_and_one_of_a_deleted_status_is_dropped_or_sent_anew() -> None:
    server = Server()
    first = send(server)
    edited = send(server, title="Gate opens", replaces=first.message_ref, delivery_id="update-1")
    assert (edited.message_ref, server.statuses["100"]["status"].splitlines()[0]) == ("100", "Gate opens")
    assert send(server, replaces="7").code == Code.MESSAGE_GONE
    assert send(server, replaces="7", is_sent_anew=True, delivery_id="update-2").message_ref == "101"


@pytest.mark.parametrize(
    ("says", "status", "code", "wait_s"),
    [
        (reply(401, b'{"error": "The access token was revoked"}'), ReceiptStatus.PERMANENT, Code.UNAUTHORISED, None),
        (reply(403, b'{"error": "This action is not allowed"}'), ReceiptStatus.PERMANENT, Code.BLOCKED, None),
        (reply(422, b'{"error": "Validation failed: Text character limit of 500 exceeded"}'), ReceiptStatus.PERMANENT, Code.TOO_LONG, None),
        (reply(422, b'{"error": "Validation failed"}'), ReceiptStatus.PERMANENT, Code.REFUSED, None),
        (reply(429, x_ratelimit_reset="2026-03-01T12:05:00.000Z"), ReceiptStatus.TRANSIENT, Code.RATE_LIMITED, 300),
        (reply(429), ReceiptStatus.TRANSIENT, Code.RATE_LIMITED, 30),
        (reply(503, b"down"), ReceiptStatus.TRANSIENT, Code.UNAVAILABLE, None),
    ],
)
def test_answers_are_told_for_what_they_are(says: bytes, status: ReceiptStatus, code: str, wait_s: float | None) -> None:
    receipt = send(Server(says))
    assert (receipt.status, receipt.code, receipt.retry_after_s) == (status, code, wait_s)
    assert receipt.at == NOW
