"""Models as JSON, and marks as 39 packed bytes."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from alerts.errors import StateError
from alerts.models import Alert, Bell, Change, Channel, Delivery, Mark, PollState, Rule, Source, Story, Subscriber, Tagged
from alerts.ports import Breaker, Canary, RegroupRequest
from alerts.preferences import Mute
from alerts.state.keys import CHUNK

T = TypeVar("T")


class Codec(Generic[T]):
    """JSON of one model; fields at their default are left out."""

    def __init__(self, model: type[T]) -> None:
        self._model = model
        self._adapter: TypeAdapter[T] | None = None  # built on first use: costs milliseconds

    def _ready(self) -> TypeAdapter[T]:
        if self._adapter is None:
            self._adapter = TypeAdapter(self._model)
        return self._adapter

    def dump(self, value: T) -> bytes:
        """The value as JSON."""
        return self._ready().dump_json(value, exclude_defaults=True)

    def load(self, data: bytes | str) -> T:
        """The value again. Raises: StateError when the store holds something else."""
        try:
            return self._ready().validate_json(data)
        except ValidationError as error:
            raise StateError(f"the store holds a {self._model.__name__} that this version cannot read: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """One field of the hash `rules`."""

    rule: Rule
    query_id: str


SOURCE = Codec(Source)
POLL_STATE = Codec(PollState)
CHANGE = Codec(Change)
TAGGED = Codec(Tagged)
STORY = Codec(Story)
STORED_RULE = Codec(StoredRule)
BELL = Codec(Bell)
ALERT = Codec(Alert)
DELIVERY = Codec(Delivery)
CHANNEL = Codec(Channel)
BREAKER = Codec(Breaker)
CANARY = Codec(Canary)
SUBSCRIBER = Codec(Subscriber)
REGROUP = Codec(RegroupRequest)
MUTE = Codec(Mute)

# item 8, guid 6, url 6, title 6, fingerprint 6, first seen 4, last seen hour 2, flags 1
_MARK = struct.Struct("<QIHIHIHIHIHB")
MARK_BYTES = _MARK.size
_HOURS = 1 << 16


def pack_mark(mark: Mark) -> bytes:
    """One mark as 39 bytes."""
    halves = [part for value in mark[1:5] for part in (value & 0xFFFFFFFF, value >> 32)]
    return _MARK.pack(mark.item, *halves, mark.first_seen_s, mark.last_seen_h % _HOURS, mark.is_present)


def unpack_marks(chunk: bytes) -> list[Mark]:
    """The marks of one chunk. The hour is completed from the first sighting: an item is known for under 7 years."""
    return [
        Mark(
            item,
            g0 | g1 << 32,
            u0 | u1 << 32,
            t0 | t1 << 32,
            f0 | f1 << 32,
            first,
            first // 3600 + (last - first // 3600) % _HOURS,
            bool(flags & 1),
        )
        for item, g0, g1, u0, u1, t0, t1, f0, f1, first, last, flags in _MARK.iter_unpack(chunk)
    ]


def unpack_chunks(chunks: Mapping[bytes, bytes]) -> dict[int, Mark]:
    """index -> mark, oldest chunk first; the index is chunk number * 64 + place."""
    marks: dict[int, Mark] = {}
    for number in sorted(map(int, chunks)):
        marks.update(enumerate(unpack_marks(chunks[b"%d" % number]), number * CHUNK))
    return marks


def changed_chunks(
    marks: Mapping[int, Mark], *, added: Sequence[Mark], updated: Mapping[int, Mark], forgotten: Collection[int]
) -> dict[int, bytes]:
    """chunk number -> its new bytes (empty = delete) for the chunks that one poll changed.

    Forgotten marks leave with the next rewrite of their chunk, or when half of it is forgotten.
    """
    by_chunk: dict[int, list[int]] = {}
    for index in sorted(marks):
        by_chunk.setdefault(index // CHUNK, []).append(index)
    touched = {index // CHUNK for index in updated}
    for number, indexes in by_chunk.items():
        if sum(i in forgotten for i in indexes) * 2 >= len(indexes):
            touched.add(number)
    rows = {n: [updated.get(i, marks[i]) for i in by_chunk[n] if i not in forgotten or i in updated] for n in touched}
    _append(rows, by_chunk, marks, added)
    return {n: b"".join(map(pack_mark, row)) for n, row in rows.items()}


def _append(
    rows: dict[int, list[Mark]], by_chunk: Mapping[int, list[int]], marks: Mapping[int, Mark], added: Iterable[Mark]
) -> None:
    last = max(by_chunk, default=0)
    for mark in added:
        if last not in rows:
            rows[last] = [marks[i] for i in by_chunk.get(last, ())]
        if len(rows[last]) >= CHUNK:
            last += 1
            rows[last] = []
        rows[last].append(mark)
