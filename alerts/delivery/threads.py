"""Lanes to services that are sent to by blocking calls: each on a thread, as many at once as there are places.

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
        self._threads = 0  # at work or waiting for it, those that hang in a lane that was given up left out
        self._hanging = 0
        self._is_watched = False

    @property
    def active(self) -> int:
        """Lanes that have not ended; threads that hang count beyond as many as there are places."""
        with self._lock:
            return len(self._active) + max(0, self._hanging - self._places)

    def start(self, lane: RunningLane) -> None:
        """Send a lane, now or when there is a place for it."""
        with self._lock:
            self._active.add(lane)
            needs_thread = self._threads < min(self._places, len(self._active))
            self._threads += needs_thread
            needs_watch, self._is_watched = not self._is_watched, True
        self._waiting.put(lane)
        if needs_thread:
            threading.Thread(target=self._work, name="notify", daemon=True).start()
        if needs_watch:
            threading.Thread(target=self._watch, name="notify-watch", daemon=True).start()

    def ended(self, lane: RunningLane) -> None:
        """A lane has told its end."""
        with self._lock:
            self._active.discard(lane)

    def _work(self) -> None:
        while (lane := self._next()) is not None:
            self._drive(lane)
            with self._lock:
                if lane.is_given_up:  # another thread has taken the place of this one
                    self._hanging -= 1
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
            else:
                lane.settle(self._send(lane, envelope))

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
                lane.give_up()
                threading.Thread(target=self._work, name="notify", daemon=True).start()
