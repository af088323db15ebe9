"""Sends to a service that speaks HTTP: what is asked and what an answer means is the service's, the transfer is ours.

A service is a pair of functions without I/O. When its answer says that another message is to be sent instead (a chat that
moved, a message that is gone), it gives that envelope back and the sender goes on with it. Clients and their connections
are kept for the next send, one client for each thread at work; every address they dial passes the guard.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from alerts.delivery.codes import Code
from alerts.delivery.sender import Clock, Outcome, outcome_of_http, receipt_of, utc_now
from alerts.http.client import HttpClient, Request, Response
from alerts.models import Envelope, Receipt, ReceiptStatus

MOST_TURNS = 3  # one message, moved once, sent anew once
_TURN_S = 15.0


class HttpService(Protocol):
    """How one service takes a message, and what its answers mean."""

    def request(self, envelope: Envelope, now: datetime) -> Request:
        """What to ask. Raises: ConfigError when the channel's URL cannot be read."""
        ...

    def outcome(self, envelope: Envelope, response: Response, now: datetime) -> Outcome | Envelope:
        """What the answer amounts to, or the envelope to send in this one's place."""
        ...


class ServiceSender:
    """The sender of a service.

    Args:
        service: Says what to ask.
        new_client: Makes a client when all others are at work.
        clock: Stamps messages and receipts; UTC.
    """

    def __init__(self, service: HttpService, new_client: Callable[[], HttpClient], *, clock: Clock = utc_now) -> None:
        self._service = service
        self._new_client = new_client
        self._clock = clock
        self._clients: deque[HttpClient] = deque()  # at rest; the last one used goes first, its connections are the warmest

    def send(self, envelope: Envelope, *, timeout_s: float) -> Receipt:
        """What the service answered. Raises: ConfigError when the URL cannot be read."""
        request = self.request(envelope, timeout_s=timeout_s)
        return self.receipt(envelope, self._transfer(request))

    def request(self, envelope: Envelope, *, timeout_s: float, key: object = None) -> Request:
        """What is to be asked; `key` comes back with the response. Raises: ConfigError when the URL cannot be read."""
        return replace(self._service.request(envelope, self._clock()), timeout_s=timeout_s, key=key)

    def answer(self, envelope: Envelope, response: Response) -> Receipt | Envelope:
        """What came of it, or the envelope that is to be sent in this one's place. Raises: ConfigError."""
        now = self._clock()
        result = self._service.outcome(envelope, response, now)
        if isinstance(result, Envelope):
            return result
        if result.status is ReceiptStatus.AMBIGUOUS and envelope.replaces:  # an update may come twice: it changes nothing
            result = result._replace(status=ReceiptStatus.TRANSIENT)
        return receipt_of(envelope, result, now)

    def receipt(self, envelope: Envelope, response: Response) -> Receipt:
        """What came of it in the end: what is to be sent in its place is sent, on this thread. Raises: ConfigError."""
        current = envelope
        for _ in range(MOST_TURNS):
            result = self.answer(current, response)
            if isinstance(result, Receipt):
                return moved(result, envelope, current)
            current = result
            response = self._transfer(self.request(current, timeout_s=response.request.timeout_s or _TURN_S))
        circles = Outcome(ReceiptStatus.TRANSIENT, "the service sends us round in circles", Code.UNAVAILABLE)
        return receipt_of(current, circles, self._clock())

    def _transfer(self, request: Request) -> Response:
        try:
            client = self._clients.pop()
        except IndexError:
            client = self._new_client()
        response = client.send(request)
        self._clients.append(client)
        return response


def moved(receipt: Receipt, first: Envelope, last: Envelope) -> Receipt:
    """The receipt, with the URL to which the channel moved while it was sent."""
    if first.url == last.url or receipt.status is not ReceiptStatus.ACCEPTED:
        return receipt
    return replace(receipt, new_url=last.url, code=receipt.code or Code.MIGRATED)


def without_answer(response: Response, now: datetime) -> Outcome | None:
    """The outcome where no answer came or one that any service gives alike (5xx); None when the service is to read it."""
    if not response.status or response.status >= 500:
        return outcome_of_http(response, now)
    return None


def json_of(response: Response) -> Mapping[str, Any]:
    """The answer's JSON object; empty when it is none."""
    try:
        data = json.loads(response.body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def lost(envelope: Envelope) -> Outcome | Envelope:
    """What becomes of an update whose message is gone: a new message where that is wanted, else nothing."""
    if envelope.is_sent_anew:
        return replace(envelope, replaces="")
    return Outcome(ReceiptStatus.ACCEPTED, "the message to update is gone; nothing was sent", Code.MESSAGE_GONE)
