"""The numbers of the keys that queries are filed under, and which of them an item has.

Only kinds of keys that some query uses are made of an item: stems and pairs of characters cost time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from alerts.rules.document import Document, Line
from alerts.rules.nodes import BODY
from alerts.rules.plan import SEP, key
from alerts.text.stems import stems
from alerts.text.tokens import is_run

_SCOPES = ("source", "topic", "tag", "author", "url")


class KeyRing:
    """Keys by number, from 1 on; a key keeps its number when its last query is gone."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._scopes: set[str] = set()  # fields in use
        self._sizes: set[int] = set()  # lengths of prefixes in use
        self._has_pairs = False
        self._stems: dict[str, int] = {}  # word whose stem counts -> number
        self._stem_tables: dict[str | None, dict[str, set[int]]] = {}  # language -> stem -> numbers

    def number(self, name: str) -> int:
        """The number of a key, a new one when it is new."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._numbers) + 1
            if name[0] == SEP:
                self._note(name, number)
            elif len(name) > 1 and not name.isascii() and is_run(name):
                self._has_pairs = True
        return number

    def numbers(self, names: Sequence[str]) -> list[int]:
        """The numbers of keys, in their order."""
        known = self._numbers
        return [known[name] if name in known else self.number(name) for name in names]

    def has(self, name: str) -> bool:
        """Whether a key is in use."""
        return name in self._numbers

    def _note(self, name: str, number: int) -> None:
        _, kind, value = name.split(SEP, 2)
        if kind == "prefix":
            self._sizes.add(len(value))
        elif kind == "stem":
            self._stems[value] = number
            self._stem_tables.clear()
        elif kind in _SCOPES:
            self._scopes.add(kind)

    def of(self, document: Document) -> set[int]:
        """The numbers of the keys that an item has, areas left out."""
        get = self._numbers.get
        found: set[int | None] = {get(key("lang", document.tagged.language)), get(key("urgency", document.urgency))}
        for line in document.lines(BODY):
            found.update(map(get, line.places))
            for size in self._sizes:
                heads = {word[:size] for word in line.places if len(word) >= size}
                found.update(get(key("prefix", head)) for head in heads)
            if self._has_pairs and not line.raw.isascii():
                found.update(map(get, _pairs(line)))
            if self._stems:
                found |= self._stemmed(line)
        for scope in self._scopes:
            found.update(get(key(scope, word)) for line in document.lines(scope) for word in line.places)
        found.discard(None)
        return found  # type: ignore[return-value]  # None was taken out

    def _stemmed(self, line: Line) -> set[int]:
        """The numbers of the words asked for whose stem some word of the line has."""
        table = self._stem_tables.get(line.language)
        if table is None:
            table = self._stem_tables[line.language] = {}
            for word, number in self._stems.items():
                for stem in stems(word, line.language):
                    table.setdefault(stem, set()).add(number)
        return set().union(*(table[stem] for stem in line.stem_places.keys() & table.keys()))


def _pairs(line: Line) -> Iterator[str]:
    """Neighbours without a gap in scripts without spaces."""
    return (one.text + two.text for one, two in pairwise(line.words) if one.end == two.start and is_run(one.text) and is_run(two.text))
