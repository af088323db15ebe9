"""The areas that rules name, and whether an item is in one: yes, no, or unknown.

An area is a group of config/regions.toml, a country, a UN M49 area, a subdivision, a city or region of the gazetteer,
or a circle `near:33.27,35.20,50km`, looked for in this order. A city lies in its subdivision, that in its country, that
in its groups. Unknown is the answer when the item names a larger place that the area is only a part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from alerts.errors import ConfigError, NotFoundError
from alerts.models import RegionEvidence
from alerts.regions.gazetteer import MASK, WATERS, Place, Reading, load_gazetteer
from alerts.regions.groups import members, read_groups, shape_of
from alerts.regions.shapes import Shape, read_near
from alerts.text.tokens import words

_NAMING = {"name", "short"}


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the world: whole countries, subdivisions, places by name, a shape."""

    code: str  # ISO 3166, M49, or the id of a group
    name: str
    kind: str  # country | group | subdivision | city | area | shape
    countries: frozenset[str] = frozenset()  # wholly inside
    codes: frozenset[str] = frozenset()  # ISO 3166-2, wholly inside
    places: frozenset[str] = frozenset()  # names of evidence
    shape: Shape | None = None
    touched: frozenset[str] = frozenset()  # countries of which a part is inside

    def answer(self, evidence: RegionEvidence) -> bool | None:
        """Whether one place is in the area; None when it is larger than the area, or nobody knows."""
        country = evidence.code[:2]
        if country in self.countries or evidence.code in self.codes or (evidence.name in self.places and country in self.touched):
            return True
        if self.shape is not None and evidence.lat is not None and evidence.lon is not None and evidence.kind in ("city", "area"):
            return self.shape.contains(evidence.lat, evidence.lon)
        if country not in self.touched or country == WATERS:
            return False
        if evidence.kind in ("country", "area") or "-" not in evidence.code or self.shape is not None:
            return None
        return None if evidence.kind == "subdivision" and evidence.code in self._near_codes() else False

    def _near_codes(self) -> frozenset[str]:
        """Subdivisions of which the area is a part."""
        return frozenset((self.code,)) if self.kind == "city" else frozenset()


class AreaIndex:
    """Every area by every name it goes by; remembers what was asked."""

    def __init__(self, named: Mapping[str, Area]) -> None:
        self._named = named
        self._asked: dict[str, Area | None] = {}

    @classmethod
    def load(cls, path: Path | None = None) -> AreaIndex:
        """All countries, and the groups of a config/regions.toml when a path is given.

        Raises:
            ConfigError: Names file, group, key, what is wrong and the nearest right name.
        """
        named = _m49() | _countries()
        for names, area in _groups(path) if path else ():
            named |= {_key(name): area for name in names}
        return cls(named)

    def find(self, name: str) -> Area | None:
        """The area of this code or name, or None."""
        if name not in self._asked:
            if len(self._asked) > 10_000:
                self._asked.clear()
            self._asked[name] = self._look(name)
        return self._asked[name]

    def resolve(self, name: str) -> Area:
        """The area of this code or name.

        Raises:
            NotFoundError: Names the nearest areas.
        """
        try:
            area = self.find(name)
        except ConfigError as error:
            raise NotFoundError(f'no region is called "{name}"; {error}') from error
        if area is None:
            raise NotFoundError(f'no region is called "{name}"; {self._hint(_key(name))}')
        return area

    def countries_in(self, name: str) -> frozenset[str]:
        """Codes of the countries that an area contains or is a part of. Raises: NotFoundError."""
        area = self.resolve(name)
        return area.countries | area.touched

    def named(self) -> tuple[Area, ...]:
        """The countries and groups, each once."""
        return tuple({area.code: area for area in self._named.values()}.values())

    def test(self, area: Area | str, countries: Sequence[str], regions: Sequence[RegionEvidence] = ()) -> bool | None:
        """Whether something is in the area; None = unknown.

        Unknown is: no region at all, an area that nobody knows, or only larger places of which the area is a part.
        A country counts as a larger place only when no place in it is named.
        """
        found = self.find(area) if isinstance(area, str) else area
        if found is None:
            return None
        known = {region.code[:2] for region in regions}
        rest = [RegionEvidence(code=code, name=code, kind="country") for code in countries if code not in known]
        finer = {region.code[:2] for region in regions if region.kind != "country"}
        answers = [found.answer(e) for e in (*regions, *rest) if e.kind != "country" or e.code not in finer or e.code in found.countries]
        if not answers:
            return None
        return True if True in answers else None if None in answers else False

    def _look(self, name: str) -> Area | None:
        shape = read_near(name)
        if shape is not None:
            return Area(name, name, "shape", shape=shape, touched=_touched(shape))
        key = _key(name)
        return self._named.get(key) or _subdivision(name.strip().upper()) or _gazetteer_area(key)

    def _hint(self, key: str) -> str:
        near = dict.fromkeys(f'"{self._named[k].name}"' for k in get_close_matches(key, self._named, n=3, cutoff=0.7))
        if near:
            return f"did you mean {' or '.join(near)}?"
        return "use an ISO code, a country or city, near:LATITUDE,LONGITUDE,RADIUSkm, or a group of config/regions.toml"


def _key(name: str) -> str:
    return " ".join(words(name))


def _countries() -> dict[str, Area]:
    """Countries by code and by English name, short forms included."""
    world = load_gazetteer()
    areas = {code: Area(code, name, "country", frozenset((code,))) for code, name in world.english.items()}
    return {_key(area.name): area for area in areas.values()} | {_key(code): area for code, area in areas.items()}


def _m49() -> dict[str, Area]:
    """The areas of UN M49 by number ("M49:145") and by English name."""
    found: dict[str, Area] = {}
    for code, (name, codes) in load_gazetteer().m49.items():
        area = Area(f"M49:{code}", name, "group", frozenset(codes))
        found |= {_key(name): area, _key(f"M49 {code}"): area}
    return found


def _subdivision(code: str) -> Area | None:
    """The subdivision of an ISO 3166-2 code."""
    world = load_gazetteer()
    if "-" not in code or code not in world.codes:
        return None
    place = next((place for place in world.in_code(code) if place.kind == "subdivision"), None)
    name = place.name if place else code
    return Area(code, name, "subdivision", codes=frozenset((code,)), touched=frozenset((code[:2],)))


def _gazetteer_area(key: str) -> Area | None:
    """The best known place of a name: country, else region, subdivision or city."""
    readings = [r for r in load_gazetteer().readings(key) if r.place.code != MASK]
    country = next((r.place for r in readings if r.how in _NAMING and r.place.kind == "country" and r.is_in("en")), None)
    country = country or next((r.place for r in readings if r.how in _NAMING and r.place.kind == "country"), None)
    if country:
        return Area(country.code, country.name, "country", frozenset((country.code,)))
    best = max(readings, key=_known, default=None)
    return best and _area_of(best.place, [r.place for r in readings])


def _known(reading: Reading) -> tuple[bool, bool, int]:
    return reading.place.kind in ("area", "sea"), reading.how != "alt", reading.place.size


def _area_of(place: Place, others: Iterable[Place]) -> Area:
    """A place as an area; a city that shares name and code with its province is both."""
    code = place.code
    is_province = "-" in code and any(other.kind == "subdivision" and other.code == code for other in others)
    kind = {"sea": "area", "county": "area"}.get(place.kind, place.kind)
    codes = frozenset((code,)) if is_province else frozenset()
    names, touched = frozenset((place.name,)), frozenset((code[:2],))
    return Area(code, place.name, "subdivision" if is_province else kind, codes=codes, places=names, touched=touched)


def _groups(path: Path) -> list[tuple[tuple[str, ...], Area]]:
    groups = read_groups(path)
    found = []
    for code, group in groups.items():
        shape = shape_of(path, code, group)
        countries, codes, places = (members(path, code, groups, key) for key in ("countries", "subdivisions", "places"))
        touched = frozenset(member[:2] for member in codes) | _countries_of(path, code, places)
        if shape:
            touched |= _touched(shape)
        name = group.get("name", code)
        area = Area(code, name, "group", countries, codes, places, shape, touched - countries)
        found.append(((code, name, *group.get("also", ())), area))
    return found


def _countries_of(path: Path, code: str, places: Iterable[str]) -> frozenset[str]:
    """The countries of places that a group names. Raises: ConfigError when a place is unknown."""
    found = set()
    for name in sorted(places):
        area = _gazetteer_area(_key(name))
        if area is None:
            raise ConfigError(f"{path}: group.{code}.places: {name!r} is not in the gazetteer; see docs/regions.md on adding a place")
        found.add(area.code[:2])
    return frozenset(found)


def _touched(shape: Shape) -> frozenset[str]:
    """The countries with a known place in the shape; for a small circle the nearest places around it."""
    south, north, west, east = shape.box()
    inside = {
        code[:2]
        for lat, lon, code in load_gazetteer().points()
        if south <= lat <= north and west <= lon <= east and shape.contains(lat, lon)
    }
    return frozenset(inside - {MASK} or {WATERS})
