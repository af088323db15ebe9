"""What all deliveries of a batch share is made once: thousands are told of one story in the same words.

A bell is named by its identity, as comparing two takes longer than wording one; so the memo holds the bells it knows, and is
dropped with its batch. What is kept in it is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from alerts.models import Bell

T = TypeVar("T")


class Memo:
    """What was made of the bells of one batch."""

    def __init__(self) -> None:
        self._bells: dict[int, Bell] = {}  # held, so that no other can take the place of one in memory
        self._made: dict[tuple[int, Hashable], object] = {}

    def of(self, bell: Bell, what: Hashable, make: Callable[[], T]) -> T:
        """What was made of this bell under that name; it is made when it is not there. Always of one type under one name."""
        key = (id(bell), what)
        if key not in self._made:
            self._bells[id(bell)] = bell
            self._made[key] = make()
        return cast("T", self._made[key])
