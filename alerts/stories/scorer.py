"""How sure it is that two items, or an item and a story, are about one event: three small logistic regressions.

One compares items of a stream, one says from this which story an item belongs to, and one compares two headlines of which
nothing else is known: there half of what is asked about is the same event, in a stream a hundredth.

The weights and the prior of term frequencies are learned by bench/_train_stories.py and come with the package as JSON.
"""

from __future__ import annotations

import base64
import json
import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from alerts.stories.compare import FEATURES
from alerts.stories.headlines import HEADLINE_FEATURES
from alerts.stories.trees import Forest, read_tree

STORY_FEATURES = ("best", "second", "rival", "days")
_OTHER = "weights.json: {}: other features than the code has; train again with bench/_train_stories.py"
LOWEST = -8.0  # log odds of a rival that is none
# An event that many tell of is told of again, in ever other words: what a story beyond two items gains for the logarithm of its
# size, up to a size of twenty. Not learned: the corpora have few stories of more than three items.
GROWTH, _GROWN = 0.6, 20
_OVERLAP, _MEANING = FEATURES.index("soft_less"), FEATURES.index("meaning")


@dataclass(frozen=True, slots=True)
class Linear:
    """One regression."""

    bias: float
    weights: tuple[float, ...]

    def odds(self, features: Sequence[float]) -> float:
        """The log odds."""
        return self.bias + sum(map(float.__mul__, self.weights, features))


@dataclass(frozen=True, slots=True)
class Weights:
    """The regressions, the trees and the prior."""

    pair: Linear  # over FEATURES
    meant: Linear  # the same where both items have a sentence vector
    same: Forest  # over HEADLINE_FEATURES
    same_meant: Forest
    story: Linear  # over STORY_FEATURES
    prior: Mapping[int, float]  # term -> share of news items that have it

    def pair_odds(self, features: Sequence[float]) -> float:
        """The log odds that two items of a stream are about one event; the lowest where a headline has no word of the other item."""
        if not features[_OVERLAP]:
            return LOWEST
        return (self.meant if features[_MEANING] else self.pair).odds(features)

    def same_chance(self, features: Sequence[float]) -> float:
        """The probability, 0 to 1, that two headlines are about one event."""
        if not features[_OVERLAP] and not features[_MEANING]:
            return 0.0
        return chance((self.same_meant if features[_MEANING] else self.same).odds(features))

    def story_chance(self, features: Sequence[float], items: int) -> float:
        """The probability, 0 to 1, that an item belongs to a story that has so many items."""
        return chance(self.story.odds(features) + GROWTH * math.log(max(2, min(_GROWN, items)) / 2))


def chance(odds: float) -> float:
    """The probability of log odds."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


@lru_cache(maxsize=1)
def load_weights() -> Weights:
    """The weights that come with the package."""
    text = resources.files("alerts.stories").joinpath("data", "weights.json").read_text(encoding="utf-8")
    return read_weights(text)


def read_weights(text: str) -> Weights:
    """Weights as bench/_train_stories.py writes them.

    Raises:
        ValueError: A feature is missing, or one is not known.
    """
    data = json.loads(text)
    pair, meant = _linear(data, "pair", FEATURES), _linear(data, "meant", FEATURES)
    same, same_meant = _forest(data, "same"), _forest(data, "same_meant")
    prior = {term: float(share) for share, packed in data["prior"].items() for term in array("I", base64.b64decode(packed))}
    return Weights(pair, meant, same, same_meant, _linear(data, "story", STORY_FEATURES), prior)


def _forest(data: Any, part: str) -> Forest:
    known = data[part]
    if tuple(known["features"]) != HEADLINE_FEATURES:
        raise ValueError(_OTHER.format(part))
    return Forest(float(known["bias"]), tuple(read_tree(tree, len(HEADLINE_FEATURES)) for tree in known["trees"]))


def _linear(data: Any, part: str, names: Sequence[str]) -> Linear:
    weights = data[part]["weights"]
    if set(weights) != set(names):
        raise ValueError(_OTHER.format(part))
    return Linear(float(data[part]["bias"]), tuple(float(weights[name]) for name in names))
