"""Everything in the store as JSON Lines, and back; independent of the server's version and brand."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from alerts.errors import ConfigError, StateError
from alerts.state.base import as_hash
from alerts.state.keys import SCHEMA

if TYPE_CHECKING:
    from alerts.state.redis import RedisState

FORMAT = "tocsin-backup"
_TRANSIENT = ("lease:", "leases:", "wake:", "turn:")  # beginnings of names
_TRANSIENT_NAMES = ("lanes:owner", "lanes:until", "turn:", "owners", "sifter")
_EMPTY = ("schema", "items")  # what a store holds before anything was done


def dump(state: RedisState) -> Iterator[str]:
    """The lines of a backup: a header, then one line a key. Leases and other passing things are left out."""
    yield json.dumps({"format": FORMAT, "schema": SCHEMA, "created_at": state.now().isoformat()})
    for name in sorted(_names(state)):
        short = name.removeprefix(state.prefix)
        if not _is_transient(short):
            yield json.dumps({"key": short, **_read(state, name)})


def check_header(line: str) -> None:
    """Raises: ConfigError when this is no backup, or one of a newer Tocsin."""
    try:
        header = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(f"line 1: not a Tocsin backup: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ConfigError("line 1: not a Tocsin backup: the first line must be its header")
    if not isinstance(header.get("schema"), int) or header["schema"] > SCHEMA:
        raise ConfigError(
            f"line 1: the backup has schema {header.get('schema')}, this Tocsin knows up to {SCHEMA}: install the newer version"
        )


def keys_line(keys: str) -> str:
    """The last line of a backup: the keys that channel URLs are sealed with."""
    return json.dumps({"keys": keys})


def split_keys(lines: list[tuple[int, str]]) -> tuple[str, list[tuple[int, str]]]:
    """(keys, other lines). Raises: ConfigError when the last line is missing: the backup was cut off."""
    if not lines or not lines[-1][1].startswith('{"keys"'):
        raise ConfigError("the backup is cut off: its last line, the keys, is missing; nothing was restored")
    number, line = lines[-1]
    try:
        return str(json.loads(line)["keys"]), lines[:-1]
    except (ValueError, KeyError) as error:
        raise ConfigError(f"line {number}: the backup is cut off in its last line, the keys; nothing was restored") from error


def restore(state: RedisState, lines: Iterable[tuple[int, str]]) -> int:
    """Write the keys of a backup into an empty store; how many.

    Args:
        lines: (line number, text) after the header.

    Raises:
        StateError: The store is not empty.
        ConfigError: A line cannot be read; nothing was written.
    """
    held = (name.removeprefix(state.prefix) for name in _names(state))
    if any(name not in _EMPTY and not _is_transient(name) for name in held):
        raise StateError("the store is not empty; restore into a new data directory")
    rows = [_parse(number, line) for number, line in lines]
    state.run_commands(("DEL", state.prefix + row["key"]) for row in rows)
    state.run_commands(command for row in rows for command in _write(state.prefix + row["key"], row))
    state.prepare()
    state.touch_due()
    return len(rows)


def _is_transient(name: str) -> bool:
    return name in _TRANSIENT_NAMES or name.startswith(_TRANSIENT)


def _names(state: RedisState) -> list[str]:
    return [name.decode() for name in state.scan()]


def _read(state: RedisState, name: str) -> dict[str, Any]:
    kind = state.run_command("TYPE", name).decode()
    ttl = int(state.run_command("PTTL", name))
    row: dict[str, Any] = {"type": kind, "ttl_ms": ttl} if ttl > 0 else {"type": kind}
    match kind:
        case "string":
            return {**row, "value": _text(state.run_command("GET", name))}
        case "hash":
            pairs = as_hash(state.run_command("HGETALL", name)).items()
            return {**row, "value": [[_text(k), _text(v)] for k, v in pairs]}
        case "set":
            return {**row, "value": [_text(m) for m in state.run_command("SMEMBERS", name)]}
        case "zset":
            members = state.run_command("ZRANGE", name, 0, -1)
            scores = state.run_commands(("ZSCORE", name, m) for m in members)
            return {**row, "value": [[_text(m), float(s)] for m, s in zip(members, scores, strict=True)]}
        case "stream":
            entries = state.run_command("XRANGE", name, "-", "+")
            return {**row, "value": [[_text(i), [[_text(k), _text(v)] for k, v in as_hash(f).items()]] for i, f in entries]}
    raise StateError(f"{name}: a {kind} is nothing Tocsin writes")


def _write(name: str, row: dict[str, Any]) -> Iterator[tuple[str | bytes | int | float, ...]]:
    """The commands that write a key again."""
    yield from _WRITERS[row["type"]](name, row["value"])
    if "ttl_ms" in row:
        yield "PEXPIRE", name, row["ttl_ms"]


_WRITERS: dict[str, Callable[[str, Any], list[tuple[str | bytes | int | float, ...]]]] = {
    "string": lambda name, value: [("SET", name, _bytes(value))],
    "hash": lambda name, value: [("HSET", name, _bytes(field), _bytes(held)) for field, held in value],
    "set": lambda name, value: [("SADD", name, _bytes(member)) for member in value],
    "zset": lambda name, value: [("ZADD", name, float(score), _bytes(member)) for member, score in value],
    "stream": lambda name, value: [
        ("XADD", name, _bytes(entry), *(_bytes(part) for pair in fields for part in pair)) for entry, fields in value
    ],
}


def _parse(number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        str(row["key"]), list(_write(row["key"], row))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"line {number}: not a line of a backup ({error}); nothing was restored") from error
    return dict(row)


def _text(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(data).decode("ascii")}


def _bytes(value: Any) -> bytes:
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else str(value).encode()
