"""How fast a story spreads, measured by what is usual where it happens, and a story's urgency with it.

Origins of a story are taken as a Poisson process: the chance that a usual story of the region has so many of them in so few
minutes says how unusual it is. Three origins in five minutes are everyday for a capital and rare for a province.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

WINDOW_MIN = 30.0  # minutes from an origin on within which others count as its burst
_LEAST = 3  # origins: two may be an accident
_STEPS = ((12.0, 6, 2), (4.0, _LEAST, 1))  # (surprise at least, origins at least, levels it raises)
_BEST = 2  # the highest level that velocity alone can give: a flash says what happened
_PRIOR_MIN = 600.0  # minutes of the world's usual rate that every region begins with
_HALF_LIFE = 200.0  # stories after which what a region taught counts half
_MAX_REGIONS = 400
_FLOOR_MIN = 30.0  # a story lives at least this long: one with a single origin says little about a rate


@dataclass(slots=True)
class UsualRates:
    """Origins per minute that a story of a region usually gets; two floats a region, at most 400 of them.

    It lives in memory, learns from stories as they close, and is rebuilt from those the store has. `""` is the world.
    """

    seen: dict[str, tuple[float, float]] = field(default_factory=dict)  # region -> (origins past the first, minutes)

    @classmethod
    def of(cls, stories: Iterable[tuple[Sequence[str], int, float]]) -> UsualRates:
        """Learned from stories, oldest first: (regions, number of origins, seconds from first to last)."""
        rates = cls()
        for regions, origins, life_s in stories:
            rates.learn(regions, origins, life_s)
        return rates

    def learn(self, regions: Iterable[str], origins: int, life_s: float) -> None:
        """Add a story to the regions it is in and to the world."""
        more, minutes = max(0, origins - 1), max(_FLOOR_MIN, life_s / 60)
        fade = 0.5 ** (1 / _HALF_LIFE)
        for region in {"", *regions}:
            if region in self.seen or len(self.seen) < _MAX_REGIONS:
                known, over = self.seen.get(region, (0.0, 0.0))
                self.seen[region] = (known * fade + more, over * fade + minutes)

    def rate(self, regions: Iterable[str] = ()) -> float:
        """Origins per minute usual in the busiest of the regions; of the world where none is known."""
        known, over = self.seen.get("", (0.0, 0.0))
        world = (known + 1.0) / (over + _PRIOR_MIN)
        own = [self._shrunk(self.seen[region], world) for region in regions if region in self.seen]
        return max(own, default=world)

    @staticmethod
    def _shrunk(seen: tuple[float, float], world: float) -> float:
        """The region's own rate, drawn to the world's while it has seen little."""
        return (seen[0] + world * _PRIOR_MIN) / (seen[1] + _PRIOR_MIN)


def surprise(times_s: Sequence[float], usual: float) -> tuple[float, int, float]:
    """How unusual the fastest burst of a story is.

    Args:
        times_s: When each independent origin came, seconds, ascending.
        usual: Origins per minute that stories of the region usually get (`UsualRates.rate`).

    Returns:
        -log10 of the chance that a usual story does as much (0 = nothing unusual), the origins of the burst, its minutes.
    """
    best = (0.0, 0, 0.0)
    begin = 0
    for end in range(1, len(times_s)):
        while times_s[end] - times_s[begin] > WINDOW_MIN * 60:
            begin += 1
        minutes = max(1.0, (times_s[end] - times_s[begin]) / 60)
        unusual = -_log10_tail(end - begin, usual * minutes)
        best = max(best, (unusual, end - begin + 1, minutes))
    return best


def story_urgency(
    items: Iterable[tuple[int, str]], times_s: Sequence[float] = (), usual: float = 0.0, *, is_news: bool = True
) -> tuple[int, str]:
    """A story's urgency from 1 to 5, and why: that of its most urgent item, raised when it spreads unusually fast.

    Args:
        items: (level, why) of each item, as `urgency_of` gave them.
        times_s: When each independent origin came, seconds, ascending.
        usual: Origins per minute usual in its region; 0 leaves velocity out.
        is_news: Whether any item is of a nature that starts ringing; explainers spread too.
    """
    level, why = min(items, key=lambda item: item[0], default=(5, ""))
    if usual <= 0 or not is_news:
        return level, why
    unusual, burst, minutes = surprise(times_s, usual)
    raised = next((levels for least, origins, levels in _STEPS if unusual >= least and burst >= origins), 0)
    faster = max(_BEST, level - raised)
    if faster >= level:
        return level, why
    pace = f"{burst} independent origins in {minutes:.0f} min, usual is one in {1 / usual:.0f} min"
    return faster, f"{why}; {pace}" if why else pace


def _log10_tail(at_least: int, mean: float) -> float:
    """log10 of the chance of at least so many events of a Poisson process with this mean; at most 0.

    Its terms fall by mean / n each, so past the mean a few dozen say all.
    """
    if at_least <= mean:
        return 0.0
    log_first = -mean + at_least * math.log(mean) - math.lgamma(at_least + 1)
    total, term, number = 1.0, 1.0, at_least
    while term > 1e-9:
        number += 1
        term *= mean / number
        total += term
    return min(0.0, (log_first + math.log(total)) / math.log(10))
