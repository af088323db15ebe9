"""A subscriber's own words for an alert: placeholders, a few filters, and nothing that could run or grow.

    {headline}                        the first line is the title, the rest the body
    {regions|default:nowhere known}   filters: upper, lower, cut:N, default:TEXT; they may follow each other
    {{ and }}                         the signs themselves

A line whose placeholders are all empty is left out. What a template makes is cut to the channel's length like any other
message; where it makes nothing, the usual message is sent instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from alerts.delivery.plaintext import cut, harmless_part
from alerts.errors import ConfigError

LONGEST = 2000  # characters of a template
_MOST_PLACES = 40
_LONGEST_VALUE = 1000  # of one placeholder
_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<place>[^{}\n]*)\}|[{}]")

FIELDS: Mapping[str, str] = {
    "title": "the headline, with the occasion before it",
    "headline": "the headline as published",
    "occasion": "Update, Correction or All clear; empty when the story begins",
    "news": "what an escalation, a correction or an all-clear brings",
    "summary": "what the item says beyond its headline",
    "source": "who reports it",
    "confirmed": "how many independent sources there are",
    "regions": "where, with the words that named it",
    "urgency": "the urgency and its reason",
    "when": "when it was published, in the subscriber's zone",
    "rules": "the rules that rang",
    "words": "the words that the rules found",
    "why": "rules and words",
    "link": "the link",
    "repeat": "says that an earlier attempt may have arrived; else empty",
}


class Filter(NamedTuple):
    """One filter with what it was given."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A placeholder."""

    field: str
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read: lines of text and placeholders."""

    lines: tuple[tuple[str | Place, ...], ...]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text; a line of which every placeholder is empty is left out. The values must be harmless by themselves."""
        filled = [_line(line, values) for line in self.lines]
        return "\n".join(line for line in filled if line is not None)


@lru_cache(maxsize=512)
def parse_template(text: str) -> Template:
    """A template as a person wrote it.

    Raises:
        ConfigError: Says where and what is wrong, and what there is.
    """
    if len(text) > LONGEST:
        raise ConfigError(f"template: {len(text):,} characters; at most {LONGEST:,} are allowed")
    lines = tuple(tuple(_parts(line, number)) for number, line in enumerate(text.splitlines(), 1))
    places = sum(isinstance(part, Place) for line in lines for part in line)
    if not places:
        raise ConfigError(f"template: it has no placeholder, so every alert would read alike; there are {_known(FIELDS)}")
    if places > _MOST_PLACES:
        raise ConfigError(f"template: {places} placeholders; at most {_MOST_PLACES} are allowed")
    return Template(lines)


def _parts(line: str, number: int) -> list[str | Place]:
    parts: list[str | Place] = []
    end = 0
    for token in _TOKEN.finditer(line):
        parts.append(harmless_part(line[end : token.start()]))
        end = token.end()
        if token["place"] is not None:
            parts.append(_place(token["place"], f"template: line {number}, column {token.start() + 1}"))
        elif len(token[0]) == 2:
            parts.append(token[0][0])
        else:
            where = f"template: line {number}, column {token.start() + 1}"
            raise ConfigError(f"{where}: a single {token[0]}; write {token[0] * 2} for the sign")
    return [part for part in [*parts, harmless_part(line[end:])] if part != ""]


def _place(text: str, where: str) -> Place:
    field, *filters = text.split("|")
    name = field.strip()
    if name not in FIELDS:
        raise ConfigError(f"{where}: {{{name[:40]}}} is no placeholder{_nearest(name, FIELDS)}")
    return Place(name, tuple(_filter(one, where) for one in filters))


def _filter(text: str, where: str) -> Filter:
    name, colon, argument = text.partition(":")
    name = name.strip()
    if name not in _FILTERS:
        raise ConfigError(f"{where}: |{name[:40]} is no filter{_nearest(name, _FILTERS)}")
    if name == "cut" and not (argument.strip().isdecimal() and argument.isascii() and 1 <= int(argument) <= _LONGEST_VALUE):
        raise ConfigError(f"{where}: |cut wants a number of characters from 1 to {_LONGEST_VALUE}, as |cut:80")
    if name in ("upper", "lower") and colon:
        raise ConfigError(f"{where}: |{name} takes nothing after a colon")
    return Filter(name, harmless_part(argument) if name == "default" else argument.strip())


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {_known(known)}"


def _known(names: Mapping[str, object]) -> str:
    return ", ".join(names)


# ---------------------------------------------------------------- filling


def _line(parts: tuple[str | Place, ...], values: Mapping[str, str]) -> str | None:
    """The line filled in; None when it has placeholders and all are empty."""
    filled = [part if isinstance(part, str) else _value(part, values) for part in parts]
    if any(isinstance(part, Place) for part in parts):
        is_empty = not any(text.strip() for part, text in zip(parts, filled, strict=True) if isinstance(part, Place))
        if is_empty:
            return None
    return "".join(filled)


def _value(place: Place, values: Mapping[str, str]) -> str:
    value = values.get(place.field, "")[:_LONGEST_VALUE]
    for one in place.filters:
        value = _FILTERS[one.name](value, one.argument)[:_LONGEST_VALUE]
    return value


_FILTERS: Mapping[str, Callable[[str, str], str]] = {
    "upper": lambda value, _: value.upper(),
    "lower": lambda value, _: value.lower(),
    "cut": lambda value, limit: cut(value, int(limit)),
    "default": lambda value, other: value or other,
}
