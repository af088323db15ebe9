"""An item as queries look at it: its words cut once, and what its story knows by now.

Words are compared whole, never inside others ("assad" is not in ambassador). Two scripts need more: in those without
spaces a word may begin anywhere in a run, and a Korean word may carry its particles.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import NamedTuple

from alerts.models import RegionEvidence, Story, Tagged
from alerts.rules.nodes import BODY, Mode, Pattern, Saved, Words
from alerts.rules.patterns import compiled
from alerts.text.normalise import fold
from alerts.text.stems import stems
from alerts.text.tokens import Token, is_hangul, is_run, tokens
from alerts.text.variants import variants

_OLDEST_S = 30 * 86400.0  # an item does not become news after that
_SCOPES = {BODY: ("title", "text")}


class Unit(NamedTuple):
    """One token that a query looks for."""

    text: str  # folded
    others: tuple[str, ...] = ()  # other spellings that are right too
    is_touching: bool = False  # no gap may be between it and the one before
    is_open: bool = False  # the token may go on (a Korean word and its particles)
    exact: str = ""  # the very letters; small ones for any capitals
    stem: str = ""  # the word whose stem counts


class Line:
    """The words of one text, and where each stands."""

    def __init__(self, text: str, offset: int = 0, language: str | None = None) -> None:
        self.raw, self.offset, self.language = text, offset, language

    @cached_property
    def words(self) -> tuple[Token, ...]:
        """The words in their order; expressions do without them."""
        return tokens(self.raw)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Word -> where it stands, under all of its spellings."""
        found: dict[str, list[int]] = {}
        for index, word in enumerate(self.words):
            found.setdefault(word.text, []).append(index)
        for index, others in self.others.items():
            for other in others:
                found.setdefault(other, []).append(index)
        return found

    @cached_property
    def others(self) -> dict[int, tuple[str, ...]]:
        """Index of a word -> its other spellings, of the few that have some."""
        if self.raw.isascii():
            return {}
        return {index: found for index in range(len(self.words)) if (found := variants(self.surface(index)))}

    @cached_property
    def stem_places(self) -> dict[str, list[int]]:
        """Stem -> where a word with it stands."""
        found: dict[str, list[int]] = {}
        for word, indexes in self._spelled().items():
            for stem in stems(word, self.language):
                found.setdefault(stem, []).extend(indexes)
        return found

    def _spelled(self) -> dict[str, list[int]]:
        """Word as it is written, in small letters -> where it stands."""
        found: dict[str, list[int]] = {}
        for index, word in enumerate(self.words):
            found.setdefault(self.raw[word.start : word.end].lower(), []).append(index)
        return found

    def surface(self, index: int) -> str:
        """A word as it is written in the text."""
        word = self.words[index]
        return self.raw[word.start : word.end]

    def find(self, wanted: Words) -> tuple[int, int] | None:
        """The span of the first place where these words stand side by side, or near each other when that is asked."""
        if wanted.slop is not None:
            return self._find_near(wanted, wanted.slop)
        units = units_of(wanted.terms, wanted.mode)
        for index in self._starts(units):
            if self._fits_all(index, units):
                return self._span(index, index + len(units) - 1)
        return None

    def search(self, wanted: Pattern) -> tuple[int, int] | None:
        """The span of the first place where the expression matches."""
        found = compiled(wanted.source).search(self.raw)
        if found is None:
            return None
        start, end = found.span(1)
        return start + self.offset, end + self.offset

    def _span(self, first: int, last: int) -> tuple[int, int]:
        return self.words[first].start + self.offset, self.words[last].end + self.offset

    def _starts(self, units: Sequence[Unit]) -> Sequence[int]:
        unit = units[0]
        if unit.stem:
            return sorted({i for stem in stems(unit.stem, self.language) for i in self.stem_places.get(stem, ())})
        if unit.is_open:
            return range(len(self.words))
        if not unit.others:
            return self.places.get(unit.text, ())
        return sorted({index for text in (unit.text, *unit.others) for index in self.places.get(text, ())})

    def _fits_all(self, index: int, units: Sequence[Unit]) -> bool:
        return index + len(units) <= len(self.words) and all(self._fits(index + n, unit) for n, unit in enumerate(units))

    def _fits(self, index: int, unit: Unit) -> bool:
        word = self.words[index]
        if unit.is_touching and self.words[index - 1].end != word.start:
            return False
        if unit.stem:
            return not stems(unit.stem, self.language).isdisjoint(stems(self.surface(index).lower(), self.language))
        texts = (word.text, *self.others.get(index, ()))
        if unit.is_open:
            return any(text.startswith(wanted) for text in texts for wanted in (unit.text, *unit.others))
        if unit.text not in texts and not any(other in texts for other in unit.others):
            return False
        return not unit.exact or _is_exactly(unit.exact, self.surface(index))

    def _find_near(self, wanted: Words, slop: int) -> tuple[int, int] | None:
        """The first stretch that holds every term with at most `slop` other words among them."""
        groups = [units_of((term,), wanted.mode) for term in wanted.terms]
        needed, size = Counter(wanted.terms), sum(map(len, groups))
        places = sorted(
            (index, term, index + len(units) - 1)
            for term, units in dict(zip(wanted.terms, groups, strict=True)).items()
            for index in self._starts(units)
            if self._fits_all(index, units)
        )
        left, held = 0, Counter[str]()
        for _, term, last in places:
            held[term] += 1
            while held[places[left][1]] > needed[places[left][1]]:
                held[places[left][1]] -= 1
                left += 1
            if held == needed and last - places[left][0] + 1 - size <= slop:
                return self._span(places[left][0], last)
        return None


@dataclass(frozen=True, slots=True)
class Document:
    """An item, and its story when it has one; its words are cut once."""

    tagged: Tagged
    story: Story | None = None
    _lines: dict[str, tuple[Line, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, tagged: Tagged, story: Story | None = None) -> Document:
        """The item, ready to be matched; without a story it is the only item of one."""
        return cls(tagged, story)

    def lines(self, scope: str) -> tuple[Line, ...]:
        """The texts of a scope (a field, or "" for headline and text), each for itself."""
        if scope not in self._lines:
            self._lines[scope] = self._cut(scope)
        return self._lines[scope]

    def holds(self, wanted: Words | Pattern | Saved) -> bool:
        """Whether it stands in its scope."""
        if isinstance(wanted, Saved):
            return any(self.find(option) for option in wanted.options)
        return self.find(wanted) is not None

    def find(self, wanted: Words | Pattern) -> tuple[int, int] | None:
        """Where it stands in its scope; for headline and text in characters of both, joined by a newline."""
        for line in self.lines(wanted.scope):
            span = line.find(wanted) if isinstance(wanted, Words) else line.search(wanted)
            if span:
                return span
        return None

    @property
    def words(self) -> Iterator[Token]:
        """Every word of headline and text."""
        return (word for line in self.lines(BODY) for word in line.words)

    @property
    def language(self) -> str | None:
        """As it was tagged."""
        return self.tagged.language

    @property
    def regions(self) -> tuple[RegionEvidence, ...]:
        """The places of the item."""
        return self.tagged.regions

    @property
    def countries(self) -> tuple[str, ...]:
        """Of the item; of its story while the item names none."""
        tagged = self.tagged
        return tagged.countries if tagged.countries or tagged.regions or not self.story else self.story.countries

    @property
    def urgency(self) -> int:
        """The highest (lowest number) that the story has had."""
        return min(self.tagged.urgency, self.story.urgency) if self.story else self.tagged.urgency

    @property
    def sources(self) -> int:
        """How many independent sources tell the story."""
        return len(self.story.source_ids) if self.story else 1

    @property
    def is_update(self) -> bool:
        """Whether other items of the story came before."""
        return self.story is not None and any(i != self.tagged.change.item_id for i in self.story.item_ids)

    @property
    def age_s(self) -> float:
        """Seconds from the item's own date until it was polled; 0 without a date, or with one that cannot be right."""
        change = self.tagged.change
        return age_of(change.item.published_at, change.polled_at)

    def _cut(self, scope: str) -> tuple[Line, ...]:
        item = self.tagged.change.item
        if scope in _SCOPES:
            return tuple(line for part in _SCOPES[scope] for line in self.lines(part))
        if scope == "text":
            return (Line(item.text, len(item.title) + 1, self.tagged.language),)
        values = {
            "title": (item.title,),
            "source": (item.source_id,),
            "url": (item.url,),
            "author": (item.author,),
            "topic": item.topics,
            "tag": self.tagged.tags,
        }
        return tuple(Line(value, 0, self.tagged.language) for value in values[scope])


def age_of(published_at: datetime | None, polled_at: datetime) -> float:
    """Seconds between the two; 0 without a date, or with one that cannot be right."""
    age_s = (polled_at - published_at).total_seconds() if published_at else 0.0
    return age_s if 0 <= age_s <= _OLDEST_S else 0.0


@lru_cache(maxsize=65536)
def units_of(terms: tuple[str, ...], mode: Mode) -> tuple[Unit, ...]:
    """The tokens of the terms; a run of a script without spaces is one token for each character, without gaps."""
    if mode == "stem":
        return tuple(Unit(fold(term), stem=term) for term in terms)
    units: list[Unit] = []
    for term in terms:
        if is_run(term):
            exact = mode == "exact"
            units += (Unit(w.text, (), n > 0, exact=term[w.start : w.end] if exact else "") for n, w in enumerate(tokens(term)))
        else:
            units.append(_unit(term, mode))
    if mode == "prefix":
        units[-1] = units[-1]._replace(is_open=True)
    return tuple(units)


def _unit(term: str, mode: Mode) -> Unit:
    if mode == "exact":
        return Unit(fold_word(term), exact=term)
    others = variants(term)
    return Unit(fold_word(term) if others else term, others, is_open=is_hangul(term))


def fold_word(term: str) -> str:
    """One word as `tokens` folds it."""
    found = tokens(term)
    return found[0].text if found else fold(term)


def _is_exactly(wanted: str, surface: str) -> bool:
    given = unicodedata.normalize("NFKC", surface)
    return (given.lower() if wanted == wanted.lower() else given) == wanted
