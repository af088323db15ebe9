"""Our own webhook: JSON by POST, signed as Standard Webhooks says, over connections that stay open.

    webhook+https://host/path?secret=whsec_...     one secret= more while the receiver changes over

`webhook-id` is the delivery's id, the same on every attempt, so that a receiver can tell a repeat. 2xx accepts, 410 and
the other 4xx are final, a break after the request had left is ambiguous. Source: standardwebhooks.com, specification.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from alerts.delivery.sender import Clock, status_of_http, utc_now, wait_of_http
from alerts.delivery.services import redact
from alerts.errors import ConfigError
from alerts.http.client import HttpClient, Request, Response
from alerts.http.message import wire_url
from alerts.models import Envelope, Receipt, ReceiptStatus

_PREFIX = "whsec_"
_SCHEMES = {"webhook+https": "https", "webhook+http": "http"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes; `secrets` sign, `authorization` is empty when the URL names no user."""

    url: str
    endpoint: tuple[str, int]
    secrets: tuple[bytes, ...] = ()
    authorization: str = ""


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
        authorization=_authorization(parts.username, parts.password),
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


def _authorization(user: str | None, password: str | None) -> str:
    if user is None:
        return ""
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def sign(secret: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The signature of one message, as `v1,<base64>`."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


class WebhookSender:
    """Sends to webhooks; clients and their connections are kept for the next send, one client for each thread at work.

    Args:
        new_client: Makes a client when all others are at work.
        clock: Stamps messages and receipts; UTC.
    """

    def __init__(self, new_client: Callable[[], HttpClient], *, clock: Clock = utc_now) -> None:
        self._new_client = new_client
        self._clock = clock
        self._clients: deque[HttpClient] = deque()  # at rest; the last one used goes first, its connections are the warmest

    def send(self, envelope: Envelope, *, timeout_s: float) -> Receipt:
        """What the receiver answered. Raises: ConfigError when the URL cannot be read."""
        return self.receipt(envelope, self._post(self.request(envelope, timeout_s=timeout_s)))

    def request(self, envelope: Envelope, *, timeout_s: float, key: object = None) -> Request:
        """The signed message as a request. Raises: ConfigError when the URL cannot be read."""
        target = parse(envelope.url)
        body = json.dumps(_message(envelope), ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")
        return Request(
            url=target.url,
            method="POST",
            headers=self._headers(target, envelope.delivery_id, body),
            body=body,
            timeout_s=timeout_s,
            key=key,
        )

    def _post(self, request: Request) -> Response:
        try:
            client = self._clients.pop()
        except IndexError:
            client = self._new_client()
        response = client.send(request)
        self._clients.append(client)
        return response

    def _headers(self, target: Target, delivery_id: str, body: bytes) -> dict[str, str]:
        timestamp_s = int(self._clock().timestamp())
        headers = {"content-type": "application/json", "webhook-id": delivery_id, "webhook-timestamp": str(timestamp_s)}
        if target.secrets:
            headers["webhook-signature"] = " ".join(sign(s, delivery_id, timestamp_s, body) for s in target.secrets)
        if target.authorization:
            headers["authorization"] = target.authorization
        return headers

    def receipt(self, envelope: Envelope, response: Response) -> Receipt:
        """What the receiver's answer amounts to."""
        now = self._clock()
        status = _status(response)
        return Receipt(
            delivery_id=envelope.delivery_id,
            status=status,
            at=now,
            detail=redact(_detail(response), envelope.url),
            retry_after_s=wait_of_http(response.status, _retry_after_s(response, now.timestamp()))
            if status is ReceiptStatus.TRANSIENT
            else None,
        )


def _message(envelope: Envelope) -> dict[str, object]:
    """The body: what machines want, and the same in words."""
    return {
        **envelope.payload,
        "delivery": envelope.delivery_id,
        "is_repeat": envelope.is_repeat,
        "message": {"title": envelope.title, "body": envelope.body, "link": envelope.link},
    }


def _status(response: Response) -> ReceiptStatus:
    if response.status:  # the answer's head decides, also where its body broke off
        return status_of_http(response.status)
    if response.is_refused:
        return ReceiptStatus.PERMANENT
    return ReceiptStatus.AMBIGUOUS if response.is_sent else ReceiptStatus.TRANSIENT


def _detail(response: Response) -> str:
    """The service's own words: its status and the beginning of what it said."""
    if not response.status:
        return response.error
    said = response.body[:200].decode("utf-8", "replace").strip()
    return f"HTTP {response.status}{f': {said}' if said and not 200 <= response.status < 300 else ''}"


def _retry_after_s(response: Response, now_s: float) -> float | None:
    """Retry-After in seconds from now (RFC 9110, 10.2.3): a number or a date; None when it is neither."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return parsedate_to_datetime(value).timestamp() - now_s
    except (ValueError, TypeError, OverflowError):
        return None
