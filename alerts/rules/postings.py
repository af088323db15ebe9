"""Rows, each a set of keys, and which rows have all their keys in a given set.

A row is filed under its first key and, within that, under its second, so that an item's keys meet few rows that do not
fit. Everything is numbers: keys lie packed in one array, and a place with one row holds the row itself, not a list.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

_Rows: TypeAlias = "int | list[int]"  # one row, or several; row 0 is never used
_MIN_GARBAGE = 100_000  # keys of removed rows that are worth packing anew


class Postings:
    """Rows by number, from 1 on; numbers of removed rows are used again."""

    def __init__(self) -> None:
        self._single: dict[int, _Rows] = {}  # rows of one key
        self._double: dict[int, dict[int, _Rows]] = {}  # first key -> second key -> rows
        self._always: set[int] = set()  # rows without keys
        self._packed = array("I")
        self._start = array("I", (0,))
        self._size = bytearray(1)
        self._free: list[int] = []
        self._garbage = 0

    def add(self, keys: Sequence[int]) -> int:
        """The number of a new row; its rarest key comes first, and it has at most 255."""
        if self._free:
            row = self._free.pop()
            self._start[row], self._size[row] = len(self._packed), len(keys)
        else:
            row = len(self._size)
            self._start.append(len(self._packed))
            self._size.append(len(keys))
        self._packed.extend(keys)
        if len(keys) > 1:
            second = self._double.get(keys[0])
            if second is None:
                self._double[keys[0]] = {keys[1]: row}
            else:
                _put(second, keys[1], row)
        elif keys:
            _put(self._single, keys[0], row)
        else:
            self._always.add(row)
        return row

    def remove(self, row: int) -> None:
        """Forget a row."""
        keys = self.keys_of(row)
        if len(keys) > 1:
            second = self._double[keys[0]]
            _take(second, keys[1], row)
            if not second:
                del self._double[keys[0]]
        elif keys:
            _take(self._single, keys[0], row)
        else:
            self._always.discard(row)
        self._garbage += len(keys)
        self._size[row] = 0
        self._free.append(row)
        if self._garbage > max(_MIN_GARBAGE, len(self._packed) // 2):
            self._pack()

    def keys_of(self, row: int) -> array[int]:
        """The keys of a row, in the order they were given."""
        start = self._start[row]
        return self._packed[start : start + self._size[row]]

    def within(self, have: set[int]) -> list[int]:
        """The rows whose keys are all there; each once."""
        found = list(self._always)
        for one in filter(None, map(self._single.get, have)):
            if type(one) is int:
                found.append(one)
            else:
                found += one  # type: ignore[arg-type]  # a list: an int went the other way
        pairs: list[_Rows] = []
        double = self._double
        for first in double.keys() & have:
            second = double[first]
            pairs += [second[key] for key in second.keys() & have]
        found += self._whole(pairs, have)
        return found

    def _whole(self, pairs: Sequence[_Rows], have: AbstractSet[int]) -> list[int]:
        """The rows of those whose other keys are there too."""
        rows: list[int] = []
        for some in pairs:
            if type(some) is int:
                rows.append(some)
            else:
                rows += some  # type: ignore[arg-type]  # as above
        size, start, packed, holds = self._size, self._start, self._packed, have.__ge__
        return [r for r in rows if size[r] == 2 or holds(set(packed[start[r] + 2 : start[r] + size[r]]))]

    def _pack(self) -> None:
        """Write the keys of the living rows side by side again."""
        packed, self._garbage = array("I"), 0
        for row in range(1, len(self._size)):
            keys = self.keys_of(row)
            self._start[row] = len(packed)
            packed.extend(keys)
        self._packed = packed


def _put(places: dict[int, _Rows], key: int, row: int) -> None:
    there = places.get(key)
    if there is None:
        places[key] = row
    elif isinstance(there, int):
        places[key] = [there, row]
    else:
        there.append(row)


def _take(places: dict[int, _Rows], key: int, row: int) -> None:
    there = places[key]
    if isinstance(there, int):
        del places[key]
        return
    there.remove(row)
    if len(there) == 1:
        places[key] = there[0]
