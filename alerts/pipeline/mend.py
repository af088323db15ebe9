"""Channels that a person must mend, and those that mend themselves: switched off, told of, followed to a new address."""

from __future__ import annotations

from dataclasses import replace

import structlog

from alerts.delivery.codes import MEND
from alerts.models import Channel, Receipt
from alerts.pipeline.tools import Tools
from alerts.pipeline.upkeep import tell, warn
from alerts.ports import ChannelBook

_log = structlog.get_logger("deliver")


def end_channel(tools: Tools, channel: Channel, receipt: Receipt) -> None:
    """Switch off a channel that takes nothing any more, and tell its subscriber on another one, and the operator."""
    book = tools.state.channel_book()
    current = book.by_id.get(channel.channel_id)
    if current is None or not current.is_enabled or current.url != channel.url:
        return  # a person was quicker
    how = MEND.get(receipt.code, "find out why, and enable it")
    _log.warning("channel switched off", channel_id=channel.channel_id, code=receipt.code, reason=receipt.detail)
    tools.state.put_channel(replace(current, is_enabled=False, error=f"{receipt.detail} ({receipt.code}); to mend it, {how}"))
    name = channel.name or channel.channel_id
    text = (
        f"The channel {name} was switched off, as it takes nothing any more: {receipt.detail}. To mend it, {how}. "
        f"`tocsin channels enable {channel.channel_id}` tries it; what it missed is sent by "
        f"`tocsin deliveries replay --channel {channel.channel_id}`."
    )
    tell(tools, _listeners(book, channel), "channel_off", channel.channel_id, text)


def _listeners(book: ChannelBook, lost: Channel) -> list[Channel]:
    """Another channel of the same subscriber, and those of the operator."""
    others = [c for c in book.of_subscriber(lost.subscriber_id) if c.is_enabled and c.channel_id != lost.channel_id]
    operators = [c for c in book.channels if c.is_operator and c.is_enabled and c.channel_id != lost.channel_id]
    return list({c.channel_id: c for c in (*others[:1], *operators)}.values())


def follow(tools: Tools, channel: Channel, new_url: str) -> None:
    """Keep the address a channel has moved to, as a Telegram group does that becomes a supergroup."""
    current = tools.state.channel_book().by_id.get(channel.channel_id)
    if current is None or current.url != channel.url:
        return
    _log.info("channel moved", channel_id=channel.channel_id)
    tools.state.put_channel(replace(current, url=tools.keys.seal(new_url)))


def report_dead(tools: Tools, channel: Channel, reason: str) -> None:
    """Tell the operator of a message that a channel refused for good, unless the channel is the operator's own."""
    _log.warning("delivery dead", channel_id=channel.channel_id, reason=reason)
    if not channel.is_operator:
        text = f"The channel {channel.name or channel.channel_id} refuses what is sent to it: {reason}"
        warn(tools, "channel_dead", channel.channel_id, text)
