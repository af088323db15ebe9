"""What crosses the ports: commits with the revision they expect, leases, and what a worker is handed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from alerts.models import Alert, Bell, Change, Channel, Delivery, Mark, PollState, Story, Tagged


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


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed delivery with what is needed to render it."""

    delivery: Delivery
    alert: Alert
    bells: tuple[Bell, ...]  # more than one in a digest
    rule_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lane:
    """Deliveries claimed from one channel, in the order they are due."""

    channel: Channel
    parcels: tuple[Parcel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a delivery becomes after an attempt (or without one)."""

    delivery: Delivery  # status, attempts, reason, due_at, sent_at as they are to be
