"""The link by which a reader ends a channel with one click; only this service can make one, and only for one channel."""

from __future__ import annotations

from alerts.delivery.secrets import KeyRing
from alerts.errors import ConfigError, NotFoundError

PATH = "/unsubscribe/"
_PURPOSE = "unsubscribe:"
_LONGEST_TOKEN = 500


def unsubscribe_url(public_url: str, keys: KeyRing, channel_id: str) -> str:
    """The link for a channel, below the address under which readers reach the web page."""
    return f"{public_url.rstrip('/')}{PATH}{keys.seal(_PURPOSE + channel_id)}"


def channel_of(token: str, keys: KeyRing) -> str:
    """The channel that a link ends. Raises: NotFoundError when it is none of ours."""
    try:
        said = keys.unseal(token) if len(token) <= _LONGEST_TOKEN else ""
    except ConfigError:
        said = ""
    if not said.startswith(_PURPOSE):
        raise NotFoundError("this link ends no channel; use the newest mail's link")
    return said.removeprefix(_PURPOSE)
