"""The compiled gazetteer, mapped into memory: folded words -> which places they may mean, and the places themselves.

names.marisa is a trie of all names (the words as `text.tokens` cuts them, joined by spaces); the number it gives a name
points into places.bin: a header of JSON, where the readings of each name begin, the readings (place and way of
naming), the places (name, coordinates, code, kind, size) and their shown names. Nothing is read before it is asked for.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import marisa_trie

from alerts.errors import ConfigError

PATH = Path(__file__).with_name("places.bin")
TRIE_PATH = Path(__file__).with_name("names.marisa")
MAGIC = b"TOC4"
RECORD = "<IffHBB"  # offset of the name, latitude, longitude, code, kind, size
MASK = "--"  # the code of what looks like a place and is none
WATERS = "XZ"  # international waters in UN/LOCODE: the code of seas and straits, which are in no country
# Countries whose villages make news: fighting, floods of people on the move.
VILLAGES = frozenset("LB SY IQ YE PS IL JO IR AF PK LY SD SS SO ET ER ML BF NE NG TD CM CF CD MZ MM UA GE AM AZ HT CO".split())
TOWNS = ("city", "district")  # kinds of places that are known by their size
_SIZE = struct.calcsize(RECORD)
_unpack = struct.Struct(RECORD).unpack_from


class Place(NamedTuple):
    """One place of the gazetteer."""

    number: int
    name: str
    kind: str  # country | subdivision | county | district | city | area | sea | mask
    code: str  # ISO 3166-2 of the subdivision it is or lies in, else ISO 3166-1
    lat: float | None
    lon: float | None
    size: int  # 10 x log10 of its people

    @property
    def country(self) -> str:
        """ISO 3166-1 alpha-2."""
        return self.code[:2]

    def point(self) -> tuple[float | None, float | None]:
        """Latitude and longitude as they are shown, to about 10 m; None where there are none."""
        if self.lat is None or self.lon is None:
            return None, None
        return round(self.lat, 4), round(self.lon, 4)


class Reading(NamedTuple):
    """One thing a name may mean."""

    place: Place
    how: str  # name | short | demonym | city | place | mask for countries; main | name | alt for places
    languages: frozenset[str]  # empty = any

    def is_in(self, language: str) -> bool:
        """Whether the name is used in that language."""
        return not self.languages or language in self.languages


@dataclass(frozen=True, slots=True, eq=False)
class Gazetteer:
    """Every name and place; look-ups read from the mapped files."""

    trie: marisa_trie.Trie
    data: mmap.mmap
    starts: memoryview
    edges: memoryview
    records: int  # offset in data
    names: int  # offset in data
    places: int  # how many
    codes: tuple[str, ...]
    kinds: tuple[str, ...]
    ways: tuple[tuple[str, frozenset[str]], ...]
    english: dict[str, str]
    languages: frozenset[str]
    common: dict[str, frozenset[str]]
    capitals: dict[str, str]  # ISO 3166-1 -> ISO 3166-2 code of the capital
    inputs: dict[str, str]  # own file -> hash of it when this was compiled
    m49: dict[str, tuple[str, list[str]]]  # number -> English name, ISO 3166-1 codes

    def readings(self, key: str) -> tuple[Reading, ...]:
        """What a folded name may mean, the most usual first; empty when it is no name."""
        number = self.trie.get(key)
        return () if number is None else self.of(number)

    def of(self, number: int) -> tuple[Reading, ...]:
        """The readings of the name with this number in the trie."""
        found = []
        for edge in self.edges[self.starts[number] : self.starts[number + 1]]:
            how, languages = self.ways[edge >> 18]
            found.append(Reading(self.place(edge & 0x3FFFF), how, languages))
        return tuple(found)

    def place(self, number: int) -> Place:
        """The place with this number."""
        at, lat, lon, code, kind, size = _unpack(self.data, self.records + number * _SIZE)
        begin = self.names + at
        name = self.data[begin + 1 : begin + 1 + self.data[begin]].decode(errors="ignore")
        if lat != lat:  # NaN
            lat = lon = None
        return Place(number, name, self.kinds[kind], self.codes[code], lat, lon, size)

    def in_code(self, code: str) -> Iterator[Place]:
        """The places with exactly this code."""
        wanted, end = self.codes.index(code), self.records + self.places * _SIZE
        rows = struct.iter_unpack(RECORD, memoryview(self.data)[self.records : end])
        yield from (self.place(number) for number, row in enumerate(rows) if row[3] == wanted)

    def points(self) -> Iterator[tuple[float, float, str]]:
        """Latitude, longitude and code of every place that has them."""
        end = self.records + self.places * _SIZE
        for _, lat, lon, code, _, _ in struct.iter_unpack(RECORD, memoryview(self.data)[self.records : end]):
            if lat == lat:
                yield lat, lon, self.codes[code]


@lru_cache(maxsize=1)
def load_gazetteer(path: Path = PATH, trie_path: Path = TRIE_PATH) -> Gazetteer:
    """The gazetteer as compiled by `python -m alerts.regions.build`; mapped once a process.

    Raises:
        ConfigError: The file is not there or not one of ours.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        trie = marisa_trie.Trie().mmap(str(trie_path))
    except (OSError, ValueError, RuntimeError) as error:
        hint = "install again, or run python -m alerts.regions.build"
        raise ConfigError(f"{path.name}: the gazetteer cannot be read ({error}); {hint}") from error
    if data[:4] != MAGIC:
        raise ConfigError(f"{path.name}: not a gazetteer of this version; run python -m alerts.regions.build")
    (length,) = struct.unpack_from("<I", data, 4)
    header = json.loads(data[8 : 8 + length])
    starts, edges, records, _ = header["sizes"]
    at, view = 8 + length, memoryview(data)
    common: dict[str, set[str]] = {}
    for entry in header["common"]:
        kind, _, word = entry.partition(":")
        common.setdefault(kind, set()).add(word)
    return Gazetteer(
        trie=trie,
        data=data,
        starts=view[at : at + starts].cast("I"),
        edges=view[at + starts : at + starts + edges].cast("I"),
        records=at + starts + edges,
        names=at + starts + edges + records,
        places=records // _SIZE,
        codes=tuple(header["codes"]),
        kinds=tuple(header["kinds"]),
        ways=tuple((how, frozenset(languages)) for how, languages in header["ways"]),
        english=header["english"],
        languages=frozenset(header["languages"]),
        capitals=header["capitals"],
        inputs=header["inputs"],
        m49={code: (name, codes) for code, (name, codes) in header["m49"].items()},
        common={kind: frozenset(words) for kind, words in common.items()},
    )
