"""Regular expressions in linear time, by RE2: a rule cannot make the matcher hang.

RE2 knows word boundaries in ASCII only, so a `\\b` at either end of an expression stands for "no letter or digit of any
script"; inside of one it keeps RE2's meaning. Capitals do not count.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import re2

from alerts.errors import QueryError

MAX_REGEX = 200  # characters
_MAX_BYTES = 1 << 20  # of the compiled program; RE2 refuses what is larger
_EDGE = r"[^\p{L}\p{N}_]"


class Match(Protocol):
    """What a search found."""

    def span(self, group: int, /) -> tuple[int, int]:
        """First and last position of a group."""
        ...


class Compiled(Protocol):
    """A regular expression that is ready; group 1 is what it stands for."""

    def search(self, text: str | bytes, /) -> Match | None:
        """The first place in the text, in characters, or in bytes of its UTF-8."""
        ...


@lru_cache(maxsize=4096)
def compiled(source: str, column: int = 1) -> Compiled:
    """The expression, ready to search.

    Raises:
        QueryError: It is too long, too large, or not RE2; says what RE2 says.
    """
    if len(source) > MAX_REGEX:
        raise QueryError(f"{len(source)} characters; a regular expression may have {MAX_REGEX}", column)
    try:
        re2.compile(source, options())  # alone: what we put around it must not lend it a bracket
        found: Compiled = re2.compile(_with_edges(source), options())
    except re2.error as error:
        reason = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else str(error)
        raise QueryError(f"/{source}/ is no regular expression of RE2: {reason} (no look-around and no \\1)", column) from error
    return found


def options() -> re2.Options:
    """How all expressions are compiled: capitals do not count, memory is bounded."""
    chosen = re2.Options()
    chosen.case_sensitive = False
    chosen.log_errors = False
    chosen.max_mem = _MAX_BYTES
    return chosen


def _with_edges(source: str) -> str:
    before = after = ""
    if source.startswith(r"\b"):
        before, source = f"(?:^|{_EDGE})", source[2:]
    if source.endswith(r"\b") and not source.endswith(r"\\b"):
        after, source = f"(?:$|{_EDGE})", source[:-2]
    return f"{before}({source}){after}"
