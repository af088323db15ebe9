"""Telegram: sendMessage and editMessageText of the Bot API, as Apprise's URLs name bot and chat.

    tgram://BOT_TOKEN/CHAT_ID            CHAT_ID: a number, or @channel
    tgram://BOT_TOKEN/CHAT_ID/TOPIC      one topic of a group; CHAT_ID:TOPIC and ?topic= say the same

The text is sent plain, with the headline made bold by an entity: nothing is parsed there, so nothing that a publisher wrote
can break a message or format it. A chat's group that became a supergroup is followed. Source: core.telegram.org/bots/api.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from alerts.delivery.codes import Code
from alerts.delivery.http_sender import json_of, lost, without_answer
from alerts.delivery.plaintext import cut, width
from alerts.delivery.sender import Outcome, wait_of_http
from alerts.errors import ConfigError
from alerts.http.client import Request, Response
from alerts.models import Envelope, ReceiptStatus

LONGEST = 4096  # UTF-16 units after entities
_LONGEST_DATA = 64  # bytes of a button's data
_FORM = "write tgram://BOT_TOKEN/CHAT_ID, or tgram://BOT_TOKEN/CHAT_ID/TOPIC for one topic of a group"
_URL = re.compile(
    r"tgram://(?:[^/@?#]*@)?(?:bot)?(?P<bot>\d+)(?::|%3A)(?P<key>[\w-]+)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#.*)?", re.I
)
_CHAT = re.compile(r"(?P<chat>-?\d+|@?[A-Za-z]\w{3,})(?::(?P<topic>\d+))?")
_YES = ("yes", "y", "true", "1", "on")
_FINAL = (  # what a description says -> our word; the first that fits counts
    ("chat not found", Code.CHAT_NOT_FOUND),
    ("message thread not found", Code.CHAT_NOT_FOUND),
    ("topic_closed", Code.BLOCKED),
    ("group chat was upgraded", Code.MIGRATED),
    ("message is too long", Code.TOO_LONG),
    ("not enough rights", Code.BLOCKED),
    ("have no rights", Code.BLOCKED),
    ("chat_write_forbidden", Code.BLOCKED),
)
_EDIT_IS_LOST = ("message to edit not found", "message can't be edited", "message_id_invalid")


@dataclass(frozen=True, slots=True)
class Chat:
    """Where a channel's messages go."""

    token: str
    chat: str
    topic: str = ""
    is_silent: bool = False
    has_preview: bool = True


def parse(url: str) -> Chat:
    """The bot and the chat of a channel URL. Raises: ConfigError."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ConfigError(f"Telegram URL: it names no bot; {_FORM}")
    query = dict(parse_qsl(match["query"] or ""))
    targets = [unquote(part) for part in (match["path"] or "").split("/") if part]
    targets += [part for part in re.split(r"[,\s]+", query.get("to", "")) if part]
    chat = _CHAT.fullmatch(targets[0]) if targets else None
    if chat is None:
        raise ConfigError(f"Telegram URL: it names no chat; {_FORM}")
    topic = query.get("topic") or query.get("thread") or chat["topic"] or ""
    if len(targets) > 2 or not all(part.isdigit() for part in (*targets[1:], *filter(None, [topic]))):
        raise ConfigError("Telegram URL: it names several chats; one channel is one chat: add a channel for each")
    name = chat["chat"]
    return Chat(
        token=f"{match['bot']}:{match['key']}",
        chat=name if re.fullmatch(r"-?\d+|@.*", name) else f"@{name}",
        topic=topic or "".join(targets[1:]),
        is_silent=query.get("silent", "").lower() in _YES,
        has_preview=query.get("preview", "yes").lower() in _YES,
    )


class Telegram:
    """What the Bot API is asked, and what its answers mean.

    Args:
        base_url: `https://api.telegram.org`, or a Bot API server of one's own.
        has_bot: A bot runs that answers the buttons under a message.
    """

    def __init__(self, base_url: str, *, has_bot: bool = False) -> None:
        self._base_url = base_url.rstrip("/")
        self._has_bot = has_bot

    def request(self, envelope: Envelope, now: datetime) -> Request:
        """A call of sendMessage, or of editMessageText for an update."""
        chat = parse(envelope.url)
        method = "editMessageText" if envelope.replaces else "sendMessage"
        return Request(
            url=f"{self._base_url}/bot{chat.token}/{method}",
            method="POST",
            headers={"content-type": "application/json"},
            body=json.dumps(self._message(envelope, chat), ensure_ascii=False).encode("utf-8", "replace"),
        )

    def _message(self, envelope: Envelope, chat: Chat) -> dict[str, Any]:
        title = cut(envelope.title.strip(), LONGEST - 1)  # Telegram strips a text, which would move the entity
        message: dict[str, Any] = {
            "chat_id": chat.chat,
            "text": cut(f"{title}\n{envelope.body}".strip(), LONGEST) or "Tocsin",
            "entities": [{"type": "bold", "offset": 0, "length": width(title)}] if title else [],
            "link_preview_options": _preview(envelope.link if chat.has_preview else ""),
        }
        if self._has_bot:
            message["reply_markup"] = {"inline_keyboard": [_buttons(envelope)]}
        if envelope.replaces:
            return {**message, "chat_id": _chat_of(envelope.replaces, chat), "message_id": int(envelope.replaces.rpartition("/")[2])}
        if chat.topic:
            message["message_thread_id"] = int(chat.topic)
        return {**message, "disable_notification": chat.is_silent or envelope.is_silent}

    def outcome(self, envelope: Envelope, response: Response, now: datetime) -> Outcome | Envelope:
        """By HTTP's status and the description beside it."""
        early = without_answer(response, now)
        if early:
            return early
        body = json_of(response)
        parameters = body["parameters"] if isinstance(body.get("parameters"), dict) else {}
        said = str(body.get("description", ""))
        detail = f"HTTP {response.status}{f': {said}' if said else ''}"
        if response.status == 200 and body.get("ok"):
            return Outcome(ReceiptStatus.ACCEPTED, "accepted", message_ref=_reference(envelope, body.get("result")))
        if response.status == 429:
            return Outcome(ReceiptStatus.TRANSIENT, detail, Code.RATE_LIMITED, wait_of_http(429, _seconds(parameters)))
        if "migrate_to_chat_id" in parameters:
            return replace(envelope, url=with_chat(envelope.url, str(parameters["migrate_to_chat_id"])), replaces="")
        if envelope.replaces and response.status == 400:
            answered = _of_edit(envelope, said.lower())
            if answered:
                return answered
        return Outcome(ReceiptStatus.PERMANENT, detail, _code(response.status, said.lower()))


def _preview(link: str) -> dict[str, Any]:
    """A small preview of the alert's own link, never of one that stands in a text."""
    return {"url": link, "prefer_small_media": True} if link else {"is_disabled": True}


def _buttons(envelope: Envelope) -> list[dict[str, str]]:
    """Buttons by which the reader answers; the bot knows what they say by the ids in them (at most 64 bytes)."""
    story = envelope.payload.get("story")
    buttons = [("Mute story", f"mute:{story}")] if story else []
    buttons.append(("Why?", f"why:{envelope.delivery_id}"))
    return [{"text": text, "callback_data": data} for text, data in buttons if len(data.encode("utf-8", "replace")) <= _LONGEST_DATA]


def _reference(envelope: Envelope, result: object) -> str:
    """chat/message: the chat is part of it, as numbers of messages end with a chat that moves."""
    if not isinstance(result, Mapping) or "message_id" not in result:
        return envelope.replaces
    return f"{parse(envelope.url).chat}/{result['message_id']}"


def _chat_of(reference: str, chat: Chat) -> str:
    return reference.rpartition("/")[0] or chat.chat


def _of_edit(envelope: Envelope, said: str) -> Outcome | Envelope | None:
    """What a refused edit means: it said this already, or it is gone."""
    if "message is not modified" in said:
        return Outcome(ReceiptStatus.ACCEPTED, "it says this already", Code.NOT_MODIFIED, message_ref=envelope.replaces)
    if not any(words in said for words in _EDIT_IS_LOST):
        return None
    return lost(envelope)


def _seconds(parameters: Mapping[str, Any]) -> float | None:
    asked = parameters.get("retry_after")
    return float(asked) if isinstance(asked, int | float) else None


def _code(status: int, said: str) -> str:
    if status in (401, 404):  # an unknown token is 401, one that cannot be a token 404
        return Code.UNAUTHORISED
    if status == 403:
        return Code.BLOCKED
    return next((code for words, code in _FINAL if words in said), Code.REFUSED)


def with_chat(url: str, chat: str) -> str:
    """The URL with another chat; its topic stays. Raises: ConfigError."""
    old = parse(url)
    query = url.partition("#")[0].partition("?")[2]
    kept = "&".join(part for part in query.split("&") if part and part.partition("=")[0].lower() not in ("to", "topic", "thread"))
    topic = f"/{old.topic}" if old.topic else ""
    return f"tgram://{old.token}/{quote(chat, safe='@')}{topic}{f'?{kept}' if kept else ''}"
