"""Which of its meanings a name has in this text, and whether it is a place at all.

Each reading has a score: how well known the place is (priors.py), plus what the text says for it (the country behind a
comma, the same country elsewhere, a preposition, a dateline, the source's home), minus what speaks against it (guards.py).
The best reading counts if it reaches the threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alerts.regions.candidates import Candidate
from alerts.regions.context import Context, bare, is_village
from alerts.regions.gazetteer import TOWNS, Place, Reading
from alerts.regions.guards import Doubt, doubt
from alerts.regions.line import Line
from alerts.regions.roles import NAMED, Role, roles
from alerts.regions.setting import ahead, setting

THRESHOLD = 0.55
# Countries that news names together: a town of one is likely where the other is named.
_BESIDE = {
    "PS": ("IL",), "IL": ("PS", "LB"), "LB": ("IL",), "SY": ("IL", "TR"), "UA": ("RU",), "RU": ("UA",), "AM": ("AZ",),
    "AZ": ("AM",), "SS": ("SD",), "CD": ("RW",), "TW": ("CN",), "HK": ("CN",), "KP": ("KR",), "PK": ("IN",), "YE": ("SA",),
}  # fmt: skip
_GENERAL = frozenset(
    "north south east west northern southern eastern western central northeast northwest southeast southwest upper lower capital coast "
    "region province state district governorate department county".split()
)
_WHAT = {
    "country": "a country's name", "subdivision": "a province or state", "county": "a county", "district": "a district", "city": "a city",
    "area": "a region", "sea": "a sea", "mask": "",
}  # fmt: skip
_LARGE = 58  # 10 x log10 of the people: not taken for a village of the same name
_AHEAD, _NEAR, _HOME, _BESIDE_NAMED, _IDIOM, _FIGHTING = 0.6, 0.35, 0.35, 0.25, 0.35, 0.25
_NO_IDIOM, _ALONE, _FOREIGN, _NOT_THE_COUNTRY, _TOO_GENERAL = -0.3, -0.4, -0.25, -0.6, -0.7


class Found(NamedTuple):
    """A name with the meaning that was chosen, its score and the reasons."""

    candidate: Candidate
    place: Place
    how: str
    score: float
    why: str
    role: Role


class _Spot(NamedTuple):
    """A name in its text, with all that its readings are judged by."""

    candidate: Candidate
    line: Line
    against: Doubt
    role: Role
    context: Context
    ahead: str  # the code that follows it


def settle(
    candidates: Sequence[Candidate], lines: Sequence[Line], *, home: str | None, language: str | None, common: dict[str, frozenset[str]]
) -> list[Found]:
    """The names that are places, with their meaning, in the order of the text."""
    if not candidates:
        return []
    told = roles(candidates, lines, language)
    doubts = _doubts(candidates, told, lines, common)
    context = Context(candidates, doubts, lines, home=home, language=language)
    chosen: list[Found] = []
    said: dict[str, Found] = {}
    behind: Place | None = None
    after: Candidate | None = None
    for candidate, against, role in zip(reversed(candidates), reversed(doubts), reversed(told), strict=True):
        line = lines[candidate.line]
        spot = _Spot(candidate, line, against, role, context, ahead(candidate, after, behind, line))
        found = _choose(spot)
        behind, after = found and found.place, candidate
        if found and found.place.kind != "mask":
            if found.how == "pair":
                chosen += [found._replace(place=reading.place) for reading in reversed(candidate.readings)]
                continue
            chosen.append(found)
            if spot.ahead and found.place.kind in TOWNS and found.place.code.startswith(spot.ahead[:2]):
                said[bare(candidate.key)] = found
    return [_as_said(found, said) for found in reversed(chosen)] if said else chosen[::-1]


def _as_said(found: Found, said: Mapping[str, Found]) -> Found:
    """The same place again where the text has said once which town of that name it means: "Dover, Del. ... Dover"."""
    told = said.get(bare(found.candidate.key))
    if told is None or found.place.kind == "country" or found.place.code == told.place.code:
        return found
    return found._replace(place=told.place, how=told.how, why=f"{_WHAT[told.place.kind]}, as the text says elsewhere")


def _doubts(candidates: Sequence[Candidate], told: Sequence[Role], lines: Sequence[Line], common: dict[str, frozenset[str]]) -> list[Doubt]:
    """What speaks against each name; who is a person once is a person again: "John Dover ... Dover said"."""
    doubts = [doubt(candidate, lines[candidate.line], role, common) for candidate, role in zip(candidates, told, strict=True)]
    if not any(d.is_person for d in doubts):
        return doubts
    people = {c.key: d for c, d in zip(candidates, doubts, strict=True) if d.is_person}
    return [
        people[c.key] if c.key in people and not d.minus and role.weight == NAMED and c.readings[0].place.kind != "country" else d
        for c, d, role in zip(candidates, doubts, told, strict=True)
    ]


def _choose(spot: _Spot) -> Found | None:
    candidate, against = spot.candidate, spot.against
    top = candidate.readings[0]
    if top.place.kind == "mask":
        return Found(candidate, top.place, "mask", 1.0, "", spot.role)
    if against.minus >= 1.0 and not spot.ahead:
        return None
    best, best_score, best_why = _best(spot)
    code = spot.ahead
    is_state = code[:3] in ("US-", "CA-", "AU-") and best.place.code != code
    if is_state or ("-" in code and best.place.country != code[:2] and best.place.size < _LARGE):
        return _town_of(spot)
    minus = 0.0 if against.minus and code[:2] == best.place.country else against.minus
    if minus >= 1.0 or best_score - minus < THRESHOLD:
        return None
    why = f"{best_why}; {against.why}" if minus else best_why
    return Found(candidate, best.place, best.how, min(1.0, best_score - minus), why, spot.role)


def _best(spot: _Spot) -> tuple[Reading, float, str]:
    """The likeliest reading, its score and the reason."""
    readings, priors = spot.candidate.readings, spot.candidate.priors
    top = readings[0]
    is_country = top.place.kind == "country" and top.how in ("name", "short", "demonym")
    if is_country and len(readings) == 1:
        return top, priors[0] + _support(top, spot)[0], _WHAT["country"]
    more, more_why = setting(spot.candidate, spot.line, spot.role)
    best: tuple[Reading, float, str] = (top, -9.0, "")
    judged: set[str] = set()
    for reading, score in zip(readings, priors, strict=True):
        code = reading.place.code
        kind = code[:2] + reading.place.kind
        if kind in judged and not spot.ahead and code not in spot.context.codes:
            continue  # a smaller namesake in the same country, and nothing tells them apart
        judged.add(kind)
        support, why = _support(reading, spot)
        score += support
        if reading.place.kind != "country":
            score += more + (_NOT_THE_COUNTRY if is_country and not _is_told(reading, spot) else 0.0)
            why += more_why
        if score > best[1]:
            best = (reading, score, _WHAT[reading.place.kind] + why)
    return best


def _is_told(reading: Reading, spot: _Spot) -> bool:
    """Whether the text says that a place is meant, and not the country of that name."""
    place = reading.place
    return spot.ahead in (place.code, place.country) or (place.name == "Georgia" and spot.context.georgia != "GE")


def _town_of(spot: _Spot) -> Found:
    """A town that only the state or province behind it tells apart: "Kelleyland, La."."""
    place = Place(-1, spot.candidate.shown, "city", spot.ahead, None, None, 30)
    return Found(spot.candidate, place, "main", 0.7, f"in {spot.ahead}, which follows it", spot.role)


def _support(reading: Reading, spot: _Spot) -> tuple[float, str]:
    """What the rest of the text, or the source's home, says for a place."""
    place, context, key = reading.place, spot.context, spot.candidate.key
    if spot.ahead and spot.ahead in (place.code, place.country):
        return _AHEAD, f", {spot.ahead} follows it"
    if place.name == "Georgia":
        return _georgia(place, context), ""
    if place.kind == "country" and reading.how not in ("place", "city"):
        return 0.0, ""
    if context.is_backed(place, key):
        return _NEAR + (0.1 if context.is_local(place, key) else 0.0), f", {place.country} is named too"
    if place.kind == "country":
        return 0.0, ""
    if _GENERAL.issuperset(key.split()):
        return _TOO_GENERAL, ", a name that many countries have"
    return _surroundings(place, spot)


def _surroundings(place: Place, spot: _Spot) -> tuple[float, str]:
    """What speaks for or against a place whose country the text does not name."""
    context = spot.context
    if spot.ahead and spot.candidate.key[0] > "\u0590":
        return _ALONE, f", but {spot.ahead} follows it"
    if any(other in context.countries for other in _BESIDE.get(place.country, ())):
        return _BESIDE_NAMED, ", a country beside is named"
    if place.country == context.home:
        return _HOME, ", in the source's country"
    if place.kind not in TOWNS:
        return (_IDIOM, f", among offices of {context.idiom}") if place.country == context.idiom else (0.0, "")
    return _town(place, spot)


def _town(place: Place, spot: _Spot) -> tuple[float, str]:
    """The same for a town: fighting, whose offices, and other countries speak."""
    context, candidate = spot.context, spot.candidate
    is_caseless = candidate.key[0] > "\u0590"
    if len(candidate.readings) > 1 or candidate.priors[0] < THRESHOLD:
        if place.country == context.idiom:
            return _IDIOM, f", among offices of {context.idiom}"
        if context.idiom and any(r.place.country == context.idiom for r in candidate.readings):
            return _NO_IDIOM, f", though offices are of {context.idiom}"
    if is_village(place) and len(candidate.key) > 4 and len(candidate.readings) == 1 and context.is_conflict:
        return _FIGHTING, ", a name of one place only, in a text of fighting"
    if is_caseless:
        is_doubtful = not candidate.is_exact and place.size < _LARGE  # a particle off, a village left: perhaps another word
        is_alone = is_doubtful or (spot.role.weight == NAMED and context.is_elsewhere(place))
        return (_ALONE, ", alone of its country") if is_alone else (0.0, "")
    is_foreign = place.size < _LARGE and context.is_elsewhere(place, 2)
    return (_FOREIGN, ", though the text is about another country") if is_foreign else (0.0, "")


def _georgia(place: Place, context: Context) -> float:
    """What speaks for one of the two Georgias."""
    if context.georgia:
        return 0.5 if place.code == context.georgia else -0.5
    return 0.3 if place.code == "US-GA" and ("US" in context.countries or context.home == "US") else 0.0
