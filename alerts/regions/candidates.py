"""Which words of a line may be a place: the longest name first, in every script; nothing is decided here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from alerts.regions.endings import dictionary_forms, inflects
from alerts.regions.gazetteer import MASK, TOWNS, Gazetteer, Reading
from alerts.regions.line import Line
from alerts.regions.priors import prior
from alerts.text.tokens import is_hangul, is_run

_REACH, _RUN_REACH = 6, 12  # words, or characters of scripts without spaces, of the longest name
_LARGE = 57  # half a million people: found inside a run of characters, or by an inflected form
_TOWN = 50
_TALKED_OF = 54  # a town that may be meant although its name is an everyday word
_COMMAS = (", ", ",", " (")
_REMEMBERED = 32768  # words as written that are no names, for each language
# Languages that write "lebanese" and "in russian hands" with a small letter; English never does.
_CAPITALS_ONLY = frozenset(("en",))


_FOR = frozenset("for in with to save support free stop from help near".split())  # before a place in a tag
_CAMEL = re.compile(r"[A-Z][a-z]+|[A-Z]+(?![a-z])")


class Candidate(NamedTuple):
    """A name in a line, and everything it may mean there."""

    line: int
    first: int  # index of its first word
    last: int
    start: int  # characters of the line
    end: int
    shown: str
    key: str  # folded, in the dictionary form
    readings: tuple[Reading, ...]
    priors: tuple[float, ...]  # of each reading, before the text is asked
    is_exact: bool  # False = an inflected form


class _Known(NamedTuple):
    """What a name means in one language."""

    readings: tuple[Reading, ...]
    priors: tuple[float, ...]
    is_plain: bool = False  # no reading depends on how the name is spelt here
    is_pair: bool = False  # two countries in two characters
    is_everyday: bool = False  # an everyday word, and no country or large town: a place only before a comma


class Finder:
    """Looks names up; keeps what it read of the gazetteer for the next text."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer
        self.trie = gazetteer.trie
        self._known = lru_cache(maxsize=8192)(self._read)
        self._begins = lru_cache(maxsize=16384)(self._beginning)
        self._leads = lru_cache(maxsize=16384)(self._leading)
        self._forms = lru_cache(maxsize=16384)(self._known_forms)
        self._dead: dict[str | None, set[str]] = {}

    def _beginning(self, word: str) -> int:
        """Whether a name begins with this word: 0 = none, 1 = the word alone, 2 = longer ones, 3 = in Korean, a part of it."""
        if is_hangul(word):
            return 3
        return 2 if next(self.trie.iterkeys(word + " "), None) is not None else int(word in self.trie)

    def _leading(self, first: str, second: str) -> bool:
        """Whether a name begins with these two words."""
        return next(self.trie.iterkeys(f"{first} {second}"), None) is not None

    def _is_nothing(self, word: str, written: str, language: str | None, dead: set[str]) -> bool:
        """Whether neither the word nor any form of it begins a name; then it is remembered as dead, as it is written."""
        is_small = written[:1].islower() and (language is None or language in _CAPITALS_ONLY)
        if not is_small and (self._begins(word) or self._forms(word, language)):
            return False
        if len(dead) > _REMEMBERED:
            dead.clear()
        dead.add(written or word)
        return True

    def _known_forms(self, word: str, language: str | None) -> tuple[str, ...]:
        """The dictionary forms of a word with which some name begins."""
        return tuple(form for form in dict.fromkeys(dictionary_forms(word, language)) if self._begins(form))

    def _read(self, key: str, language: str | None) -> _Known:
        """The readings that a name has in a language."""
        is_part = (is_run(key) or is_hangul(key)) and len(key.replace(" ", "")) < 4
        readings = [
            reading
            for reading in self._gazetteer.readings(key)
            if _is_in(reading, language, key)
            and (not is_part or reading.place.kind not in TOWNS or (reading.place.size >= _LARGE and not _is_thai(key)))
        ]
        is_plain = not any(r.how in ("short", "demonym") or r.place.code == MASK for r in readings)
        is_everyday = self._is_everyday(readings, key)
        return _known(readings, key, language)._replace(is_plain=is_plain, is_pair=_is_pair(readings), is_everyday=is_everyday)

    def _is_everyday(self, readings: Sequence[Reading], key: str) -> bool:
        if not readings or not key.isascii() or key not in self._gazetteer.common["common"]:
            return False
        place = readings[0].place
        return place.kind not in ("country", "mask") and (place.kind not in TOWNS or place.size < _TALKED_OF)

    def find(self, line: Line, number: int, language: str | None) -> Iterator[Candidate]:
        """The names in a line from left to right; none overlaps another."""
        free, stop = 0, _body(line) if number == 0 else len(line.words)
        dead = self._dead.setdefault(language, set())
        for index in _live(line, dead):
            if index >= stop:
                return
            is_tag = line.gaps[index][-1:] == "#"
            if index < free or (not is_tag and self._is_nothing(line.words[index], line.written[index], language, dead)):
                continue
            found = self._at(line, number, index, language)
            if found:
                free = found.last + 1
                yield found

    def _at(self, line: Line, number: int, index: int, language: str | None) -> Candidate | None:
        word, written = line.words[index], line.written[index]
        if line.gaps[index][-1:] == "#" and (parts := _CAMEL.findall(written))[1:]:
            return self._hashtag(line, number, index, [part.lower() for part in parts], language)
        for size, key in self._names(line, index):
            known = self._fitting(line, index, size, key, language)
            if known.readings:
                return _candidate(line, number, index, size, (key, known), True)
        if len(word) < 4 or word.isdigit() or is_run(word) or written[:1].islower():
            return None
        if word.isascii() and not inflects(language):
            return None
        return self._inflected(line, number, index, language)

    def _hashtag(self, line: Line, number: int, index: int, parts: list[str], language: str | None) -> Candidate | None:
        """The place of a tag such as #SouthSudanPeace or #PrayForGaza."""
        spans = [(0, size) for size in range(len(parts), 0, -1)]
        spans += [(first, len(parts)) for first in range(1, len(parts)) if parts[first - 1] in _FOR]
        for first, end in spans:
            key, size = " ".join(parts[first:end]), end - first
            fits = [r for r in self._gazetteer.readings(key) if language is None or r.is_in(language)]
            if fits and (size > 1 or (fits[0].place.size >= _LARGE and fits[0].how != "short")):
                return _candidate(line, number, index, 1, (key, _known(fits, key, language)), True)
        return None

    def _names(self, line: Line, index: int) -> Iterator[tuple[int, str]]:
        """The names that begin here: how many words each has, longest first."""
        words = line.words
        first = words[index]
        reach = self._begins(first)
        if reach == 1:
            yield 1, first
        elif reach == 2 and not self._leads(first, line.word(index + 1)):
            if first in self.trie:
                yield 1, first
        elif reach:
            joined = " ".join(words[index : index + (_RUN_REACH if is_run(first) else _REACH)]) + " "
            whole = [key for key in self.trie.prefixes(joined) if joined[len(key)] == " "]
            sizes = [(key.count(" ") + 1, key) for key in reversed(whole)]
            yield from (found for found in sizes if line.is_unbroken(index, found[0]))
        if reach == 3:
            yield from ((1, key) for key in reversed(self.trie.prefixes(first)) if len(key) > 1 and key != first)

    def _fitting(self, line: Line, index: int, size: int, key: str, language: str | None) -> _Known:
        """The readings of a name that the language has and the spelling allows."""
        known = self._known(key, language)
        written, before = line.written[index], line.gaps[index][-1:]
        if before in ("@", "_"):  # a part of somebody's handle
            return _NOTHING
        if known.is_everyday and line.gap(index) not in _COMMAS:
            return _NOTHING
        if known.is_pair and not self._is_pair_here(line, index, size):
            return _NOTHING
        is_small = written[:1].islower() and before != "#"
        if known.is_plain:
            return _NOTHING if is_small else known
        shown = written if size == 1 else line.text[slice(*line.span(index, index + size - 1))]
        fits = [
            reading
            for reading in known.readings
            if (not is_small or reading.how == "demonym")
            and (reading.how != "short" or _is_short(shown, line, before))
            and (reading.place.code != MASK or not is_small or reading.place.kind == "sea")
        ]
        return known if len(fits) == len(known.readings) else _known(fits, key, language)

    def _is_pair_here(self, line: Line, index: int, size: int) -> bool:
        """Whether two characters stand for two countries, and are no end of a word or the beginning of another country's name."""
        if line.words[index] == "中" and index and not line.gaps[index]:
            return False
        return not (size == 2 and any(longer > 1 for longer, _ in self._names(line, index + 1)))

    def _inflected(self, line: Line, number: int, index: int, language: str | None) -> Candidate | None:
        """What a word means that is no name as it stands: countries, provinces and towns that are known."""
        is_named = index > 1 and line.is_capital(index - 1) and line.gap(index - 1) == " " and line.is_capital(index)
        forms = self._forms(line.words[index], language)
        if not forms:
            return None
        rest = " ".join(["", *line.words[index + 1 : index + 4]])
        for form in forms:
            key = form
            if form[0] > "\u0590" and rest:  # a particle may stand before a name of several words
                keys = [key for key in self.trie.prefixes(form + rest) if (form + rest + " ")[len(key)] == " "]
                key = keys[-1] if keys else form
            if key not in self.trie:
                continue
            size = key.count(" ") + 1
            fits = [r for r in self._gazetteer.readings(key) if _is_known(r, language, key) and not (is_named and r.place.kind in TOWNS)]
            if fits and (size == 1 or line.is_unbroken(index, size)):
                return _candidate(line, number, index, size, (key, _known(fits, key, language)), False)
        return None


def _live(line: Line, dead: set[str]) -> list[int]:
    """The words that are not known to be no names; what stands behind a hash may always be one."""
    if "#" not in line.text:
        return [index for index, word in enumerate(line.written) if word not in dead]
    return [i for i, (word, gap) in enumerate(zip(line.written, line.gaps, strict=False)) if word not in dead or gap[-1:] == "#"]


def _is_known(reading: Reading, language: str | None, key: str) -> bool:
    """Whether a reading is well known enough to count in an inflected form."""
    if reading.how == "short" or not _is_in(reading, language, key):
        return False
    place = reading.place
    return place.kind in ("country", "area", "subdivision") or place.size >= (_LARGE if key.isascii() else _TOWN)


def _is_pair(readings: Sequence[Reading]) -> bool:
    return len(readings) > 1 and all(reading.how == "pair" for reading in readings)


def _body(line: Line) -> int:
    """How many words of a headline are before the outlet's name that aggregators append: "... - The Harbour Post"."""
    at = max(line.text.rfind(" - "), line.text.rfind(" | "))
    before = sum(start < at for start in line.starts[: len(line.words)]) if at > 0 else 0
    return before if before >= 4 and len(line.words) - before <= 6 else len(line.words)


def _candidate(line: Line, number: int, index: int, size: int, found: tuple[str, _Known], is_exact: bool) -> Candidate:
    start, end = line.span(index, index + size - 1)
    key, known = found
    return Candidate(number, index, index + size - 1, start, end, line.text[start:end], key, known.readings, known.priors, is_exact)


def _known(readings: Sequence[Reading], key: str, language: str | None) -> _Known:
    is_alone = len(readings) == 1
    return _Known(tuple(readings), tuple([prior(r, key, language, is_alone=is_alone) for r in readings]))


_NOTHING = _Known((), ())


def _is_in(reading: Reading, language: str | None, key: str) -> bool:
    """Whether a name may count in a text of this language; the script speaks for itself, as feeds mistake their language."""
    if language is None or (not key.isascii() and len(key) >= 4):
        return not reading.languages or "en" in reading.languages or len(key) >= 5 or not key.isascii()
    return reading.is_in(language)


def _is_thai(key: str) -> bool:
    return "\u0e00" <= key[0] <= "\u0e7f"


def _is_short(shown: str, line: Line, before: str) -> bool:
    """Whether a short form is written as one: "US" and "U.S.", never "us"."""
    if line.is_shouted:
        return "." in shown
    return " " in shown or shown.isupper() or before == "#"
