"""What crosses the ports: commits with the revision they expect, leases, and what a worker is handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from alerts.models import Alert, Bell, Change, Channel, Delivery, Mark, PollState, Rule, Story, Tagged


class Outcome(StrEnum):
    """What became of a commit."""

    DONE = "done"
    ALREADY = "already"  # this very request was carried out before; nothing was written twice
    STALE = "stale"  # somebody else was first; nothing was written


@dataclass(frozen=True, slots=True, kw_only=True)
class PollCommit:
    """Everything one finished transfer changes; `state.revision` is the one expected in the store."""

    source_id: str
    request_id: str
    owner: str  # whose lease on the source ends here
    state: PollState
    due_at: datetime
    changes: Sequence[Change] = ()
    marks: Mapping[int, Mark] = field(default_factory=dict)  # as read
    added: Sequence[Mark] = ()
    updated: Mapping[int, Mark] = field(default_factory=dict)
    forgotten: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class SifterLease:
    """The right to sift; `fence` grows with every holder and is checked by every sift commit."""

    fence: int
    rules_version: int
    store_run: str  # changes when the store was restarted: what is cached may be ahead of it


@dataclass(frozen=True, slots=True)
class QueuedItem:
    """An entry of the stream `items`; `claims` counts how often it was taken, this time included."""

    entry_id: str
    change: Change
    claims: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiftCommit:
    """What sifting one item changes; `story.revision` is the one expected in the store (0 = it is not there)."""

    entry_id: str
    fence: int
    tagged: Tagged
    story: Story
    bells: tuple[Bell, ...]  # () = nobody is to be told
    stage: str  # how far the item came, in words: what `alerts why` shows


@dataclass(frozen=True, slots=True)
class RegroupRequest:
    """What a person asked about stories; `raw` is the request as it stands in the store."""

    verb: str  # merge | split
    story_id: str  # the story that takes in, or that is split
    other_id: str = ""  # merge: the story that is taken in
    item_ids: tuple[str, ...] = ()  # split: the items that leave
    raw: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegroupCommit:
    """What one request changes: stories with the revisions expected, and the bell of a story split off; nothing = refused."""

    raw: bytes
    fence: int
    stories: tuple[Story, ...] = ()
    bells: tuple[Bell, ...] = ()


@dataclass(frozen=True, slots=True)
class Fanout:
    """A bell that is being expanded; `cursor` says how far: '<query index>:<last rule id>'."""

    bell: Bell
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """One chunk of a fan-out: alerts and deliveries to write if they are not there, and the next cursor."""

    bell_id: str
    expected_cursor: str
    cursor: str  # '' = the fan-out is complete
    alerts: Sequence[Alert] = ()
    deliveries: Sequence[Delivery] = ()
    is_urgent: bool = False  # its deliveries go before all that are not


class ChannelBook:
    """The channels as of a moment, by what they are asked for."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels = channels
        self.by_id = {channel.channel_id: channel for channel in channels}
        self._by_subscriber: dict[str, list[Channel]] = {}
        for channel in channels:
            self._by_subscriber.setdefault(channel.subscriber_id, []).append(channel)

    def of_subscriber(self, subscriber_id: str) -> Sequence[Channel]:
        """The channels of a subscriber, in the order of their ids."""
        return self._by_subscriber.get(subscriber_id, ())

    def rung_by(self, rule: Rule) -> Sequence[Channel]:
        """The channels that a rule rings: those it names, else every one of its subscriber."""
        if rule.channel_ids:
            return [self.by_id[i] for i in rule.channel_ids if i in self.by_id]
        return self.of_subscriber(rule.subscriber_id)


@dataclass(frozen=True, slots=True)
class DueLane:
    """A channel with something due that nobody serves."""

    channel: Channel
    is_urgent: bool


class Bucket(NamedTuple):
    """A rate limit: `burst` sends at once, then one each 1 / per_s seconds, of all that share the name."""

    name: str
    per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class LaneAsk:
    """A lane to be claimed, and every bucket that its sends are counted in."""

    channel: Channel
    buckets: tuple[Bucket, ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed delivery with what is needed to render it."""

    delivery: Delivery
    alert: Alert
    bells: tuple[Bell, ...]  # more than one in a digest
    rule_names: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()  # of the same rules
    is_resent: bool = True  # whether it is sent again when nobody knows whether it arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """A channel that fails: how often in a row, since when, what was said last, and when it is tried again."""

    failures: int
    since: datetime
    detail: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """Deliveries claimed from one channel, in their order."""

    channel: Channel
    parcels: tuple[Parcel, ...]
    breaker: Breaker | None = None  # the channel has failed of late: this is a probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a delivery becomes after an attempt (or without one)."""

    delivery: Delivery  # status, attempts, reason, due_at, sent_at, tried as they are to be
    keeps_place: bool = False  # it waits where it stands in its lane, and the lane with it; else others go first


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneEnd:
    """A lane that is given back."""

    channel_id: str
    rest_s: float = 0.0  # nothing of it is claimed before
    breaker: Breaker | None = None  # it fails
    is_well: bool = False  # something was accepted: it does not fail (any more)
    limited: str = ""  # the bucket that the service says is full, for the seconds of
    asked_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """An item of our own that goes the whole way every now and then, and where it is to arrive."""

    channel_id: str
    alarm_id: str  # the channel that is told when it does not arrive
    every_s: float = 900.0
    within_s: float = 120.0  # later than that it is missed
    item_id: str = ""  # of the last one
    planted_at: datetime | None = None
    seen: str = ""  # item id of the last one that was accepted
    alarmed: str = ""  # item id of the one that was missed and told of
