"""Many queries against one item: only those are looked at that have what the item has.

Each query is filed under the sets of keys it cannot do without (words, areas, fields; see `plan`). Where the keys say
all, a hit needs no further look; else the query is verified. The cost of an item grows with its words and its hits, not
with the number of queries. Equal queries have one id and are kept once, however many people have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from alerts.errors import AlertsError, NotFoundError, QueryError
from alerts.rules.document import Document
from alerts.rules.grammar import plain_parts
from alerts.rules.keys import KeyRing
from alerts.rules.lists import NO_LISTS, Lists, parsed
from alerts.rules.match import Areas, answer_of, evaluate, remainder
from alerts.rules.nodes import STORY_LEAVES, AllOf, Query, Region, Words, leaves
from alerts.rules.plan import area_key, plan
from alerts.rules.postings import Postings
from alerts.rules.query import shown
from alerts.rules.rarity import Rarity
from alerts.rules.whereabouts import Whereabouts
from alerts.text.collector import without_collector

_MAX_KEYS = 8  # of one set that are looked up; what is beyond is verified


class Found(NamedTuple):
    """What an item and its story say to the queries."""

    query_ids: tuple[str, ...]  # true now, in the order of the ids
    waiting: tuple[tuple[str, str], ...]  # (id, what is still to become true): the words matched, the story may yet


class _Check(NamedTuple):
    """A query whose keys do not say all."""

    query: Query
    is_unknown_in: bool
    is_storied: bool  # hangs on words and on what a story may change


class RuleIndex:
    """Queries by id, ready to be matched; in memory, changed one at a time.

    Args:
        areas: What `region:` and `near:` mean.
        lists: What `@name` means.
        rarity: Which keys are rare; taught by whoever sees items.
    """

    def __init__(self, areas: Areas, lists: Lists = NO_LISTS, rarity: Rarity | None = None) -> None:
        self._areas, self._lists = areas, lists
        self._rarity = Rarity() if rarity is None else rarity
        self._postings, self._keys, self._where = Postings(), KeyRing(), Whereabouts(areas)
        self._share: Callable[[str], float] = self._rarity.share
        self._area_keys: dict[tuple[str, bool], str] = {}  # of areas that have their number
        self._ids: list[str] = [""]  # by row
        self._rows: dict[str, int | tuple[int, ...]] = {}
        self._checks: dict[int, _Check] = {}  # by row

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, query_id: object) -> bool:
        return query_id in self._rows

    def put(self, query_id: str, query: str | Query, is_unknown_in: bool = False) -> None:
        """Add a query, or replace the one with this id.

        Raises:
            QueryError: It does not parse, or asks for a list that nobody knows.
            NotFoundError: It names a region that nobody knows. Nothing is changed then.
        """
        plain = plain_parts(query) if isinstance(query, str) else None
        if plain:
            self._put_plain(query_id, *plain, is_unknown_in)
            return
        ready = parsed(query, self._lists)
        sets, is_exact = plan(ready, is_unknown_in)
        has_areas = self._learn_areas(ready, is_unknown_in)
        check = None
        if not is_exact or any(len(keys) > _MAX_KEYS for keys in sets):
            check = _Check(ready, is_unknown_in, has_areas or _is_storied(ready))
        if query_id in self._rows:
            self.remove(query_id)
        if len(sets) == 1:
            self._rows[query_id] = self._add(query_id, list(sets[0]), check)
        else:
            self._rows[query_id] = tuple([self._add(query_id, list(keys), check) for keys in sets])

    def put_many(self, queries: Iterable[tuple[str, str, bool]]) -> list[tuple[str, AlertsError]]:
        """Add many queries (id, query, whether unknown counts as in); those that were refused, each with its error."""
        refused: list[tuple[str, AlertsError]] = []
        self._share = _Shares(self._rarity).__getitem__
        with without_collector():
            for query_id, query, is_unknown_in in queries:
                try:
                    self.put(query_id, query, is_unknown_in)
                except (QueryError, NotFoundError) as error:
                    refused.append((query_id, error))
        self._share = self._rarity.share
        return refused

    def _learn_areas(self, query: Query, is_unknown_in: bool) -> bool:
        """Whether the query names areas; each gets its number. Raises: NotFoundError before anything is changed."""
        names = [leaf.name for leaf in leaves(query) if isinstance(leaf, Region)]
        if not names:
            return False
        self._number_areas(names, is_unknown_in)
        return True

    def _put_plain(self, query_id: str, words: list[str], names: list[str], is_unknown_in: bool) -> None:
        """File a query that is plain words and countries: its keys say all."""
        keys = words + self._number_areas(names, is_unknown_in) if names else words
        if len(keys) > 1:
            keys = list(dict.fromkeys(keys))
        if len(keys) > _MAX_KEYS:
            self.put(query_id, AllOf((*(Words((w,)) for w in words), *map(Region, names))), is_unknown_in)
            return
        if query_id in self._rows:
            self.remove(query_id)
        self._rows[query_id] = self._add(query_id, keys, None)

    def _number_areas(self, names: Sequence[str], is_unknown_in: bool) -> list[str]:
        """The keys of areas, each with its number. Raises: NotFoundError before anything is changed."""
        known = self._area_keys
        if not all((name, is_unknown_in) in known for name in names):
            for name in names:
                self._where.check(name)
            for name in names:
                wanted = known[name, is_unknown_in] = area_key(name, is_unknown_in)
                if not self._keys.has(wanted):
                    self._where.add(self._keys.number(wanted), name, is_unknown_in)
        return [known[name, is_unknown_in] for name in names]

    def _add(self, query_id: str, keys: list[str], check: _Check | None) -> int:
        """The row of a new set of keys, which is put into its order."""
        if len(keys) > 1:
            keys.sort(key=self._share)
            del keys[_MAX_KEYS:]
        row = self._postings.add(self._keys.numbers(keys))
        if row == len(self._ids):
            self._ids.append(query_id)
        else:
            self._ids[row] = query_id
        if check is not None:
            self._checks[row] = check
        return row

    def remove(self, query_id: str) -> None:
        """Forget a query; nothing happens when it is not there."""
        rows = self._rows.pop(query_id, ())
        for row in (rows,) if isinstance(rows, int) else rows:
            self._postings.remove(row)
            self._checks.pop(row, None)
            self._ids[row] = ""

    def match(self, document: Document) -> tuple[str, ...]:
        """Ids of the queries that are true of the item, in the order of the ids."""
        rows = self._postings.within(self._keys.of(document) | self._where.of(document).inside)
        ids, checks = self._ids, self._checks
        if not checks:
            return tuple(sorted({ids[row] for row in rows}))
        found = {ids[row] for row in rows if row not in checks}
        for row in rows:
            if row in checks and ids[row] not in found and self._is_true(checks[row], document):
                found.add(ids[row])
        return tuple(sorted(found))

    def match_story(self, document: Document) -> Found:
        """The queries that are true of the item, and those whose words it has while its story is not there yet."""
        located = self._where.of(document)
        have = self._keys.of(document) | located.inside
        found: set[str] = set()
        open_: dict[str, dict[str, None]] = {}
        for row in self._postings.within(have | located.unknown):
            query_id, check = self._ids[row], self._checks.get(row)
            if query_id in found:
                continue
            left = self._left(row, have) if check is None else self._left_to_check(check, document)
            if left is True:
                found.add(query_id)
            elif left:
                open_.setdefault(query_id, {})[left] = None
        waiting = ((i, " OR ".join(f"({text})" for text in texts)) for i, texts in sorted(open_.items()) if i not in found)
        return Found(tuple(sorted(found)), tuple(waiting))

    def ready(self, waiting: Iterable[tuple[str, str]], document: Document) -> tuple[str, ...]:
        """Ids of the waiting queries that the story has made true; those removed meanwhile are left out."""
        return tuple(sorted({i for i, text in waiting if i in self._rows and self._is_ready(i, text, document)}))

    def asks_for(self, query_id: str, countries: Iterable[str]) -> tuple[str, ...]:
        """Those of the countries that an area of the query has to do with; none for a query without areas."""
        rows = self._rows.get(query_id, ())
        wanted: set[str] = set()
        for row in (rows,) if isinstance(rows, int) else rows:
            for name in self._areas_of(row):
                wanted |= self._where.check(name)
        return tuple(country for country in countries if country in wanted)

    def _areas_of(self, row: int) -> list[str]:
        check = self._checks.get(row)
        if check is not None:
            return [leaf.name for leaf in leaves(check.query) if isinstance(leaf, Region)]
        return [name for number in self._postings.keys_of(row) if (name := self._where.name(number))]

    def _is_ready(self, query_id: str, text: str, document: Document) -> bool:
        rows = self._rows[query_id]
        check = self._checks.get(rows if isinstance(rows, int) else rows[0])
        return evaluate(text, document, self._areas, check is not None and check.is_unknown_in) is True

    def _is_true(self, check: _Check, document: Document) -> bool:
        return answer_of(check.query, document, self._areas, check.is_unknown_in) is True

    def _left(self, row: int, have: set[int]) -> str | bool:
        """The areas that a query by keys alone waits for; True when it waits for nothing."""
        names = [self._where.name(number) for number in self._postings.keys_of(row) if number not in have]
        return " ".join(shown(Region(name)) for name in names) or True

    def _left_to_check(self, check: _Check, document: Document) -> str | bool:
        """What a query waits for; True when it is true, False when the story cannot help."""
        if self._is_true(check, document):
            return True
        left = remainder(check.query, document, self._areas) if check.is_storied else False
        return left if isinstance(left, bool) else shown(left)


class _Shares(dict[str, float]):
    """Key -> its share, found once while many queries are put in force."""

    def __init__(self, rarity: Rarity) -> None:
        super().__init__()
        self._rarity = rarity

    def __missing__(self, key: str) -> float:
        found = self[key] = self._rarity.share(key)
        return found


def _is_storied(query: Query) -> bool:
    kinds = {isinstance(leaf, STORY_LEAVES) for leaf in leaves(query)}
    return kinds == {True, False}
