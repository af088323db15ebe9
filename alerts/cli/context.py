"""The way from the command line to the service: opened when a command needs it; files and rows that people give us."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alerts.errors import ConfigError

if TYPE_CHECKING:
    from alerts.service import Service
    from alerts.settings import Settings

_LONGEST_LINE = 10_000_000  # bytes
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]
Subscriber = Annotated[str, typer.Option("--subscriber", help="Whose.")]
AnySubscriber = Annotated[str | None, typer.Option("--subscriber", help="Whose; all if left out.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many at most.")]


def lazy(module: str) -> Any:
    """A module that is only imported now: it costs time that `--help` should not take."""
    return importlib.import_module(module)


def open_settings() -> Settings:
    """The settings, with logging set up by them. Raises: ConfigError."""
    bootstrap = lazy("alerts.bootstrap")
    settings: Settings = bootstrap.load_settings()
    bootstrap.configure_logging(settings)
    return settings


@contextmanager
def open_service() -> Iterator[Service]:
    """The service on the store of the settings, for the length of a with block.

    When the store is the embedded one and no service runs, it is started here and stopped at the end.

    Raises:
        ConfigError: A setting, the data directory or the configuration is wrong.
        StateError: The store does not answer.
    """
    with lazy("alerts.cli.store").reachable(open_settings()) as settings:
        service: Service = lazy("alerts.bootstrap").build_service(settings)
        with closing(service):
            yield service


def read_lines(path: Path | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, object) of JSON Lines in a file, or on stdin without one (or with `-`); a place reads "stdin: line 3".

    Raises:
        ConfigError: Names the file and the line that is no JSON object.
    """
    is_stdin = path is None or str(path) == "-"
    name = "stdin" if is_stdin else str(path)
    for number, line in _lines(None if is_stdin else path, name):
        place = f"{name}: line {number}"
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{place}: not JSON: {error}; each line is an object {{...}}") from error
        if not isinstance(row, dict):
            raise ConfigError(f"{place}: must be an object {{...}}, not {type(row).__name__}")
        yield place, row


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number there")


def _lines(path: Path | None, name: str) -> Iterator[tuple[int, str]]:
    with lazy("alerts.settings").open_file(path) if path else nullcontext(sys.stdin.buffer) as file:
        for number, line in enumerate(iter(partial(file.readline, _LONGEST_LINE + 1), b""), 1):
            if len(line) > _LONGEST_LINE:
                raise ConfigError(f"{name}: line {number}: is longer than {_LONGEST_LINE // 1_000_000} MB")
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise ConfigError(f"{name}: line {number}: not UTF-8: {error.reason} at its byte {error.start + 1}") from error


def text_of(row: dict[str, Any], key: str, place: str, *, needed: bool = False) -> str:
    """A text field of a row. Raises: ConfigError naming place and key."""
    value = row.get(key)
    if value is None and not needed:
        return ""
    if not isinstance(value, str):
        raise ConfigError(f"{place}: {key}: must be a text, {'but is missing' if value is None else f'not {type(value).__name__}'}")
    return value


def file_or_stdin(path: Path) -> Path:
    """The path, with `-` for what is piped in."""
    return Path("/dev/stdin") if str(path) == "-" else path
