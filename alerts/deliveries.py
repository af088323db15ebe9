"""The last nouns of the data's way, from an alert to what came of telling it; `alerts.models` has them all.

Delivery -> Envelope -> Receipt -> Attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Attempt(NamedTuple):
    """One try to send a delivery, and what came of it in the service's words."""

    at: datetime
    result: str  # a ReceiptStatus
    detail: str = ""


class DeliveryStatus(StrEnum):
    """pending -> sending -> sent | retry | held | dead | expired | dropped; held -> digested."""

    PENDING = "pending"
    SENDING = "sending"
    RETRY = "retry"
    HELD = "held"  # waits until it is due, or for its digest
    DIGESTED = "digested"  # another delivery carries it on
    SENT = "sent"
    DEAD = "dead"
    EXPIRED = "expired"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One alert on its way to one channel."""

    delivery_id: str
    alert_id: str
    subscriber_id: str
    channel_id: str
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    is_repeat: bool = False  # an earlier attempt may have arrived
    is_replay: bool = False  # a person asked for it again
    reason: str = ""  # why it is in this state, in words
    policy: str = ""  # what was last decided about it, in words; empty = it was simply due
    digest: str = ""  # the digest it waits for: <subscriber>:<channel>:<kind>
    paused_s: float = 0.0  # how long it was held: its time-to-live stood still
    due_at: datetime | None = None
    created_at: datetime | None = None
    queued_at: datetime | None = None  # when it was written
    sent_at: datetime | None = None
    tried: tuple[Attempt, ...] = ()  # the last attempts, oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One rendered delivery, ready to leave. `url` is decrypted: never log it."""

    delivery_id: str  # also the key a receiver can deduplicate by
    channel_id: str
    url: str
    title: str
    body: str
    link: str = ""
    urgency: int = 5
    is_repeat: bool = False
    payload: Mapping[str, object] = field(default_factory=dict)  # for machine receivers, JSON types only
    replaces: str = ""  # reference of the message that this one takes the place of; '' = a new message
    is_silent: bool = False  # it is to ring nobody: seen by who looks
    is_sent_anew: bool = False  # when what it replaces is gone: as a new message; else not at all
    unsubscribe_url: str = ""  # one click there ends this channel


class ReceiptStatus(StrEnum):
    """What came of one send."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"  # try again later
    PERMANENT = "permanent"  # trying again cannot help
    AMBIGUOUS = "ambiguous"  # it may have arrived
    SKIPPED = "skipped"  # not tried: an earlier one of its lane failed, or the lane's time was over


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The result of one attempt to send one envelope."""

    delivery_id: str
    status: ReceiptStatus
    at: datetime
    detail: str = ""  # the service's words, without secrets
    retry_after_s: float | None = None  # also of an accepted one: the service wants no other before
    code: str = ""  # why, in one stable word of `alerts.delivery.codes`
    message_ref: str = ""  # what the service calls the message, for `Envelope.replaces`; '' = it cannot be changed
    new_url: str = field(default="", repr=False)  # the channel has moved here; it holds secrets: seal it, never log it
