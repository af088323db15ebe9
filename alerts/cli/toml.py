"""Tables as TOML text; what `tocsin export` prints and `tocsin apply` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def dumps(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Arrays of tables as TOML; empty ones are left out."""
    blocks = [_block(name, row) for name, rows in tables.items() for row in rows]
    return "\n".join(blocks)


def _block(name: str, row: Mapping[str, Any]) -> str:
    return "\n".join([f"[[{name}]]", *(f"{key} = {_value(value)}" for key, value in row.items()), ""])


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items() if v not in ("", None)) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
