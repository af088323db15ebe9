"""Our own names, places and words, as people write them in own_names.txt, own_places.txt and own_words.txt."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from alerts.errors import ConfigError
from alerts.text.tokens import words

OWN = Path(__file__).with_name("own_names.txt")
OWN_PLACES = Path(__file__).with_name("own_places.txt")
WORDS = Path(__file__).with_name("own_words.txt")
SUBDIVISIONS = Path(__file__).with_name("subdivision_names.tsv")  # written by build_cldr.py
KINDS = {"name", "demonym", "city", "place", "short", "pair", "mask"}
# Whoever wrote a place down says that news names it: as likely as a town of 300,000, or of 100,000 where it is written as a village.
_WRITTEN = {"city": 55, "village": 50}
PLACE_KINDS = ("subdivision", "city", "village", "district", "area", "sea")


class Place(NamedTuple):
    """One place as the compiled file holds it."""

    name: str
    kind: str
    code: str  # ISO 3166-2 of the subdivision it is or lies in, else ISO 3166-1
    lat: float
    lon: float
    size: int  # 10 x log10 of the population; for subdivisions of their people
    names: tuple[str, ...]  # all names, the main one included
    is_own: bool = False  # from own_places.txt: every name of it is as good as the first


def read_own(text: str) -> Iterator[tuple[str, str, set[str], str]]:
    """(code, kind, languages, name) of every name in own_names.txt.

    Raises:
        ConfigError: A line that is not CODE KIND [LANGUAGES] NAME | NAME; names the line.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        code, kind, rest = (*line.split(maxsplit=2), "", "")[:3]
        if kind not in KINDS or not rest:
            kinds = ", ".join(sorted(KINDS))
            raise ConfigError(f"{OWN.name}:{number}: expected CODE KIND [LANGUAGES] NAME | NAME, with KIND one of {kinds}")
        first, _, others = rest.partition(" ")
        is_tags = first == "*" or all(len(tag) in (2, 3) and tag.isascii() and tag.islower() for tag in first.split(","))
        languages, names = (first, others) if is_tags else ("en" if kind in ("demonym", "mask") else "*", rest)
        tags = set() if languages == "*" else set(languages.split(","))
        yield from ((one, kind, tags, name.strip()) for one in code.split("+") for name in names.split("|"))


def read_places(text: str) -> Iterator[Place]:
    """The places of own_places.txt.

    Raises:
        ConfigError: A line that is not CODE KIND LAT LON SIZE NAME | NAME; names the line.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(maxsplit=5)
        try:
            code, kind, lat, lon, size, rest = parts
            names = tuple(name.strip() for name in rest.split("|"))
            known = max(int(size), _WRITTEN.get(kind, 0))
            place = Place(names[0], kind, code, float(lat), float(lon), known, names, True)
        except ValueError:
            place = None
        if place is None or place.kind not in PLACE_KINDS:
            kinds = ", ".join(PLACE_KINDS)
            raise ConfigError(f"{OWN_PLACES.name}:{number}: expected CODE KIND LAT LON SIZE NAME | NAME, with KIND one of {kinds}")
        yield place._replace(kind="city") if place.kind == "village" else place


def inputs() -> dict[str, str]:
    """File -> hash of what is in it; compiled in, so that a stale gazetteer is noticed."""
    return {path.name: sha256(path.read_bytes()).hexdigest()[:16] for path in (OWN, OWN_PLACES, WORDS, SUBDIVISIONS)}


def read_words(text: str) -> Iterator[str]:
    """KIND:WORD for every word of own_words.txt, folded."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            kind, _, rest = line.partition(" ")
            yield from (f"{kind}:{word}" for word in words(rest))
