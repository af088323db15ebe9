"""How long a send must wait, so that no service's published limit is exceeded.

A limit is a token bucket: `burst` sends at once, then one each `1 / rate` seconds. A URL is counted in every bucket that
its service has: one for the bot or host, one for the chat. Buckets live in this process; nothing sleeps here.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from alerts.delivery.services import service_of

_MOST_BUCKETS = 20_000  # the least recently used is forgotten; it was full again long ago


class Limit(NamedTuple):
    """A bucket of a service; `scope` says what has one of its own."""

    scope: str  # host: user and host of the URL (the bot) | url: the whole URL (the chat)
    per_s: float
    burst: int = 1


# What the services publish; none = as fast as they answer. Where only a quota a day is published, a gentle rate stands in.
LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "tgram": (Limit("host", 30, 30), Limit("url", 1, 3)),  # core.telegram.org/bots/faq: 30 a second, 1 a second in a chat
    "discord": (Limit("url", 0.5, 5),),  # 5 in 2 s and 30 in a minute for a webhook
    "slack": (Limit("url", 1, 2),),  # docs.slack.dev, rate limits: 1 a second for a webhook, short bursts
    "ntfy.sh": (Limit("host", 0.2, 60),),  # docs.ntfy.sh, limitations: 60, then one each 5 s
    "mailto": (Limit("host", 2, 20),),
    "workflow": (Limit("url", 4, 4),),  # learn.microsoft.com, Teams connectors: 4 a second
    "matrix": (Limit("host", 0.2, 10),),  # Synapse's default for messages
    "mmost": (Limit("host", 10, 100),),  # Mattermost's default
    "pover": (Limit("host", 2, 2),),
    "pbul": (Limit("host", 1, 5),),
    "twilio": (Limit("host", 1, 1),),  # one a second from a long number
    "pagerduty": (Limit("host", 2, 60),),  # 120 events a minute for a key
    "opsgenie": (Limit("host", 2, 20),),
    "mastodon": (Limit("host", 1, 30),),  # 300 calls in 5 min
    "wxteams": (Limit("url", 1, 5),),
    "zulip": (Limit("host", 3, 50),),  # 200 a minute
    "gchat": (Limit("url", 1, 1),),  # 1 a second in a space
    "lark": (Limit("url", 1.6, 5),),  # 100 a minute, 5 a second
    "dingtalk": (Limit("url", 0.33, 20),),  # 20 a minute
}


class _Bucket:
    """Tokens as of a moment; they grow back on their own."""

    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at


class Governor:
    """The buckets of one process; may be asked from many threads.

    Args:
        limits: service -> its buckets.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, limits: Mapping[str, tuple[Limit, ...]] = LIMITS, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, Limit], _Bucket] = OrderedDict()

    def wait_s(self, url: str, *, within_s: float = float("inf")) -> float:
        """Seconds to wait before the next send to this channel URL; 0 = now.

        The send is counted, unless the wait is longer than within_s: then it is not to be made.
        """
        limits = self._limits.get(_service(url), ())
        if not limits:
            return 0.0
        now = self._monotonic()
        with self._lock:
            buckets = [self._bucket(_key(url, limit.scope), limit, now) for limit in limits]
            wait = max((1 - bucket.tokens) / limit.per_s for bucket, limit in zip(buckets, limits, strict=True))
            if wait > within_s:
                return wait
            for bucket in buckets:
                bucket.tokens -= 1
        return max(0.0, wait)

    def _bucket(self, key: str, limit: Limit, now: float) -> _Bucket:
        """The bucket, filled up to now."""
        bucket = self._buckets.setdefault((key, limit), _Bucket(float(limit.burst), now))
        self._buckets.move_to_end((key, limit))
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        bucket.tokens = min(float(limit.burst), bucket.tokens + (now - bucket.at) * limit.per_s)
        bucket.at = now
        return bucket


def _service(url: str) -> str:
    """The service of a channel URL; ntfy counts only where it is the public server."""
    service = service_of(url)
    if service != "ntfy":
        return service
    host = (urlsplit(url).hostname or "").lower()
    return "ntfy.sh" if host == "ntfy.sh" or not urlsplit(url).path.strip("/") else "ntfy"


def _key(url: str, scope: str) -> str:
    if scope == "url":
        return url
    parts = urlsplit(url)
    if service_of(url) == "ntfy":
        return "ntfy.sh"
    return f"{service_of(url)}://{parts.netloc}"
