"""Which of some stories an item belongs to, by what it says, and how sure that is.

A story is as near as the nearest of the items it keeps. Whether the item joins depends on the second nearest too (a story
holds together), on the runner-up (a likeness to two stories is a template, not an event), and on the time since its last item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alerts.stories.compare import features, is_another, is_template, is_thin, view_of
from alerts.stories.headlines import Headline, are_dated, headline_features
from alerts.stories.rarity import Rarity
from alerts.stories.scorer import LOWEST, Weights
from alerts.stories.sketch import LEAST_TERMS, Sketch

SAME_CHANCE = 0.5  # two items are called the same from here on
_LEAST_SECOND = -2.0  # a story that has grown has items that are unlike
_DAY_S = 86400.0


class Likeness(NamedTuple):
    """One story as a candidate."""

    story_id: str
    best: float  # log odds of the nearest item
    second: float  # how far the second nearest is below
    days: float  # since its last item
    items: int  # how many it has
    score: float = 0.0


def likenesses(
    sketch: Sketch, stories: Mapping[str, tuple[Sequence[Sketch], int]], rarity: Rarity, weights: Weights
) -> list[Likeness]:
    """The stories an item may belong to with their probabilities, the most probable first.

    Args:
        sketch: The item's.
        stories: id -> what it is compared with, and how many items it has.
        rarity: Of terms, now.
        weights: Of the regressions.
    """
    if sketch.title < LEAST_TERMS:
        return []
    item = view_of(sketch, rarity)
    found: list[Likeness] = []
    for story_id, (kept, items) in stories.items():
        views, odds = [view_of(other, rarity) for other in kept], []
        if is_another(item, views):
            continue
        for view in views:
            if is_template(item, view) or is_thin(item, view):
                break
            odds.append(weights.pair_odds(features(item, view)))
        else:
            days = max(0.0, sketch.at_s - max(other.at_s for other in kept)) / _DAY_S
            found.append(Likeness(story_id, *cohesion(odds), days, items))
    return sorted((_scored(one, found, weights) for one in found), key=lambda one: -one.score)


def cohesion(odds: Sequence[float]) -> tuple[float, float]:
    """The log odds of the nearest item, and how far the second nearest is below: 0 to -2.

    0 when there is no second; and half of it when there are more, since what a story that has grown tells of is many things.
    """
    ranked = sorted(odds, reverse=True)
    if len(ranked) == 1:
        return ranked[0], 0.0
    below = max(_LEAST_SECOND, ranked[1] - ranked[0])
    return ranked[0], below if len(ranked) == 2 else below / 2


def _scored(one: Likeness, others: Sequence[Likeness], weights: Weights) -> Likeness:
    rival = max((other.best for other in others if other is not one), default=LOWEST)
    score = weights.story_chance((one.best, one.second, max(LOWEST, rival), one.days), one.items)
    return Likeness(one.story_id, one.best, one.second, one.days, one.items, score)


def same_event(one: Headline, other: Headline, weights: Weights) -> float:
    """The probability that two headlines are about one event, when nothing else is known; 0 when they share no word."""
    rarity = Rarity(weights.prior, {}, ())
    mine, theirs = one.sketch, other.sketch
    if is_template(view_of(mine, rarity), view_of(theirs, rarity)):
        return 0.0
    if mine.terms and (mine.terms, mine.numbers) == (theirs.terms, theirs.numbers):
        return 1.0
    return weights.same_chance(headline_features(one, other, rarity), is_dated=are_dated(one, other))
