"""What the pipeline asks of the store to change in place what was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class StoryPlace(NamedTuple):
    """Where one subscriber was told about one story."""

    subscriber_id: str
    story_id: str
    channel_id: str


class ToldStore(Protocol):
    """The references of messages, as the services gave them; kept for the ledger's time."""

    def keep_references(self, references: Mapping[StoryPlace, str]) -> None:
        """Remember the newest message of each place."""
        ...

    def references(self, places: Sequence[StoryPlace]) -> dict[StoryPlace, str]:
        """place -> reference of the newest message there; without those where nothing can be changed."""
        ...
