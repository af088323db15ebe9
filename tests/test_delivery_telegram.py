"""Telegram: what is sent, what each answer means, and a stand-in that limits and refuses as the real one does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.codes import ENDS_CHANNEL, Code
from alerts.delivery.plaintext import width
from alerts.delivery.schemes import check_channel_url
from alerts.delivery.telegram import Chat, Telegram, parse, with_chat
from alerts.errors import ConfigError
from alerts.http.guard import AddressGuard
from alerts.models import Receipt, ReceiptStatus
from tests.sending import NOW, an_envelope, http_sender
from tests.servers_http import Asked, LocalServer, Script, reply, reset, serving, silent
from tests.standins.telegram import TOKEN, TelegramApi

URL = f"tgram://{TOKEN}/5"


@dataclass
class Desk:
    """A sender beside the Telegram it talks to."""

    api: TelegramApi
    server: LocalServer
    sender: Any

    def send(self, url: str = URL, **fields: Any) -> Receipt:
        receipt: Receipt = self.sender.send(an_envelope(url, **fields), timeout_s=5)
        return receipt

    @property
    def last(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.server.asked[-1].body)
        return message


@contextmanager
def a_desk(*, has_bot: bool = False, **api: Any) -> Iterator[Desk]:
    standin = TelegramApi(per_chat=100, **api)
    with serving(standin.answer) as server, ExitStack() as stack:
        sender = stack.enter_context(http_sender(Telegram(server.url("").rstrip("/"), has_bot=has_bot)))
        yield Desk(standin, server, sender)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with a_desk() as desk:
        yield desk


# ---------------------------------------------------------------- the URL


@pytest.mark.parametrize(
    ("path", "chat", "topic"),
    [
        ("5", "5", ""),
        ("-1001234567890", "-1001234567890", ""),
        ("-1001234567890/42", "-1001234567890", "42"),
        ("-1001234567890:42", "-1001234567890", "42"),
        ("-1001234567890?topic=42", "-1001234567890", "42"),
        ("-1001234567890?thread=42", "-1001234567890", "42"),
        ("@desk_news", "@desk_news", ""),
        ("desk_news", "@desk_news", ""),
        ("?to=5", "5", ""),
    ],
)
def test_apprises_urls_name_the_same_chat_here(path: str, chat: str, topic: str) -> None:
    for prefix in ("", "bot", "@"):
        url = f"tgram://{prefix}{TOKEN}/{path}"
        assert parse(url) == Chat(TOKEN, chat, topic)
        if prefix != "@":
            check_channel_url(url, AddressGuard(), resolve=False)


@pytest.mark.parametrize("path", ["5/6/7", "5/@other", "5,6", "5/other", ""])
def test_a_channel_is_one_chat(path: str) -> None:
    with pytest.raises(ConfigError, match="Telegram URL"):
        parse(f"tgram://{TOKEN}/{path}")


def test_a_chat_that_moved_keeps_its_bot_topic_and_parameters() -> None:
    assert with_chat(f"tgram://{TOKEN}/-5:7?silent=yes&topic=7", "-1005") == f"tgram://{TOKEN}/-1005/7?silent=yes"


# ---------------------------------------------------------------- what is sent


def test_the_headline_is_bold_and_the_rest_plain(desk: Desk) -> None:
    receipt = desk.send(title="🚢 Gate <b>closed</b> & *locked*", body="Source: Harbour <i>")
    assert (receipt.status, receipt.detail, receipt.message_ref) == (ReceiptStatus.ACCEPTED, "accepted", "5/1")
    assert desk.api.texts("5") == ["🚢 Gate <b>closed</b> & *locked*\nSource: Harbour <i>"]
    assert "parse_mode" not in desk.last
    assert desk.last["entities"] == [{"type": "bold", "offset": 0, "length": 32}]


def test_the_preview_is_small_and_of_the_alerts_own_link(desk: Desk) -> None:
    desk.send()
    assert desk.last["link_preview_options"] == {"url": "https://harbour.example/1", "prefer_small_media": True}
    desk.send(f"{URL}?preview=no")
    assert desk.last["link_preview_options"] == {"is_disabled": True}
    desk.send(link="", body="see https://elsewhere.example")
    assert desk.last["link_preview_options"] == {"is_disabled": True}


def test_a_topic_is_written_into_and_silence_is_kept(desk: Desk) -> None:
    desk.send(f"tgram://{TOKEN}/-5/42?silent=yes")
    assert (desk.last["message_thread_id"], desk.last["disable_notification"]) == (42, True)
    desk.send()
    assert desk.last["disable_notification"] is False
    desk.send(is_silent=True)
    assert desk.last["disable_notification"] is True


def test_buttons_are_shown_only_where_a_bot_answers_them(desk: Desk) -> None:
    desk.send()
    assert "reply_markup" not in desk.last
    with a_desk(has_bot=True) as with_bot:
        with_bot.send()
        (row,) = with_bot.last["reply_markup"]["inline_keyboard"]
    assert [button["text"] for button in row] == ["Mute story", "Why?"]
    assert [button["callback_data"] for button in row] == ["mute:fedcba98765432100000", "why:0123456789abcdef0123"]


@given(title=st.text(max_size=300), body=st.text(max_size=6000), story=st.text(max_size=200))
def test_no_text_is_ever_too_long_or_unreadable(title: str, body: str, story: str) -> None:
    envelope = an_envelope(URL, title=title, body=body, payload={"story": story})
    message = json.loads(Telegram("https://api.example", has_bot=True).request(envelope, NOW).body or b"")
    assert width(message["text"]) <= 4096
    assert all(entity["length"] <= width(message["text"]) for entity in message["entities"])
    (row,) = message["reply_markup"]["inline_keyboard"]
    assert all(len(button["callback_data"].encode()) <= 64 for button in row)


def test_a_very_long_alert_arrives_cut(desk: Desk) -> None:
    assert desk.send(title="Gate " * 200, body="🚢 " * 5000).status is ReceiptStatus.ACCEPTED


# ---------------------------------------------------------------- updates


def test_an_update_edits_the_message(desk: Desk) -> None:
    first = desk.send()
    update = desk.send(title="Harbour gate opens", replaces=first.message_ref, is_silent=True)
    assert (update.status, update.message_ref) == (ReceiptStatus.ACCEPTED, "5/1")
    assert [message.edits for message in desk.api.messages.values()] == [1]
    assert desk.api.texts("5")[0].startswith("Harbour gate opens\n")


def test_an_update_that_changes_nothing_is_accepted(desk: Desk) -> None:
    first = desk.send()
    again = desk.send(replaces=first.message_ref)
    assert (again.status, again.code, again.message_ref) == (ReceiptStatus.ACCEPTED, Code.NOT_MODIFIED, first.message_ref)


def test_an_update_of_a_deleted_message_is_dropped_or_sent_anew(desk: Desk) -> None:
    first = desk.send()
    desk.api.delete("5", 1)
    dropped = desk.send(title="Gate opens", replaces=first.message_ref)
    assert (dropped.status, dropped.code, desk.api.texts("5")) == (ReceiptStatus.ACCEPTED, Code.MESSAGE_GONE, [])
    anew = desk.send(title="Gate opens", replaces=first.message_ref, is_sent_anew=True)
    assert (anew.status, anew.code, anew.message_ref) == (ReceiptStatus.ACCEPTED, "", "5/2")


# ---------------------------------------------------------------- answers


def said(words: str) -> bytes:
    """A request that is bad, for this reason."""
    return reply(400, json.dumps({"ok": False, "description": f"Bad Request: {words}"}).encode())


def test_a_group_that_became_a_supergroup_is_followed_and_told(desk: Desk) -> None:
    desk.api.migrated["-5"] = -1005
    receipt = desk.send(f"tgram://{TOKEN}/-5/7")
    assert (receipt.status, receipt.code, receipt.message_ref) == (ReceiptStatus.ACCEPTED, Code.MIGRATED, "-1005/1")
    assert receipt.new_url == f"tgram://{TOKEN}/-1005/7"
    assert TOKEN not in repr(receipt)


def test_an_update_in_a_group_that_moved_is_sent_anew_there(desk: Desk) -> None:
    desk.api.migrated["-5"] = -1005
    receipt = desk.send(f"tgram://{TOKEN}/-5", replaces="-5/3")
    assert (receipt.status, receipt.code, receipt.message_ref) == (ReceiptStatus.ACCEPTED, Code.MIGRATED, "-1005/1")


def test_a_missing_chat_and_one_that_blocked_us_are_final(desk: Desk) -> None:
    desk.api.missing.add("5")
    desk.api.blocked.add("6")
    missing, blocked = desk.send(), desk.send(f"tgram://{TOKEN}/6")
    assert (missing.status, missing.code) == (ReceiptStatus.PERMANENT, Code.CHAT_NOT_FOUND)
    assert missing.detail == "HTTP 400: Bad Request: chat not found"
    assert (blocked.status, blocked.code) == (ReceiptStatus.PERMANENT, Code.BLOCKED)
    assert {missing.code, blocked.code} <= ENDS_CHANNEL


def test_a_wrong_token_is_final(desk: Desk) -> None:
    receipt = desk.send("tgram://999:abcdefghijklmnopqrstuvwxyz012345/5")
    assert (receipt.status, receipt.code, receipt.detail) == (ReceiptStatus.PERMANENT, Code.UNAUTHORISED, "HTTP 401: Unauthorized")


def test_a_flood_is_waited_out_for_as_long_as_telegram_says(desk: Desk) -> None:
    desk.api.flood(17)
    receipt = desk.send()
    assert (receipt.status, receipt.code) == (ReceiptStatus.TRANSIENT, Code.RATE_LIMITED)
    assert receipt.retry_after_s is not None
    assert 15 <= receipt.retry_after_s <= 17


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (reply(502, b"<html>"), ReceiptStatus.TRANSIENT, Code.UNAVAILABLE),
        (reply(500, b'{"ok":false,"error_code":500,"description":"Internal Server Error"}'), ReceiptStatus.TRANSIENT, Code.UNAVAILABLE),
        (reply(429), ReceiptStatus.TRANSIENT, Code.RATE_LIMITED),
        (said("not enough rights to send text messages"), ReceiptStatus.PERMANENT, Code.BLOCKED),
        (said("message thread not found"), ReceiptStatus.PERMANENT, Code.CHAT_NOT_FOUND),
        (said("something new"), ReceiptStatus.PERMANENT, Code.REFUSED),
        (reply(400, b"[]"), ReceiptStatus.PERMANENT, Code.REFUSED),
        (reset, ReceiptStatus.AMBIGUOUS, Code.NO_ANSWER),
    ],
)
def test_every_other_answer_is_told_for_what_it_is(answer: bytes | Script, status: ReceiptStatus, code: str) -> None:
    receipt = answered(lambda _asked: answer)
    assert (receipt.status, receipt.code) == (status, code)


def answered(answer: Any, timeout_s: float = 5, **fields: Any) -> Receipt:
    with serving(answer) as server, http_sender(Telegram(server.url("").rstrip("/"))) as sender:
        return sender.send(an_envelope(URL, **fields), timeout_s=timeout_s)


def test_silence_after_a_message_left_is_ambiguous_and_after_an_update_not() -> None:
    with serving(lambda _asked: silent(server)) as server, http_sender(Telegram(server.url("").rstrip("/"))) as sender:
        sent = sender.send(an_envelope(URL), timeout_s=0.3)
        edited = sender.send(an_envelope(URL, replaces="5/1"), timeout_s=0.3)
    assert (sent.status, edited.status) == (ReceiptStatus.AMBIGUOUS, ReceiptStatus.TRANSIENT)
    assert sent.code == edited.code == Code.NO_ANSWER


def test_chats_that_move_in_a_circle_end() -> None:
    def moving(asked: Asked) -> bytes:
        chat = -5 if json.loads(asked.body)["chat_id"] == "-6" else -6
        return reply(400, json.dumps({"ok": False, "parameters": {"migrate_to_chat_id": chat}}).encode())

    receipt = answered(moving)
    assert (receipt.status, receipt.new_url) == (ReceiptStatus.TRANSIENT, "")


def test_no_secret_is_in_a_receipt(desk: Desk) -> None:
    receipt = answered(lambda asked: reply(400, json.dumps({"ok": False, "description": f"no {asked.path}"}).encode()))
    assert "abcdefghijklmnopqrstuvwxyz012345" not in receipt.detail
