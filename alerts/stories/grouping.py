"""Which story an item belongs to: the one its source already put it in, the one with its link, the one with its headline.

Only the past counts, and only the last 72 h of it. Links and headlines are compared in their normal forms, as hashes
that the story keeps. What the diff calls new although its source has used the same link before shares that link with
other items (many lines of one live page), so the link says nothing; and a line without any id that its source has
shown before, word for word, came back after its time-to-live: it is news again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.models import ChangeKind, Item, Story, Tagged
from alerts.stories.urgency import strip_markers
from alerts.text.fingerprint import content_id, hash48
from alerts.text.tokens import is_run, words
from alerts.text.urls import canonical_url

MAX_ITEMS = 200
MAX_SOURCES = 50
MAX_KEYS = 400
MAX_COUNTRIES = 20
WINDOW_S = 72 * 3600.0
SAME_SCORE = 0.5  # headlines with this similarity are taken for one story when nothing else is known of them
_MIN_WEIGHT = 4.0  # words of a headline that identifies an event by itself; a character of Han or Thai is half a word


@dataclass(frozen=True, slots=True)
class _Keys:
    """The hashes of one item: what others join it by, and what its own source has used."""

    url: str
    title: str
    own_url: str
    line: str  # the whole headline of an item that has no id but this

    def all(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for key in (self.url, self.title, self.own_url, self.line) if key))


class StoryIndex:
    """The live stories in memory; rebuilt from the store with `load`."""

    def __init__(self, *, window_s: float = WINDOW_S) -> None:
        self._window = timedelta(seconds=window_s)
        self._stories: dict[str, Story] = {}
        self._by_key: dict[str, str] = {}  # key -> id of the latest story with it
        self._by_item: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._stories)

    def __iter__(self) -> Iterator[Story]:
        """The live stories, the one changed last at the end."""
        return iter(self._stories.values())

    def get(self, story_id: str) -> Story | None:
        """A live story as it stands in the store; None when there is none."""
        return self._stories.get(story_id)

    def load(self, stories: Iterable[Story]) -> None:
        """Take over stories as they stand in the store, oldest first."""
        for story in stories:
            self._put(story)

    def assign(self, tagged: Tagged, now: datetime) -> Story:
        """The story of the item as it is to be, not yet applied; `revision` is the one expected in the store.

        Args:
            tagged: A new item, or an edit or return of one.
            now: The poll's time, UTC.

        Returns:
            A new version of a story, or a new one with revision 0. An item that is known stays where it is.
        """
        change = tagged.change
        keys = _keys(change.item)
        story = self._stories.get(self._by_item.get(change.item_id, ""))
        if story is None:
            story = self._match(keys, now, is_new=change.kind is ChangeKind.NEW)
        if story is None:
            return begin(tagged, now)
        return extend(story, tagged, now)

    def apply(self, story: Story) -> None:
        """Remember a story that was committed; it is one revision further then. One that another took in is forgotten."""
        if story.merged_into:
            self._forget(self._stories.get(story.story_id, story))
        else:
            self._put(replace(story, revision=story.revision + 1))

    def drop_older(self, than: datetime) -> list[Story]:
        """Forget stories whose last item is older; which."""
        old = [story for story in self._stories.values() if story.last_at < than]
        for story in old:
            self._forget(story)
        return old

    def _match(self, keys: _Keys, now: datetime, *, is_new: bool) -> Story | None:
        if is_new and keys.line in self._by_key:
            return None
        is_shared = is_new and keys.own_url in self._by_key
        for key in (keys.title,) if is_shared else (keys.url, keys.title):
            story = self._stories.get(self._by_key.get(key, ""))
            if story is not None and now - story.last_at <= self._window:
                return story
        return None

    def _put(self, story: Story) -> None:
        before = self._stories.get(story.story_id)
        if before is not None:
            self._forget(before)
        self._stories[story.story_id] = story
        self._by_key.update(dict.fromkeys(story.keys, story.story_id))
        self._by_item.update(dict.fromkeys(story.item_ids, story.story_id))

    def _forget(self, story: Story) -> None:
        self._stories.pop(story.story_id, None)
        for table, keys in ((self._by_key, story.keys), (self._by_item, story.item_ids)):
            for key in keys:
                if table.get(key) == story.story_id:
                    del table[key]


def begin(tagged: Tagged, now: datetime) -> Story:
    """A story that the item starts, with revision 0."""
    item = tagged.change.item
    return Story(
        story_id=content_id("story", tagged.change.item_id),
        headline=item.title,
        url=item.url,
        item_ids=(tagged.change.item_id,),
        source_ids=(item.source_id,),
        keys=_keys(item).all(),
        countries=tagged.countries[:MAX_COUNTRIES],
        urgency=tagged.urgency,
        first_at=now,
        last_at=now,
    )


def extend(story: Story, tagged: Tagged, now: datetime) -> Story:
    """The story with this item in it; its headline follows the edits of its first item."""
    change = tagged.change
    keys = _keys(change.item)
    is_first = story.item_ids[:1] == (change.item_id,)
    return replace(
        story,
        headline=change.item.title if is_first else story.headline,
        url=story.url or change.item.url,
        item_ids=joined(story.item_ids, (change.item_id,), MAX_ITEMS),
        source_ids=joined(story.source_ids, (change.item.source_id,), MAX_SOURCES),
        keys=joined([key for key in story.keys if key not in keys.all()], keys.all(), MAX_KEYS),  # used again = newest
        countries=tuple(dict.fromkeys((*story.countries, *tagged.countries)))[:MAX_COUNTRIES],
        urgency=min(story.urgency, tagged.urgency),
        last_at=max(story.last_at, now),
    )


def joined(known: Sequence[str], more: Iterable[str], limit: int) -> tuple[str, ...]:
    """Both, each value once; beyond the limit the first one stays and the oldest of the others leave."""
    both = tuple(dict.fromkeys((*known, *more)))
    return both if len(both) <= limit else (both[0], *both[len(both) - limit + 1 :])


def _keys(item: Item) -> _Keys:
    url = canonical_url(item.url)
    folded = words(strip_markers(item.title))
    title = " ".join(folded)
    return _Keys(
        url=_hash("u", url) if url and not _is_home(url) else "",
        title=_hash("t", title) if _weight(folded) >= _MIN_WEIGHT else _hash("s", item.source_id, title) if title else "",
        own_url=_hash("w", item.source_id, url) if url else "",
        line=_hash("l", item.source_id, " ".join(words(item.title))) if title and not item.guid else "",
    )


def _hash(kind: str, *parts: str) -> str:
    return f"{kind}{hash48(*parts):012x}"


def _is_home(url: str) -> bool:
    """Whether a link goes to a site's front page, which says nothing about the item."""
    return not url.partition("://")[2].partition("/")[2]


def _weight(folded: Iterable[str]) -> float:
    return sum(0.5 if is_run(word) else 1.0 for word in folded)


def similarity(one: str, other: str) -> float:
    """The share of words that two headlines have in common, 0 to 1; markers such as BREAKING do not count."""
    a, b = set(words(strip_markers(one))), set(words(strip_markers(other)))
    return round(len(a & b) / len(a | b), 3) if a | b else 0.0
