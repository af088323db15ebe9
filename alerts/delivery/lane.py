"""A lane on its way: the envelopes of one channel, of which each gets exactly one receipt.

It ends early at the first failure that may pass, and when its time is over; what is left is skipped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from alerts.delivery.codes import ENDS_CHANNEL
from alerts.delivery.sender import Clock
from alerts.delivery.services import redact
from alerts.models import Envelope, Receipt, ReceiptStatus
from alerts.ports import Load

PASSING = (ReceiptStatus.TRANSIENT, ReceiptStatus.AMBIGUOUS)
_BEHIND = "waits for an earlier delivery of this channel"
CLOSING = "the service was being stopped; it goes on after the start"
_ENDED = "the channel takes nothing until a person mends it"
_ASKED = "the service wants nothing more for a while"
_LATE = "the turn of this channel is over; it goes on with the next one"


class RunningLane:
    """Hands each envelope's first receipt over, in order, and says what is to be sent next.

    Two threads may work on a lane that is sent by a thread: the one that drives it, and the one that gives it up when
    it hangs.

    Args:
        load: The lane.
        tell: Gets each receipt, and None once, at the end.
        clock: Stamps the receipts of what is skipped; UTC.
        timeout_s: After so long nothing more is begun.
    """

    def __init__(self, load: Load, tell: Callable[[RunningLane, Receipt | None], None], *, clock: Clock, timeout_s: float) -> None:
        self.key = load.key
        self.began_at = 0.0  # monotonic; 0 = waits for a place
        self.is_given_up = False
        self._envelopes = load.envelopes
        self._may_look_past = load.looks_past
        self._tell, self._clock, self._timeout_s = tell, clock, timeout_s
        self._lock = threading.Lock()
        self._settled = 0
        self._is_over = False

    def begin(self) -> None:
        """The lane has its place; its time runs."""
        self.began_at = time.monotonic()

    def upcoming(self) -> Envelope | None:
        """What is to be sent now; None when the lane is over, which is told."""
        if self._settled and self._settled < len(self._envelopes) and time.monotonic() - self.began_at >= self._timeout_s:
            self.skip_rest(_LATE)
        with self._lock:
            waiting = self._envelopes[self._settled : self._settled + 1]
        if waiting and not self._is_over:
            return waiting[0]
        self._end()
        return None

    def settle(self, receipt: Receipt) -> None:
        """Take the receipt of the next open envelope; one that comes late is left out."""
        with self._lock:
            is_next = self._settled < len(self._envelopes) and self._envelopes[self._settled].delivery_id == receipt.delivery_id
            self._settled += is_next
        if not is_next:
            return
        self._tell(self, receipt)
        if receipt.status in PASSING and self._may_look_past:
            self._may_look_past = False
        elif receipt.status in PASSING:
            self.skip_rest(_BEHIND)
        elif receipt.code in ENDS_CHANNEL:
            self.skip_rest(_ENDED)
        elif receipt.retry_after_s and receipt.status is ReceiptStatus.ACCEPTED:
            self.skip_rest(_ASKED)

    def skip_rest(self, why: str) -> None:
        """End the lane: what has no receipt is skipped."""
        for envelope in self._open():
            self.settle(self.receipt(envelope, ReceiptStatus.SKIPPED, why))
        self._end()

    def give_up(self) -> None:
        """End a lane that hangs: what is under way may have arrived, the rest was not tried."""
        for envelope in self._open()[:1]:
            self.settle(self.receipt(envelope, ReceiptStatus.AMBIGUOUS, f"no answer within {2 * self._timeout_s:g} s"))
        self.skip_rest(_BEHIND)

    def receipt(
        self, envelope: Envelope, status: ReceiptStatus, detail: str, *, retry_after_s: float | None = None, code: str = ""
    ) -> Receipt:
        """A receipt of our own making, without secrets."""
        return Receipt(
            delivery_id=envelope.delivery_id,
            status=status,
            at=self._clock(),
            detail=redact(detail, envelope.url),
            retry_after_s=retry_after_s,
            code=code,
        )

    def _open(self) -> tuple[Envelope, ...]:
        with self._lock:
            return self._envelopes[self._settled :]

    def _end(self) -> None:
        with self._lock:
            is_first, self._is_over = not self._is_over, True
        if is_first:
            self._tell(self, None)
