"""What a whole text says about where it plays: countries named without doubt, fighting, whose offices, which Georgia."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from alerts.regions.candidates import Candidate
from alerts.regions.gazetteer import MASK, TOWNS, VILLAGES, Place
from alerts.regions.guards import Doubt, georgia
from alerts.regions.idiom import country_of
from alerts.regions.line import Line

_FIRM = 58  # 10 x log10 of the people from which a town speaks for its country
# Words that make villages of conflict zones likelier than people called so.
_CONFLICT = frozenset(
    (
        "airstrike airstrikes strike strikes struck shelling shelled shelling bombing bombed drone drones missile missiles "
        "rocket rockets clashes militants  gunmen troops soldiers artillery attack attacked ambush raid insurgents rebels "
        "frontline shells mortar  غاره غارات قصف القصف مسيره اشتباكات قذايف صاروخ استهدف استهدفت يستهدف مدفعي مدفعيه "
        "обстрел обстреляли обстрела удар удары атака атаковали дрон дроны беспилотник ракета ракеты бои боев обстріл "
        "обстріли удари атакували безпілотник  תקיפה הפצצה כטבם רקטות טילים "
    ).split()
)
Named = dict[str, dict[str, int]]


class Context:
    """Which names speak for a country and for a subdivision; the rest is found out when a reading asks."""

    def __init__(
        self, candidates: Sequence[Candidate], doubts: Sequence[Doubt], lines: Sequence[Line], *, home: str | None, language: str | None
    ) -> None:
        self.countries: Named = {}  # ISO 3166-1 -> name -> number of the place
        self.codes: Named = {}  # ISO 3166-2 -> the same
        self.home = (home or "").upper()
        self._lines, self._language = lines, language
        for candidate, against in zip(candidates, doubts, strict=True):
            if not against.minus and _is_firm(candidate):
                self._add(candidate)

    def _add(self, candidate: Candidate) -> None:
        top, key = candidate.readings[0].place, bare(candidate.key)
        self.countries.setdefault(top.country, {})[key] = top.number
        for reading in candidate.readings if top.kind == "county" else candidate.readings[:1]:
            if reading.place.kind != "country":
                self.codes.setdefault(reading.place.code, {})[key] = reading.place.number

    @cached_property
    def georgia(self) -> str:
        """Which Georgia it is about: GE, US-GA, or nothing when the text does not say."""
        return georgia(frozenset(word for line in self._lines for word in line.words))

    @cached_property
    def is_conflict(self) -> bool:
        """Whether it tells of fighting."""
        return not all(_CONFLICT.isdisjoint(line.words) for line in self._lines)

    @cached_property
    def idiom(self) -> str:
        """ISO 3166-1 code of the country whose offices English news names; empty when there is none."""
        return country_of(self._lines) if self._language in (None, "en") else ""

    def is_backed(self, place: Place, key: str) -> bool:
        """Whether another place of the country is named: by another name, and not the same place again."""
        return _is_other(place, bare(key), self.countries.get(place.country))

    def is_local(self, place: Place, key: str) -> bool:
        """Whether another place of the same subdivision is named."""
        return _is_other(place, bare(key), self.codes.get(place.code))

    def is_elsewhere(self, place: Place, least: int = 1) -> bool:
        """Whether another country is named, by so many names."""
        return any(len(names) >= least for country, names in self.countries.items() if country != place.country)


def _is_other(place: Place, key: str, others: Mapping[str, int] | None) -> bool:
    if others is None:
        return False
    return any(name != key and number != place.number for name, number in others.items())


def bare(key: str) -> str:
    """A name without the Arabic article: with it and without it is the same name."""
    return key.removeprefix("ال")


def _is_firm(candidate: Candidate) -> bool:
    """Whether a name can mean one country only."""
    place = candidate.readings[0].place
    if place.code == MASK or (place.kind in TOWNS and place.size < _FIRM) or place.name == "Georgia":
        return False
    if place.kind == "country" or len(candidate.readings) == 1:
        return True
    return all(r.place.country == place.country or r.place.size <= place.size - 10 for r in candidate.readings[1:])


def is_village(place: Place) -> bool:
    """Whether news of fighting may well name it."""
    return place.kind in TOWNS and place.country in VILLAGES
