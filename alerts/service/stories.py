"""What a person asks about stories: which are live, what one knows, what of it rang; merge two, split one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from alerts.errors import ConfigError, NotFoundError
from alerts.models import Story, Tagged
from alerts.ports import RegroupRequest
from alerts.service.desk import Desk
from alerts.stories.independence import Origin
from alerts.stories.life import Stage, stage_of
from alerts.stories.witnesses import told_by

_MOST_ITEMS = 100  # of one story that are looked up in the archive


@dataclass(frozen=True, slots=True)
class StoryView:
    """A story, where it stands in its life, and its items as far as the archive holds them."""

    story: Story
    stage: Stage
    items: tuple[Tagged, ...] = ()
    origins: tuple[Origin, ...] = ()  # independent ones, with what was folded into each and why


class StoryDesk(Desk):
    """Stories."""

    def stories(self, *, limit: int = 50) -> list[StoryView]:
        """Live stories, the one changed last first."""
        since = self.tools.clock() - timedelta(seconds=self._window_s)
        found = sorted(self.tools.state.live_stories(since), key=lambda story: story.last_at, reverse=True)
        return [self._view(story) for story in found[:limit]]

    def story(self, story_id: str) -> StoryView:
        """One story with its items, oldest first. Raises: NotFoundError."""
        story = self.tools.state.story(story_id)
        if story is None:
            raise NotFoundError(f"no story {story_id!r}: it is closed, or never was; `tocsin stories list` shows the live ones")
        rows = [self.tools.state.archived_item(item_id) for item_id in story.item_ids[-_MOST_ITEMS:]]
        return self._view(story, tuple(row[0] for row in rows if row is not None))

    def merge_stories(self, story_id: str, other_id: str) -> None:
        """Let a story take in another one: the sifter does it within seconds. Raises: NotFoundError, ConfigError."""
        if story_id == other_id:
            raise ConfigError(f"story {story_id} cannot take in itself; name two stories")
        for each in (story_id, other_id):
            self._check_live(each)
        self._ask(RegroupRequest("merge", story_id, other_id=other_id))

    def split_story(self, story_id: str, item_ids: tuple[str, ...]) -> None:
        """Give items of a story a story of their own: the sifter does it within seconds. Raises: NotFoundError, ConfigError."""
        story = self._check_live(story_id)
        strange = [item_id for item_id in item_ids if item_id not in story.item_ids]
        if strange or not item_ids:
            raise ConfigError(f"story {story_id} has no item {', '.join(strange) or '(none named)'}; `tocsin stories show` lists them")
        if story.item_ids[0] in item_ids:
            raise ConfigError(f"story {story_id} began with {story.item_ids[0]}: split off the other items instead")
        if any(self.tools.state.archived_item(item_id) is None for item_id in item_ids):
            raise ConfigError(f"story {story_id}: an item to be split off is no longer in the archive")
        self._ask(RegroupRequest("split", story_id, item_ids=item_ids))

    def _check_live(self, story_id: str) -> Story:
        view = self.story(story_id)
        if view.stage is Stage.CLOSED:
            into = f": it was taken in by {view.story.merged_into}" if view.story.merged_into else ""
            raise NotFoundError(f"story {story_id!r} is closed{into}; `tocsin stories list` shows the live ones")
        return view.story

    def _ask(self, request: RegroupRequest) -> None:
        self.tools.state.ask_regroup(request)
        self.tools.wake_up("sift")

    def _view(self, story: Story, items: tuple[Tagged, ...] = ()) -> StoryView:
        return StoryView(story, stage_of(story, self.tools.clock(), window_s=self._window_s), items, told_by(story.records))

    @property
    def _window_s(self) -> float:
        return self.tools.settings.sift.story_window_s
