"""The independent origins of a story as it grows: each item is folded into an origin that is known, or is a new one.

The story keeps a record of its items, packed into text: who each comes from, the imprint of its words, when it came, and
under which origin it counts. So an index can be rebuilt from stories alone, and a copy is known as one days later.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from alerts.models import Source, Tagged
from alerts.stories.copies import Imprint
from alerts.stories.independence import Origin, OriginRecord, fold_reason, origins, record_of
from alerts.stories.owners import Owners

MOST_RECORDS = 40  # of one story; the records that an origin began with stay
_PLAIN = "source:"


class Witness(NamedTuple):
    """One item of a story as a witness: under which origin it counts, since when."""

    place: int  # of its origin among the story's origins
    at_s: int  # Unix seconds
    record: OriginRecord


def witnessed(records: Sequence[str], tagged: Tagged, source: Source, owners: Owners, now: datetime) -> tuple[str, ...]:
    """The records with this item's; one that is known is brought up to date where it stands, so an edit is no new origin."""
    change = tagged.change
    fresh = record_of(change.item_id, change.item, source, owners, language=tagged.language)
    known = [unpack(text) for text in records]
    for place, witness in enumerate(known):
        if witness.record.item_id == change.item_id:
            return (*records[:place], pack(witness._replace(record=fresh)), *records[place + 1 :])
    return _within((*records, pack(Witness(_place(fresh, known), int(now.timestamp()), fresh))))


def joined_records(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """The records of two stories as those of one, each item of the other counted anew."""
    known = [unpack(text) for text in one]
    for witness in map(unpack, other):
        known.append(witness._replace(place=_place(witness.record, known)))
    return _within(tuple(map(pack, known)))


def kept_records(records: Iterable[str], item_ids: Collection[str]) -> tuple[str, ...]:
    """The records of these items alone, counted anew."""
    return joined_records((), [text for text in records if unpack(text).record.item_id in item_ids])


def names_of(records: Iterable[str]) -> tuple[str, ...]:
    """The independent origins, first one first: a source's id, `agency:...` or `owner:...`."""
    return tuple(witness.record.origin.removeprefix(_PLAIN) for witness in _firsts(records))


def told_by(records: Iterable[str]) -> tuple[Origin, ...]:
    """The independent origins with the items folded into each, and why."""
    return origins(unpack(text).record for text in records)


def times_of(records: Iterable[str]) -> tuple[int, ...]:
    """When each independent origin came, Unix seconds, ascending."""
    return tuple(sorted(witness.at_s for witness in _firsts(records)))


def _place(record: OriginRecord, known: Iterable[Witness]) -> int:
    """The origin an item counts under: the first whose items it is a copy of, else a new one."""
    places: dict[int, list[OriginRecord]] = {}
    for witness in known:
        places.setdefault(witness.place, []).append(witness.record)
    return next((place for place in sorted(places) if fold_reason(record, places[place])), 1 + max(places, default=-1))


def _firsts(records: Iterable[str]) -> list[Witness]:
    firsts: dict[int, Witness] = {}
    for witness in map(unpack, records):
        firsts.setdefault(witness.place, witness)
    return [firsts[place] for place in sorted(firsts)]


def _within(records: Sequence[str]) -> tuple[str, ...]:
    """At most so many records: the oldest that no origin began with leaves first, then the oldest but one."""
    while len(records) > MOST_RECORDS:
        firsts = {witness.record.item_id for witness in _firsts(records)}
        leaving = next((i for i, text in enumerate(records) if unpack(text).record.item_id not in firsts), 1)
        records = (*records[:leaving], *records[leaving + 1 :])
    return tuple(records)


def pack(witness: Witness) -> str:
    """A witness as text, JSON inside; at most some 350 characters."""
    record = witness.record
    hashes = ["".join(f"{value:08x}" for value in part) for part in record.imprint]
    return json.dumps([witness.place, witness.at_s, record.item_id, record.source_id, record.origin, *hashes], ensure_ascii=False)


@lru_cache(maxsize=8192)
def unpack(text: str) -> Witness:
    """The witness again."""
    place, at_s, item_id, source_id, origin, title, words = json.loads(text)
    return Witness(place, at_s, OriginRecord(item_id, source_id, origin, Imprint(_hashes(title), _hashes(words))))


def _hashes(text: str) -> tuple[int, ...]:
    return tuple(int(text[at : at + 8], 16) for at in range(0, len(text), 8))
