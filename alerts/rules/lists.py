"""Named lists of words that queries use as `@name`, from config/lists.toml.

A list is looked up when a rule is put in force, so a change of the file reaches every rule with the next start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from alerts.errors import ConfigError, QueryError
from alerts.rules.grammar import parse
from alerts.rules.nodes import AllOf, AnyOf, NoneOf, Query, Saved, Words, leaves
from alerts.settings import read_toml

MAX_OPTIONS = 200  # of one list
_KEYS = ("note", "any")


@dataclass(frozen=True, slots=True)
class Lists:
    """Every list by its name in small letters."""

    options: Mapping[str, tuple[Words, ...]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Lists:
        """The lists of a file; none when it is not there.

        Raises:
            ConfigError: Names file, list, key, what is wrong and what is allowed.
        """
        if not path.is_file():
            return cls()
        table = read_toml(path)
        for key in table:
            if key != "list":
                raise ConfigError(f"{path}: {key}: unknown key; lists are tables [list.NAME]")
        rows = table.get("list", {})
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            raise ConfigError(f"{path}: list: must hold tables [list.NAME]")
        return cls({name.casefold(): _options(f"{path}: list.{name}", row) for name, row in rows.items()})

    def find(self, saved: Saved) -> tuple[Words, ...]:
        """What a list says. Raises: QueryError naming the nearest one."""
        found = self.options.get(saved.name)
        if found is not None:
            return found
        close = get_close_matches(saved.name, list(self.options), n=1)
        known = ", ".join(f"@{name}" for name in sorted(self.options))
        hint = f"did you mean @{close[0]}?" if close else f"known are {known}." if known else "config/lists.toml has none yet."
        raise QueryError(f'no list is called "@{saved.name}"; {hint} To look for the word, leave out the @', saved.column)


NO_LISTS = Lists()


def expand(query: Query, lists: Lists) -> Query:
    """The query with its lists filled in; the very same where it has none.

    Raises:
        QueryError: Nobody knows a list.
    """
    if not any(isinstance(leaf, Saved) and not leaf.options for leaf in leaves(query)):
        return query
    match query:
        case AllOf(parts):
            return AllOf(tuple(expand(part, lists) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(expand(part, lists) for part in parts))
        case NoneOf(part):
            return NoneOf(expand(part, lists))
        case Saved():
            return replace(query, options=lists.find(query))
        case _:
            return query


def parsed(query: Query | str, lists: Lists = NO_LISTS) -> Query:
    """A query ready to be answered: parsed when it was typed, its lists filled in. Raises: QueryError."""
    if isinstance(query, str):
        return expand(parse(query), lists) if "@" in query else parse(query)
    return expand(query, lists)


def _options(where: str, row: Mapping[str, Any]) -> tuple[Words, ...]:
    for key in row:
        if key not in _KEYS:
            raise ConfigError(f"{where}.{key}: unknown key; known are {', '.join(_KEYS)}")
    texts = row.get("any")
    if not isinstance(texts, list) or not texts or len(texts) > MAX_OPTIONS or not all(isinstance(t, str) for t in texts):
        raise ConfigError(f"{where}.any: must be a list of 1 to {MAX_OPTIONS} words or phrases")
    if not isinstance(row.get("note", ""), str):
        raise ConfigError(f"{where}.note: must be a text")
    return tuple(option for text in texts for option in _words(where, text))


def _words(where: str, text: str) -> list[Words]:
    """One entry: a word, a "phrase" (quotes may be left out), prefix*, =exact or ~stem."""
    is_plain = text[:1] not in "=~" and not text.endswith("*") and '"' not in text
    try:
        found = list(leaves(parse(f'"{text}"' if is_plain else text)))
    except QueryError as error:
        raise ConfigError(f"{where}.any: {text!r}: {error}") from error
    words = [leaf for leaf in found if isinstance(leaf, Words) and not leaf.scope]
    if len(found) != 1 or len(words) != 1:
        raise ConfigError(f"{where}.any: {text!r}: each entry is one word or phrase, without fields and operators")
    return words
