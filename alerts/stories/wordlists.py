"""The word lists of alerts/stories/data: lines of `KEY = words`, the key a language or a language and what the words are."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=16)
def rows(name: str) -> tuple[tuple[str, str], ...]:
    """Key and value of each line of one list, in the order of the file; lines that are empty or begin with # are left out."""
    text = resources.files("alerts.stories").joinpath("data", name).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return tuple((key.strip(), value.strip()) for key, _, value in (line.partition("=") for line in lines))
