"""What the pipeline asks of the store, in one protocol for each line of the data's way, and for its upkeep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from alerts.models import Bell, Change, Delivery, Mark, Rule, SourceLease, Story
from alerts.ports.values import (
    Breaker,
    Canary,
    ChannelBook,
    DueLane,
    Expansion,
    Fanout,
    Lane,
    LaneAsk,
    LaneEnd,
    Outcome,
    PollCommit,
    QueuedItem,
    RegroupCommit,
    RegroupRequest,
    SiftCommit,
    SifterLease,
    Verdict,
)


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

    def rules_since(self, version: int) -> tuple[int, list[str], list[tuple[Rule, str]]]:
        """(version now, ids of rules removed, rules added or changed with their query ids) since that version; 0 gives all."""
        ...

    def commit_sifts(self, commits: Sequence[SiftCommit]) -> list[Outcome]:
        """Write story, bells and archive entry and acknowledge the item; each commit is atomic by itself."""
        ...

    def ask_regroup(self, request: RegroupRequest) -> None:
        """Leave what a person asked about stories to the sifter."""
        ...

    def asked_regroup(self) -> RegroupRequest | None:
        """The oldest of these requests; None when there is none."""
        ...

    def commit_regroup(self, commit: RegroupCommit) -> Outcome:
        """Write the stories and bells of one request and take it off the list, atomically."""
        ...

    def story(self, story_id: str) -> Story | None:
        """One story, closed or taken in by another included while it is kept; None when it is not."""
        ...

    def bury_item(self, entry_id: str, reason: str) -> None:
        """Move an item that cannot be sifted to the dead letters."""
        ...


class DeliverStore(Protocol):
    """Fan-outs to expand, deliveries to claim, results to record."""

    def next_fanouts(self, limit: int) -> list[Fanout]:
        """Bells not yet expanded, oldest first."""
        ...

    def rules_of_query(self, query_id: str, *, after: str, limit: int) -> tuple[list[Rule], str]:
        """Rules with this query in the order of their ids, after that id; and the id to go on after ('' = no more)."""
        ...

    def start_cooldowns(self, bell_id: str, cooldowns: Mapping[str, float]) -> frozenset[str]:
        """Which of these rules (id -> seconds) may ring this bell: those that no other bell rang within their time."""
        ...

    def commit_expansions(self, expansions: Sequence[Expansion]) -> list[Outcome]:
        """Write chunks; ids that exist get the rule ids added and are not written again.

        A chunk is written by calls that are short each: first its alerts, then what tells them; its cursor moves with the
        last one, in the same call. One of which a part was written is written again, and nothing of it twice.
        """
        ...

    def due_lanes(self, *, limit: int, skip: int = 0) -> list[DueLane]:
        """Channels with something due that nobody serves: the urgent ones first, then who waits longest.

        Args:
            limit: Of either kind.
            skip: So many that are not urgent are left out.
        """
        ...

    def claim_lanes(self, owner: str, asks: Sequence[LaneAsk], *, batch: int, lease_s: float) -> list[Lane]:
        """The lanes that may go on, with their due deliveries, now `sending`; at most a batch of each.

        A lane whose buckets are empty is not claimed; it is due again when its turn comes, and that costs no attempt.
        """
        ...

    def record(self, owner: str, verdicts: Sequence[Verdict]) -> list[Outcome]:
        """Write results; stale when the delivery's lease was lost to another worker."""
        ...

    def release_lanes(self, owner: str, ends: Sequence[LaneEnd]) -> None:
        """Give channels back; unsent deliveries are due again, behind the lanes that wait, and not before the rest is over."""
        ...

    def deliveries_by_id(self, delivery_ids: Sequence[str]) -> list[Delivery]:
        """Deliveries in the order of the ids, without those that no longer exist."""
        ...

    def breakers(self) -> dict[str, Breaker]:
        """channel id -> what is known of a channel that fails."""
        ...

    def channel_book(self) -> ChannelBook:
        """All channels as they are now; the same object as before when none was changed."""
        ...

    def put_bell(self, bell: Bell) -> bool:
        """Keep a bell that is expanded by its maker; False when it is there already."""
        ...

    def freeze_digests(self) -> int:
        """Turn the open digests that are due into one delivery each; how many. What comes later is for the next one."""
        ...


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

    def claim_turn(self, name: str, every_s: float) -> bool:
        """Whether it is the caller's turn to do what is to be done once in so many seconds."""
        ...

    def plant(self, change: Change) -> None:
        """Put an item of our own on the queue of items."""
        ...

    def canary(self) -> Canary | None:
        """The canary as it is; None when there is none."""
        ...

    def put_canary(self, canary: Canary | None) -> None:
        """Keep a canary; None ends it."""
        ...

    def note_canary(self, *, seen: str | None = None, alarmed: str | None = None) -> None:
        """Note that a canary was accepted, or that it was missed and told of ('' = called off)."""
        ...

    def shed_archive(self) -> int:
        """Drop the older half of the archive, when memory runs short; how many items."""
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
