"""The areas that rules name, countries and groups of countries, and whether an item is in one: yes, no, or unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from alerts.errors import ConfigError, NotFoundError
from alerts.models import RegionEvidence
from alerts.regions.names import load_names, readings
from alerts.settings import read_toml
from alerts.text.tokens import words

_KEYS = ("name", "also", "countries", "groups")
_NAMING = {"name", "short"}  # not a city or a province: a rule that names one must not ring for its whole country


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the world as a set of countries."""

    code: str  # ISO 3166-1 alpha-2, or the id of a group
    name: str
    kind: str  # country | group
    countries: frozenset[str]


@dataclass(frozen=True, slots=True)
class AreaIndex:
    """Every area by every name it goes by, folded."""

    areas: Mapping[str, Area] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None = None) -> AreaIndex:
        """All countries, and the groups of a config/regions.toml when a path is given.

        Raises:
            ConfigError: Names file, group, key, what is wrong and the nearest right name.
        """
        areas = _countries()
        for names, area in _groups(path) if path else ():
            areas |= {_key(name): area for name in names}
        return cls(areas)

    def find(self, name: str) -> Area | None:
        """The area of this code or name, or None."""
        return self.areas.get(_key(name))

    def resolve(self, name: str) -> Area:
        """The area of this code or name.

        Raises:
            NotFoundError: Names the nearest areas.
        """
        area = self.find(name)
        if area is None:
            raise NotFoundError(f'no region is called "{name}"; {self._hint(_key(name))}')
        return area

    def _hint(self, key: str) -> str:
        names = load_names()
        if key in names.lines and (country := names.english.get(readings(names.lines[key])[0].code)):
            return f'it is a place of {country}, and only countries and groups can be named: use region:"{country}" with the word'
        near = dict.fromkeys(f'"{self.areas[k].name}"' for k in get_close_matches(key, self.areas, n=3, cutoff=0.7))
        return f"did you mean {' or '.join(near)}?" if near else "use an ISO code, a country in English, or a group of config/regions.toml"

    def countries_in(self, name: str) -> frozenset[str]:
        """Codes of the countries of an area. Raises: NotFoundError."""
        return self.resolve(name).countries

    def test(self, area: Area | str, countries: Sequence[str], regions: Sequence[RegionEvidence] = ()) -> bool | None:
        """Whether something is in the area; None = unknown, because it has no region or nobody knows the area."""
        found = self.find(area) if isinstance(area, str) else area
        known = (*countries, *(region.code[:2] for region in regions))
        if found is None or not known:
            return None
        return any(code in found.countries for code in known)


def _key(name: str) -> str:
    return " ".join(words(name))


def _countries() -> dict[str, Area]:
    """Countries by code and by English name, short forms included."""
    names = load_names()
    areas = {code: Area(code, name, "country", frozenset((code,))) for code, name in names.english.items()}
    found = {_key(area.name): area for area in areas.values()}
    for key, line in names.lines.items():
        if ":*" in line or "en" in line:
            code = next((r.code for r in readings(line) if r.kind in _NAMING and r.is_in("en") and r.code in areas), "")
            if code:
                found.setdefault(key, areas[code])
    return found | {_key(code): area for code, area in areas.items()}


def _groups(path: Path) -> list[tuple[tuple[str, ...], Area]]:
    table = read_toml(path)
    for key in table:
        if key != "group":
            raise ConfigError(f"{path}: {key}: unknown key; groups are tables [group.ID]")
    groups = table.get("group", {})
    if not isinstance(groups, dict) or not all(isinstance(group, dict) for group in groups.values()):
        raise ConfigError(f"{path}: group: must hold tables [group.ID]")
    for code, group in groups.items():
        _check(path, code, group, groups)
    return [_group(code, group, _members(path, code, groups, ())) for code, group in groups.items()]


def _group(code: str, group: Mapping[str, Any], countries: frozenset[str]) -> tuple[tuple[str, ...], Area]:
    """The names a group goes by, and the group."""
    name = group.get("name", code)
    return (code, name, *group.get("also", ())), Area(code, name, "group", countries)


def _check(path: Path, code: str, group: Mapping[str, Any], groups: Mapping[str, Any]) -> None:
    where = f"{path}: group.{code}"
    for key, value in group.items():
        if key not in _KEYS:
            raise ConfigError(f"{where}.{key}: unknown key{_nearest(key, _KEYS)}")
        is_right = isinstance(value, str) if key == "name" else isinstance(value, list) and all(isinstance(v, str) for v in value)
        if not is_right:
            raise ConfigError(f"{where}.{key}: must be {'a text' if key == 'name' else 'a list of texts'}, not {value!r}")
    for key, kind, known in (("countries", "ISO 3166-1 code", load_names().english), ("groups", "group", groups)):
        wrong = next((member for member in group.get(key, ()) if member not in known), None)
        if wrong is not None:
            raise ConfigError(f"{where}.{key}: {wrong!r} is no {kind}{_nearest(wrong, known)}")


def _members(path: Path, code: str, groups: Mapping[str, Any], above: tuple[str, ...]) -> frozenset[str]:
    if code in above:
        raise ConfigError(f"{path}: group.{code}.groups: the group contains itself, by way of {' -> '.join((*above, code))}")
    inner = [_members(path, member, groups, (*above, code)) for member in groups[code].get("groups", ())]
    return frozenset(groups[code].get("countries", ())).union(*inner)


def _nearest(word: str, known: Iterable[str]) -> str:
    options = list(known)
    close = get_close_matches(word, options, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(options))}" if len(options) < 20 else ""
