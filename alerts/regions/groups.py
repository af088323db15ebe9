"""The named groups of config/regions.toml: countries, subdivisions, places, polygons, and other groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from alerts.errors import ConfigError
from alerts.regions.gazetteer import load_gazetteer
from alerts.regions.shapes import Shape, read_geojson, read_near, ring_of
from alerts.settings import read_toml

_TEXTS = ("name", "near", "geojson")
_LISTS = ("also", "countries", "subdivisions", "places", "groups")
_KEYS = (*_TEXTS, *_LISTS, "polygon")


def read_groups(path: Path) -> dict[str, dict[str, Any]]:
    """Id -> the group as written, checked: every key known, every code and group there.

    Raises:
        ConfigError: Names file, group, key, what is wrong and the nearest right name.
    """
    table = read_toml(path)
    for key in table:
        if key != "group":
            raise ConfigError(f"{path}: {key}: unknown key; groups are tables [group.ID]")
    groups = table.get("group", {})
    if not isinstance(groups, dict) or not all(isinstance(group, dict) for group in groups.values()):
        raise ConfigError(f"{path}: group: must hold tables [group.ID]")
    for code, group in groups.items():
        _check(path, code, group, groups)
    return groups


def members(path: Path, code: str, groups: Mapping[str, Any], key: str, above: tuple[str, ...] = ()) -> frozenset[str]:
    """What a group and the groups in it list under a key. Raises: ConfigError when a group contains itself."""
    if code in above:
        raise ConfigError(f"{path}: group.{code}.groups: the group contains itself, by way of {' -> '.join((*above, code))}")
    inner = [members(path, member, groups, key, (*above, code)) for member in groups[code].get("groups", ())]
    return frozenset(groups[code].get(key, ())).union(*inner)


def shape_of(path: Path, code: str, group: Mapping[str, Any]) -> Shape | None:
    """The circle or polygon of a group, when it has one. Raises: ConfigError."""
    where = f"{path}: group.{code}"
    if "near" in group:
        shape = read_near(f"near:{group['near'].removeprefix('near:')}")
    elif "geojson" in group:
        shape = read_geojson(path.parent / group["geojson"])
    elif "polygon" in group:
        try:
            shape = Shape(rings=(ring_of(group["polygon"]),))
        except (ValueError, TypeError, IndexError, KeyError) as error:
            raise ConfigError(f"{where}.polygon: must be a list of [longitude, latitude]: {error}") from error
    else:
        shape = None
    return shape


def _check(path: Path, code: str, group: Mapping[str, Any], groups: Mapping[str, Any]) -> None:
    where = f"{path}: group.{code}"
    for key, value in group.items():
        if key not in _KEYS:
            raise ConfigError(f"{where}.{key}: unknown key{nearest(key, _KEYS)}")
        if key in _TEXTS and not isinstance(value, str):
            raise ConfigError(f"{where}.{key}: must be a text, not {value!r}")
        if key in _LISTS and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            raise ConfigError(f"{where}.{key}: must be a list of texts, not {value!r}")
    world = load_gazetteer()
    known: tuple[tuple[str, str, Iterable[str]], ...] = (
        ("countries", "ISO 3166-1 code", world.english),
        ("subdivisions", "ISO 3166-2 code", [code for code in world.codes if "-" in code]),
        ("groups", "group", groups),
    )
    for key, kind, codes in known:
        wrong = next((member for member in group.get(key, ()) if member not in codes), None)
        if wrong is not None:
            raise ConfigError(f"{where}.{key}: {wrong!r} is no {kind}{nearest(wrong, codes)}")


def nearest(word: str, known: Iterable[str]) -> str:
    """ "; did you mean ...?" or the list of what is known, to end an error with."""
    options = list(known)
    close = get_close_matches(word, options, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(options))}" if len(options) < 20 else ""
