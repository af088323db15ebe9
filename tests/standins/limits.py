"""Limits as services count them: so many within so many seconds, whatever came before."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass
class Window:
    """At most `limit` within any `seconds`."""

    limit: int
    seconds: float
    taken: deque[float] = field(default_factory=deque)

    def wait_s(self, now: float) -> float:
        """Seconds until one more would be within the limit; 0 = now."""
        while self.taken and now - self.taken[0] >= self.seconds:
            self.taken.popleft()
        return 0.0 if len(self.taken) < self.limit else self.taken[0] + self.seconds - now

    def take(self, now: float) -> None:
        """Count one."""
        self.taken.append(now)
