"""Which sender a channel URL goes to, whole: console, our webhook, and Apprise for the rest of the allow-list."""

from __future__ import annotations

from typing import TextIO

from alerts.delivery.apprise_sender import AppriseSender
from alerts.delivery.console import ConsoleSender
from alerts.delivery.sender import Clock, Sender, utc_now
from alerts.delivery.services import service_of
from alerts.delivery.webhook import WebhookSender
from alerts.errors import ConfigError
from alerts.http.client import HttpClient
from alerts.http.guard import AddressGuard
from alerts.settings import Settings


class Senders:
    """Every sender there is; each may be used by many threads at once."""

    def __init__(self, settings: Settings, guard: AddressGuard, *, stream: TextIO, clock: Clock = utc_now) -> None:
        self._webhook = WebhookSender(lambda: HttpClient(settings.http, guard), clock=clock)
        self._console = ConsoleSender(stream, clock=clock)
        self._apprise = AppriseSender(guard, clock=clock)

    def sender_of(self, url: str) -> Sender:
        """The sender of a channel URL. Raises: ConfigError for a scheme that is not allowed."""
        match service_of(url):
            case "":
                raise ConfigError("the scheme of this channel is not allowed; replace the channel")
            case "console":
                return self._console
            case "webhook":
                return self._webhook
            case _:
                return self._apprise
