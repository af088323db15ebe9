"""The compiled table of place names: folded words -> which country they may mean, in which languages.

names.tsv.gz has four parts, divided by an empty line, each of lines `key TAB value`: English names of the codes, the
languages covered, how many words the longest name has that begins with a word (when more than one), and the names:
`key TAB CODE:kind:languages;...`. A key is the words of the name as `text.tokens` cuts them, joined by spaces;
languages are tags joined by spaces, or `*`. A line is cut into readings only when a text hits it, so that loading
stays a matter of milliseconds.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

PATH = Path(__file__).with_name("names.tsv.gz")
MASK = "--"  # the code of what looks like a country and is none


class Reading(NamedTuple):
    """One thing a name may mean."""

    code: str
    kind: str  # name | demonym | city | place | short | mask
    languages: frozenset[str]  # empty = any

    def is_in(self, language: str) -> bool:
        """Whether the name is used in that language."""
        return not self.languages or language in self.languages


@dataclass(frozen=True, slots=True)
class Names:
    """Every name, with what a search for it needs."""

    lines: Mapping[str, str]
    longest: Mapping[str, int]  # first word -> words of the longest name that begins with it; absent = 1
    english: Mapping[str, str]  # ISO 3166-1 alpha-2 -> name
    languages: frozenset[str]  # that the table covers


@lru_cache(maxsize=1)
def load_names(path: Path = PATH) -> Names:
    """The table as compiled by `python -m alerts.regions.build`."""
    parts = gzip.decompress(path.read_bytes()).decode().split("\n\n")
    english, languages, longest, lines = (dict([line.split("\t") for line in part.split("\n")]) for part in parts)
    return Names(lines, {first: int(size) for first, size in longest.items()}, english, frozenset(languages))


@lru_cache(maxsize=4096)
def readings(line: str) -> tuple[Reading, ...]:
    """What the right-hand side of a line says, the most widespread reading first."""
    found = []
    for entry in line.split(";"):
        code, kind, languages = entry.split(":")
        found.append(Reading(code, kind, frozenset() if languages == "*" else frozenset(languages.split())))
    return tuple(found)
