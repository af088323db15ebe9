"""Which of the places that a text names it is about: weights for their order, and what is left out as named in passing.

A mention weighs what its place in the text (headline, first sentence, the rest) and its role (roles.py) weigh. A province or
town whose best mention weighs clearly less than another place of its country is left out, so that a rule for it does not ring;
its country stays with the other place.
"""

from __future__ import annotations

from collections.abc import Sequence

from alerts.regions.candidates import Line
from alerts.regions.settle import Found

_FIRST, _LATER = 0.9, 0.8  # found in the first sentence of the text, or later, not in the headline
_LEAST = 0.75  # of the weight of the best place of the country


def weights(found: Sequence[Found], lines: Sequence[Line]) -> list[float]:
    """How much each mention says about what the text is about, from 0 to 1."""
    return [one.role.weight * _position(one, lines[one.candidate.line]) for one in found]


def in_passing(found: Sequence[Found], weighed: Sequence[float]) -> frozenset[str]:
    """ISO 3166-2 codes that are only named in passing beside another place of the same country."""
    best: dict[str, float] = {}
    for one, weight in zip(found, weighed, strict=True):
        if "-" in one.place.code:
            best[one.place.code] = max(weight, best.get(one.place.code, 0.0))
    if len(best) < 2:
        return frozenset()
    top: dict[str, float] = {}
    for code, weight in best.items():
        top[code[:2]] = max(weight, top.get(code[:2], 0.0))
    return frozenset(code for code, weight in best.items() if weight < _LEAST * top[code[:2]])


def _position(one: Found, line: Line) -> float:
    if not one.candidate.line:
        return 1.0
    is_later = one.candidate.line > 1 or ". " in line.text[: one.candidate.start]
    return _LATER if is_later else _FIRST
