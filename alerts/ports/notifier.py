"""What the pipeline asks of whoever sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from alerts.models import Envelope, Receipt


@dataclass(frozen=True, slots=True)
class Load:
    """A lane to be sent: the envelopes of one channel, in order, one after the other."""

    key: object  # the caller's own; comes back with what became of it
    envelopes: tuple[Envelope, ...]
    looks_past: bool = False  # when the first one fails the second is tried all the same: is it the message, or the channel?


@dataclass(slots=True)
class Progress:
    """What became of a lane since it was asked for the last time."""

    key: object
    receipts: list[Receipt]
    is_over: bool = False  # every envelope has its receipt


class Places(Protocol):
    """The places that are free at a moment; some are kept for what is urgent."""

    def take(self, url: str, *, is_urgent: bool) -> bool:
        """Whether a lane to this channel URL finds a place; it is taken then."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether nothing that is not urgent finds one."""
        ...


class Notifier(Protocol):
    """Sends lanes of envelopes.

    Promises: every envelope submitted gets exactly one receipt; a failure is a receipt, never an exception; after a
    failure that may pass, and when the deadline of one send has gone by since the lane began, the rest of the lane is
    skipped; so a lane that hangs costs one place and ends at two deadlines at the latest. Lanes never wait for each
    other. For one thread, but for `send`.
    """

    def is_idle(self) -> bool:
        """Whether no lane is being sent and nothing is left to collect."""
        ...

    def places(self) -> Places:
        """Where lanes could go now without waiting."""
        ...

    def submit(self, loads: Sequence[Load]) -> None:
        """Start to send lanes."""
        ...

    def collect(self, wait_s: float) -> list[Progress]:
        """What became of lanes, as soon as there is something, at the latest after wait_s seconds. Also does the sending."""
        ...

    def send(self, envelope: Envelope) -> Receipt:
        """What came of one envelope, sent at once past all lanes, on the calling thread."""
        ...

    def close(self, timeout_s: float) -> list[Progress]:
        """Wait for what is being sent, at most timeout_s seconds, and skip the rest; what became of it."""
        ...
