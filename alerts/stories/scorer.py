"""How sure it is that two items, or an item and a story, are about one event: a few small logistic regressions.

One compares items of a stream, one says from this which story an item belongs to, and two compare two headlines of which
nothing else is known: there half of what is asked about is the same event, in a stream a hundredth. Of the two one is for
headlines with their times, as outlets publish them within days; the other, with some trees, for headlines of any time.

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
_OVERLAP, _BEYOND, _VALUE, _MEANING = (FEATURES.index(name) for name in ("soft_less", "beyond", "value", "meaning"))


@dataclass(frozen=True, slots=True)
class Linear:
    """One regression."""

    bias: float
    weights: tuple[float, ...]

    def odds(self, features: Sequence[float]) -> float:
        """The log odds."""
        return self.bias + sum(map(float.__mul__, self.weights, features))


@dataclass(frozen=True, slots=True)
class Alone:
    """A line through the features, and trees for what a line cannot say; both count the same."""

    line: Linear
    trees: Forest

    def odds(self, features: Sequence[float]) -> float:
        """The log odds."""
        return (self.line.odds(features) + self.trees.odds(features)) / 2


@dataclass(frozen=True, slots=True)
class Weights:
    """The regressions, the trees and the prior; each once without and once with sentence vectors of both sides (`meant`)."""

    pair: Linear  # over FEATURES
    meant: Linear
    alone: Alone  # over HEADLINE_FEATURES
    alone_meant: Alone
    dated: Linear  # the same, where the times are known
    dated_meant: Linear
    story: Linear  # over STORY_FEATURES
    prior: Mapping[int, float]  # term -> share of news items that have it

    def pair_odds(self, features: Sequence[float]) -> float:
        """The log odds that two items of a stream are about one event.

        The lowest where a headline has no word of the other item, and where they share nothing but places.
        """
        if not features[_OVERLAP] or not (features[_BEYOND] or features[_VALUE]):
            return LOWEST
        return (self.meant if features[_MEANING] else self.pair).odds(features)

    def same_chance(self, features: Sequence[float], *, is_dated: bool) -> float:
        """The probability, 0 to 1, that two headlines are about one event; 0 when they share no word and no meaning."""
        if not features[_OVERLAP] and not features[_MEANING]:
            return 0.0
        if is_dated:
            return chance((self.dated_meant if features[_MEANING] else self.dated).odds(features))
        return chance((self.alone_meant if features[_MEANING] else self.alone).odds(features))

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
    pair, meant = (_linear(data, part, FEATURES) for part in ("pair", "meant"))
    alone, alone_meant = (_alone(data, part) for part in ("alone", "alone_meant"))
    dated, dated_meant = (_linear(data, part, HEADLINE_FEATURES) for part in ("dated", "dated_meant"))
    prior = {term: float(share) for share, packed in data["prior"].items() for term in array("I", base64.b64decode(packed))}
    return Weights(pair, meant, alone, alone_meant, dated, dated_meant, _linear(data, "story", STORY_FEATURES), prior)


def _alone(data: Any, part: str) -> Alone:
    """The trees' features stand in the order of HEADLINE_FEATURES, which the line names."""
    known, line = data[part], _linear(data, part, HEADLINE_FEATURES)
    if tuple(known["weights"]) != HEADLINE_FEATURES:
        raise ValueError(_OTHER.format(part))
    trees = known["trees"]
    return Alone(line, Forest(float(trees["bias"]), tuple(read_tree(tree, len(HEADLINE_FEATURES)) for tree in trees["grown"])))


def _linear(data: Any, part: str, names: Sequence[str]) -> Linear:
    weights = data[part]["weights"]
    if set(weights) != set(names):
        raise ValueError(_OTHER.format(part))
    return Linear(float(data[part]["bias"]), tuple(float(weights[name]) for name in names))
