"""Rules from a file: TOML with [[rule]] tables, as in config/rules.toml, or JSON Lines, one rule a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from alerts.errors import ConfigError, QueryError
from alerts.models import Rule
from alerts.rules.match import Areas
from alerts.rules.query import check_query
from alerts.settings import read_text, read_toml

KEYS = ("id", "name", "query", "subscriber", "channels", "enabled", "unknown")
_MAX_ID = 100
_MAX_NAME = 200
_MAX_BYTES = 1_000_000_000  # of JSON Lines: a million rules are about 100 MB
_TYPES: dict[str, tuple[type, str]] = {
    "id": (str, "a text"),
    "name": (str, "a text"),
    "query": (str, "a text"),
    "subscriber": (str, "a text"),
    "channels": (list, "a list of channel ids"),
    "enabled": (bool, "true or false"),
    "unknown": (str, '"in" or "out"'),
}


def read_rules(path: Path, areas: Areas | None = None) -> tuple[Rule, ...]:
    """The rules of a file in its order; none for an empty one.

    Args:
        path: NAME.toml, or JSON Lines under any other name.
        areas: When given, regions that nobody knows are errors too.

    Raises:
        ConfigError: Names file, line or number of the rule, key, what is wrong and what is allowed.
    """
    return _distinct(_toml_rows(path) if path.suffix.lower() == ".toml" else _json_rows(path), areas)


def rules_of(rows: object, *, path: Path, areas: Areas | None = None) -> tuple[Rule, ...]:
    """The rules of the [[rule]] tables of a file that was read.

    Raises:
        ConfigError: As `read_rules`.
    """
    return _distinct(_numbered(rows, path), areas)


def _distinct(rows: Iterable[tuple[str, Mapping[str, Any]]], areas: Areas | None) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for where, row in rows:
        rule = _rule(where, row, areas)
        if rule.rule_id in rules:
            raise ConfigError(f"{where}: id: {rule.rule_id!r} is used by an earlier rule; give each rule its own")
        rules[rule.rule_id] = rule
    return tuple(rules.values())


def _toml_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    table = read_toml(path)
    for key in table:
        if key != "rule":
            raise ConfigError(f"{path}: {key}: unknown key; rules are tables [[rule]]")
    return _numbered(table.get("rule", []), path)


def _numbered(rows: object, path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{path}: rule: must be tables [[rule]], not [rule]")
    for number, row in enumerate(rows, 1):
        yield f"{path}: rule {number}", row


def _json_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(read_text(path, limit=_MAX_BYTES).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            example = '{"id": "1", "query": "strike"}'
            raise ConfigError(f"{path}:{number}: not JSON: {error}; each line is an object such as {example}") from error
        if not isinstance(row, dict):
            raise ConfigError(f"{path}:{number}: must be an object with id and query, not {_short(row)}")
        yield f"{path}:{number}", row


def _rule(where: str, row: Mapping[str, Any], areas: Areas | None) -> Rule:
    for key, value in row.items():
        _check_value(where, key, value)
    for key in ("id", "query"):
        if key not in row:
            raise ConfigError(f"{where}: {key}: missing; a rule needs an id and a query")
    try:
        check_query(row["query"], areas)
    except QueryError as error:
        raise ConfigError(f"{where}: query: {error}") from error
    return Rule(
        rule_id=row["id"],
        subscriber_id=row.get("subscriber", "me"),
        query=row["query"],
        name=row.get("name", ""),
        channel_ids=tuple(row.get("channels", ())),
        is_unknown_in=row.get("unknown", "out") == "in",
        is_enabled=row.get("enabled", True),
    )


def _check_value(where: str, key: str, value: object) -> None:
    if key not in _TYPES:
        raise ConfigError(f"{where}: {key}: unknown key{_nearest(key, KEYS)}")
    kind, allowed = _TYPES[key]
    is_right = isinstance(value, kind) and (key != "channels" or all(isinstance(v, str) and v for v in _items(value)))
    if not is_right or (key == "unknown" and value not in ("in", "out")):
        raise ConfigError(f"{where}: {key}: must be {allowed}, not {_short(value)}")
    if key in ("id", "subscriber") and not (0 < len(str(value)) <= _MAX_ID and str(value).isprintable() and str(value).strip() == value):
        raise ConfigError(f"{where}: {key}: must be 1 to {_MAX_ID} printable characters without spaces at the ends, not {_short(value)}")
    if key == "name" and not (len(str(value)) <= _MAX_NAME and str(value).isprintable()):
        raise ConfigError(f"{where}: name: must be up to {_MAX_NAME} printable characters, not {_short(value)}")


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _nearest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
