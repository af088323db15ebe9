"""What a person does with channels: add, test, list, remove. URLs are checked, sealed, and shown masked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from alerts.delivery.schemes import check_channel_url, mask
from alerts.delivery.services import can_update
from alerts.delivery.template import parse_template
from alerts.delivery.unsubscribe import channel_of
from alerts.errors import ConfigError, NotFoundError
from alerts.models import Channel, Envelope, Receipt, ReceiptStatus
from alerts.pipeline import end_canary, start_canary
from alerts.ports import Breaker, Canary
from alerts.service.desk import check_name
from alerts.service.rules import RuleDesk
from alerts.sources.load import SLUG
from alerts.text.fingerprint import content_id

_SHORTEST_CANARY_S = 60.0
_LONGEST_CANARY_S = 7 * 86400.0


class ChannelDesk(RuleDesk):
    """Channels."""

    def add_channel(
        self,
        url: str,
        *,
        channel_id: str,
        subscriber_id: str = "me",
        name: str = "",
        is_operator: bool = False,
        template: str = "",
    ) -> Channel:
        """Add a channel, or replace the one with its id; what comes back is masked.

        Raises:
            ConfigError: A bad id, a scheme that is not allowed, a refused parameter or host, a template that cannot be read.
            NotFoundError: Nobody knows the subscriber.
        """
        self.check_channel(channel_id, url, name)
        if template:
            parse_template(template)
        self.check_subscriber(subscriber_id)
        channel = Channel(
            channel_id=channel_id,
            subscriber_id=subscriber_id,
            url=self.tools.keys.seal(url),
            name=name,
            is_operator=is_operator,
            template=template,
            can_update=can_update(url),
        )
        self.tools.state.put_channel(channel)
        return replace(channel, url=mask(url))

    def check_channel(self, channel_id: str, url: str, name: str) -> None:
        """Nothing, when a channel may be called so and send there. Raises: ConfigError."""
        if not re.fullmatch(SLUG, channel_id):
            raise ConfigError(f"channel id {channel_id!r}: use up to 64 of a-z, 0-9, '-', '_' and '.'")
        check_name(name, f"channel {channel_id}")
        check_channel_url(url, self.guard)

    def channels(self, subscriber_id: str | None = None) -> list[Channel]:
        """Channels with masked URLs, of everybody or of one subscriber. Raises: NotFoundError."""
        if subscriber_id is not None:
            self.check_subscriber(subscriber_id)
        return [self._masked(c) for c in self.tools.state.channels() if subscriber_id in (None, c.subscriber_id)]

    def channel(self, channel_id: str) -> Channel:
        """One channel with its URL masked. Raises: NotFoundError."""
        return self._masked(self._sealed(channel_id))

    def _masked(self, channel: Channel) -> Channel:
        return replace(channel, url=mask(self.tools.keys.unseal(channel.url)))

    def _sealed(self, channel_id: str) -> Channel:
        for channel in self.tools.state.channels():
            if channel.channel_id == channel_id:
                return channel
        raise NotFoundError(f"no channel {channel_id!r}; `tocsin channels list` shows them")

    def breakers(self) -> dict[str, Breaker]:
        """channel id -> what is known of a channel that fails."""
        return self.tools.state.breakers()

    def mend_channel(self, channel_id: str) -> Receipt:
        """Send a test message, and switch the channel on when it is accepted. Raises: NotFoundError."""
        receipt = self.test_channel(channel_id)
        if receipt.status is ReceiptStatus.ACCEPTED:
            channel = replace(self._sealed(channel_id), is_enabled=True, error="")
            url = self.tools.keys.seal(receipt.new_url) if receipt.new_url else channel.url
            self.tools.state.put_channel(replace(channel, url=url))
        return receipt

    def enable_channel(self, channel_id: str, *, is_enabled: bool) -> Channel:
        """Switch a channel on or off. Raises: NotFoundError."""
        channel = replace(self._sealed(channel_id), is_enabled=is_enabled, error="")
        self.tools.state.put_channel(channel)
        return self._masked(channel)

    def unsubscribe(self, token: str) -> Channel:
        """Switch off the channel that a mail's link ends; what comes back is masked. Raises: NotFoundError."""
        channel = self._sealed(channel_of(token, self.tools.keys))
        if channel.is_enabled:
            channel = replace(channel, is_enabled=False, error="its reader ended it by the link in a mail")
            self.tools.state.put_channel(channel)
        return self._masked(channel)

    def remove_channel(self, channel_id: str) -> int:
        """Remove a channel and drop its pending deliveries; how many. Raises: NotFoundError."""
        return self.tools.state.remove_channel(channel_id)

    def test_channel(self, channel_id: str) -> Receipt:
        """Send a test message now, past all rules; what the service answered. Raises: NotFoundError."""
        channel = self._sealed(channel_id)
        now = datetime.now(UTC)
        envelope = Envelope(
            delivery_id=content_id("test", channel_id, now.isoformat()),
            channel_id=channel_id,
            url=self.tools.keys.unseal(channel.url),
            title="Tocsin test",
            body=f"This is a test of the channel {channel.name or channel_id}. If you can read it, it works.",
            payload={"kind": "test", "channel": channel_id},
        )
        return self.tools.notifier.send(envelope)

    def start_canary(self, channel_id: str, alarm_id: str, *, every_s: float, within_s: float) -> Canary:
        """Send an item of our own the whole way to a channel every so many seconds, and tell another one when it does not arrive.

        Raises:
            NotFoundError: Nobody knows one of the channels.
            ConfigError: Both are the same, or the times make no sense.
        """
        self.channel(channel_id)
        self.channel(alarm_id)
        if channel_id == alarm_id:
            raise ConfigError("--alarm: must be another channel than --channel: what does not arrive there is told here")
        if not _SHORTEST_CANARY_S <= every_s <= _LONGEST_CANARY_S or not 0 < within_s < every_s:
            raise ConfigError("--every: must be 1m to 7d, and --within a shorter time than that")
        canary = Canary(channel_id=channel_id, alarm_id=alarm_id, every_s=every_s, within_s=within_s)
        start_canary(self.tools, canary)
        return canary

    def end_canary(self) -> None:
        """Send no more canaries."""
        end_canary(self.tools)

    def canary(self) -> Canary | None:
        """The canary and how its last item fared; None when there is none."""
        return self.tools.state.canary()

    def rotate_keys(self) -> int:
        """Make a new key and seal every channel with it; how many."""
        self.tools.keys.rotate()
        channels: Sequence[Channel] = self.tools.state.channels()
        for channel in channels:
            self.tools.state.put_channel(replace(channel, url=self.tools.keys.reseal(channel.url)))
        return len(channels)
