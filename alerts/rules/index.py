"""Many queries against one item: only those are verified that have a word, place or field of the item as their anchor.

Each query is filed under keys of which an item must have one for the query to be true: those of its rarest required
operand. A query without such an operand (`*`, `NOT football`) is verified on every item. The cost of an item grows with
its candidates, not with the number of queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from alerts.rules.grammar import parse
from alerts.rules.match import Areas, Document, evaluate
from alerts.rules.nodes import AllOf, AnyOf, Everything, Lang, NoneOf, Query, Region, Urgency, Words
from alerts.text.tokens import Token, is_hangul, is_run, tokens

_NOWHERE = "in:?"  # the key of an item without a region
_PREFIX = 4  # letters of a prefix that are looked up; a longer one is verified
_HANGUL = 2  # the same for Korean
# How often an item is expected to have a key of this kind; only the order of these guesses matters.
_COST = {"region": 0.05, "lang": 0.3, "urgency": 0.5, "source": 0.02, "topic": 0.02, "url": 0.02}
_BODY_SCOPES = ("", "title", "text")


class _Anchor(NamedTuple):
    """Keys of which a matching item has at least one, and how many items are expected to have one."""

    keys: frozenset[str]
    cost: float


@dataclass(frozen=True, slots=True)
class _Entry:
    query: Query
    is_unknown_in: bool
    keys: frozenset[str]  # empty = verified on every item


class RuleIndex:
    """Queries by id, ready to be matched; in memory, changed one at a time."""

    def __init__(self, areas: Areas) -> None:
        self._areas = areas
        self._entries: dict[str, _Entry] = {}
        self._by_key: dict[str, set[str]] = {}
        self._everywhere: set[str] = set()
        self._prefixes: Counter[int] = Counter()  # lengths that some query is filed under
        self._scopes: Counter[str] = Counter()  # source, topic, url: cut from an item only when some query needs them

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, query_id: str, query: str, is_unknown_in: bool = False) -> None:
        """Add a query, or replace the one with this id.

        Raises:
            QueryError: It does not parse.
            NotFoundError: It names a region that nobody knows. Nothing is changed then.
        """
        parsed = parse(query)
        anchor = _anchor(parsed, self._areas, is_unknown_in)
        self.remove(query_id)
        keys = anchor.keys if anchor else frozenset()
        self._entries[query_id] = _Entry(parsed, is_unknown_in, keys)
        self._count(keys, 1)
        for key in keys:
            self._by_key.setdefault(key, set()).add(query_id)
        if not keys:
            self._everywhere.add(query_id)

    def remove(self, query_id: str) -> None:
        """Forget a query; nothing happens when it is not there."""
        entry = self._entries.pop(query_id, None)
        if entry is None:
            return
        self._count(entry.keys, -1)
        self._everywhere.discard(query_id)
        for key in entry.keys:
            self._by_key[key].discard(query_id)
            if not self._by_key[key]:
                del self._by_key[key]

    def match(self, document: Document) -> tuple[str, ...]:
        """Ids of the queries that are true of the item, in the order of the ids."""
        candidates = set(self._everywhere)
        for key in set(self._keys(document)):
            candidates |= self._by_key.get(key, frozenset())
        return tuple(sorted(query_id for query_id in candidates if self._is_true(self._entries[query_id], document)))

    def _is_true(self, entry: _Entry, document: Document) -> bool:
        return evaluate(entry.query, document, self._areas, entry.is_unknown_in) is True

    def _count(self, keys: frozenset[str], step: int) -> None:
        for key in keys:
            kind, _, rest = key.partition(":")
            if kind == "p":
                self._prefixes[len(rest)] += step
            elif kind in _COST:
                self._scopes[kind] += step

    def _keys(self, document: Document) -> Iterator[str]:
        """Every key of the item that a query can be filed under."""
        words = list(document.words)
        for word in words:
            yield f"w:{word.text}"
        yield from (f"w:{pair}" for pair in _pairs(words))
        for size in [size for size, count in self._prefixes.items() if count > 0]:
            yield from (f"p:{word.text[:size]}" for word in words if len(word.text) >= size)
        for scope in ("source", "topic", "url"):
            if self._scopes[scope] > 0:
                yield from (f"{scope}:{word.text}" for line in document.lines(scope) for word in line.words)
        tagged = document.tagged
        yield f"lang:{tagged.language}"
        yield f"urgency:{tagged.urgency}"
        countries = {*tagged.countries, *(region.code[:2] for region in tagged.regions)}
        yield from (f"in:{code}" for code in countries) if countries else (_NOWHERE,)


def _pairs(words: Sequence[Token]) -> Iterator[str]:
    """Neighbours without a gap in scripts without spaces: rarer than single characters."""
    return (one.text + two.text for one, two in pairwise(words) if one.end == two.start and is_run(one.text) and is_run(two.text))


def _anchor(query: Query, areas: Areas, is_unknown_in: bool) -> _Anchor | None:
    """The cheapest keys without which the query cannot be true; None when there are none."""
    match query:
        case AllOf(parts):
            found = [anchor for part in parts if (anchor := _anchor(part, areas, is_unknown_in))]
            return min(found, key=lambda anchor: anchor.cost, default=None)
        case AnyOf(parts):
            return _union([_anchor(part, areas, is_unknown_in) for part in parts])
        case NoneOf(part):
            _check_regions(part, areas)
            return None
        case Words():
            return _word_anchor(query)
        case Region(name):
            keys = {f"in:{code}" for code in areas.countries_in(name)} | ({_NOWHERE} if is_unknown_in else set())
            return _Anchor(frozenset(keys), _COST["region"] * len(keys) ** 0.5)
        case Lang(tag):
            return _Anchor(frozenset((f"lang:{tag}",)), _COST["lang"])
        case Urgency(levels):
            return _Anchor(frozenset(f"urgency:{level}" for level in levels), _COST["urgency"])
        case Everything():
            return None


def _union(anchors: Sequence[_Anchor | None]) -> _Anchor | None:
    known = [anchor for anchor in anchors if anchor]
    if len(known) < len(anchors):
        return None
    return _Anchor(frozenset().union(*(anchor.keys for anchor in known)), sum(anchor.cost for anchor in known))


def _check_regions(query: Query, areas: Areas) -> None:
    """A region that nobody knows is an error inside a NOT as well."""
    _anchor(query, areas, False)


def _word_anchor(query: Words) -> _Anchor | None:
    """The rarest word of a phrase: the longest one, as far as one can tell without counting."""
    last = len(query.terms) - 1
    anchors = (_term_anchor(term, query.scope, query.is_prefix and n == last) for n, term in enumerate(query.terms))
    return min((anchor for anchor in anchors if anchor), key=lambda anchor: anchor.cost, default=None)


def _term_anchor(term: str, scope: str, is_prefix: bool) -> _Anchor | None:
    is_open = is_prefix or is_hangul(term)
    if scope not in _BODY_SCOPES:
        return None if is_open or is_run(term) else _Anchor(frozenset((f"{scope}:{term}",)), _COST[scope])
    if is_run(term):
        return _run_anchor([word.text for word in tokens(term)])
    cost = 0.3 / len(term) ** 2
    if is_open:
        head = term[: _HANGUL if is_hangul(term) else _PREFIX]
        return _Anchor(frozenset((f"p:{head}",)), 2 * cost)
    return _Anchor(frozenset((f"w:{term}",)), cost)


def _run_anchor(chars: Sequence[str]) -> _Anchor:
    """A pair of characters, or the only one."""
    if len(chars) == 1:
        return _Anchor(frozenset((f"w:{chars[0]}",)), 0.05)
    return _Anchor(frozenset((f"w:{chars[0]}{chars[1]}",)), 0.01)
