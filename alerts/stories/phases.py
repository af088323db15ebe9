"""Which stage of a matter a headline tells: detained or released, missing or found, burning or contained.

A story whose newest headline is in another stage of the same matter than before has moved on: an update that may ring.
The matters and their stages, in their order, stand in `data/phases.toml`.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from alerts.stories.reading import Passage, read, table


class Phase(NamedTuple):
    """A stage of a matter: ("person", "found_alive")."""

    topic: str
    stage: str


def phase_of(title: str, *, language: str | None = None) -> Phase | None:
    """The stage a headline tells most clearly, or None: the one in most words, then the later one.

    Args:
        language: Primary tag; None looks for it.
    """
    passage = read(title, "", language).title
    best: tuple[tuple[bool, int, int], Phase] | None = None
    for hit in passage.hits:
        phase = _phase(passage, hit.sense)
        if phase is None:
            continue
        weight = (phase.topic != "access", hit.end - hit.start, _order()[phase])
        if best is None or weight > best[0]:
            best = weight, phase
    return best[1] if best else None


def _phase(passage: Passage, sense: str) -> Phase | None:
    """The phase a sense stands for; weak words count beside a word of their topic only."""
    file, _, name = sense.partition(".")
    if file != "phases":
        return None
    topic, _, stage = name.partition(".")
    if stage.startswith("weak."):
        return Phase(topic, stage[5:]) if passage.has(f"phases.{topic}.with") else None
    return None if stage == "with" else Phase(topic, stage)


@cache
def _order() -> dict[Phase, int]:
    """Each phase with its place among the stages of its topic."""
    return {
        Phase(topic, stage): place
        for topic, stages in table("phases").items()
        for place, stage in enumerate(stage for stage in stages if stage not in ("weak", "with"))
    }
