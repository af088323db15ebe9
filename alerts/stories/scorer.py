"""How sure it is that two items, or an item and a story, are about one event: two small logistic regressions.

The weights and the prior of term frequencies are learned by bench/train_stories.py and come with the package as JSON.
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

from alerts.stories.compare import FEATURES

STORY_FEATURES = ("best", "second", "rival", "days")
LOWEST = -8.0  # log odds of a rival that is none


@dataclass(frozen=True, slots=True)
class Weights:
    """Both regressions and the prior."""

    pair_bias: float
    pair: tuple[float, ...]  # in the order of FEATURES
    story_bias: float
    story: tuple[float, ...]  # in the order of STORY_FEATURES
    prior: Mapping[int, float]  # term -> share of news items that have it

    def pair_odds(self, features: Sequence[float]) -> float:
        """The log odds that two items are about one event."""
        return self.pair_bias + sum(map(float.__mul__, self.pair, features))

    def story_chance(self, features: Sequence[float]) -> float:
        """The probability, 0 to 1, that an item belongs to a story."""
        return chance(self.story_bias + sum(map(float.__mul__, self.story, features)))


def chance(odds: float) -> float:
    """The probability of log odds."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))


@lru_cache(maxsize=1)
def load_weights() -> Weights:
    """The weights that come with the package."""
    text = resources.files("alerts.stories").joinpath("weights.json").read_text(encoding="utf-8")
    return read_weights(text)


def read_weights(text: str) -> Weights:
    """Weights as bench/train_stories.py writes them.

    Raises:
        ValueError: A feature is missing, or one is not known.
    """
    data = json.loads(text)
    for part, names in (("pair", FEATURES), ("story", STORY_FEATURES)):
        if set(data[part]["weights"]) != set(names):
            raise ValueError(f"weights.json: {part}: other features than the code has; train again with bench/train_stories.py")
    return Weights(
        pair_bias=data["pair"]["bias"],
        pair=tuple(float(data["pair"]["weights"][name]) for name in FEATURES),
        story_bias=data["story"]["bias"],
        story=tuple(float(data["story"]["weights"][name]) for name in STORY_FEATURES),
        prior={term: float(share) for share, packed in data["prior"].items() for term in array("I", base64.b64decode(packed))},
    )
