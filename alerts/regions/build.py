"""Compile the gazetteer: `python -m alerts.regions.build`, after a new package version or a change of own_*.txt.

Country names and the cities of time zones come from the Unicode CLDR through Babel, in all its languages; places from
GeoNames and ISO 3166-2 (build_places.py); demonyms, short forms and masks from own_names.txt. The output depends on
the versions in pyproject.toml and these files only, so it can be compared.
"""

from __future__ import annotations

import json
import re
import struct
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import marisa_trie
from babel import Locale
from babel.localedata import locale_identifiers

from alerts.regions.build_cldr import bare, read_subdivision_names
from alerts.regions.build_places import capitals, m49, places, usa_counties
from alerts.regions.gazetteer import MAGIC, MASK, PATH, RECORD, TRIE_PATH
from alerts.regions.inflect import adjectives, forms, inflected, of_province
from alerts.regions.own import OWN, SUBDIVISIONS, WORDS, Place, inputs, read_own, read_words
from alerts.regions.spellings import PRESS, WRITTEN, spellings
from alerts.text.normalise import fold
from alerts.text.tokens import is_run, words

_PSEUDO = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO", "IC", "EA", "AC", "CP", "CQ", "DG", "TA"}
_PARTS = {"IC": "ES", "EA": "ES", "AC": "SH", "TA": "SH", "DG": "IO"}  # territories of CLDR that ISO 3166 lists under others
# Languages that stand for one country, and how the name of a language ends where it is an adjective.
_TONGUES = dict(
    pair.split("=")
    for pair in (
        "el=GR tr=TR bg=BG ro=RO hu=HU pl=PL cs=CZ sk=SK sl=SI hr=HR sr=RS mk=MK sq=AL lt=LT lv=LV et=EE fi=FI sv=SE "
        "nb=NO no=NO da=DK nl=NL is=IS uk=UA be=BY ru=RU hy=AM ka=GE az=AZ kk=KZ uz=UZ ky=KG tg=TJ tk=TM mn=MN km=KH "
        "lo=LA th=TH vi=VN id=ID ja=JP zh=CN so=SO mt=MT de=DE fr=FR it=IT es=ES pt=PT ne=NP"
    ).split()
)
_LANGUAGE_NAMES = {
    **dict.fromkeys(("bg", "sr", "mk"), "(.+к)и"),
    **dict.fromkeys(("hr", "bs", "pl"), "(.+k)i"),
    **dict.fromkeys(("no", "da"), "(.+sk)"),
    "uk": "(.+к)а",
    "ru": "(.+к)ий",
    "lt": "(.+)ų",
    "lv": "(.+)u",
    "hu": "(.{4,})",
    "ro": "(.{3,})ă",
    "el": "(.+)ά",
    "tr": "(.{3,})[cç][ae]",
    "sv": "(.+sk)a",
    "de": "(.+sch)",
    "nl": "(.+)",
    "hi": "(.{4,}ी)",
}
_FIRM = {"name", "short", "place", "mask"}
_MARKS = {ord(mark): None for mark in "‘’ʼʻʿʾ'`"}  # of romanised names: the press leaves them out
_MOST = 6  # readings of one name that are kept
_Edge = tuple[int, str, frozenset[str]]  # (place, how it is named, languages; empty = any)
_Table = dict[str, dict[tuple[int, str], set[str] | None]]


def build(path: Path = PATH, trie_path: Path = TRIE_PATH) -> int:
    """Write the compiled files; how many names they hold."""
    world = [*_countries(), Place("", "mask", MASK, 0.0, 0.0, 0, (), True)]
    numbers = {place.code: number for number, place in enumerate(world)}
    table: _Table = defaultdict(dict)
    _name_countries(table, numbers)
    spoken = read_subdivision_names(SUBDIVISIONS.read_text(encoding="utf-8"))
    for place in (*places(), *usa_counties()):
        _name_place(table, place, len(world))
        for name, languages in spoken.pop(place.code, ()) if place.kind == "subdivision" else ():
            for form in {name, bare(name), *forms(name, place.kind)}:
                _add(table, form, len(world), "alt", languages if fold(form).isascii() else set())
        world.append(place)
    _spell(table, world)
    edges = {key: _best(found, world) for key, found in table.items()}
    edges = {key: found for key, found in edges.items() if found}
    trie = marisa_trie.Trie(edges)
    trie.save(str(trie_path))
    path.write_bytes(_packed(trie, edges, world))
    return len(edges)


def _spell(table: _Table, world: list[Place]) -> None:
    """Add the other spellings of Arabic names, where nothing else is called so."""
    common = {word.partition(":")[2] for word in read_words(WORDS.read_text(encoding="utf-8"))}
    added: _Table = defaultdict(dict)
    for key, found in table.items():
        known: dict[tuple[int, str], set[str] | None] = {edge: set(PRESS) for edge in found if _is_spelt_freely(world[edge[0]])}
        for other in map(" ".join, spellings(tuple(key.split(" ")))) if known and key.isascii() else ():
            if other not in table and other not in common and len(other) > 4:
                added[other] |= known
    table |= added


def _is_spelt_freely(place: Place) -> bool:
    return place.code[:2] in WRITTEN and place.kind in ("city", "district")


def _name_place(table: _Table, place: Place, number: int) -> None:
    for name in place.names:
        how = "main" if name == place.name or place.is_own else "name" if place.kind == "subdivision" else "alt"
        for form in {name, name.translate(_MARKS), *forms(name, place.kind)}:
            _add(table, form, number, how, set())
        for form in of_province(name) if place.kind == "subdivision" else ():
            _add(table, form, number, "demonym", set())


def english_names() -> dict[str, str]:
    """ISO 3166-1 alpha-2 (and XK) -> the name shown to people."""
    names = {code: _bare(name) for code, name in Locale("en").territories.items() if _is_country(code)}
    return names | {"CD": "DR Congo", "CG": "Congo", "PS": "Palestine", "HK": "Hong Kong", "MO": "Macao", "MM": "Myanmar"}


def _countries() -> Iterator[Place]:
    for code, name in sorted(english_names().items()):
        yield Place(name, "country", code, float("nan"), float("nan"), 100, (), True)


def _name_countries(table: _Table, numbers: dict[str, int]) -> None:
    people = {word.partition(":")[2] for word in read_words(WORDS.read_text(encoding="utf-8")) if word.startswith("given:")}
    for language, code, name in _territories():
        if language == "en" and len(name) > 4 and fold(name) not in people:  # feeds mix English in, and say they did not
            _add(table, name, numbers[code], "name", set())
        for form in (name, *forms(name, "country", language)):
            _add(table, form, numbers[code], "name" if form == name else "demonym", {language})
        for form in adjectives(name, language):
            _add(table, form, numbers[code], "demonym", {language})
    for language, code, form in _adjectives_of_languages():
        _add(table, form, numbers[code], "demonym", {language})
    for code, kind, languages, name in read_own(OWN.read_text(encoding="utf-8")):
        tags = languages or {""}
        for form in {form for tag in tags for form in (name.rstrip("~"), *forms(name, kind, tag))}:
            _add(table, form, numbers[code], kind, languages)


def _locales() -> Iterator[Locale]:
    """Every language once, and once more for each script it is written in."""
    for identifier in locale_identifiers():
        parts = identifier.split("_")
        if len(parts) == 1 or (len(parts) == 2 and len(parts[1]) == 4):
            yield Locale.parse(identifier)


def _territories() -> Iterator[tuple[str, str, str]]:
    for locale in _locales():
        for territory, name in locale.territories.items():
            code = _PARTS.get(territory, territory)
            if _is_country(code):
                written_out = name.replace(" & ", " and ") if locale.language == "en" else name  # "St. Kitts and Nevis"
                yield from ((locale.language, code, form) for form in {name, written_out, _bare(name)})


def _adjectives_of_languages() -> Iterator[tuple[str, str, str]]:
    """Where a language is called like what comes from its one country: "yunan" (Greek), "graikų", "грецький"."""
    for language, pattern in _LANGUAGE_NAMES.items():
        for tongue, name in Locale(language).languages.items():
            if tongue in _TONGUES and (found := re.fullmatch(pattern, name)):
                yield from ((language, _TONGUES[tongue], form) for form in inflected(found[1], language))


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in _PSEUDO


def _bare(name: str) -> str:
    """The name without what CLDR adds in brackets: "Myanmar" of "Myanmar (Burma)"."""
    return name.partition("(")[0].partition("（")[0].strip() or name


def _add(table: _Table, name: str, place: int, how: str, languages: set[str]) -> None:
    parts = words(name)
    key = " ".join(parts)
    if len(key.replace(" ", "")) < 2 or key.isdigit() or (len(parts) > 6 and not is_run(parts[0])):
        return
    known = table[key]
    if not languages:
        known[place, how] = None
    elif (old := known.get((place, how), set())) is not None:
        known[place, how] = old | languages


def _best(found: dict[tuple[int, str], set[str] | None], world: list[Place]) -> list[_Edge]:
    """The readings of one name that are worth keeping: what a country is called, then the largest places."""
    edges = [(place, how, frozenset(languages or ())) for (place, how), languages in found.items()]
    own = [e for e in edges if world[e[0]].kind in ("country", "mask")]
    own.sort(key=lambda e: (world[e[0]].code != MASK, bool(e[2]), -len(e[2]), e[0]) if e[1] != "pair" else (False, False, 0, 0))
    rest = [e for e in edges if world[e[0]].kind not in ("country", "mask")]
    rest.sort(key=lambda e: (world[e[0]].kind == "district", e[1] == "alt", -world[e[0]].size, e[0]))
    if any(edge[1] in _FIRM and (not edge[2] or "en" in edge[2]) for edge in own):
        rest = [edge for edge in rest if edge[1] != "alt"]
    inside = {world[edge[0]].code[:2] for edge in rest}
    own = [edge for edge in own if edge[1] != "city" or world[edge[0]].code not in inside]
    taken: dict[str, _Edge] = {}
    for edge in rest:
        place = world[edge[0]]
        if place.kind != "district" or not any(f"{place.code}{kind}" in taken for kind in ("city", "subdivision")):
            taken.setdefault(f"{place.code}{place.kind}", edge)
    return [*own, *list(taken.values())[:_MOST]]


def _packed(trie: marisa_trie.Trie, edges: dict[str, list[_Edge]], world: list[Place]) -> bytes:
    """The second file: header, then the arrays that the numbers of the trie point into."""
    codes = {code: n for n, code in enumerate(sorted({place.code for place in world}))}
    kinds = ["country", "mask", "subdivision", "city", "area", "sea", "county", "district"]
    ways: dict[tuple[str, frozenset[str]], int] = {}
    starts, readings = array("I", [0]), array("I")
    for key in sorted(edges, key=trie.key_id):
        for number, how, languages in edges[key]:
            readings.append(number | ways.setdefault((how, languages), len(ways)) << 18)
        starts.append(len(readings))
    names, records = bytearray(), bytearray()
    for place in world:
        shown = place.name.encode()
        records += struct.pack(RECORD, len(names), place.lat, place.lon, codes[place.code], kinds.index(place.kind), place.size)
        names += bytes((min(len(shown), 255),)) + shown[:255]
    header = {
        "codes": list(codes), "kinds": kinds, "ways": [[how, sorted(languages)] for how, languages in ways],
        "english": english_names(), "languages": sorted({locale.language for locale in _locales()}),
        "m49": {code: (name, [c for c in codes if c in english_names()]) for code, (name, codes) in m49().items()},
        "capitals": capitals(world),
        "common": sorted(set(read_words(WORDS.read_text(encoding="utf-8")))), "inputs": inputs(),
        "sizes": [len(starts) * 4, len(readings) * 4, len(records), len(names)],
    }  # fmt: skip
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return b"".join((MAGIC, struct.pack("<I", len(head)), head, starts.tobytes(), readings.tobytes(), bytes(records), bytes(names)))


if __name__ == "__main__":
    sys.stdout.write(f"{build()} names, {PATH.stat().st_size + TRIE_PATH.stat().st_size} bytes\n")
