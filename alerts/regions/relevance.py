"""Which of the places that a text names it is about: weights for their order, and what is left out as named in passing.

A mention weighs what its place in the text (headline, first sentence, the rest) and its role (roles.py) weigh. A province or
town whose best mention weighs clearly less than another place of its country is left out, so that a rule for it does not ring;
its country stays with the other place.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from alerts.regions.line import Line
from alerts.regions.roles import NAMED
from alerts.regions.settle import Found

_FIRST, _LATER = 0.9, 0.7  # found in the first sentence of the text, or later, not in the headline
_SURE = 0.5
_ADJECTIVE = 0.8  # "Lebanese" says less than "Lebanon"
_SEAT = 0.85  # a capital that is only named may stand for the government
_AGAIN = 0.05  # for each further mention, at most three
_PAR = 0.9  # of the weight of the best place of the country: from here on the one that is named first comes first
_EVEN = 0.95  # the same of countries
_LEAST = 0.75  # of the weight of the best place of the country


def ranked(found: Sequence[Found], lines: Sequence[Line], capitals: Collection[str] = ()) -> list[list[Found]]:
    """The mentions of each place, the place that the text is about first; what it names in passing is left out."""
    if len(found) < 2:
        return [list(found)]
    weighed = [_weight(one, lines[one.candidate.line]) for one in found]
    passed = _in_passing(found, weighed)
    places: dict[tuple[str, str, str], list[Found]] = {}
    sums: dict[tuple[str, str, str], list[float]] = {}
    countries: dict[str, list[float]] = {}
    for one, weight in zip(found, weighed, strict=True):
        if one.place.code not in passed:
            weight *= _SEAT if one.role.weight == NAMED and one.place.code in capitals else 1.0
            key = (one.place.code, one.place.kind, one.place.name)
            places.setdefault(key, []).append(one)
            sums.setdefault(key, []).append(weight)
            countries.setdefault(one.place.country, []).append(weight)
    # Sorting keeps the order of the text where weights are equal, and the places of one country together.
    first = {country: number for number, country in enumerate(countries)}
    totals = {key: _total(mentions) for key, mentions in sums.items()}
    tops: dict[str, float] = {}
    for (code, _, _), total in totals.items():
        tops[code[:2]] = max(total, tops.get(code[:2], 0.0))
    about = {country: _total(mentions) for country, mentions in countries.items()}
    most = _EVEN * max(about.values())

    def rank(key: tuple[str, str, str]) -> tuple[float, int, float]:
        country = key[0][:2]
        return -min(about[country], most), first[country], -min(totals[key], _PAR * tops[country])

    order = sorted(places, key=rank)
    return [places[key] for key in order]


def _total(mentions: Sequence[float]) -> float:
    """The weight of a place or country that is mentioned so."""
    return max(mentions) + _AGAIN * min(len(mentions) - 1, 3)


def _in_passing(found: Sequence[Found], weighed: Sequence[float]) -> frozenset[str]:
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


def _weight(one: Found, line: Line) -> float:
    """How much a mention says about what the text is about, from 0 to 1."""
    how = (_ADJECTIVE if one.how == "demonym" else 1.0) * (1 - _SURE + _SURE * one.score)
    if not one.candidate.line:
        return one.role.weight * how
    is_later = one.candidate.line > 1 or ". " in line.text[: one.candidate.start]
    return one.role.weight * how * (_LATER if is_later else _FIRST)
