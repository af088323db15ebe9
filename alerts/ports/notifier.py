"""What the pipeline asks of whoever sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from alerts.models import Envelope, Receipt


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
