"""Which message told a subscriber about a story, so that it can be changed in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alerts.ports import StoryPlace
from alerts.state.base import Base


class ToldKeeper(Base):
    """Implements `ports.ToldStore`."""

    def keep_references(self, references: Mapping[StoryPlace, str]) -> None:
        """Remember the newest message of each place."""
        keys = {place: self._keys("told", place.subscriber_id, place.story_id) for place in references}
        commands = [("HSET", keys[place], place.channel_id, reference) for place, reference in references.items()]
        if commands:
            self._calls([*commands, *(("EXPIRE", key, self._keep_s) for key in dict.fromkeys(keys.values()))])

    def references(self, places: Sequence[StoryPlace]) -> dict[StoryPlace, str]:
        """place -> reference of the newest message there."""
        commands = [("HGET", self._keys("told", place.subscriber_id, place.story_id), place.channel_id) for place in places]
        found = self._calls(commands) if commands else []
        return {place: reference.decode() for place, reference in zip(places, found, strict=True) if reference}
