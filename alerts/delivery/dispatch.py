"""Which sender a channel URL goes to, whole: those of our own, and Apprise for the rest of the allow-list."""

from __future__ import annotations

from typing import TextIO

from alerts.delivery.apprise_sender import AppriseSender
from alerts.delivery.console import ConsoleSender
from alerts.delivery.discord import Discord
from alerts.delivery.http_sender import HttpService, ServiceSender
from alerts.delivery.mail import MailSender
from alerts.delivery.mastodon import Mastodon
from alerts.delivery.ntfy import Ntfy
from alerts.delivery.schemes import USUAL_PORTS
from alerts.delivery.sender import Clock, Sender, utc_now
from alerts.delivery.services import service_of
from alerts.delivery.smtp import SmtpPool
from alerts.delivery.telegram import Telegram
from alerts.delivery.webhook import WebhookSender
from alerts.errors import ConfigError
from alerts.http.client import HttpClient
from alerts.http.guard import AddressGuard
from alerts.settings import Settings


class Senders:
    """Every sender there is; each may be used by many threads at once."""

    def __init__(self, settings: Settings, guard: AddressGuard, *, stream: TextIO, clock: Clock = utc_now) -> None:
        def over_http(service: HttpService) -> ServiceSender:
            return ServiceSender(service, lambda: HttpClient(settings.http, guard), clock=clock)

        self._native: dict[str, Sender] = {
            "console": ConsoleSender(stream, clock=clock),
            "webhook": WebhookSender(lambda: HttpClient(settings.http, guard), clock=clock),
            "tgram": over_http(Telegram(settings.telegram.base_url, has_bot=settings.telegram.has_bot)),
            "ntfy": over_http(Ntfy()),
            "discord": over_http(Discord()),
            "mastodon": over_http(Mastodon()),
            "mailto": MailSender(SmtpPool(guard, usual_ports=USUAL_PORTS["mailto"]), clock=clock),
        }
        self._apprise = AppriseSender(guard, clock=clock)

    def sender_of(self, url: str) -> Sender:
        """The sender of a channel URL. Raises: ConfigError for a scheme that is not allowed."""
        service = service_of(url)
        if not service:
            raise ConfigError("the scheme of this channel is not allowed; replace the channel")
        return self._native.get(service, self._apprise)
