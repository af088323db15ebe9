"""Which items are new, which were edited and which came back since the last poll.

An item was seen if its guid, or its canonical URL, was seen in its source; an equal normalised headline under a new
guid within 24 h is the same item. A guid or link that most of a page shares identifies nothing and is set aside.
Ticker pages have no ids: there the line itself is the identity, a near-equal line that takes the place of another is
its edit, and a line that comes back after its time-to-live is news again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from alerts.models import Item, Mark, Source, SourceKind
from alerts.text.fingerprint import fields_hash, hash48, hash64
from alerts.text.normalise import fold
from alerts.text.urls import canonical_url

TITLE_WINDOW_H = 24  # an equal headline is the same item for this long
KEEP_H = 30 * 24  # marks of items that left the page are kept this long ...
KEEP_PAGES = 5  # ... and at least this many pages of them
REGUIDED_SHARE = 0.8  # of a page's headlines known under other guids: the feed changed its guids
_ASCII_GAPS = {code: " " for code in range(128) if not chr(code).isalnum()}  # what stands between words
_DAMAGED = "\ufffd"


@dataclass(frozen=True, slots=True)
class Found:
    """An item and the key it is known under in its source."""

    key: int
    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What one poll changed; items keep the order of the page, oldest first."""

    new: tuple[Found, ...] = ()
    edited: tuple[Found, ...] = ()
    returned: tuple[Found, ...] = ()
    gone: int = 0  # items that left the page
    is_gap: bool = False  # nothing on the page was known: items were missed in between
    added: tuple[Mark, ...] = ()
    updated: Mapping[int, Mark] = field(default_factory=dict)  # index in the marks that were read -> its new value
    forgotten: frozenset[int] = frozenset()  # indexes that need not be kept any longer


@dataclass(frozen=True, slots=True)
class _Keys:
    """The hashes one item is recognised by; 0 = it has none."""

    guid: int
    url: int
    title: int
    fingerprint: int

    @property
    def identity(self) -> str:
        return f"g{self.guid}" if self.guid else f"u{self.url}" if self.url else f"t{self.title}"


def diff(
    items: Sequence[Item],
    seen: Mapping[int, Mark],
    *,
    source: Source,
    now: datetime,
    lines: Sequence[str] = (),
    is_complete: bool = True,
) -> Diff:
    """Split the items of one poll into new, edited and returned ones.

    Args:
        items: The items of one source, newest first, as published.
        seen: index -> mark of every item of this source seen before; empty before the first poll.
        source: Its kind decides between feed and ticker semantics, its `line_ttl_s` when a line rings again.
        now: Time of the poll, UTC.
        lines: A ticker's lines at the last poll: what near-equal lines are edits of.
        is_complete: False for a truncated page: what is missing there is not gone.

    Returns:
        What changed; items that did not change are left out. An item that occurs twice in one poll counts once.
        Calling it with an empty `seen` gives every item as new: whether that is a baseline is the caller's decision.
    """
    poll = _Poll(seen, source, now)
    keys = _keys_of(items)
    poll.learn_titles(keys)
    vanished = _vanished_lines(lines, items) if source.kind is SourceKind.TICKER else []
    for item, key in zip(items, keys, strict=True):
        poll.take(item, key, vanished)
    return poll.result(is_complete=is_complete, page_size=len(items))


class _Poll:
    """The marks of one source, indexed, while one page is compared with them."""

    def __init__(self, seen: Mapping[int, Mark], source: Source, now: datetime) -> None:
        self._seen = seen
        self._now_s = int(now.timestamp())
        self._now_h = self._now_s // 3600
        self._is_ticker = source.kind is SourceKind.TICKER
        self._ttl_h = source.line_ttl_s / 3600
        self._marks: dict[int, Mark] = dict(seen)
        self._guids = {m.guid: i for i, m in seen.items() if m.guid}
        self._urls = {m.url: i for i, m in seen.items() if m.url}
        self._titles = {m.title: i for i, m in seen.items() if m.title}
        self._first_of = {m.item: i for i, m in reversed(tuple(seen.items()))}
        self._next = max(seen, default=-1) + 1
        self._met: set[int] = set()  # item keys on this page
        self._hits = 0
        self._any_age = False
        self._new: list[Found] = []
        self._edited: list[Found] = []
        self._returned: list[Found] = []

    def learn_titles(self, keys: Sequence[_Keys]) -> None:
        """Decide whether the feed changed all its guids: then a known headline counts at any age."""
        if len(keys) < 5 or any(k.guid in self._guids or k.url in self._urls for k in keys):
            return
        known = sum(k.title in self._titles for k in keys)
        self._any_age = known >= REGUIDED_SHARE * len(keys)

    def take(self, item: Item, key: _Keys, vanished: list[str]) -> None:
        """Place one item: known, edited, returned or new."""
        index = self._find(key)
        if index is None and self._is_ticker:
            index = self._edit_of(item, vanished)
        if index is None:
            self._add_new(item, key, hash64(item.source_id, key.identity))
            return
        mark = self._marks[index]
        self._hits += index in self._seen
        if mark.item in self._met:
            self._remember_alias(mark, key)
            return
        if self._is_ticker and not mark.is_present and self._age_h(mark) > self._ttl_h:
            self._add_new(item, key, hash64(item.source_id, str(mark.item), str(mark.last_seen_h)))
            return
        self._update(index, item, key)

    def result(self, *, is_complete: bool, page_size: int) -> Diff:
        """Everything that is to be reported and stored."""
        gone = 0
        if is_complete:
            gone = self._let_go()
        return Diff(
            new=tuple(reversed(self._new)),
            edited=tuple(reversed(self._edited)),
            returned=tuple(reversed(self._returned)),
            gone=gone,
            is_gap=bool(self._seen) and page_size > 0 and not self._hits and not self._is_ticker,
            added=tuple(self._marks[i] for i in sorted(self._marks) if i not in self._seen),
            updated={i: m for i, m in self._marks.items() if i in self._seen and m != self._seen[i]},
            forgotten=self._forgettable(page_size),
        )

    def _find(self, key: _Keys) -> int | None:
        """The mark of this item, by the ladder guid, canonical URL, headline."""
        index = self._guids.get(key.guid) if key.guid else None
        if index is None and key.url:
            index = self._urls.get(key.url)
        if index is None and key.title:
            index = self._titles.get(key.title)
            if index is not None and (key.guid or key.url) and not self._counts(self._marks[index]):
                index = None
        return index

    def _counts(self, mark: Mark) -> bool:
        return self._any_age or self._is_ticker or self._age_h(mark) <= TITLE_WINDOW_H

    def _age_h(self, mark: Mark) -> int:
        return self._now_h - mark.last_seen_h

    def _edit_of(self, item: Item, vanished: list[str]) -> int | None:
        """The mark of the vanished line that this one took the place of."""
        for line in vanished:
            if is_near_equal(line, item.title):
                vanished.remove(line)
                return self._titles.get(_title_hash(line))
        return None

    def _add_new(self, item: Item, key: _Keys, item_key: int) -> None:
        if item_key in self._met:
            return
        mark = Mark(item_key, key.guid, key.url, key.title, key.fingerprint, self._now_s, self._now_h, True)
        self._insert(mark)
        self._met.add(item_key)
        self._new.append(Found(item_key, item))

    def _insert(self, mark: Mark) -> None:
        index, self._next = self._next, self._next + 1
        self._marks[index] = mark
        self._first_of.setdefault(mark.item, index)
        for table, value in ((self._guids, mark.guid), (self._urls, mark.url), (self._titles, mark.title)):
            if value:
                table[value] = index

    def _update(self, index: int, item: Item, key: _Keys) -> None:
        """Note that a known item is here, and whether it came back or reads otherwise than before."""
        self._remember_alias(self._marks[index], key)
        index = self._first_of.get(self._marks[index].item, index)
        mark = self._marks[index]
        self._met.add(mark.item)
        if not mark.is_present:
            self._returned.append(Found(mark.item, item))
        is_edit = key.fingerprint != mark.fingerprint and _DAMAGED not in item.title + item.text
        if is_edit:
            self._edited.append(Found(mark.item, item))
            mark = mark._replace(fingerprint=key.fingerprint)
        if mark.last_seen_h != self._now_h or not mark.is_present:
            mark = mark._replace(last_seen_h=self._now_h, is_present=True)
        self._marks[index] = mark

    def _remember_alias(self, mark: Mark, key: _Keys) -> None:
        """A known item under a guid, link or headline we had not seen: the next poll may show only that one."""
        is_known = (
            (not key.guid or key.guid in self._guids)
            and (not key.url or key.url in self._urls)
            and (not key.title or key.title in self._titles)
        )
        if is_known:
            if key.title and self._age_h(self._marks[self._titles[key.title]]) > 0:
                at = self._titles[key.title]
                self._marks[at] = self._marks[at]._replace(last_seen_h=self._now_h)
            return
        self._insert(mark._replace(guid=key.guid, url=key.url, title=key.title, last_seen_h=self._now_h, is_present=False))

    def _let_go(self) -> int:
        """Take the present flag from what is no longer on the page; the number of items gone."""
        gone = [i for i, m in self._marks.items() if m.is_present and m.item not in self._met]
        for index in gone:
            self._marks[index] = self._marks[index]._replace(is_present=False)
        return len(gone)

    def _forgettable(self, page_size: int) -> frozenset[int]:
        """Marks past their keep time, oldest first, but never the last five pages of them."""
        spare = len(self._marks) - KEEP_PAGES * max(page_size, 1)
        if spare <= 0:
            return frozenset()
        old = sorted(
            (m.last_seen_h, i)
            for i, m in self._seen.items()
            if not self._marks[i].is_present and m.item not in self._met and self._age_h(self._marks[i]) > KEEP_H
        )
        return frozenset(index for _, index in old[:spare])


def _keys_of(items: Sequence[Item]) -> list[_Keys]:
    guids = [hash48(item.guid) if item.guid else 0 for item in items]
    urls = [hash48(url) if (url := canonical_url(item.url)) else 0 for item in items]
    shared = _shared(guids) | _shared(urls)
    return [
        _Keys(0 if guid in shared else guid, 0 if url in shared else url, _title_hash(item.title), fingerprint(item))
        for item, guid, url in zip(items, guids, urls, strict=True)
    ]


def _shared(hashes: Iterable[int]) -> set[int]:
    """Values that more than half of a page carries (three at least): a home page, a constant."""
    counts = Counter(h for h in hashes if h)
    total = sum(counts.values())
    return {h for h, n in counts.items() if n >= 3 and n > total / 2}


def _title_hash(title: str) -> int:
    folded = headline_key(title)
    return hash48(folded) if folded else 0


def headline_key(title: str) -> str:
    """The normalised headline by which a line or an article is recognised: folded words, no punctuation."""
    folded = fold(title)
    if folded.isascii():
        return " ".join(folded.translate(_ASCII_GAPS).split())
    return " ".join("".join(c if c.isalnum() or c.isspace() or _is_joining(c) else " " for c in folded).split())


def _is_joining(char: str) -> bool:
    """Vowel signs of Indic and Thai scripts are marks, not letters, but they make the word."""
    return "\u0900" <= char <= "\u0eff"


def fingerprint(item: Item) -> int:
    """The hash of what a reader sees of an item; when it changes, the item was edited."""
    return fields_hash((("title", item.title), ("text", item.text)))


def _vanished_lines(before: Sequence[str], items: Sequence[Item]) -> list[str]:
    here = {headline_key(item.title) for item in items}
    return [line for line in before if headline_key(line) not in here]


def is_near_equal(before: str, after: str) -> bool:
    """Whether a line is an edit of another: the words are the same but for numbers, typing errors and additions.

    A changed name is another event: "explosion in Beirut" does not become "explosion in Tripoli".
    """
    old, new = headline_key(before).split(), headline_key(after).split()
    kept = added = 0
    for op in Levenshtein.opcodes(old, new):
        a, b = old[op.src_start : op.src_end], new[op.dest_start : op.dest_end]
        if op.tag == "equal" or (op.tag == "replace" and all(map(_is_same_word, a, b))):
            kept += len(a)
        elif op.tag == "replace":
            return False
        else:
            added += len(a) + len(b)
    return kept >= 2 and kept >= added


def _is_same_word(a: str, b: str) -> bool:
    if a.isdigit() or b.isdigit():
        return a.isdigit() and b.isdigit()
    return fuzz.ratio(a, b) >= 75
