"""A story: items about one event, and all that is kept of them. A value without I/O, a noun like those of `alerts.models`.

Whoever takes the lease of the sifter rebuilds everything from these: what later items are compared with, who told the
story, what of it rang.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Items about one event."""

    story_id: str
    revision: int = 0
    headline: str
    url: str = ""
    item_ids: tuple[str, ...] = ()
    source_ids: tuple[str, ...] = ()  # independent origins, first one first: a source's id, agency:... or owner:...
    records: tuple[str, ...] = ()  # its items as witnesses: see stories.witnesses
    keys: tuple[str, ...] = ()  # what later items are grouped by: hashes of links and headlines
    sketches: tuple[str, ...] = ()  # and what they are compared with: packed sketches of its first item and its latest ones
    countries: tuple[str, ...] = ()
    urgency: int = 5
    query_ids: tuple[str, ...] = ()  # queries that matched any of its items
    waiting: tuple[tuple[str, str], ...] = ()  # (query id, what is still to become true) of queries whose words matched an item
    has_news: bool = False  # an item of it was found new: edits of what was there before we watched ring nobody
    first_at: datetime
    last_at: datetime
    votes: tuple[tuple[str, int], ...] = ()  # (country, items that name it), widest agreement first
    urgency_why: str = ""
    item_urgency: int = 5  # of its most urgent item: how fast it spreads left out
    tolls: tuple[tuple[str, int], ...] = ()  # (role, highest number so far)
    phases: tuple[tuple[str, str], ...] = ()  # (topic, phase reached last)
    rung: tuple[str, ...] = ()  # occasions that rang, in their order
    rung_at: datetime | None = None  # when it rang last
    rung_urgency: int = 5  # what people were told when it rang last
    rung_tolls: tuple[tuple[str, int], ...] = ()
    kin_ids: tuple[str, ...] = ()  # stories it took in, or was split off from: who was told there of its items was told
    merged_into: str = ""  # the story that took this one in
