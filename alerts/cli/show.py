"""How results look: a table or records for people, JSON Lines for programs; third-party text never controls the terminal."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from io import TextIOWrapper
from textwrap import TextWrapper
from typing import Any

_LAST_COLUMN = 24  # what the last column of a table has at least; the others are never cut: people copy ids
_GAP = 2
_INDENT = 4
_TIME = "%Y-%m-%d %H:%M:%SZ"
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def use_utf8() -> None:
    """Write UTF-8 whatever the locale; half a character comes out as the escape that JSON has for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def no_more_output() -> None:
    """Nobody reads stdout any more: what is still to be flushed goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def json_lines(rows: Iterable[Any]) -> None:
    """Each row as one line of JSON on stdout."""
    for row in rows:
        sys.stdout.write(json.dumps(row, default=plain, ensure_ascii=False) + "\n")


def plain(value: Any) -> Any:
    """What json.dumps does not know: dataclasses, times, sets, enums."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Rows as a table on stdout; `empty` says what to do when there are none.

    The last column takes the rest of the line and is folded; the others are as wide as they must be.
    """
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    cells = [[printable(cell) for cell in row] for row in rows]
    if not cells:
        say(empty)
        return
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(headings):
        grid.add_column(heading, no_wrap=number < len(headings) - 1, overflow="fold")
    for row in cells:
        grid.add_row(*map(Text, row))
    widest = [max(map(cell_len, column)) for column in zip(headings, *cells, strict=True)]
    _print(grid, at_least=sum(widest[:-1]) + _GAP * len(widest) + min(widest[-1], _LAST_COLUMN))


def records(rows: Iterable[tuple[Sequence[Any], Sequence[Any]]], *, empty: str) -> None:
    """(heads, lines) of each record: the heads on one line, the lines folded and indented under them."""
    from rich.padding import Padding
    from rich.text import Text

    is_empty = True
    for heads, lines in rows:
        is_empty = False
        say((" " * _GAP).join(filter(None, map(printable, heads))))
        for line in filter(None, map(printable, lines)):
            _print(Padding(Text(line, overflow="fold"), (0, 0, 0, _INDENT)))
    if is_empty:
        say(empty)


def _print(shape: Any, *, at_least: int = 0) -> None:
    """A shape of rich as wide as the terminal (80 columns without one), without blanks at the ends of lines."""
    from rich.console import Console

    console = Console()
    console.width = max(console.width, at_least)
    with console.capture() as captured:
        console.print(shape)
    sys.stdout.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def fields(pairs: Iterable[tuple[str, Any]]) -> None:
    """Name and value a line; empty values are left out, long ones folded between words: links stay whole."""
    rows = [(name, printable(value)) for name, value in pairs if value not in (None, "", (), [], {})]
    indent = max((len(name) for name, _ in rows), default=0) + _GAP
    fold = TextWrapper(
        width=max(shutil.get_terminal_size().columns, indent + _LAST_COLUMN),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for name, value in rows:
        fold.initial_indent = name.ljust(indent)
        say(fold.fill(value))


def printable(value: Any) -> str:
    """One line of text without control characters; times as UTC to the second, sequences with commas."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(_TIME)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list, set, frozenset)):
        return ", ".join(printable(v) for v in value)
    return "".join(c if c.isprintable() else " " for c in str(value))


def span(seconds: float) -> str:
    """A length of time in its largest whole unit: 45 s, 5 min, 1.5 h; empty for none."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{round(seconds / size, 1):g} {unit}"
    return f"{seconds:.1g} s" if seconds > 0 else ""


def say(text: str) -> None:
    """A line, or several, for a person on stdout; control characters are shown as blanks."""
    sys.stdout.write("".join(c if c.isprintable() or c == "\n" else " " for c in text) + "\n")


def note(text: str) -> None:
    """A line for a person on stderr: progress, warnings."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
