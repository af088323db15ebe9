"""Which rate limits a channel URL is counted in, so that no service's published limit is exceeded.

A limit is a token bucket: `burst` sends at once, then one each `1 / per_s` seconds. A URL is counted in every bucket that
its service has: one for the service, one for the bot or host, one for the chat. The buckets themselves are in the store,
which asks them when lanes are claimed: a lane that must wait is not claimed, and nobody waits for it. Here is only what
they are called and how large they are. Services count in windows, so the figures keep within `burst + per_s * window`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from alerts.delivery.services import service_of
from alerts.ports import Bucket
from alerts.text.fingerprint import content_id

_MOST_KNOWN = 20_000  # channel URLs whose buckets are remembered


class Limit(NamedTuple):
    """A bucket of a service; `scope` says what has one of its own."""

    scope: str  # service: all there is of it | host: user and host of the URL (the bot) | chat: its path as well | group
    per_s: float
    burst: int = 1


# What the services publish; none = as fast as they answer. Where only a quota a day is published, a gentle rate stands in.
LIMITS: Mapping[str, tuple[Limit, ...]] = {
    # core.telegram.org/bots/faq: 30 a second, 1 a second in a chat, 20 a minute in a group
    "tgram": (Limit("host", 28, 2), Limit("chat", 0.95, 1), Limit("group", 0.25, 5)),
    "discord": (Limit("chat", 0.4, 4),),  # 5 in 2 s and 30 in a minute for a webhook
    "slack": (Limit("chat", 1, 2),),  # docs.slack.dev, rate limits: 1 a second for a webhook, short bursts
    "ntfy.sh": (Limit("service", 0.2, 60),),  # docs.ntfy.sh, limitations: 60, then one each 5 s
    "mailto:gmail": (Limit("host", 0.2, 20),),  # 500 a day for a person, 2,000 for a company; no rate is published
    "mailto:outlook": (Limit("host", 0.45, 3),),  # learn.microsoft.com, Exchange Online limits: 30 a minute
    "workflow": (Limit("chat", 3, 1),),  # learn.microsoft.com, Teams connectors: 4 a second
    "matrix": (Limit("host", 0.2, 10),),  # Synapse's default for messages
    "mmost": (Limit("host", 10, 100),),  # Mattermost's default
    "pover": (Limit("host", 2, 2),),
    "pbul": (Limit("host", 1, 5),),
    "twilio": (Limit("host", 1, 1),),  # one a second from a long number
    "pagerduty": (Limit("host", 1, 60),),  # 120 events a minute for a key
    "opsgenie": (Limit("host", 2, 20),),
    "mastodon": (Limit("host", 0.9, 30),),  # 300 calls in 5 min
    "wxteams": (Limit("chat", 1, 5),),
    "zulip": (Limit("host", 2.5, 50),),  # 200 a minute
    "gchat": (Limit("chat", 0.95, 1),),  # 1 a second in a space
    "lark": (Limit("chat", 1.5, 3),),  # 100 a minute, 5 a second
    "dingtalk": (Limit("chat", 0.25, 5),),  # 20 a minute
}


_MAIL_HOSTS = {
    "gmail.com": "mailto:gmail",
    "googlemail.com": "mailto:gmail",
    "outlook.com": "mailto:outlook",
    "hotmail.com": "mailto:outlook",
    "live.com": "mailto:outlook",
    "office365.com": "mailto:outlook",
}


class Governor:
    """The limits that are in force.

    Args:
        own: service -> (scope, per_s, burst) of each of its limits, as set by the operator: they replace the published ones.
    """

    def __init__(self, own: Mapping[str, Sequence[tuple[str, float, int]]] | None = None) -> None:
        self._limits = {**LIMITS, **{service: tuple(Limit(*row) for row in rows) for service, rows in (own or {}).items()}}

        self._known = lru_cache(maxsize=_MOST_KNOWN)(self._find)

    def buckets(self, url: str) -> tuple[Bucket, ...]:
        """Every bucket that a send to this channel URL is counted in; their names tell no secret."""
        return self._known(url)

    def _find(self, url: str) -> tuple[Bucket, ...]:
        service = _service(url)
        found = ((_key(service, url, limit.scope), limit) for limit in self._limits.get(service, ()))
        return tuple(Bucket(content_id("bucket", limit.scope, key), limit.per_s, limit.burst) for key, limit in found if key)

    def shared_bucket(self, url: str) -> str:
        """The name of the bucket that the channel shares with others of its bot or host; '' when it has none."""
        shared = [limit for limit in self._limits.get(_service(url), ()) if limit.scope in ("service", "host")]
        return content_id("bucket", shared[0].scope, _key(_service(url), url, shared[0].scope)) if shared else ""


def _service(url: str) -> str:
    """What the URL is counted as: its service; for ntfy and e-mail, only where the host is a public one."""
    service = service_of(url)
    if service not in ("ntfy", "mailto"):
        return service
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if service == "ntfy":
        return "ntfy.sh" if host == "ntfy.sh" or not parts.path.strip("/") else "ntfy"
    return _MAIL_HOSTS.get(".".join(host.split(".")[-2:]), "mailto")


def _key(service: str, url: str, scope: str) -> str:
    """What has a bucket of its own; '' = this URL is not counted."""
    if scope == "service":
        return service
    parts = urlsplit(url)
    if scope == "host":
        return f"{service}://{parts.netloc}"
    if scope == "group" and not _is_group(parts.path):
        return ""
    return f"{service}://{parts.netloc}{parts.path}"


def _is_group(path: str) -> bool:
    """Whether a path names a Telegram group, a supergroup or a channel: their ids are negative, or names with an @."""
    return any(part.startswith(("-", "@")) for part in path.split("/"))
