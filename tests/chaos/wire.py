"""What the chaos run plants and where it arrives: feeds that list everything planted, and three keyed targets."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from alerts.wire import LoopbackServer, WirePage, page_handler

TARGETS = ("alpha", "beta", "gamma")
_LETTERS = str.maketrans("0123456789", "ghijklmnop")  # words, not numbers


class Planter:
    """Feeds on loopback; `plant` puts the next item on one of them. A feed lists all its items to the end."""

    def __init__(self, feeds: int) -> None:
        self._feeds: list[list[int]] = [[-1 - n] for n in range(feeds)]  # each begins with an item of the baseline
        self._changed = [datetime.now(UTC)] * feeds
        self._lock = threading.Lock()
        self.planted_at: dict[int, float] = {}
        self.server = LoopbackServer(page_handler(self._page))

    @property
    def names(self) -> list[str]:
        """The names of the feeds."""
        return [f"feed-{n}" for n in range(len(self._feeds))]

    def plant(self) -> int:
        """Put one more item on a feed; its number."""
        with self._lock:
            number = len(self.planted_at)
            feed = number % len(self._feeds)
            self._feeds[feed].append(number)
            self._changed[feed] = datetime.now(UTC)
            self.planted_at[number] = time.monotonic()
            return number

    def _page(self, name: str) -> WirePage | None:
        number = int(name.removeprefix("feed-"))
        with self._lock:
            items = "".join(_entry(name, n) for n in reversed(self._feeds[number]))
            changed = self._changed[number]
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title><link>https://x.example/</link>{items}</channel></rss>'
        return WirePage(body.encode(), changed, "application/rss+xml; charset=utf-8")


def _entry(feed: str, number: int) -> str:
    """An item whose headline shares no telling word with any other: no two of them are one story."""
    link, words = f"https://{feed}.example/{number}", hashlib.sha256(str(number).encode()).hexdigest().translate(_LETTERS)
    title = f"planted {words[:8]} {words[8:16]} {words[16:24]} {words[24:32]} number {number}"
    return f"<item><guid>{link}</guid><link>{link}</link><title>{title}</title></item>"


def number_of(title: str) -> int:
    """The number of a planted item, from its headline."""
    return int(title.split(" number ")[1].split(" ")[0])


class Targets:
    """Three receivers that deduplicate by key, as our webhook's users do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.keys: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.received: Counter[tuple[str, str]] = Counter()
        self.unmarked: list[str] = []  # repeats that did not say that they may be one
        self.accepted_at: dict[tuple[str, int], float] = {}
        self.server = LoopbackServer(self._handler())

    def url(self, target: str) -> str:
        """The channel URL of a target."""
        return f"webhook+{self.server.url(target)}"

    def has(self, number: int) -> bool:
        """Whether all targets were told of an item."""
        with self._lock:
            return all((target, number) in self.keys for target in TARGETS)

    def repeats(self) -> int:
        """How often a key came again."""
        with self._lock:
            return sum(n - 1 for n in self.received.values())

    def _accept(self, target: str, key: str, payload: dict[str, Any]) -> None:
        with self._lock:
            self.received[target, key] += 1
            if self.received[target, key] > 1 and not payload.get("is_repeat"):
                self.unmarked.append(key)
            if "planted " in payload.get("title", ""):
                number = number_of(payload["title"])
                self.keys[target, number].add(key)
                self.accepted_at.setdefault((target, number), time.monotonic())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        accept = self._accept

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                accept(self.path.strip("/"), self.headers["webhook-id"], json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler
