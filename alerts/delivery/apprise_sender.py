"""Sends through Apprise: one URL a send, plain text, on the calling thread, within the deadline.

Apprise says success or failure; why it failed stands in the log lines of the attempt, which its result carries. From
them come the HTTP status, and whether the message may have left before the connection broke.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from alerts.delivery import apprise_load
from alerts.delivery.apprise_http import keep_connections
from alerts.delivery.codes import Code
from alerts.delivery.schemes import refused_host
from alerts.delivery.sender import Clock, Outcome, code_of_http, receipt_of, status_of_http, utc_now, wait_of_http
from alerts.delivery.services import service_of
from alerts.http.guard import AddressGuard
from alerts.models import Envelope, Receipt, ReceiptStatus

if TYPE_CHECKING:
    from apprise import Apprise
    from apprise.plugins.base import NotifyBase

_KEPT = {"matrix"}  # services whose log-in is kept; the others are made anew: some sleep on what they remember of limits
_MOST_KEPT = 256
_own = threading.local()
_URGENT = 2  # urgency from which a message is sent as a warning

# The parameter by which a service knows a message again; {} is our key.
_KEY_PARAMETER = {
    "json": "+webhook-id={}",
    "xml": "+webhook-id={}",
    "form": "+webhook-id={}",
    "pagerduty": "dedup={}",
    "opsgenie": "alias={}",
}

_HTTP_STATUS = re.compile(r"\berror=(\d{3})\b")
_NEVER_LEFT = re.compile(r"Max retries exceeded|NewConnectionError|refused|resolution|Name or service|unreachable|No route", re.I)
_MAY_HAVE_LEFT = re.compile(r"timed out|Connection aborted|reset by peer|Remote end closed|unexpectedly closed|broken", re.I)
_WORDS = re.compile(r"^(?:Socket Exception: |Response Details:\s*)(.+)", re.S)


class AppriseSender:
    """Sends to every service of the allow-list that has no sender of its own.

    Args:
        guard: Asked before each send about the host the URL names. Apprise resolves the name again when it dials, so the
            process must guard its sockets as well (`install_socket_guard`).
        clock: Stamps receipts; UTC.
    """

    def __init__(self, guard: AddressGuard, *, clock: Clock = utc_now) -> None:
        self._guard = guard
        self._clock = clock
        self._lock = threading.Lock()
        self._ready: OrderedDict[tuple[str, str], NotifyBase] = OrderedDict()

    def send(self, envelope: Envelope, *, timeout_s: float) -> Receipt:
        """What the service answered. Raises: ConfigError when the URL cannot be read."""
        service = self._service(envelope)
        refusal = self._refusal(envelope.url, service)
        outcome = Outcome(ReceiptStatus.PERMANENT, refusal, Code.ADDRESS_REFUSED) if refusal else _notify(service, envelope, timeout_s)
        if outcome.status is not ReceiptStatus.ACCEPTED:
            with self._lock:
                self._ready.pop((envelope.channel_id, envelope.url), None)  # begin afresh
        return receipt_of(envelope, outcome, self._clock())

    def _service(self, envelope: Envelope) -> NotifyBase:
        """The service of the envelope's channel, with the key of the message in its URL where there is a place for it."""
        kind = service_of(envelope.url)
        if kind in _KEPT:
            return self._kept(envelope)
        parameter = _KEY_PARAMETER.get(kind)
        if parameter is None:
            return apprise_load.load(envelope.url)
        return apprise_load.load(with_key(envelope.url, parameter.format(quote(envelope.delivery_id, safe=""))))

    def _kept(self, envelope: Envelope) -> NotifyBase:
        key = (envelope.channel_id, envelope.url)
        with self._lock:
            if key in self._ready:
                self._ready.move_to_end(key)
                return self._ready[key]
        service = apprise_load.load(envelope.url)
        with self._lock:
            self._ready[key] = service
            if len(self._ready) > _MOST_KEPT:
                self._ready.popitem(last=False)
        return service

    def _refusal(self, url: str, service: NotifyBase) -> str:
        """Why the guard refuses the host; a name that does not resolve now is left to the send."""
        for host, port in apprise_load.endpoints(service):
            reason = refused_host(service_of(url), host, port, self._guard)
            if reason and "does not resolve" not in reason:
                return f"refused by the address guard: {reason}"
        return ""


def with_key(url: str, parameter: str) -> str:
    """The URL with one parameter more, unless a person set it; the part after # stays last."""
    name = parameter.partition("=")[0]
    head, mark, fragment = url.partition("#") if "?" not in url else (url, "", "")
    if re.search(rf"[?&]{re.escape(name)}=", head, re.I):
        return url
    return f"{head}{'&' if '?' in head else '?'}{parameter}{mark}{fragment}"


def _notify(service: NotifyBase, envelope: Envelope, timeout_s: float) -> Outcome:
    """One send, and what its log says when it failed."""
    from apprise import NotifyFormat, NotifyType
    from apprise.result import AppriseResultStatus

    service.socket_connect_timeout = service.socket_read_timeout = timeout_s * 0.45  # together below the deadline
    target = _target()
    target.clear()
    target.add(service)
    result = target.notify(
        body=envelope.body or envelope.title,
        title=envelope.title,
        body_format=NotifyFormat.TEXT,
        notify_type=NotifyType.WARNING if envelope.urgency <= _URGENT else NotifyType.INFO,
        log_level=logging.DEBUG,
    )
    if result.status == AppriseResultStatus.SUCCESS:
        return Outcome(ReceiptStatus.ACCEPTED, "accepted")
    lines = [entry.message for one in result.results for entry in one.logs()] + [entry.message for entry in result.call_logs()]
    if result.status == AppriseResultStatus.TIMEOUT:
        return Outcome(ReceiptStatus.AMBIGUOUS, "no answer within the deadline", Code.NO_ANSWER)
    return read_log(lines)


def _target() -> Apprise:
    """The calling thread's own; to make one takes longer than to fill it. Our connections are kept from the first one on."""
    if not hasattr(_own, "target"):
        from apprise import Apprise

        keep_connections()
        _own.target = Apprise(asset=apprise_load.asset())
    target: Apprise = _own.target
    return target


def read_log(lines: Sequence[str]) -> Outcome:
    """What came of a failed attempt, by the lines that Apprise logged: status first, then what broke."""
    text = "\n".join(lines)
    words = next((m[1] for line in reversed(lines) if (m := _WORDS.match(line))), "")
    http = _HTTP_STATUS.search(text)
    if http:
        return _of_http(int(http[1]), words)
    if _NEVER_LEFT.search(text):
        return Outcome(ReceiptStatus.TRANSIENT, "no connection to the service", Code.NO_CONNECTION)
    if _MAY_HAVE_LEFT.search(text):
        return Outcome(ReceiptStatus.AMBIGUOUS, "the connection broke or timed out before an answer came", Code.NO_ANSWER)
    said = next((line for line in lines if "Loaded" not in line), "") or "the service did not take it"
    return Outcome(ReceiptStatus.TRANSIENT, said, Code.UNAVAILABLE)


def _of_http(status: int, words: str) -> Outcome:
    kind = status_of_http(status)
    kind = ReceiptStatus.TRANSIENT if kind is ReceiptStatus.ACCEPTED else kind  # 2xx of a step before the one that failed
    said = words.strip().removeprefix("b'").removesuffix("'")
    return Outcome(kind, f"HTTP {status}{f': {said}' if said else ''}", code_of_http(status), wait_of_http(status, None))
