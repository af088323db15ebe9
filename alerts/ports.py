"""What the pipeline asks of the outside: the store, in one protocol for each line of the data's way, and the notifier.

Every commit is all or nothing, carries the revision (or fence, cursor, owner) it expects, and can be repeated: the
store answers `already` to a request it has carried out, `stale` to one that was overtaken, and writes nothing then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from alerts.models import (
    Alert,
    Bell,
    Change,
    Channel,
    Delivery,
    Envelope,
    Mark,
    PollState,
    Receipt,
    Rule,
    Source,
    SourceLease,
    Story,
    Subscriber,
    Tagged,
)


class Outcome(StrEnum):
    """What became of a commit."""

    DONE = "done"
    ALREADY = "already"  # this very request was carried out before; nothing was written twice
    STALE = "stale"  # somebody else was first; nothing was written


# ---------------------------------------------------------------- poll


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


class PollStore(Protocol):
    """Which sources are due, what was seen of them, and the commit of one poll."""

    def claim_sources(self, owner: str, *, limit: int, horizon_s: float, lease_s: float, downtime_s: float) -> list[SourceLease]:
        """Sources due within horizon_s seconds that nobody else polls, most overdue first; leased to the owner.

        No claim for over downtime_s seconds is a downtime of ours: the first poll of a source after it catches up.
        """
        ...

    def lease_source(self, owner: str, source_id: str, *, lease_s: float) -> SourceLease:
        """This source at once, due or not. Raises: NotFoundError."""
        ...

    def marks(self, source_id: str) -> dict[int, Mark]:
        """index -> mark of every item of the source that is still remembered, oldest first."""
        ...

    def commit_polls(self, commits: Sequence[PollCommit]) -> list[Outcome]:
        """Write seen-marks, changed items, state and next due time; each commit is atomic by itself."""
        ...


# ---------------------------------------------------------------- sift


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
    bell: Bell | None  # None = nobody is to be told
    stage: str  # how far the item came, in words: what `alerts why` shows


class SiftStore(Protocol):
    """The queue of changed items, the live stories, the rules, and the commit of one item."""

    def hold_sifter(self, owner: str, lease_s: float) -> SifterLease | None:
        """Take or renew the one sifter's lease; None while another worker holds it."""
        ...

    def read_items(self, owner: str, limit: int) -> list[QueuedItem]:
        """Oldest items not yet sifted: those a former sifter left first, then new ones."""
        ...

    def live_stories(self, since: datetime) -> Iterable[Story]:
        """Stories with an item since then, oldest first."""
        ...

    def rules_since(self, version: int) -> tuple[int, list[str], list[Rule]]:
        """(version now, ids of rules removed, rules added or changed) since that version; 0 gives all."""
        ...

    def commit_sifts(self, commits: Sequence[SiftCommit]) -> list[Outcome]:
        """Write story, bell and archive entry and acknowledge the item; each commit is atomic by itself."""
        ...

    def bury_item(self, entry_id: str, reason: str) -> None:
        """Move an item that cannot be sifted to the dead letters."""
        ...


# ---------------------------------------------------------------- deliver


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


class DeliverStore(Protocol):
    """Fan-outs to expand, deliveries to claim, results to record."""

    def next_fanouts(self, limit: int) -> list[Fanout]:
        """Bells not yet expanded, oldest first."""
        ...

    def rules_of_query(self, query_id: str, *, after: str, limit: int) -> list[Rule]:
        """Rules with this query in the order of their ids, after that id."""
        ...

    def commit_expansions(self, expansions: Sequence[Expansion]) -> list[Outcome]:
        """Write chunks, each atomic by itself; ids that exist get the rule ids added and are not written again."""
        ...

    def claim_lanes(self, owner: str, *, lanes: int, batch: int, lease_s: float) -> list[Lane]:
        """Channels with something due that nobody else serves, and their due deliveries, now `sending`."""
        ...

    def record(self, owner: str, verdicts: Sequence[Verdict]) -> list[Outcome]:
        """Write results; stale when the delivery's lease was lost to another worker."""
        ...

    def release_lane(self, owner: str, channel_id: str, *, not_before_s: float = 0.0) -> None:
        """Give the channel back; unsent deliveries are due again (not before so many seconds from now)."""
        ...

    def put_bell(self, bell: Bell) -> bool:
        """Keep a bell that is expanded by its maker; False when it is there already."""
        ...

    def freeze_digests(self, older_than_s: float) -> int:
        """Turn digests whose first member waits that long into one delivery a channel; how many were frozen."""
        ...


# ---------------------------------------------------------------- keeping


class KeepStore(Protocol):
    """Who is alive, what was left unfinished, what takes too much room."""

    def beat(self, owner: str, queue: str) -> None:
        """Note that this worker makes progress."""
        ...

    def progress(self) -> dict[str, tuple[str, float]]:
        """owner -> (queue, seconds since its last progress) of every known worker."""
        ...

    def free_leases(self, owner: str) -> int:
        """What a dead worker held is due again at once; how many leases that were."""
        ...

    def claim_wake(self, queue: str) -> bool:
        """Whether a wake-up for this queue should be sent: none was in the last seconds that nobody answered."""
        ...

    def clear_wake(self, queue: str) -> None:
        """Somebody woke up: the next wake-up is to be sent again."""
        ...

    def waiting(self) -> dict[str, int]:
        """queue -> how much is ready to be worked on: due sources, unsifted items, fan-outs and due deliveries."""
        ...

    def sweep(self) -> dict[str, int]:
        """Free expired leases, expire old alerts, trim what is past its keep time; counts by what was done."""
        ...

    def lag(self) -> dict[str, int]:
        """What is not done, by kind: dead_items, open_digests, paused_sources, deliveries."""
        ...

    def counters(self) -> dict[str, int]:
        """name -> how often something happened since the store was made."""
        ...

    def bump(self, counter: str, by: int = 1) -> None:
        """Count something."""
        ...

    def info(self) -> dict[str, str]:
        """What the server says of itself."""
        ...

    def dump(self) -> Iterator[str]:
        """The lines of a backup: a header, then one a key."""
        ...

    def restore(self, lines: Iterable[tuple[int, str]]) -> int:
        """Write the keys of a backup into an empty store; how many. Raises: StateError, ConfigError."""
        ...

    def shift_due(self, seconds: float) -> None:
        """Move every due time, after the clock of the store's host jumped."""
        ...

    def now(self) -> datetime:
        """The store's own time."""
        ...


# ---------------------------------------------------------------- what people keep


class RegistryStore(Protocol):
    """Sources, rules, channels, subscribers, and a look at everything."""

    def put_source(self, source: Source) -> bool:
        """Add or replace a source; False when nothing changed. A new one is due at once."""
        ...

    def remove_source(self, source_id: str) -> None:
        """Forget a source and all it has taught us. Raises: NotFoundError."""
        ...

    def sources(self) -> list[tuple[Source, PollState]]:
        """All sources with their poll state, in the order of their ids."""
        ...

    def source(self, source_id: str) -> tuple[Source, PollState]:
        """One source. Raises: NotFoundError."""
        ...

    def put_rules(self, rules: Sequence[tuple[Rule, str]]) -> None:
        """Add or replace rules, each with its query id; in force with the next sift batch."""
        ...

    def remove_rule(self, rule_id: str) -> int:
        """Remove a rule and drop its pending deliveries; how many. Raises: NotFoundError."""
        ...

    def drop_pending_of_rule(self, rule_id: str) -> int:
        """Drop the pending deliveries that no other rule asked for; how many."""
        ...

    def alerts_by_id(self, alert_ids: Iterable[str]) -> dict[str, Alert]:
        """alert id -> alert with its rule ids, of those that still exist."""
        ...

    def bells_by_id(self, bell_ids: Iterable[str]) -> dict[str, Bell]:
        """bell id -> bell, of those that still exist."""
        ...

    def applied(self, name: str) -> str:
        """The fingerprint a configuration file had when it was last applied; '' when it never was."""
        ...

    def note_applied(self, name: str, fingerprint: str) -> None:
        """Keep that fingerprint."""
        ...

    def rules(self) -> list[Rule]:
        """All rules in the order of their ids."""
        ...

    def put_channel(self, channel: Channel) -> None:
        """Add or replace a channel; its URL must be sealed."""
        ...

    def remove_channel(self, channel_id: str) -> int:
        """Remove a channel and drop its pending deliveries; how many. Raises: NotFoundError."""
        ...

    def channels(self) -> list[Channel]:
        """All channels in the order of their ids, URLs sealed."""
        ...

    def put_subscriber(self, subscriber: Subscriber) -> None:
        """Add or replace a subscriber."""
        ...

    def subscribers(self) -> list[Subscriber]:
        """All subscribers in the order of their ids."""
        ...

    def archived(self, *, limit: int, before: str = "") -> list[tuple[Tagged, str, str]]:
        """(item, story id, stage) of what was sifted, newest first."""
        ...

    def archived_item(self, item_id: str) -> tuple[Tagged, str, str] | None:
        """(item, story id, stage), or None when it is no longer (or not yet) in the archive."""
        ...

    def alerts(self, *, subscriber_id: str, limit: int) -> list[tuple[Alert, Bell]]:
        """Alerts of a subscriber, newest first."""
        ...

    def alert(self, alert_id: str) -> tuple[Alert, Bell, list[Delivery]]:
        """One alert with its deliveries. Raises: NotFoundError."""
        ...

    def deliveries(self, *, status: str, limit: int) -> list[Delivery]:
        """Deliveries in that status ('' = any), newest first."""
        ...

    def delivery(self, delivery_id: str) -> Delivery:
        """One delivery. Raises: NotFoundError."""
        ...

    def replay_delivery(self, delivery_id: str) -> None:
        """Make a dead, expired, dropped or sent delivery pending again. Raises: NotFoundError."""
        ...

    def drop_delivery(self, delivery_id: str, reason: str) -> None:
        """Take a pending delivery back. Raises: NotFoundError, StateError when it is not pending."""
        ...

    def dead_items(self) -> list[tuple[str, str, str]]:
        """(entry id, item id, reason) of items that could not be sifted."""
        ...

    def replay_item(self, entry_id: str) -> None:
        """Put a dead item back on the queue. Raises: NotFoundError."""
        ...


class State(PollStore, SiftStore, DeliverStore, KeepStore, RegistryStore, Protocol):
    """The whole store."""


class Notifier(Protocol):
    """Sends envelopes. A lane is the envelopes of one channel, sent in order, one after the other.

    Promises: every envelope submitted gets exactly one receipt; a failure is a receipt, never an exception; after a
    failure that may pass, and when the deadline of one send has gone by since the lane began, the rest of the lane is
    skipped; so a lane that hangs costs one place and ends at two deadlines at the latest. Lanes never wait for each
    other.
    """

    def is_idle(self) -> bool:
        """Whether no lane is being sent."""
        ...

    def places(self) -> int:
        """How many more lanes can be submitted now without waiting."""
        ...

    def wait(self, timeout_s: float) -> None:
        """Return when a place is free or a lane has ended, at the latest after timeout_s seconds."""
        ...

    def submit(self, lane: Sequence[Envelope], on_receipt: Callable[[Receipt], None], on_end: Callable[[], None]) -> None:
        """Start to send a lane; the callbacks run on the sending thread, on_end once after the last receipt."""
        ...

    def close(self, timeout_s: float) -> None:
        """Wait for what is being sent, at most timeout_s seconds."""
        ...
