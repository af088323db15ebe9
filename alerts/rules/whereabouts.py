"""Which of the areas that rules name an item is in, and which it may yet turn out to be in.

Each area is asked once for each combination of places, and only the areas that share a country with the item.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from alerts.models import RegionEvidence
from alerts.rules.document import Document
from alerts.rules.match import Areas
from alerts.rules.nodes import NEAR

_REMEMBERED = 20_000  # combinations of places
_Spot: TypeAlias = "tuple[str, str, str, float | None, float | None, float]"


class Located(NamedTuple):
    """Numbers of areas: the item counts as in them; it is not known whether it is."""

    inside: frozenset[int]
    unknown: frozenset[int]


class Whereabouts:
    """The areas in use, by the numbers that an index gave them."""

    def __init__(self, areas: Areas) -> None:
        self._areas = areas
        self._names: dict[int, tuple[str, bool]] = {}  # number -> (name, whether unknown counts as in)
        self._by_country: dict[str, set[int]] = {}
        self._circles: set[int] = set()  # asked about every place
        self._countries: dict[str, frozenset[str]] = {}
        self._known: dict[tuple[tuple[str, ...], tuple[_Spot, ...]], Located] = {}

    def check(self, name: str) -> frozenset[str]:
        """The countries of an area. Raises: NotFoundError when nobody knows it."""
        if name not in self._countries:
            self._countries[name] = self._areas.countries_in(name)
        return self._countries[name]

    def add(self, number: int, name: str, is_unknown_in: bool) -> None:
        """Take up an area that was checked."""
        self._names[number] = (name, is_unknown_in)
        for country in self.check(name):
            self._by_country.setdefault(country, set()).add(number)
        if name.startswith(NEAR):
            self._circles.add(number)
        self._known.clear()

    def name(self, number: int) -> str:
        """The area of a number; "" when the number is no area's."""
        return self._names[number][0] if number in self._names else ""

    def of(self, document: Document) -> Located:
        """Where an item is."""
        regions, countries = document.tagged.regions, document.countries
        spots = tuple((r.code, r.name, r.kind, r.lat, r.lon, r.score) for r in regions)
        found = self._known.get((countries, spots))
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[countries, spots] = self._ask(countries, regions)
        return found

    def _ask(self, countries: tuple[str, ...], regions: tuple[RegionEvidence, ...]) -> Located:
        inside, unknown = set[int](), set[int]()
        for number in self._near(countries, regions):
            name, is_unknown_in = self._names[number]
            answer = self._areas.test(name, countries, regions)
            if answer or (answer is None and is_unknown_in):
                inside.add(number)
            elif answer is None:
                unknown.add(number)
        return Located(frozenset(inside), frozenset(unknown))

    def _near(self, countries: tuple[str, ...], regions: tuple[RegionEvidence, ...]) -> Iterable[int]:
        """The areas worth asking about: all of them for an item that could be anywhere."""
        codes = {*countries, *(region.code[:2] for region in regions)}
        return self._circles.union(*(self._by_country.get(code, ()) for code in codes)) if codes else self._names
