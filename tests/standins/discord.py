"""Discord's webhooks: posts and edits, what they may hold, limits in headers and in the body, and who would be pinged.

Source: docs.discord.com, "Webhook", "Rate Limits", "Message: allowed mentions".
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers_http import Asked, reply
from tests.standins.limits import Window

_PATH = re.compile(r"/api/(?:v10/)?webhooks/(?P<id>\d+)/(?P<token>[\w-]+)(?:/messages/(?P<message>\d+))?")
_PING = re.compile(r"@everyone|@here|<@[!&]?\d+>")


@dataclass
class DiscordApi:
    """One webhook; `pinged` counts messages that would have pinged somebody."""

    webhook_id: str = "123456789012345678"
    token: str = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6abcd"
    clock: Callable[[], float] = time.monotonic
    limit: int = 5
    per_s: float = 2.0
    is_deleted: bool = False
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    violations: Counter[str] = field(default_factory=Counter)
    pinged: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._window = Window(self.limit, self.per_s)

    def answer(self, asked: Asked) -> bytes:
        """The answer to one request."""
        with self._lock:
            return self._judge(asked)

    def _judge(self, asked: Asked) -> bytes:
        parts = urlsplit(asked.path)
        match = _PATH.fullmatch(parts.path)
        if not match or match["id"] != self.webhook_id or self.is_deleted:
            return _error(404, 10015, "Unknown Webhook")
        if match["token"] != self.token:
            return _error(401, 50027, "Invalid Webhook Token")
        now = self.clock()
        wait_s = self._window.wait_s(now)
        if wait_s > 0:
            self.violations["webhook"] += 1
            return _limited(wait_s)
        self._window.take(now)
        message = json.loads(asked.body)
        problem = _problem(message)
        if problem:
            return _error(400, 50035, f"Invalid Form Body: {problem}")
        self._count_pings(message)
        return self._put(asked, match["message"], message, is_waited="true" in parse_qs(parts.query).get("wait", []))

    def _put(self, asked: Asked, number: str | None, message: dict[str, Any], *, is_waited: bool) -> bytes:
        if asked.method == "PATCH":
            if number not in self.messages:
                return _error(404, 10008, "Unknown Message")
            self.messages[number].update(message)
            return self._ok(number, is_waited=True)
        number = str(1000 + len(self.messages))
        self.messages[number] = message
        return self._ok(number, is_waited=is_waited)

    def _ok(self, number: str, *, is_waited: bool) -> bytes:
        headers = {
            "x_ratelimit_limit": str(self.limit),
            "x_ratelimit_remaining": str(self.limit - len(self._window.taken)),
            "x_ratelimit_reset_after": f"{self.per_s:.3f}",
        }
        if not is_waited:
            return reply(204, b"", **headers)
        return reply(200, json.dumps({"id": number, **self.messages[number]}).encode(), content_type="application/json", **headers)

    def _count_pings(self, message: dict[str, Any]) -> None:
        is_allowed = message.get("allowed_mentions", {"parse": ["everyone"]}).get("parse")
        self.pinged += bool(is_allowed and _PING.search(message.get("content", "")))


def _problem(message: dict[str, Any]) -> str:
    content, embeds = message.get("content", ""), message.get("embeds", [])
    if not content and not embeds:
        return "content or embeds is required"
    if len(content) > 2000:
        return "content: must be 2000 or fewer in length"
    for embed in embeds:
        if len(embed.get("title", "")) > 256 or len(embed.get("description", "")) > 4096:
            return "embeds: must be 256 and 4096 or fewer in length"
    return "embeds: over 6000 in total" if sum(len(e.get("title", "") + e.get("description", "")) for e in embeds) > 6000 else ""


def _error(status: int, code: int, words: str) -> bytes:
    return reply(status, json.dumps({"message": words, "code": code}).encode(), content_type="application/json")


def _limited(wait_s: float) -> bytes:
    body = {"message": "You are being rate limited.", "retry_after": round(wait_s, 3), "global": False}
    headers = {"x_ratelimit_remaining": "0", "x_ratelimit_reset_after": f"{wait_s:.3f}", "retry_after": str(int(wait_s) + 1)}
    return reply(429, json.dumps(body).encode(), content_type="application/json", **headers)
