"""When beat wakes which queue, and a scheduler for it: nothing on disk, and nobody is woken twice.

Ticks carry no work: a late one is worthless, so it expires, and while some wait in a queue no more are put there.
Any number of beats does no harm.
"""

from __future__ import annotations

from typing import Any

from celery.beat import ScheduleEntry, Scheduler
from kombu.exceptions import OperationalError

from alerts.settings import Settings

EXPIRES_S = 5.0
SIFT_S = 2.0
DELIVER_S = 2.0
_ENOUGH = 2  # messages in a queue: somebody is busy or away
_ASK_EVERY = 10
_REST_S = 0.02


def beat_schedule(settings: Settings) -> dict[str, dict[str, Any]]:
    """Task name -> how often it is sent, and that it expires."""
    every_s = {"poll": settings.poll.tick_s, "sift": SIFT_S, "deliver": DELIVER_S, "sweep": settings.watch.sweep_s}
    return {name: {"task": name, "schedule": seconds, "options": {"expires": EXPIRES_S}} for name, seconds in every_s.items()}


class Metronome(Scheduler):
    """Beat's scheduler: in memory, and silent towards a queue whose messages nobody takes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._unasked: dict[str, int] = {}  # ticks until the queue is asked for its length again
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; seconds to sleep.

        Celery wakes up 10 ms early and then turns without a pause until the time has come: 130 turns for one message,
        1.5 % of a processor.
        """
        pause = float(super().tick(*args, **kwargs))
        return _REST_S if pause < 0 else pause

    def apply_async(self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **options: Any) -> Any:
        """Send one tick; None when the queue has enough of them."""
        if entry.task and self._is_full(entry.task):
            return None
        return super().apply_async(entry, producer=producer, advance=advance, **options)

    def _is_full(self, queue: str) -> bool:
        """Whether messages wait in a queue; an absent worker's queue would grow for days.

        Asking costs as much as sending: a queue that is served is asked at every tenth tick, a full one at each.
        """
        self._unasked[queue] = self._unasked.get(queue, 0) - 1
        if self._unasked[queue] >= 0:
            return False
        connection: Any = self.connection
        try:
            is_full = int(connection.default_channel.queue_declare(queue=queue).message_count) >= _ENOUGH
        except (OperationalError, *connection.connection_errors):
            return False  # sending tries again, and says what is wrong
        self._unasked[queue] = 0 if is_full else _ASK_EVERY
        return is_full
