"""What every part of the service shares: the tools of the pipeline, the areas and tagger, the guard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alerts.errors import ConfigError
from alerts.http.guard import AddressGuard
from alerts.pipeline.tools import Tools
from alerts.regions.areas import AreaIndex
from alerts.regions.tagger import Tagger
from alerts.rules.lists import NO_LISTS, Lists

ME = "me"
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Desk:
    """A person's way to the engine. `tools.state` is the store, everything else is pure or local."""

    tools: Tools
    load_tagger: Callable[[], Tagger]  # its names take 30 MB: only who tags loads them
    load_areas: Callable[[], AreaIndex]  # likewise
    guard: AddressGuard
    lists: Lists = NO_LISTS  # what @name means in queries


def check_name(name: str, what: str) -> None:
    """Nothing, when a person's name for something can be shown. Raises: ConfigError."""
    if len(name) > _LONGEST_NAME or not name.isprintable():
        shown = name if len(name) <= 60 else name[:57] + "..."
        raise ConfigError(f"name of {what}: {shown!r}: use up to {_LONGEST_NAME} characters without control characters")
