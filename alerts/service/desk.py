"""What every part of the service shares: the tools of the pipeline, the areas and tagger, the guard."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.http.guard import AddressGuard
from alerts.pipeline.tools import Tools
from alerts.regions.areas import AreaIndex
from alerts.regions.tagger import Tagger

ME = "me"


@dataclass(frozen=True)
class Desk:
    """A person's way to the engine. `tools.state` is the store, everything else is pure or local."""

    tools: Tools
    tagger: Tagger
    areas: AreaIndex
    guard: AddressGuard
