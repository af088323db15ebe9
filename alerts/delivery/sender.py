"""What a sender is, what came of a send, and the outcomes that HTTP answers amount to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Protocol

from alerts.delivery.codes import Code
from alerts.delivery.services import redact
from alerts.http.message import Response
from alerts.models import Envelope, Receipt, ReceiptStatus

Clock = Callable[[], datetime]

TOO_MANY_S = 30.0  # wait after a 429 that does not say how long
_LONGEST_WAIT_S = 86400.0
_PASSING = {408, 425, 429}  # of the 4xx: trying again may help
_MOVED_FOR_GOOD = {301, 308}
_CODES = {
    301: Code.GONE,  # moved for good: we follow nobody with a message in hand
    308: Code.GONE,
    401: Code.UNAUTHORISED,
    403: Code.BLOCKED,
    404: Code.GONE,
    410: Code.GONE,
    413: Code.TOO_LONG,
    429: Code.RATE_LIMITED,
}


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


class Sender(Protocol):
    """One way to send; may be used by many threads at once, but by one at a time for each channel."""

    def send(self, envelope: Envelope, *, timeout_s: float) -> Receipt:
        """What came of sending it, within timeout_s seconds. Raises: ConfigError when the URL cannot be read."""
        ...


class Outcome(NamedTuple):
    """What one answer amounts to; `detail` may still hold secrets of the URL."""

    status: ReceiptStatus
    detail: str = ""
    code: str = ""
    retry_after_s: float | None = None
    message_ref: str = ""


def receipt_of(envelope: Envelope, outcome: Outcome, at: datetime) -> Receipt:
    """The receipt of an outcome, without a secret."""
    return Receipt(
        delivery_id=envelope.delivery_id,
        status=outcome.status,
        at=at,
        detail=redact(outcome.detail, envelope.url),
        retry_after_s=outcome.retry_after_s,
        code=outcome.code,
        message_ref=outcome.message_ref,
    )


# ---------------------------------------------------------------- HTTP


def outcome_of_http(response: Response, now: datetime) -> Outcome:
    """What an answer means where the service says it by HTTP's status alone."""
    if not response.status:
        return _outcome_of_silence(response)
    status = status_of_http(response.status)
    asked_s = retry_after_s(response.headers.get("retry-after", ""), now)
    wait_s = wait_of_http(response.status, asked_s) if status is ReceiptStatus.TRANSIENT else None
    return Outcome(status, said_by_http(response), code_of_http(response.status), wait_s)


def _outcome_of_silence(response: Response) -> Outcome:
    """No answer came: our guard, a dead host, or a break after the request had left."""
    if response.is_refused:
        return Outcome(ReceiptStatus.PERMANENT, response.error, Code.ADDRESS_REFUSED)
    if response.is_sent:
        return Outcome(ReceiptStatus.AMBIGUOUS, response.error, Code.NO_ANSWER)
    return Outcome(ReceiptStatus.TRANSIENT, response.error, Code.NO_CONNECTION)


def status_of_http(status: int) -> ReceiptStatus:
    """Accepted, transient or permanent, by an HTTP status (RFC 9110, section 15)."""
    if 200 <= status < 300:
        return ReceiptStatus.ACCEPTED
    if 400 <= status < 500 and status not in _PASSING:
        return ReceiptStatus.PERMANENT
    return ReceiptStatus.PERMANENT if status in _MOVED_FOR_GOOD else ReceiptStatus.TRANSIENT


def code_of_http(status: int) -> str:
    """The word for an HTTP status; empty for one that accepts."""
    if status in _CODES:
        return _CODES[status]
    kind = status_of_http(status)
    if kind is ReceiptStatus.ACCEPTED:
        return ""
    return Code.REFUSED if kind is ReceiptStatus.PERMANENT else Code.UNAVAILABLE


def said_by_http(response: Response) -> str:
    """The service's own words: its status and the beginning of what it said."""
    said = response.body[:200].decode("utf-8", "replace").strip()
    return f"HTTP {response.status}{f': {said}' if said and not 200 <= response.status < 300 else ''}"


def wait_of_http(status: int, asked_s: float | None) -> float | None:
    """Seconds the service wants us to wait, or None: what 429 and 503 say, and 30 s for a 429 that says nothing."""
    if status not in (429, 503):
        return None
    if asked_s is None:
        return TOO_MANY_S if status == 429 else None
    return min(max(0.0, asked_s), _LONGEST_WAIT_S)


def retry_after_s(value: str, now: datetime) -> float | None:
    """Retry-After in seconds from now (RFC 9110, 10.2.3): a number or a date; None when it is neither."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return parsedate_to_datetime(text).timestamp() - now.timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
