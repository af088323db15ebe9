"""A webhook's receiver that checks what Standard Webhooks asks of both sides: signature, time, and the key of a message.

A message with a bad or missing signature is refused; one whose `webhook-id` came before is taken and counted as a repeat, not
acted on again. Source: standardwebhooks.com, specification.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.servers_http import Asked, reply

_TOLERANCE_S = 300


@dataclass
class WebhookReceiver:
    """One endpoint.

    Args:
        secret: The signing key it knows; empty = it does not look at signatures.
        is_kept: Keep the messages themselves; without it only keys are kept (benchmarks).
        clock: Unix seconds.
    """

    secret: bytes = b""
    is_kept: bool = True
    clock: Callable[[], float] = time.time
    is_gone: bool = False
    busy_s: int = 0  # answers 429 with this many seconds, until it is 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    keys: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def repeats(self) -> int:
        """How many messages came more than once."""
        return sum(self.keys.values()) - len(self.keys)

    def report(self) -> dict[str, Any]:
        """Counts, as JSON types."""
        return {"messages": len(self.keys), "repeats": self.repeats, "refused": dict(self.refused)}

    def answer(self, asked: Asked) -> bytes:
        """The answer to one request."""
        with self._lock:
            status, reason = self._judge(asked)
            if reason:
                self.refused[reason] += 1
        if status == 429:
            return reply(429, b"busy", retry_after=str(self.busy_s))
        return reply(status, reason.encode())

    def _judge(self, asked: Asked) -> tuple[int, str]:
        if self.is_gone:
            return 410, "gone"
        if self.busy_s:
            return 429, "busy"
        key = asked.headers.get("webhook-id", "")
        if not key:
            return 400, "no webhook-id"
        if self.secret and not self._is_signed(asked, key):
            return 401, "bad signature"
        self.keys[key] += 1
        if self.is_kept and self.keys[key] == 1:
            self.messages.append(json.loads(asked.body))
        return 204, ""

    def _is_signed(self, asked: Asked, key: str) -> bool:
        stamp = asked.headers.get("webhook-timestamp", "")
        if not stamp.isdigit() or abs(self.clock() - int(stamp)) > _TOLERANCE_S:
            return False
        signed = f"{key}.{stamp}.".encode() + asked.body
        expected = f"v1,{base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()}"
        given = asked.headers.get("webhook-signature", "").split(" ")
        return any(hmac.compare_digest(expected, one) for one in given)
