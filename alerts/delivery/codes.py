"""Why a send ended as it did, in one stable word; which of them end a channel, and how a person mends that.

A receipt carries the word as `code`; its `detail` has the service's own words beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Code(StrEnum):
    """The words. They are kept in the store and in people's scripts: never change one."""

    # The channel takes nothing until a person mends it.
    CHAT_NOT_FOUND = "chat_not_found"
    BLOCKED = "blocked"  # the receiver, or a right that is missing there
    GONE = "gone"  # the endpoint was taken down
    BOUNCED = "bounced"  # no mailbox of that name
    UNAUTHORISED = "unauthorised"  # token, password or key
    ADDRESS_REFUSED = "address_refused"  # by our own guard
    UNREADABLE_URL = "unreadable_url"
    # This one message will not be taken; the next one may.
    TOO_LONG = "too_long"
    REFUSED = "refused"
    # It may pass.
    RATE_LIMITED = "rate_limited"
    GREYLISTED = "greylisted"
    UNAVAILABLE = "unavailable"  # the service's own trouble
    NO_CONNECTION = "no_connection"
    NO_TLS = "no_tls"  # the server offers none, or its certificate is not to be trusted
    # Nobody knows.
    NO_ANSWER = "no_answer"  # it had left when the connection broke or the time was over
    # Accepted, and more is to be said.
    MIGRATED = "migrated"  # the receipt has the new URL
    NOT_MODIFIED = "not_modified"  # the message said this already
    MESSAGE_GONE = "message_gone"  # the message to update was deleted; nothing was sent
    SOME_BOUNCED = "some_bounced"  # of several recipients


ENDS_CHANNEL = frozenset(
    {
        Code.CHAT_NOT_FOUND,
        Code.BLOCKED,
        Code.GONE,
        Code.BOUNCED,
        Code.UNAUTHORISED,
        Code.ADDRESS_REFUSED,
        Code.UNREADABLE_URL,
    }
)

MEND: Mapping[str, str] = {
    Code.CHAT_NOT_FOUND: "write to the bot once (or add it to the group), check the chat's id, and add the channel again",
    Code.BLOCKED: "let the sender in again: unblock the bot, give it the right to write, or allow this address; then enable the channel",
    Code.GONE: "make a new webhook or endpoint there, and add the channel with its URL",
    Code.BOUNCED: "check the spelling of the address, and add the channel again",
    Code.UNAUTHORISED: "make a new token or password there, and add the channel with it",
    Code.ADDRESS_REFUSED: "let the address through (http.allow_networks, http.allow_ports) or choose another host; then enable the channel",
    Code.UNREADABLE_URL: "add the channel again with a complete URL",
}
