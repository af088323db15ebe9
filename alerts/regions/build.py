"""Compile names.tsv.gz: `python -m alerts.regions.build`, after a new Babel or a change of own_names.txt.

Country names and the cities of time zones come from the Unicode CLDR through Babel, in all its languages; demonyms,
short forms, more cities and masks from own_names.txt. The output depends on nothing else, so it can be compared.
"""

from __future__ import annotations

import gzip
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from babel import Locale
from babel.core import get_global
from babel.localedata import locale_identifiers

from alerts.errors import ConfigError
from alerts.regions.names import MASK, PATH
from alerts.text.tokens import words

OWN = Path(__file__).with_name("own_names.txt")
KINDS = {"name", "demonym", "city", "place", "short", "mask"}
_PSEUDO = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"}
# Zones named after an island that is a country of its own here, or after a common word.
_NO_CITIES = {"Troll", "Easter", "Reunion", "Lindeman", "Mayotte", "Guam"}
_Entry = tuple[str, str]  # (code, kind)
_Table = dict[str, dict[_Entry, set[str]]]


def build(path: Path = PATH) -> int:
    """Write the compiled table; how many names it holds."""
    table: _Table = defaultdict(lambda: defaultdict(set))
    for language, kind, code, name in (*_territories(), *_cities()):
        _add(table, name, (code, kind), set() if language == "*" else {language})
    for code, kind, languages, name in read_own(OWN.read_text(encoding="utf-8")):
        _add(table, name, (code, kind), languages)
    parts = (
        [f"{code}\t{name}" for code, name in sorted(english_names().items())],
        [f"{language}\t1" for language in sorted({locale.language for locale in _locales()})],
        [f"{first}\t{size}" for first, size in sorted(_longest(table).items())],
        [f"{key}\t{_entries(table[key])}" for key in sorted(table)],
    )
    path.write_bytes(gzip.compress("\n\n".join("\n".join(part) for part in parts).encode(), 9, mtime=0))
    return len(table)


def english_names() -> dict[str, str]:
    """ISO 3166-1 alpha-2 (and XK) -> the name shown to people."""
    names = {code: _bare(name) for code, name in Locale("en").territories.items() if _is_country(code)}
    return names | {"CD": "DR Congo", "CG": "Congo", "PS": "Palestine", "HK": "Hong Kong", "MO": "Macao", "MM": "Myanmar"}


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
        yield from ((code, kind, set() if languages == "*" else set(languages.split(",")), name.strip()) for name in names.split("|"))


def _longest(table: _Table) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for key in table:
        first, size = key.partition(" ")[0], key.count(" ") + 1
        if size > sizes.get(first, 1):
            sizes[first] = size
    return sizes


def _locales() -> Iterator[Locale]:
    """Every language once, and once more for each script it is written in."""
    for identifier in locale_identifiers():
        parts = identifier.split("_")
        if len(parts) == 1 or (len(parts) == 2 and len(parts[1]) == 4):
            yield Locale.parse(identifier)


def _territories() -> Iterator[tuple[str, str, str, str]]:
    for locale in _locales():
        for code, name in locale.territories.items():
            if _is_country(code):
                yield from ((locale.language, "name", code, form) for form in {name, _bare(name)})


def _cities() -> Iterator[tuple[str, str, str, str]]:
    countries = get_global("zone_territories")
    zones = {zone: code for zone, code in countries.items() if zone.count("/") == 1 and _is_country(code)}
    for zone, code in zones.items():
        city = zone.rpartition("/")[2].replace("_", " ")
        if city not in _NO_CITIES and not zone.startswith("Etc/"):
            yield "*", "city", code, city  # CLDR leaves out the names that are like the zone's
    for locale in _locales():
        for zone, fields in locale.time_zones.items():
            if zone in zones and "city" in fields and zone.rpartition("/")[2] not in _NO_CITIES:
                yield locale.language, "city", zones[zone], fields["city"]


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in _PSEUDO


def _bare(name: str) -> str:
    """The name without what CLDR adds in brackets: "Myanmar" of "Myanmar (Burma)"."""
    return name.partition("(")[0].partition("（")[0].strip() or name


def _add(table: _Table, name: str, entry: _Entry, languages: set[str]) -> None:
    key = " ".join(words(name))
    if len(key) < 2 or key.isdigit():
        return
    known = table[key]
    if not languages or (entry in known and not known[entry]):
        known[entry] = set()
    else:
        known[entry] |= languages


def _entries(readings: dict[_Entry, set[str]]) -> str:
    """The readings of one name, the one that most languages share first; a mask before all."""
    order = sorted(readings.items(), key=lambda item: (item[0][0] != MASK, bool(item[1]), -len(item[1]), item[0]))
    return ";".join(f"{code}:{kind}:{' '.join(sorted(languages)) or '*'}" for (code, kind), languages in order)


if __name__ == "__main__":
    sys.stdout.write(f"{PATH.name}: {build()} names, {PATH.stat().st_size} bytes\n")
