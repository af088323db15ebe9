"""The Telegram Bot API as a bot's sender meets it: limits, 429 with retry_after, migrated groups, errors of edits.

Limits are strict: 30 messages within any second for the bot, one within any second in a chat, 20 within any minute in a group
(core.telegram.org/bots/faq); Telegram itself lets short bursts through. A request beyond them is refused, counted in
`violations`, and keeps its chat closed for `retry_after` seconds. Source of the errors' words: core.telegram.org/bots/api and
what the server's own code says.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.servers_http import Asked, reply
from tests.standins.limits import Window

TOKEN = "123456789:abcdefghijklmnopqrstuvwxyz012345"
_LONGEST = 4096  # UTF-16 units
_METHODS = {"sendmessage": "send", "editmessagetext": "edit", "getme": "me"}


class _RefusedError(Exception):
    """An answer that is not ok."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.parameters = parameters


@dataclass
class Message:
    """A message as a reader sees it now."""

    chat: str
    number: int
    text: str
    fields: Mapping[str, Any]
    edits: int = 0


@dataclass
class TelegramApi:
    """One bot's view of Telegram; chats are there unless a test says otherwise.

    Args:
        token: The bot's; any other is refused.
        clock: Seconds, never going back.
    """

    token: str = TOKEN
    clock: Callable[[], float] = time.monotonic
    per_bot: int = 30
    per_chat: int = 1
    per_group: int = 20
    missing: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    migrated: dict[str, int] = field(default_factory=dict)
    messages: dict[tuple[str, int], Message] = field(default_factory=dict)
    violations: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    flooded_until: float = -math.inf

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, Window] = {}
        self._closed: dict[str, float] = {}
        self._numbers: Counter[str] = Counter()

    # ------------------------------------------------------------ what a test does

    def flood(self, seconds: float) -> None:
        """Answer 429 to everything for so long, as after somebody else's flood with the same bot."""
        self.flooded_until = self.clock() + seconds

    def delete(self, chat: str, number: int) -> None:
        """A reader deletes a message."""
        with self._lock:
            del self.messages[chat, number]

    def texts(self, chat: str) -> list[str]:
        """What a chat shows, oldest first."""
        return [message.text for (where, _), message in sorted(self.messages.items()) if where == chat]

    def report(self) -> dict[str, Any]:
        """Counts, as JSON types."""
        return {"messages": len(self.messages), "requests": dict(self.requests), "violations": dict(self.violations)}

    # ------------------------------------------------------------ what a sender meets

    def answer(self, asked: Asked) -> bytes:
        """The answer to one request."""
        try:
            with self._lock:
                result = self._call(asked)
        except _RefusedError as error:
            body: dict[str, Any] = {"ok": False, "error_code": error.status, "description": str(error)}
            if error.parameters:
                body["parameters"] = error.parameters
            return reply(error.status, json.dumps(body).encode(), content_type="application/json")
        return reply(200, json.dumps({"ok": True, "result": result}).encode(), content_type="application/json")

    def _call(self, asked: Asked) -> Any:
        token, _, name = asked.path.removeprefix("/bot").partition("/")
        method = _METHODS.get(name.lower(), "")
        self.requests[method or "unknown"] += 1
        if not asked.path.startswith("/bot") or ":" not in token or not method:
            raise _RefusedError(404, "Not Found")
        if token != self.token:
            raise _RefusedError(401, "Unauthorized")
        if method == "me":
            return {"id": 123456789, "is_bot": True, "first_name": "Tocsin", "username": "tocsin_test_bot"}
        fields = self._fields(asked)
        chat = str(fields.get("chat_id", ""))
        self._check_chat(chat)
        self._check_limits(chat)
        self._check_text(fields)
        return self._send(chat, fields) if method == "send" else self._edit(chat, fields)

    @staticmethod
    def _fields(asked: Asked) -> dict[str, Any]:
        try:
            fields = json.loads(asked.body)
        except ValueError as error:
            raise _RefusedError(400, "Bad Request: can't parse JSON object") from error
        if not isinstance(fields, dict):
            raise _RefusedError(400, "Bad Request: expected an Object")
        return fields

    def _check_chat(self, chat: str) -> None:
        if chat in self.migrated:
            raise _RefusedError(
                400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=self.migrated[chat]
            )
        if chat in self.blocked:
            raise _RefusedError(403, "Forbidden: bot was blocked by the user")
        if not chat or chat in self.missing:
            raise _RefusedError(400, "Bad Request: chat not found")

    def _check_limits(self, chat: str) -> None:
        now = self.clock()
        if now < self.flooded_until:
            self._too_many(self.flooded_until - now)
        closed_s = self._closed.get(chat, -math.inf) - now
        if closed_s > 0:
            self.violations["impatient"] += 1
            self._too_many(closed_s)
        windows = {"bot": self._window("bot", self.per_bot, 1.0), "chat": self._window(chat, self.per_chat, 1.0)}
        if chat.startswith("-"):
            windows["group"] = self._window(f"group {chat}", self.per_group, 60.0)
        for scope, window in windows.items():
            wait_s = window.wait_s(now)
            if wait_s > 0:
                self.violations[scope] += 1
                self._closed[chat] = now + math.ceil(wait_s)
                self._too_many(wait_s)
        for window in windows.values():
            window.take(now)

    def _window(self, key: str, limit: int, seconds: float) -> Window:
        return self._windows.setdefault(key, Window(limit, seconds))

    def _too_many(self, wait_s: float) -> None:
        seconds = max(1, math.ceil(wait_s))
        raise _RefusedError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)

    def _check_text(self, fields: Mapping[str, Any]) -> None:
        text = fields.get("text", "")
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        if not text.strip():
            raise _RefusedError(400, "Bad Request: message text is empty")
        if units > _LONGEST:
            raise _RefusedError(400, "Bad Request: message is too long")
        for entity in fields.get("entities", ()):
            if entity["offset"] < 0 or entity["length"] < 1 or entity["offset"] + entity["length"] > units:
                raise _RefusedError(400, "Bad Request: ENTITY_BOUNDS_INVALID")
        for row in fields.get("reply_markup", {}).get("inline_keyboard", ()):
            for button in row:
                if not 1 <= len(button.get("callback_data", "x").encode()) <= 64:
                    raise _RefusedError(400, "Bad Request: BUTTON_DATA_INVALID")

    def _send(self, chat: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        self._numbers[chat] += 1
        message = Message(chat, self._numbers[chat], fields["text"], fields)
        self.messages[chat, message.number] = message
        return _shown(message)

    def _edit(self, chat: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        number = int(fields.get("message_id", 0))
        message = self.messages.get((chat, number))
        if message is None:
            raise _RefusedError(400, "Bad Request: message to edit not found")
        looks = ("text", "entities", "reply_markup")
        if [message.fields.get(name) for name in looks] == [fields.get(name) for name in looks]:
            raise _RefusedError(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a "
                "current content and reply markup of the message",
            )
        message.text, message.fields, message.edits = fields["text"], fields, message.edits + 1
        return _shown(message)


def _shown(message: Message) -> dict[str, Any]:
    chat = message.chat if message.chat.startswith("@") else int(message.chat)
    return {"message_id": message.number, "date": int(time.time()), "chat": {"id": chat}, "text": message.text}
