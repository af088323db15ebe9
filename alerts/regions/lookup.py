"""What the gazetteer knows, for a person: one area by code or name, and all places that a name may mean."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.errors import NotFoundError
from alerts.regions.areas import Area, AreaIndex
from alerts.regions.gazetteer import MASK, Gazetteer, Place
from alerts.text.tokens import words

_LISTED = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One place or area as `tocsin regions show` and `search` list it."""

    code: str
    name: str
    kind: str
    country: str  # English name; empty for seas and for areas of several countries
    lat: float | None = None
    lon: float | None = None
    weight: float | None = None  # of a city or subdivision among its namesakes: about the logarithm of its people
    contains: tuple[str, ...] = ()  # codes or names of what is wholly inside
    groups: tuple[str, ...] = ()  # the named groups that it lies in


def show(name: str, areas: AreaIndex, gazetteer: Gazetteer) -> Shown:
    """The area that a rule would mean by this code or name, with what it contains and the groups around it.

    Raises:
        NotFoundError: Nothing is called so; names the nearest.
    """
    area = areas.resolve(name)
    place = next((p for p in _places(area.name, gazetteer) if p.code == area.code), None)
    countries = area.countries | area.touched
    country = gazetteer.english.get(next(iter(countries)), "") if len(countries) == 1 else ""
    around = tuple(sorted(a.code for a in areas.named() if a.kind == "group" and a.code != area.code and _is_inside(area, a)))
    contains = tuple(sorted((area.countries - {area.code}) | (area.codes - {area.code}) | (area.places - {area.name})))
    point = place.point() if place else (None, None)
    return Shown(area.code, area.name, area.kind, country, *point, _weight(place), contains, around)


def search(text: str, gazetteer: Gazetteer) -> tuple[Shown, ...]:
    """Every place that a name may mean, the best known first, at most 20; then those whose names begin so.

    Raises:
        NotFoundError: No name begins with this.
    """
    found = {place.number: place for place in _places(text, gazetteer)}
    key = " ".join(words(text))
    if key and len(found) < _LISTED:
        for number, name in enumerate(gazetteer.trie.iterkeys(key)):
            found |= {r.place.number: r.place for r in gazetteer.readings(name) if r.place.code != MASK}
            if number > 200:
                break
    if not found:
        raise NotFoundError(f'no place is called "{text}" or begins so; try its English name, or add it as docs/regions.md says')
    exact = {place.number for place in _places(text, gazetteer)}
    order = sorted(found.values(), key=lambda p: (p.number not in exact, p.kind != "country", -p.size, p.name))
    first = {(place.code, place.kind, place.name): place for place in reversed(order)}  # GeoNames and we may both have a town
    return tuple(_shown(place, gazetteer) for place in [p for p in order if first[p.code, p.kind, p.name] is p][:_LISTED])


def _places(name: str, gazetteer: Gazetteer) -> list[Place]:
    return [r.place for r in gazetteer.readings(" ".join(words(name))) if r.place.code != MASK]


def _shown(place: Place, gazetteer: Gazetteer) -> Shown:
    country = gazetteer.english.get(place.country, "")
    return Shown(place.code, place.name, place.kind, country, *place.point(), _weight(place))


def _weight(place: Place | None) -> float | None:
    """How much a place counts when its name is read; ours, where GeoNames has no people or too few for the news."""
    if place is None or place.kind not in ("city", "subdivision") or not place.size:
        return None
    return place.size / 10


def _is_inside(area: Area, group: Area) -> bool:
    """Whether all of an area lies in a group."""
    if not area.countries <= group.countries:
        return False
    return bool(area.countries) or area.touched <= group.countries or bool(area.codes and area.codes <= group.codes)
