"""A lane on its way: the envelopes of one channel, of which each gets exactly one receipt."""

from __future__ import annotations

import threading
from collections.abc import Callable

from alerts.models import Envelope, Receipt


class RunningLane:
    """Hands each envelope's first receipt over, in order, and lets one thread end it.

    Two threads may want to end a lane: the one that drives it, and the watch that gives it up when it hangs.
    """

    def __init__(self, envelopes: tuple[Envelope, ...], on_receipt: Callable[[Receipt], None], on_end: Callable[[], None]) -> None:
        self.envelopes = envelopes
        self.began_at = 0.0  # monotonic; 0 = waits for a place
        self.is_given_up = False
        self._on_receipt = on_receipt
        self.on_end = on_end
        self._lock = threading.Lock()
        self._settled = 0
        self._is_ended = False

    def unsettled(self) -> tuple[Envelope, ...]:
        """The envelopes without a receipt, in their order."""
        with self._lock:
            return self.envelopes[self._settled :]

    def settle(self, receipt: Receipt) -> None:
        """Hand over the receipt of the next open envelope; one that comes late is left out."""
        with self._lock:
            is_next = self._settled < len(self.envelopes) and self.envelopes[self._settled].delivery_id == receipt.delivery_id
            self._settled += is_next
        if is_next:
            self._on_receipt(receipt)

    def claim_end(self) -> bool:
        """Whether the caller is the one who is to end the lane: true once."""
        with self._lock:
            is_first, self._is_ended = not self._is_ended, True
        return is_first
