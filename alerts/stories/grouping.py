"""Which story an item belongs to: where its source put it, its link, its headline, then what it says.

Only the past counts, and only the last 72 h of it. Links and headlines are compared in their normal forms, as hashes
that the story keeps. What the diff calls new although its source has used the same link before shares that link with
other items (many lines of one live page), so the link says nothing; and a line without any id that its source has
shown before, word for word, came back after its time-to-live: it is news again.

Else the item is compared with the stories that share its rarest terms (likeness.py); it joins the most probable one if
that is at least as probable as the dial asks. All that is compared stands in the stories themselves, as packed
sketches of their first and latest items: an index loaded from the store decides as the one that wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.models import ChangeKind, Story, Tagged
from alerts.stories.candidates import Postings
from alerts.stories.compare import view_of
from alerts.stories.keys import Keys, keys_of
from alerts.stories.likeness import Likeness, likenesses
from alerts.stories.rarity import Rarity
from alerts.stories.scorer import Weights, load_weights
from alerts.stories.semantic import Encoder
from alerts.stories.sketch import Sketch, compared, pack, sketch_of, unpack
from alerts.text.fingerprint import content_id

MAX_ITEMS = 200
MAX_SOURCES = 50
MAX_KEYS = 400
MAX_COUNTRIES = 20
MAX_SKETCHES = 5  # the first item of a story, and its latest ones
WINDOW_S = 72 * 3600.0
_LEAST_ODDS = -1.5  # log odds that the nearest item of a story needs: without, a story without rivals draws in what is like nothing
JOIN_CHANCE = 0.75  # how probable one event must be for an item to join: the dial, sift.join_chance
_CANDIDATES = 5  # stories that one item is compared with in full


@dataclass(frozen=True, slots=True)
class Traits:
    """What an item is grouped by."""

    keys: Keys
    sketch: Sketch


def traits_of(tagged: Tagged, now: datetime, encode: Encoder | None = None) -> Traits:
    """What an item that arrives now is grouped by."""
    return Traits(keys_of(tagged.change.item), sketch_of(tagged, int(now.timestamp()), encode))


class StoryIndex:
    """The live stories in memory; rebuilt from the store with `load`."""

    def __init__(
        self,
        *,
        window_s: float = WINDOW_S,
        join_chance: float = JOIN_CHANCE,
        weights: Weights | None = None,
        encode: Encoder | None = None,
    ) -> None:
        self._window = timedelta(seconds=window_s)
        self.join_chance = join_chance
        self._encode = encode
        self._weights = weights or load_weights()
        self._stories: dict[str, Story] = {}
        self._by_key: dict[str, str] = {}  # key -> id of the latest story with it
        self._by_item: dict[str, str] = {}
        self._sketches: dict[str, tuple[Sketch, ...]] = {}
        self._postings = Postings()
        self._rarity = Rarity(self._weights.prior, self._postings.by_term, self._stories)

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
        traits = traits_of(tagged, now, self._encode)
        story = self._stories.get(self._by_item.get(change.item_id, ""))
        if story is None:
            story = self._match(traits, now, is_new=change.kind is ChangeKind.NEW)
        if story is None:
            return begin(tagged, now, traits)
        return extend(story, tagged, now, traits)

    def apply(self, story: Story) -> None:
        """Remember a story that was committed; it is one revision further then. One that another took in is forgotten."""
        if story.merged_into:
            self._forget(self._stories.get(story.story_id, story))
            self._reindex(story.story_id, ())
        else:
            self._put(replace(story, revision=story.revision + 1))

    def drop_older(self, than: datetime) -> list[Story]:
        """Forget stories whose last item is older; which."""
        old = [story for story in self._stories.values() if story.last_at < than]
        for story in old:
            self._forget(story)
            self._reindex(story.story_id, ())
        return old

    def nearest(self, tagged: Tagged, now: datetime) -> list[Likeness]:
        """The stories an item is like by what it says, the most probable first."""
        return self._likenesses(sketch_of(tagged, int(now.timestamp()), self._encode), now)

    def _match(self, traits: Traits, now: datetime, *, is_new: bool) -> Story | None:
        keys = traits.keys
        if is_new and keys.line in self._by_key:
            return None
        is_shared = is_new and keys.own_url in self._by_key
        for key in (keys.title,) if is_shared else (keys.url, keys.title):
            story = self._stories.get(self._by_key.get(key, ""))
            if story is not None and now - story.last_at <= self._window:
                return story
        near = (one for one in self._likenesses(traits.sketch, now) if one.best >= _LEAST_ODDS)
        found = next(near, None)
        return self._stories[found.story_id] if found and found.score >= self.join_chance else None

    def _likenesses(self, sketch: Sketch, now: datetime) -> list[Likeness]:
        weights = view_of(sketch, self._rarity).weights
        near = [
            story_id
            for story_id in self._postings.nearest(weights, 2 * _CANDIDATES)
            if now - self._stories[story_id].last_at <= self._window
        ]
        stories = {i: (self._sketches[i], len(self._stories[i].item_ids)) for i in near[:_CANDIDATES]}
        return likenesses(sketch, stories, self._rarity, self._weights)

    def _put(self, story: Story) -> None:
        before = self._stories.get(story.story_id)
        if before is not None:
            self._forget(before)
        self._stories[story.story_id] = story
        self._by_key.update(dict.fromkeys(story.keys, story.story_id))
        self._by_item.update(dict.fromkeys(story.item_ids, story.story_id))
        self._reindex(story.story_id, story.sketches)

    def _reindex(self, story_id: str, packed: Sequence[str]) -> None:
        before = self._sketches.pop(story_id, ())
        after = compared(tuple(map(unpack, packed)))
        self._postings.replace(story_id, _terms(before), _terms(after))
        if after:
            self._sketches[story_id] = after

    def _forget(self, story: Story) -> None:
        self._stories.pop(story.story_id, None)
        for table, keys in ((self._by_key, story.keys), (self._by_item, story.item_ids)):
            for key in keys:
                if table.get(key) == story.story_id:
                    del table[key]


def _terms(sketches: Iterable[Sketch]) -> set[int]:
    return {term for sketch in sketches for term in sketch.terms}


def begin(tagged: Tagged, now: datetime, traits: Traits | None = None) -> Story:
    """A story that the item starts, with revision 0; its traits are read unless given."""
    item, traits = tagged.change.item, traits or traits_of(tagged, now)
    return Story(
        story_id=content_id("story", tagged.change.item_id),
        headline=item.title,
        url=item.url,
        item_ids=(tagged.change.item_id,),
        source_ids=(item.source_id,),
        keys=traits.keys.all(),
        sketches=(pack(traits.sketch),),
        countries=tagged.countries[:MAX_COUNTRIES],
        urgency=tagged.urgency,
        first_at=now,
        last_at=now,
    )


def extend(story: Story, tagged: Tagged, now: datetime, traits: Traits | None = None) -> Story:
    """The story with this item in it; its headline follows the edits of its first item."""
    change, traits = tagged.change, traits or traits_of(tagged, now)
    keys = traits.keys.all()
    is_first = story.item_ids[:1] == (change.item_id,)
    return replace(
        story,
        headline=change.item.title if is_first else story.headline,
        url=story.url or change.item.url,
        item_ids=joined(story.item_ids, (change.item_id,), MAX_ITEMS),
        source_ids=joined(story.source_ids, (change.item.source_id,), MAX_SOURCES),
        keys=joined([key for key in story.keys if key not in keys], keys, MAX_KEYS),  # used again = newest
        sketches=joined(story.sketches, (pack(traits.sketch),), MAX_SKETCHES),
        countries=tuple(dict.fromkeys((*story.countries, *tagged.countries)))[:MAX_COUNTRIES],
        urgency=min(story.urgency, tagged.urgency),
        last_at=max(story.last_at, now),
    )


def joined(known: Sequence[str], more: Iterable[str], limit: int) -> tuple[str, ...]:
    """Both, each value once; beyond the limit the first one stays and the oldest of the others leave."""
    both = tuple(dict.fromkeys((*known, *more)))
    return both if len(both) <= limit else (both[0], *both[len(both) - limit + 1 :])
