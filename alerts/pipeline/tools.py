"""What the pipeline works with: ports, stages that hold state, clocks. Built once per process by bootstrap."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from alerts.delivery.governor import Governor
from alerts.delivery.ledger import Ledger
from alerts.delivery.secrets import KeyRing
from alerts.http.client import HttpClient
from alerts.ports import Notifier, State
from alerts.settings import Settings
from alerts.sources.baselines import Baselines
from alerts.sources.fetch import Fetcher
from alerts.sources.sandbox import Sandbox

TURN_S = 10.0  # the longest a task runs before it wakes a successor


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Everything a turn of the pipeline needs; `owner` names this process in leases."""

    owner: str
    settings: Settings
    state: State
    fetcher: Fetcher
    http: HttpClient  # for calls of our own
    sandbox: Sandbox
    baselines: Baselines
    notifier: Notifier
    governor: Governor
    ledger: Ledger
    keys: KeyRing
    random: Random
    clock: Callable[[], datetime]  # of sources and stories: history time in a replay
    wake: Callable[[str], None]  # sends a Celery message to a queue

    def wake_up(self, queue: str) -> None:
        """Wake a queue, unless a wake-up is on its way."""
        if self.state.claim_wake(queue):
            self.wake(queue)


class Turn:
    """The time of one task: whether it is over, and its progress in the store at most once a second."""

    def __init__(self, tools: Tools, queue: str, *, seconds: float = TURN_S) -> None:
        self._tools = tools
        self._queue = queue
        self._end = time.monotonic() + seconds
        self._beat_at = 0.0
        tools.state.clear_wake(queue)
        self.beat()

    def beat(self) -> None:
        """Say that this worker makes progress."""
        if time.monotonic() >= self._beat_at:
            self._tools.state.beat(self._tools.owner, self._queue)
            self._beat_at = time.monotonic() + 1.0

    def is_over(self) -> bool:
        """Whether it is time to make room; wakes the successor then."""
        self.beat()
        if time.monotonic() < self._end:
            return False
        self._tools.wake_up(self._queue)
        return True
