"""Sends lanes of envelopes, each on a thread of its own: the port `Notifier`.

A lane is sent in order. It ends early at the first failure that may pass, and when its time is over. Senders have
deadlines of their own; a lane whose sender does not keep them is given up by the watch at two deadlines: it gets its
receipts, its place is free again, and its thread may end whenever it does.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TextIO

import structlog

from alerts.delivery.dispatch import Senders
from alerts.delivery.governor import Governor
from alerts.delivery.lane import RunningLane
from alerts.delivery.sender import Clock, Sender, utc_now
from alerts.delivery.services import redact
from alerts.errors import ConfigError, DeliveryError
from alerts.http.guard import AddressGuard
from alerts.models import Envelope, Receipt, ReceiptStatus
from alerts.settings import Settings

_WATCH_S = 0.5  # how often lanes that hang are looked for
_PASSING = (ReceiptStatus.TRANSIENT, ReceiptStatus.AMBIGUOUS)
_log = structlog.get_logger("notify")


class ThreadNotifier:
    """The notifier of a worker process.

    Args:
        settings: `deliver.lanes` and `deliver.timeout_s`; `http` for webhooks.
        guard: Which addresses may be dialled.
        sender_of: channel URL -> its sender; the real ones by default.
        governor: Paces the sends of a lane.
        stream: Where the channel `console:` prints.
        clock: Stamps receipts; UTC.
    """

    def __init__(
        self,
        settings: Settings,
        guard: AddressGuard,
        *,
        sender_of: Callable[[str], Sender] | None = None,
        governor: Governor | None = None,
        stream: TextIO | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._lanes = settings.deliver.lanes
        self._timeout_s = settings.deliver.timeout_s
        self._sender_of = sender_of or Senders(settings, guard, stream=stream or sys.stdout, clock=clock).sender_of
        self._governor = governor or Governor()
        self._clock = clock
        self._lock = threading.Lock()
        self._active: set[RunningLane] = set()
        self._free = threading.Semaphore(self._lanes)
        self._hanging = 0  # threads that still hang in a lane that was given up
        self._ended = threading.Event()
        self._closed = threading.Event()
        self._is_watched = False

    # ------------------------------------------------------------ the port

    def is_idle(self) -> bool:
        """Whether no lane is being sent."""
        with self._lock:
            return not self._active

    def places(self) -> int:
        """How many more lanes can be submitted now; threads that hang take places beyond as many as there are lanes."""
        with self._lock:
            return max(0, self._lanes - len(self._active) - max(0, self._hanging - self._lanes))

    def wait(self, timeout_s: float) -> None:
        """Return when a lane has ended since the last call, at the latest after timeout_s seconds."""
        self._ended.wait(timeout_s)
        self._ended.clear()

    def submit(self, lane: Sequence[Envelope], on_receipt: Callable[[Receipt], None], on_end: Callable[[], None]) -> None:
        """Start to send a lane; the callbacks run on another thread, on_end once after the last receipt."""
        running = RunningLane(tuple(lane), on_receipt, on_end)
        with self._lock:
            self._active.add(running)
            needs_watch, self._is_watched = not self._is_watched, True
        if needs_watch:
            threading.Thread(target=self._watch, name="notify-watch", daemon=True).start()
        threading.Thread(target=self._run, args=(running,), name="notify", daemon=True).start()

    def close(self, timeout_s: float) -> None:
        """Wait for what is being sent, at most timeout_s seconds; what has not begun by now is skipped."""
        self._closed.set()
        deadline = time.monotonic() + timeout_s
        while not self.is_idle() and time.monotonic() < deadline:
            self.wait(min(_WATCH_S, max(0.0, deadline - time.monotonic())))

    # ------------------------------------------------------------ threads

    def _run(self, lane: RunningLane) -> None:
        """Drive a lane when there is a place for it."""
        self._free.acquire()
        try:
            self._end(lane, lambda: self._drive(lane))
        finally:
            with self._lock:
                self._hanging -= lane.is_given_up

    def _watch(self) -> None:
        """Give up lanes that hang beyond two deadlines, as long as there are lanes."""
        while True:
            time.sleep(_WATCH_S)
            limit = time.monotonic() - 2 * self._timeout_s
            with self._lock:
                hanging = [lane for lane in self._active if 0 < lane.began_at < limit and not lane.is_given_up]
                for lane in hanging:
                    lane.is_given_up = True
                self._hanging += len(hanging)
                self._is_watched = bool(self._active)
                if not self._is_watched:
                    return
            for lane in hanging:
                self._end(lane, lambda lane=lane: self._give_up(lane))  # type: ignore[misc]

    def _end(self, lane: RunningLane, drive: Callable[[], None]) -> None:
        """Do what gives a lane its receipts, then end it and free its place, once."""
        try:
            drive()
        finally:
            if lane.claim_end():
                self._finish(lane)

    def _finish(self, lane: RunningLane) -> None:
        try:
            lane.on_end()
        finally:
            with self._lock:
                self._active.discard(lane)
            self._free.release()
            self._ended.set()

    # ------------------------------------------------------------ one lane

    def _drive(self, lane: RunningLane) -> None:
        """Send a lane in order; what is left over is skipped."""
        lane.began_at = began = time.monotonic()
        for place, envelope in enumerate(lane.envelopes):
            left_s = self._timeout_s - (time.monotonic() - began)
            if lane.is_given_up:
                return
            if self._closed.is_set() or (place and left_s <= 0):
                self._skip_rest(lane, "the turn of this channel is over; it goes on with the next one")
                return
            receipt = self._send(envelope, max(0.0, left_s))
            lane.settle(receipt)
            if receipt.status in _PASSING:
                self._skip_rest(lane, "waits for an earlier delivery of this channel")
                return

    def _send(self, envelope: Envelope, left_s: float) -> Receipt:
        """One send, when its turn comes; every failure is a receipt."""
        try:
            wait_s = self._governor.wait_s(envelope.url, within_s=left_s)
            if wait_s > left_s:
                return self._receipt(envelope, ReceiptStatus.TRANSIENT, "waits for its turn: the service's rate limit", wait_s)
            time.sleep(wait_s)
            return self._sender_of(envelope.url).send(envelope, timeout_s=self._timeout_s)
        except DeliveryError as error:
            failed = ReceiptStatus.AMBIGUOUS if error.is_ambiguous else ReceiptStatus.TRANSIENT
            return self._receipt(envelope, ReceiptStatus.PERMANENT if error.permanent else failed, str(error), error.retry_after_s)
        except ConfigError as error:
            return self._receipt(envelope, ReceiptStatus.PERMANENT, str(error))
        except Exception as error:  # noqa: BLE001  the edge: a defect in one of many plugins must not cost its lane the receipts
            _log.error("sender failed unexpectedly", channel_id=envelope.channel_id, error=type(error).__name__)
            return self._receipt(envelope, ReceiptStatus.TRANSIENT, f"unexpected {type(error).__name__}: {error}")

    def _receipt(self, envelope: Envelope, status: ReceiptStatus, detail: str, retry_after_s: float | None = None) -> Receipt:
        return Receipt(
            delivery_id=envelope.delivery_id,
            status=status,
            at=self._clock(),
            detail=redact(detail, envelope.url),
            retry_after_s=retry_after_s,
        )

    def _skip_rest(self, lane: RunningLane, why: str) -> None:
        for envelope in lane.unsettled():
            lane.settle(self._receipt(envelope, ReceiptStatus.SKIPPED, why))

    def _give_up(self, lane: RunningLane) -> None:
        """The receipts of a lane that hangs: the one under way may have arrived, the rest was not tried."""
        for envelope in lane.unsettled()[:1]:
            lane.settle(self._receipt(envelope, ReceiptStatus.AMBIGUOUS, f"no answer within {2 * self._timeout_s:g} s"))
        self._skip_rest(lane, "waits for an earlier delivery of this channel")
