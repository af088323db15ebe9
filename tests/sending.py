"""Senders as tests use them: clients that may dial loopback, an envelope with what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from alerts.delivery.http_sender import HttpService, ServiceSender
from alerts.http.client import HttpClient
from alerts.http.guard import AddressGuard
from alerts.models import Envelope
from alerts.settings import HttpSettings

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LOOPBACK = AddressGuard(("127.0.0.0/8",))


def an_envelope(url: str, **fields: Any) -> Envelope:
    """An envelope on its way to this channel URL."""
    base = {
        "delivery_id": "0123456789abcdef0123",
        "channel_id": "desk",
        "url": url,
        "title": "Harbour gate closes",
        "body": "Source: Harbour (unconfirmed: one origin)\nhttps://harbour.example/1",
        "link": "https://harbour.example/1",
        "urgency": 2,
        "payload": {"kind": "alert", "story": "fedcba98765432100000", "occasion": "first"},
    }
    return Envelope(**{**base, **fields})


@contextmanager
def http_sender(
    service: HttpService, guard: AddressGuard = LOOPBACK, *, clock: Callable[[], datetime] = lambda: NOW
) -> Iterator[ServiceSender]:
    """A sender of this service; its connections are closed at the end."""
    clients: list[HttpClient] = []

    def new_client() -> HttpClient:
        clients.append(HttpClient(HttpSettings(), guard))
        return clients[-1]

    yield ServiceSender(service, new_client, clock=clock)
    for client in clients:
        client.close()
