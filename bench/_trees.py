"""Grow the trees of alerts/stories/trees.py: gradient boosting with Newton steps on histograms, after Friedman (2001) and XGBoost (2016).

A feature that stands for one side only (more of it, never less likely) keeps to it: a split that would say otherwise is not made, and
the leaves below a split stay on its sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts.stories.trees import Forest, Split, Tree

Vector = NDArray[np.float64]
Whole = NDArray[np.int64]
_BINS = 32
_SHRINK = 1.0  # ridge on a leaf
_LEAST_GAIN = 1e-3


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees are grown."""

    trees: int = 60
    depth: int = 3
    rate: float = 0.1
    least: float = 15.0  # weight of the rows in a leaf, at least


@dataclass(frozen=True, slots=True)
class _Rows:
    """All rows, each value as the number of its bin."""

    binned: Whole  # rows x features
    edges: list[Vector]  # of each feature, where its bins end
    sides: Vector  # 1, -1 or 0 of each feature
    growth: Growth


def grow(rows: Vector, labels: Vector, weights: Vector, sides: Vector, growth: Growth = Growth()) -> Forest:
    """Trees for the log odds of the labels.

    Args:
        rows: Items x features.
        labels: 1.0 or 0.0 of each.
        weights: Of each row; their mean should be 1.
        sides: Of each feature 1 (more = likelier), -1 (more = less likely) or 0 (either).
        growth: How.
    """
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1)[1:-1])) for column in rows.T]
    binned = np.column_stack([np.searchsorted(edge, column) for edge, column in zip(edges, rows.T, strict=True)]).astype(np.int64)
    known = _Rows(binned, edges, sides, growth)
    share = float((weights * labels).sum() / weights.sum())
    bias = float(np.log(share / (1 - share)))
    odds = np.full(len(rows), bias)
    trees: list[Tree] = []
    for _ in range(growth.trees):
        chance = 1.0 / (1.0 + np.exp(-odds))
        slope, curve = weights * (labels - chance), weights * chance * (1.0 - chance)
        steps = np.zeros(len(rows))
        trees.append(_branch(known, np.arange(len(rows)), (slope, curve, weights), (-9.0, 9.0), steps, growth.depth))
        odds = odds + steps
    return Forest(bias, tuple(trees))


def _branch(
    known: _Rows, at: Whole, sums: tuple[Vector, Vector, Vector], bounds: tuple[float, float], steps: Vector, depth: int
) -> Tree:
    """A tree for some of the rows; what it says of each is added to steps."""
    slope, curve, _ = sums
    best = _best(known, at, sums, bounds) if depth else None
    if best is None:
        value = known.growth.rate * _leaf(slope[at].sum(), curve[at].sum(), bounds)
        steps[at] = value
        return value
    feature, bin_at, low, high = best
    is_low = known.binned[at, feature] <= bin_at
    middle, side = (low + high) / 2, known.sides[feature]
    under = (bounds[0], min(bounds[1], middle)) if side > 0 else (max(bounds[0], middle), bounds[1]) if side < 0 else bounds
    over = (max(bounds[0], middle), bounds[1]) if side > 0 else (bounds[0], min(bounds[1], middle)) if side < 0 else bounds
    return Split(
        feature,
        float(known.edges[feature][bin_at]),
        _branch(known, at[is_low], sums, under, steps, depth - 1),
        _branch(known, at[~is_low], sums, over, steps, depth - 1),
    )


def _leaf(slope: float, curve: float, bounds: tuple[float, float]) -> float:
    return float(np.clip(slope / (curve + _SHRINK), *bounds))


def _best(
    known: _Rows, at: Whole, sums: tuple[Vector, Vector, Vector], bounds: tuple[float, float]
) -> tuple[int, int, float, float] | None:
    """The split that gains most: feature, last bin of the low side, and what each side would say; None when none gains."""
    features = known.binned.shape[1]
    place = (known.binned[at] + np.arange(features) * _BINS).ravel()
    low = [np.bincount(place, np.repeat(part[at], features), features * _BINS).reshape(features, _BINS).cumsum(axis=1) for part in sums]
    high = [part[:, -1:] - part for part in low]
    values = [np.clip(one[0] / (one[1] + _SHRINK), *bounds) for one in (low, high)]
    whole = _gain(low[0][:, -1:], low[1][:, -1:], np.clip(low[0][:, -1:] / (low[1][:, -1:] + _SHRINK), *bounds))
    gain = _gain(low[0], low[1], values[0]) + _gain(high[0], high[1], values[1]) - whole
    ends = np.array([len(edge) for edge in known.edges])[:, None]
    is_out = (np.arange(_BINS) >= ends) | (low[2] < known.growth.least) | (high[2] < known.growth.least)
    gain[is_out | ((values[1] - values[0]) * known.sides[:, None] < 0)] = -np.inf
    feature, bin_at = divmod(int(gain.argmax()), _BINS)
    if gain[feature, bin_at] <= _LEAST_GAIN:
        return None
    return feature, bin_at, float(values[0][feature, bin_at]), float(values[1][feature, bin_at])


def _gain(slope: Vector, curve: Vector, value: Vector) -> Vector:
    """How much a leaf with this value lowers the loss."""
    return 2 * slope * value - (curve + _SHRINK) * value * value
