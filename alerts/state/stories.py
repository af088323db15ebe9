"""The stories in the store: the live ones, and what a person asked to be merged or split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from alerts.models import Bell, Story
from alerts.ports import Outcome, RegroupCommit, RegroupRequest
from alerts.state.base import Base
from alerts.state.codec import BELL, REGROUP, STORY
from alerts.state.scripts import Arg

_PAGE = 1000  # stories fetched in one round trip


class StoryKeeper(Base):
    """Implements the part of `ports.SiftStore` that is about stories."""

    def live_stories(self, since: datetime) -> Iterator[Story]:
        """Stories with an item since then, oldest first."""
        ids = self._call("ZRANGEBYSCORE", self._keys("stories"), since.timestamp(), "+inf")
        for start in range(0, len(ids), _PAGE):
            page = ids[start : start + _PAGE]
            for data in self._calls([("HGET", self._keys("story", i.decode()), "json") for i in page]):
                if data:
                    yield STORY.load(data)

    def story(self, story_id: str) -> Story | None:
        """One story, closed or taken in by another included while it is kept; None when it is not."""
        data = self._call("HGET", self._keys("story", story_id), "json")
        return STORY.load(data) if data else None

    def ask_regroup(self, request: RegroupRequest) -> None:
        """Leave what a person asked about stories to the sifter."""
        self._call("RPUSH", self._keys("stories:asked"), REGROUP.dump(replace(request, raw=b"")))

    def asked_regroup(self) -> RegroupRequest | None:
        """The oldest of these requests; None when there is none."""
        raw = self._call("LINDEX", self._keys("stories:asked"), 0)
        return replace(REGROUP.load(raw), raw=raw) if raw else None

    def commit_regroup(self, commit: RegroupCommit) -> Outcome:
        """Write the stories and bells of one request and take it off the list, atomically."""
        stories: list[Arg] = []
        for story in commit.stories:
            row = STORY.dump(replace(story, revision=story.revision + 1))
            stories += [story.story_id, story.revision, row, "" if story.merged_into else story.last_at.timestamp()]
        arguments = (commit.raw, commit.fence, self._keep_s, len(commit.stories), *stories, *bell_arguments(commit.bells))
        return Outcome(self._run("regroup", *arguments).decode())


def bell_arguments(bells: Iterable[Bell]) -> list[Arg]:
    """How many bells, then id and JSON of each: what `keep_bells` in common.lua reads."""
    rows = [(bell.bell_id, BELL.dump(bell)) for bell in bells]
    return [len(rows), *(part for row in rows for part in row)]
