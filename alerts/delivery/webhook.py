"""Our own webhook: JSON by POST, signed as Standard Webhooks says, over connections that stay open.

    webhook+https://host/path?secret=whsec_NEW&secret=whsec_OLD     two secrets while the receiver changes over: both sign

`webhook-id` is the delivery's id, the same on every attempt, so that a receiver can tell a repeat. 2xx accepts, 410 and
the other 4xx are final, a break after the request had left is ambiguous. Source: standardwebhooks.com, specification.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from alerts.delivery.http_sender import ServiceSender
from alerts.delivery.sender import Clock, Outcome, outcome_of_http, utc_now
from alerts.delivery.services import redact
from alerts.errors import ConfigError
from alerts.http.client import HttpClient, Request, Response
from alerts.http.message import wire_url
from alerts.models import Envelope

_PREFIX = "whsec_"
_MOST_KNOWN = 20_000  # URLs of which it is remembered what they say
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
_SCHEMES = {"webhook+https": "https", "webhook+http": "http"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes; `secrets` sign, `authorization` is empty when the URL names no user."""

    url: str
    endpoint: tuple[str, int]
    secrets: tuple[bytes, ...] = ()
    authorization: str = ""


@lru_cache(maxsize=_MOST_KNOWN)
def parse(url: str) -> Target:
    """The target of a webhook URL.

    Raises:
        ConfigError: No host, a port that is none, or a secret that is no base64.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"webhook URL: {error}; write webhook+https://host/path?secret=whsec_...") from error
    scheme = _SCHEMES.get(parts.scheme.lower())
    if not host or scheme is None:
        raise ConfigError("webhook URL: it names no host; write webhook+https://host/path?secret=whsec_...")
    query = parse_qsl(parts.query, keep_blank_values=True)
    rest = urlencode([pair for pair in query if pair[0] != "secret"])
    plain = urlunsplit((scheme, parts.netloc.rpartition("@")[2], parts.path or "/", rest, ""))
    try:
        wire_url(plain)
    except ValueError as error:
        raise ConfigError(f"webhook URL: {redact(str(error), url)}; write webhook+https://host/path?secret=whsec_...") from error
    return Target(
        url=plain,
        endpoint=(host, port or (443 if scheme == "https" else 80)),
        secrets=tuple(_secret(value) for name, value in query if name == "secret"),
        authorization=basic(parts.username, parts.password),
    )


def _secret(text: str) -> bytes:
    """The signing key; URLs turn the + of base64 into a space."""
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX).replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError("webhook URL: secret= is no base64; write secret=whsec_... as the receiver shows it") from error
    if not key:
        raise ConfigError("webhook URL: secret= is empty; write secret=whsec_..., or leave it out to send unsigned")
    return key


def basic(user: str | None, password: str | None) -> str:
    """The header Authorization for user and password as a URL holds them; empty without a user."""
    if not user:
        return ""
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def sign(secret: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The signature of one message, as `v1,<base64>`."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


class Webhook:
    """What a webhook is asked, and what its answers mean."""

    def request(self, envelope: Envelope, now: datetime) -> Request:
        """A signed POST. Raises: ConfigError when the URL cannot be read."""
        target = parse(envelope.url)
        body = _JSON.encode(_message(envelope)).encode("utf-8", "replace")
        return Request(url=target.url, method="POST", headers=_headers(target, envelope.delivery_id, body, now), body=body)

    def outcome(self, envelope: Envelope, response: Response, now: datetime) -> Outcome:
        """As HTTP's status says; the answer's head decides, also where its body broke off."""
        return outcome_of_http(response, now)


class WebhookSender(ServiceSender):
    """Sends to webhooks, over connections that are kept.

    Args:
        new_client: Makes a client when all others are at work.
        clock: Stamps messages and receipts; UTC.
    """

    def __init__(self, new_client: Callable[[], HttpClient], *, clock: Clock = utc_now) -> None:
        super().__init__(Webhook(), new_client, clock=clock)


def _headers(target: Target, delivery_id: str, body: bytes, now: datetime) -> dict[str, str]:
    timestamp_s = int(now.timestamp())
    headers = {"content-type": "application/json", "webhook-id": delivery_id, "webhook-timestamp": str(timestamp_s)}
    if target.secrets:
        headers["webhook-signature"] = " ".join(sign(s, delivery_id, timestamp_s, body) for s in target.secrets)
    if target.authorization:
        headers["authorization"] = target.authorization
    return headers


def _message(envelope: Envelope) -> dict[str, object]:
    """The body: what machines want, and the same in words."""
    return {
        **envelope.payload,
        "delivery": envelope.delivery_id,
        "is_repeat": envelope.is_repeat,
        "message": {"title": envelope.title, "body": envelope.body, "link": envelope.link},
    }
