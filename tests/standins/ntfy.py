"""An ntfy server that takes messages as JSON: topics, limits, accounts, and updates by sequence id.

Source: docs.ntfy.sh, "Publish as JSON", "Updating notifications", "Limitations".
"""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.servers_http import Asked, reply

_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_LONGEST = 4096  # bytes of a message; a longer one would become a file
_TEXTS = ("topic", "title", "message", "click", "icon", "sequence_id")


@dataclass
class NtfyServer:
    """One server; `shown` is what a phone shows: (topic, sequence id) -> newest message."""

    token: str = ""
    user: str = ""  # "name:password"
    reserved: set[str] = field(default_factory=set)
    left: int = 60  # messages before 429
    published: list[dict[str, Any]] = field(default_factory=list)
    shown: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> bytes:
        """The answer to one request."""
        with self._lock:
            status, body = self._publish(asked)
        return reply(status, json.dumps(body).encode(), content_type="application/json")

    def _publish(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        if asked.method not in ("POST", "PUT") or asked.path != "/":
            return _error(404, 40401, "page not found")
        if not self._is_known(asked):
            return _error(401, 40101, "unauthorized")
        if self.left <= 0:
            return _error(429, 42901, "limit reached: too many requests")
        try:
            message = json.loads(asked.body.decode("utf-8"))
        except ValueError:
            return _error(400, 40024, "invalid request: request body must be valid JSON")
        problem = self._problem(message)
        if problem:
            return problem
        self.left -= 1
        number = f"msg{len(self.published):09d}"
        sequence = message.get("sequence_id") or asked.headers.get("x-sequence-id") or number
        self.published.append(message)
        self.shown[message["topic"], sequence] = message
        return 200, {"id": number, "time": 1772366400, "event": "message", "sequence_id": sequence, **message}

    def _is_known(self, asked: Asked) -> bool:
        if self.token:
            return asked.headers.get("authorization") == f"Bearer {self.token}"
        if self.user:
            return asked.headers.get("authorization") == f"Basic {base64.b64encode(self.user.encode()).decode()}"
        return True

    def _problem(self, message: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if any(not isinstance(message.get(name, ""), str) for name in _TEXTS) or not _TOPIC.fullmatch(message.get("topic", "")):
            return _error(400, 40009, "invalid request: topic invalid")
        if message["topic"] in self.reserved:
            return _error(403, 40301, "forbidden")
        if len(message.get("message", "").encode()) > _LONGEST:
            return _error(413, 41301, "attachment too large, or bandwidth limit reached")
        if not 1 <= message.get("priority", 3) <= 5:
            return _error(400, 40007, "invalid request: priority invalid")
        if len(message.get("actions", [])) > 3:
            return _error(400, 40018, "invalid request: actions invalid, only 3 actions are allowed")
        if not _TOPIC.fullmatch(message.get("sequence_id", "x")):
            return _error(400, 40049, "invalid request: sequence ID invalid")
        return None


def _error(status: int, code: int, words: str) -> tuple[int, dict[str, Any]]:
    return status, {"code": code, "http": status, "error": words}
