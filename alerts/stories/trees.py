"""A few small decision trees whose leaves are added up: what a line through all features cannot say ("the same words, but another number").

Grown by bench/_trees.py; as JSON each tree is nested lists of [feature, threshold, at most it, more], a leaf is a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Union

Tree = Union[float, "Split"]


class Split(NamedTuple):
    """One question to a feature."""

    feature: int
    threshold: float
    low: Tree  # where the feature is at most the threshold
    high: Tree


class Forest(NamedTuple):
    """Trees over one list of features."""

    bias: float
    trees: tuple[Tree, ...]

    def odds(self, features: Sequence[float]) -> float:
        """The log odds: the bias and one leaf of each tree."""
        total = self.bias
        for tree in self.trees:
            while isinstance(tree, Split):
                tree = tree.low if features[tree.feature] <= tree.threshold else tree.high
            total += tree
        return total


def read_tree(data: Any, features: int) -> Tree:
    """A tree as it stands in JSON.

    Args:
        data: Nested lists.
        features: How many there are.

    Raises:
        ValueError: It is no tree, or asks for a feature that there is not.
    """
    if isinstance(data, int | float):
        return float(data)
    if not isinstance(data, list) or len(data) != 4 or not 0 <= int(data[0]) < features:
        raise ValueError("weights.json: not a tree over these features; train again with bench/_train_stories.py")
    return Split(int(data[0]), float(data[1]), read_tree(data[2], features), read_tree(data[3], features))


def written(tree: Tree) -> Any:
    """The same as JSON holds it, thresholds and leaves to three digits."""
    if not isinstance(tree, Split):
        return round(tree, 3)
    return [tree.feature, round(tree.threshold, 3), written(tree.low), written(tree.high)]
