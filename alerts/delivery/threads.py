"""Lanes to services that are sent to by blocking calls: each on a thread, as many at once as there are places.

Threads that compute get in each other's way, those that wait do not. So a thread more is made while those there wait for
their services and this process has little to compute, or when they wait long; one ends when there is a lot to compute: fast
services are served by one, slow ones by as many as there are places.

A lane whose sender does not keep its deadline is given up at two deadlines: it gets its receipts, its place is free again,
and its thread may end whenever it does.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from alerts.delivery.lane import CLOSING, RunningLane
from alerts.models import Envelope, Receipt

_WATCH_S = 0.5  # how often lanes that hang are looked for
_REST_S = 5.0  # a thread that found nothing to do for so long ends
_BRISK_S = 0.003  # a send that takes longer seems to wait for its service
_STUCK_S = 0.02  # one that takes longer than this certainly does, whatever else is computed
SLOW_S = 0.01  # between two looks at what this process computes, and whether another thread is wanted
_BUSY, _SATED = 0.5, 0.85  # shares of a core: with more than the first no thread is made, with more than the second one ends


class ThreadedLanes:
    """Drives lanes; threads are made when they are needed and used again.

    Args:
        places: Lanes at once.
        send: What came of one envelope; never raises.
        timeout_s: Deadline of one send.
    """

    def __init__(self, places: int, send: Callable[[RunningLane, Envelope], Receipt], *, timeout_s: float) -> None:
        self._places, self._send, self._timeout_s = places, send, timeout_s
        self.is_closing = False  # what has not begun is skipped
        self._waiting: queue.SimpleQueue[RunningLane] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._active: set[RunningLane] = set()
        self._sends: dict[RunningLane, float] = {}  # when the present send of a lane began; monotonic
        self._threads = 0  # at work or waiting for it, those that hang in a lane that was given up left out
        self._hanging = 0
        self._is_watched = False
        self._share, self._looked_at, self._cpu_s = 0.0, time.monotonic(), time.process_time()

    @property
    def active(self) -> int:
        """Lanes that have not ended; threads that hang count beyond as many as there are places."""
        with self._lock:
            return len(self._active) + max(0, self._hanging - self._places)

    @property
    def has_waiting(self) -> bool:
        """Whether a lane waits for a thread."""
        return not self._waiting.empty()

    def start(self, lane: RunningLane) -> None:
        """Send a lane, now or when there is a place for it."""
        with self._lock:
            self._active.add(lane)
            needs_watch, self._is_watched = not self._is_watched, True
        self._waiting.put(lane)
        self.tend()
        if needs_watch:
            threading.Thread(target=self._watch, name="notify-watch", daemon=True).start()

    def tend(self) -> None:
        """Make the threads that lanes wait for; to be called again and again while `has_waiting`."""
        while self._takes_thread():
            threading.Thread(target=self._work, name="notify", daemon=True).start()

    def ended(self, lane: RunningLane) -> None:
        """A lane has told its end."""
        with self._lock:
            self._active.discard(lane)

    def _takes_thread(self) -> bool:
        """Whether one more thread is to be made; it is counted then."""
        with self._lock:
            is_wanted = self._threads < self._places and not self._waiting.empty() and self._do_all_wait()
            self._threads += is_wanted
        return is_wanted

    def _do_all_wait(self) -> bool:
        """Whether every thread seems to wait for its service."""
        if len(self._sends) < self._threads:
            return False  # one is about to take a lane
        waited_s = time.monotonic() - max(self._sends.values(), default=0.0)
        return waited_s > _STUCK_S or (waited_s > _BRISK_S and self._computing() < _BUSY)

    def _computing(self) -> float:
        """The share of a core that this process took lately."""
        now = time.monotonic()
        if now - self._looked_at >= SLOW_S:
            cpu_s = time.process_time()
            self._share = (cpu_s - self._cpu_s) / (now - self._looked_at)
            self._looked_at, self._cpu_s = now, cpu_s
        return self._share

    def _work(self) -> None:
        while (lane := self._next()) is not None:
            self._drive(lane)
            with self._lock:
                if lane.is_given_up:  # another thread has taken the place of this one
                    self._hanging -= 1
                    return
                if self._threads > 1 and self._computing() > _SATED:  # the others are enough
                    self._threads -= 1
                    return

    def _next(self) -> RunningLane | None:
        """The next lane; None when there was nothing to do for a while."""
        while True:
            with suppress(queue.Empty):
                return self._waiting.get(timeout=_REST_S)
            with self._lock:
                if self._waiting.empty():
                    self._threads -= 1
                    return None

    def _drive(self, lane: RunningLane) -> None:
        lane.begin()
        while (envelope := lane.upcoming()) is not None:
            if self.is_closing:
                lane.skip_rest(CLOSING)
                continue
            with self._lock:
                if not lane.is_given_up:
                    self._sends[lane] = time.monotonic()
            receipt = self._send(lane, envelope)
            with self._lock:
                self._sends.pop(lane, None)
            lane.settle(receipt)

    def _watch(self) -> None:
        """Give up lanes that hang beyond two deadlines, and make threads that are wanted, as long as there are lanes."""
        while True:
            time.sleep(_WATCH_S)
            self.tend()  # whoever collects may be away
            limit = time.monotonic() - 2 * self._timeout_s
            with self._lock:
                hanging = [lane for lane in self._active if 0 < lane.began_at < limit and not lane.is_given_up]
                for lane in hanging:
                    lane.is_given_up = True
                    self._sends.pop(lane, None)
                self._hanging += len(hanging)
                self._is_watched = bool(self._active)
                if not self._is_watched:
                    return
            for lane in hanging:
                lane.give_up()
                threading.Thread(target=self._work, name="notify", daemon=True).start()
