"""Budgets: whether a channel may ring once more, and if not, when it may again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from alerts.ports import Ring
from alerts.preferences import Budget, BudgetSpan

SPANS = {BudgetSpan.HOUR: timedelta(hours=1), BudgetSpan.DAY: timedelta(days=1)}


class Spent(NamedTuple):
    """A budget that is used up, and when there is room again."""

    budget: Budget
    room_at: datetime


def spent(budgets: Sequence[Budget], rings: Sequence[Ring], urgency: int, now: datetime) -> Spent | None:
    """The budget that forbids a ring of this urgency for longest; None when there is room.

    Args:
        rings: What rang on the channel in the last day, oldest first.
        urgency: 1 is highest; a budget for urgency 4 asks about 4 and 5 only.
        now: UTC.
    """
    found = [Spent(b, at) for b in budgets if b.urgency <= urgency and (at := _room_at(b, rings, now))]
    return max(found, key=lambda one: one.room_at, default=None)


def _room_at(budget: Budget, rings: Sequence[Ring], now: datetime) -> datetime | None:
    span = SPANS[budget.span]
    counted = [ring.at for ring in rings if ring.urgency >= budget.urgency and ring.at > now - span]
    if len(counted) < budget.most:
        return None
    return (counted[-budget.most] if budget.most else now) + span
