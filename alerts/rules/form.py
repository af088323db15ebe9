"""Rules for people who do not type queries: all of, any of, none of, regions, sources; to a query and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alerts.rules.grammar import parse
from alerts.rules.nodes import NEAR, AllOf, AnyOf, Leaf, NoneOf, Query, Region, Words, leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a person fills in; each entry is a word or a phrase without quotes."""

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()  # any of them
    sources: tuple[str, ...] = ()  # any of them


def to_query(form: Form) -> str:
    """The query of a form; `*` for an empty one.

    Raises:
        QueryError: An entry says nothing that could be looked for.
    """
    parts = [
        *(_entry(entry) for entry in form.all_of),
        _either(_entry(entry) for entry in form.any_of),
        _either(f"region:{_quoted(name)}" for name in form.regions),
        _either(f"source:{_quoted(name)}" for name in form.sources),
        *(f"-{_entry(entry)}" for entry in form.none_of),
    ]
    query = " ".join(part for part in parts if part) or "*"
    parse(query)
    return query


def to_form(query: str) -> Form | None:
    """The form of a query; None when a form cannot say it.

    Raises:
        QueryError: The query does not parse.
    """
    parsed = parse(query)
    parts = parsed.parts if isinstance(parsed, AllOf) else (parsed,)
    found: dict[str, tuple[str, ...]] = {}
    for part in parts:
        field, entries = _field(part)
        if not field or (field in ("any_of", "regions", "sources") and field in found):
            return None
        found[field] = (*found.get(field, ()), *entries)
    return Form(**{field: entries for field, entries in found.items() if field != "everything"})


def _field(part: Query) -> tuple[str, Sequence[str]]:
    """Which field of the form a part belongs to, and its entries; ("", ()) when to none."""
    if isinstance(part, NoneOf):
        words = [_plain(p) for p in (part.part.parts if isinstance(part.part, AnyOf) else (part.part,))]
        return ("none_of", words) if all(words) else ("", ())
    if isinstance(part, AllOf) or any(isinstance(p, AllOf | AnyOf | NoneOf) for p in getattr(part, "parts", ())):
        return "", ()
    if not isinstance(part, AnyOf) and part.text == "*":
        return "everything", ()
    options = list(leaves(part))
    for field, read in (("regions", _region), ("sources", _source), ("any_of", _plain)):
        entries = [read(option) for option in options]
        if all(entries):
            is_one = field == "any_of" and len(entries) == 1
            return "all_of" if is_one else field, [entry for entry in entries if entry]
    return "", ()


def _plain(leaf: Query) -> str:
    """A word or phrase as a person writes it into the form; "" for anything else."""
    if isinstance(leaf, Words) and not leaf.scope and leaf.slop is None and leaf.mode in ("word", "prefix"):
        return " ".join(leaf.terms) + ("*" if leaf.mode == "prefix" else "")
    return ""


def _region(leaf: Leaf) -> str:
    return leaf.name if isinstance(leaf, Region) and not leaf.name.startswith(NEAR) else ""


def _source(leaf: Leaf) -> str:
    return "-".join(leaf.terms) if isinstance(leaf, Words) and leaf.scope == "source" and leaf.mode == "word" and leaf.slop is None else ""


def _entry(entry: str) -> str:
    text = entry.strip()
    return f"{_quoted(text[:-1])}*" if text.endswith("*") and len(text) > 1 else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', " ").strip() + '"'


def _either(parts: Iterable[str]) -> str:
    found = list(parts)
    return found[0] if len(found) == 1 else f"({' OR '.join(found)})" if found else ""
