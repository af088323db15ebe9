"""What a sender is, and the receipts that HTTP answers amount to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from alerts.http.message import Request, Response
from alerts.models import Envelope, Receipt, ReceiptStatus

Clock = Callable[[], datetime]

TOO_MANY_S = 30.0  # wait after a 429 that does not say how long
_LONGEST_WAIT_S = 86400.0
_PASSING = {408, 425, 429}  # of the 4xx: trying again may help
_MOVED_FOR_GOOD = {301, 308}


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


class Sender(Protocol):
    """One way to send; may be used by many threads at once, but by one at a time for each channel."""

    def send(self, envelope: Envelope, *, timeout_s: float) -> Receipt:
        """What came of sending it, within timeout_s seconds. Raises: ConfigError when the URL cannot be read."""
        ...


class HttpSender(Sender, Protocol):
    """A sender whose send is one HTTP request: many of them can be under way on one thread."""

    def request(self, envelope: Envelope, *, timeout_s: float, key: object = None) -> Request:
        """What is to be asked; `key` comes back with the response. Raises: ConfigError when the URL cannot be read."""
        ...

    def receipt(self, envelope: Envelope, response: Response) -> Receipt:
        """What came of it."""
        ...


def status_of_http(status: int) -> ReceiptStatus:
    """Accepted, transient or permanent, by an HTTP status (RFC 9110, section 15)."""
    if 200 <= status < 300:
        return ReceiptStatus.ACCEPTED
    if 400 <= status < 500 and status not in _PASSING:
        return ReceiptStatus.PERMANENT
    return ReceiptStatus.PERMANENT if status in _MOVED_FOR_GOOD else ReceiptStatus.TRANSIENT


def wait_of_http(status: int, retry_after_s: float | None) -> float | None:
    """Seconds the service wants us to wait, or None: what 429 and 503 say, and 30 s for a 429 that says nothing."""
    if status not in (429, 503):
        return None
    if retry_after_s is None:
        return TOO_MANY_S if status == 429 else None
    return min(max(0.0, retry_after_s), _LONGEST_WAIT_S)
