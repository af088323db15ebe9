"""Rules from a file: TOML with [[rule]] tables, as in config/rules.toml, or JSON Lines, one rule a line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from alerts.errors import ConfigError, QueryError
from alerts.models import Rule
from alerts.rules.lists import Lists
from alerts.rules.match import Areas
from alerts.rules.query import check_query
from alerts.settings import read_text, read_toml
from alerts.text.durations import seconds_of

KEYS = (
    "id", "name", "note", "query", "subscriber", "channels", "enabled", "unknown", "cooldown", "expires", "on_ambiguous",
    "matches", "misses",
)  # fmt: skip
_OTHERS = ("channel", "subscriber", "source")  # tables of the same file that are for `tocsin apply`
_MAX_ID = 100
_MAX_NAME = 200
_MAX_NOTE = 2000
_MAX_TESTS = 100  # of one rule, matches or misses
_MAX_COOLDOWN_S = 30 * 86400.0
_MAX_BYTES = 1_000_000_000  # of JSON Lines: a million rules are about 100 MB
_TYPES: dict[str, tuple[type, str]] = {
    "id": (str, "a text"),
    "name": (str, "a text"),
    "query": (str, "a text"),
    "subscriber": (str, "a text"),
    "channels": (list, "a list of channel ids"),
    "enabled": (bool, "true or false"),
    "unknown": (str, '"in" or "out"'),
    "note": (str, "a text"),
    "matches": (list, "a list of headlines"),
    "misses": (list, "a list of headlines"),
}


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A headline that a rule's author says it matches, or misses."""

    rule: Rule
    text: str
    is_match: bool


def read_rules(path: Path, areas: Areas | None = None, lists: Lists | None = None) -> tuple[Rule, ...]:
    """The rules of a file in its order; none for an empty one.

    Args:
        path: NAME.toml, or JSON Lines under any other name.
        areas: When given, regions that nobody knows are errors too.
        lists: When given, lists that nobody knows are errors too.

    Raises:
        ConfigError: Names file, line or number of the rule, key, what is wrong and what is allowed.
    """
    return _distinct(_file_rows(path), areas, lists)


def read_tests(path: Path, areas: Areas | None = None, lists: Lists | None = None) -> tuple[RuleTest, ...]:
    """The `matches` and `misses` of every rule of a file, in its order.

    Raises:
        ConfigError: As `read_rules`.
    """
    return tuple(
        RuleTest(rule, text, is_match)
        for rule in _distinct(_file_rows(path), areas, lists)
        for texts, is_match in ((rule.matches, True), (rule.misses, False))
        for text in texts
    )


def rules_of(rows: object, *, path: Path, areas: Areas | None = None, lists: Lists | None = None) -> tuple[Rule, ...]:
    """The rules of the [[rule]] tables of a file that was read.

    Raises:
        ConfigError: As `read_rules`.
    """
    return _distinct(_numbered(rows, path), areas, lists)


def _file_rows(path: Path) -> Iterable[tuple[str, Mapping[str, Any]]]:
    return _toml_rows(path) if path.suffix.lower() == ".toml" else _json_rows(path)


def _distinct(rows: Iterable[tuple[str, Mapping[str, Any]]], areas: Areas | None, lists: Lists | None) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for where, row in rows:
        rule = _rule(where, row, areas, lists)
        if rule.rule_id in rules:
            raise ConfigError(f"{where}: id: {rule.rule_id!r} is used by an earlier rule; give each rule its own")
        rules[rule.rule_id] = rule
    return tuple(rules.values())


def _toml_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    table = read_toml(path)
    for key in table:
        if key not in ("rule", *_OTHERS):
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


def _rule(where: str, row: Mapping[str, Any], areas: Areas | None, lists: Lists | None) -> Rule:
    for key, value in row.items():
        _check_value(where, key, value)
    for key in ("id", "query"):
        if key not in row:
            raise ConfigError(f"{where}: {key}: missing; a rule needs an id and a query")
    try:
        check_query(row["query"], areas, lists)
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
        note=row.get("note", ""),
        cooldown_s=cooldown_of(where, row.get("cooldown", 0)),
        expires_at=expiry_of(where, row.get("expires", "")),
        on_ambiguous=ambiguity_of(where, row.get("on_ambiguous", "resend")),
        matches=tuple(row.get("matches", ())),
        misses=tuple(row.get("misses", ())),
    )


def ambiguity_of(where: str, value: object) -> str:
    """What is done when nobody knows whether a message arrived. Raises: ConfigError."""
    if value not in ("resend", "drop"):
        raise ConfigError(f'{where}: on_ambiguous: must be "resend" or "drop", not {_short(value)}')
    return str(value)


def cooldown_of(where: str, value: object) -> float:
    """Seconds of "30m", "2h" or a number of seconds. Raises: ConfigError."""
    seconds = seconds_of(value) if isinstance(value, str) else None
    if seconds is None:
        seconds = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else -1.0
    if not 0 <= seconds <= _MAX_COOLDOWN_S:
        raise ConfigError(f'{where}: cooldown: must be a time up to 30 days, such as "30m" or 1800, not {_short(value)}')
    return seconds


def expiry_of(where: str, value: object) -> datetime | None:
    """The time of an ISO 8601 text or a TOML date, UTC when it names no zone; None when empty. Raises: ConfigError."""
    if value == "":
        return None
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
        elif isinstance(value, datetime):
            at = value
        elif isinstance(value, date):
            at = datetime(value.year, value.month, value.day, tzinfo=UTC)
        else:
            raise ValueError("no date")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"{where}: expires: must be a date such as 2026-12-31T18:00Z, not {_short(value)}") from error


_READ: dict[str, Callable[[str, object], object]] = {"cooldown": cooldown_of, "expires": expiry_of, "on_ambiguous": ambiguity_of}


def _check_value(where: str, key: str, value: object) -> None:
    if key not in KEYS:
        raise ConfigError(f"{where}: {key}: unknown key{_nearest(key, KEYS)}")
    if key in _READ:
        _READ[key](where, value)
        return
    kind, allowed = _TYPES[key]
    is_right = isinstance(value, kind) and all(isinstance(v, str) and v.strip() for v in _items(value))
    if not is_right or (key == "unknown" and value not in ("in", "out")):
        raise ConfigError(f"{where}: {key}: must be {allowed}, not {_short(value)}")
    if key in ("id", "subscriber") and not (0 < len(str(value)) <= _MAX_ID and str(value).isprintable() and str(value).strip() == value):
        raise ConfigError(f"{where}: {key}: must be 1 to {_MAX_ID} printable characters without spaces at the ends, not {_short(value)}")
    is_long = any(len(str(text)) > _MAX_NOTE for text in (*_items(value), value if key == "note" else ""))
    if is_long or len(list(_items(value))) > _MAX_TESTS:
        raise ConfigError(f"{where}: {key}: too long; up to {_MAX_TESTS} entries, each text up to {_MAX_NOTE} characters")
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
