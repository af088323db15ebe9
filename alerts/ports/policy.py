"""What the decide step asks of the store: what subscribers asked for, what was told before; and what it writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from alerts.models import Delivery, DeliveryStatus
from alerts.ports.values import Outcome
from alerts.preferences import NO_PREFERENCES, DigestKind, Mute, Preferences


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one subscriber asked for: lasting preferences, and mutes for a time."""

    preferences: Preferences = NO_PREFERENCES
    mutes: tuple[Mute, ...] = ()


NO_WISHES = Wishes()


class Ring(NamedTuple):
    """Something that rang on a channel."""

    at: datetime
    urgency: int
    delivery_id: str


@dataclass(frozen=True, slots=True)
class FirstTold:
    """How a story's first alert to a subscriber stands on a channel; status None = that channel has none of it.

    Once a later alert tells it along, this is how that one stands.
    """

    delivery_id: str = ""  # of whichever tells it
    is_known: bool = False  # the subscriber has an alert `first` of the story
    status: DeliveryStatus | None = None
    due_at: datetime | None = None
    digest: str = ""  # the digest it waits for
    is_carried: bool = False  # a later alert tells it along


class Place(NamedTuple):
    """A subscriber's channel: what rings are counted for."""

    subscriber_id: str
    channel_id: str


class FirstIds(NamedTuple):
    """The ids of a story's first alert and of its delivery to one channel."""

    alert_id: str
    delivery_id: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store knows that decisions hang on."""

    version: str = ""  # of all wishes; another one after any change of any
    rings: Mapping[Place, tuple[Ring, ...]] = field(default_factory=dict)  # of the last day, oldest first
    firsts: Mapping[FirstIds, FirstTold] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a claimed delivery becomes that is not sent now."""

    delivery: Delivery  # status, attempts, reason, due_at, paused_s, digest as they are to be
    later_at: datetime | None = None  # of one for a digest: when the next but one is due, should that of due_at be frozen
    carries: str = ""  # delivery id of a waiting one that this one tells along


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is noted of a claimed delivery that is sent now."""

    delivery: Delivery  # `policy` says why it is sent
    urgency: int = 0  # 0 = this ring is not counted
    carries: str = ""


class PolicyStore(Protocol):
    """Preferences, mutes, rings, and what becomes of deliveries that are not sent now."""

    def facts(self, places: Sequence[Place], firsts: Sequence[FirstIds]) -> Facts:
        """What decisions about these hang on, in as many round trips however many they are."""
        ...

    def wishes(self, subscriber_ids: Iterable[str]) -> dict[str, Wishes]:
        """What each of them asked for; the default for those nobody knows."""
        ...

    def settle(self, owner: str, settlements: Sequence[Settlement]) -> list[Outcome]:
        """Hold, put into digests, drop, expire; stale when the delivery's lease was lost to another worker."""
        ...

    def release(self, owner: str, releases: Sequence[Release]) -> list[Outcome]:
        """Count rings, keep reasons, take over what is told along; stale as above."""
        ...

    def put_mute(self, subscriber_id: str, mute: Mute) -> None:
        """Add or replace a mute; in force with the next decision."""
        ...

    def remove_mute(self, subscriber_id: str, mute_id: str) -> None:
        """End a mute. Raises: NotFoundError."""
        ...

    def all_waiting(self) -> list[Delivery]:
        """Deliveries that are pending, retried or held, also in digests."""
        ...

    def waiting_of(self, subscriber_id: str) -> list[Delivery]:
        """Those of one subscriber."""
        ...

    def drop_waiting(self, deliveries: Sequence[Delivery], reason: str) -> int:
        """Take these back, unless they were sent meanwhile; how many."""
        ...

    def reconsider(self, subscriber_id: str, due: Mapping[DigestKind, datetime]) -> int:
        """Decide again about what is held, now, and move open digests to these times; how many deliveries."""
        ...
