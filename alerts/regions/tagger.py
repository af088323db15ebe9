"""Which countries a text names, with the words that say so: longest name first, then doubts, then an order.

A name counts in the languages it belongs to, with a capital where the script has capitals. The home of the source is
weak evidence and counts only when the text itself names nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from alerts.models import RegionEvidence
from alerts.regions.guards import Line, doubt
from alerts.regions.names import MASK, Names, Reading, load_names, readings
from alerts.text.tokens import Token, is_run, tokens

HOME_SCORE = 0.3
_SCORES = {"name": 1.0, "short": 0.95, "place": 0.9, "city": 0.85, "demonym": 0.85}
_WHY = {
    "name": "names {country}",
    "short": "short for {country}",
    "place": "in {country}",
    "city": "city in {country}",
    "demonym": "of {country}",
}
_AMBIGUOUS = 0.7  # the name means other countries too
_BELOW = 0.9  # found in the text, not in the headline
_AGAIN = 0.02  # for each further mention
_TAGS = {"tl": "fil", "sh": "sr", "nb": "no"}
# What is written onto the front of a word: Arabic and, so, in, for, like; Hebrew and, in, to, from, the, that.
_ARABIC = ("وب", "ول", "فب", "و", "ف", "ب", "ل", "ك")
_HEBREW = ("וב", "ול", "ומ", "וה", "ש", "ו", "ב", "ל", "מ", "ה", "כ")


class _Mention(NamedTuple):
    code: str
    name: str
    kind: str
    span: tuple[int, int]
    why: str
    score: float


class Tagger:
    """Finds countries by their names; holds nothing but the compiled table."""

    def __init__(self, names: Names) -> None:
        self._names = names

    @classmethod
    def load(cls) -> Tagger:
        """A tagger with the table that comes with the package; read once a process."""
        return cls(load_names())

    def tag(self, text: str, *, language: str | None, home: str | None) -> tuple[RegionEvidence, ...]:
        """One piece of evidence for each country, most relevant first.

        Args:
            text: Headline, newline, text: spans count in its characters.
            language: Primary tag; None takes every name that only one country has.
            home: ISO 3166-1 code of the source's country: evidence of score 0.3 when nothing else is found.
        """
        found: dict[str, list[_Mention]] = {}
        for mention in self._mentions(text, self._covered(language)):
            found.setdefault(mention.code, []).append(mention)
        if not found:
            return (self._home(home),) if home else ()
        evidence = [self._evidence(mentions) for mentions in found.values()]
        return tuple(sorted(evidence, key=lambda e: (-e.score, e.span)))

    def _covered(self, language: str | None) -> str | None:
        tag = _TAGS.get(language or "", language)
        return tag if tag in self._names.languages else None

    def _home(self, code: str) -> RegionEvidence:
        name = self._names.english.get(code.upper(), code)
        return RegionEvidence(code=code.upper(), name=name, kind="country", why="home of the source", score=HOME_SCORE)

    def _evidence(self, mentions: Sequence[_Mention]) -> RegionEvidence:
        best = max(mentions, key=lambda m: (m.score, -m.span[0]))
        score = min(1.0, best.score + _AGAIN * (len(mentions) - 1))
        kind = {"city": "city", "place": "area"}.get(best.kind, "country")
        name = best.name if kind != "country" else self._names.english.get(best.code, best.name)
        return RegionEvidence(code=best.code, name=name, kind=kind, span=best.span, why=best.why, score=round(score, 3))

    def _mentions(self, text: str, language: str | None) -> Iterator[_Mention]:
        start = 0
        for number, part in enumerate(text.split("\n")):
            line = Line(part, tokens(part))
            for mention in self._in_line(line, language):
                span = (mention.span[0] + start, mention.span[1] + start)
                yield mention._replace(span=span, score=mention.score if number == 0 else mention.score * _BELOW)
            start += len(part) + 1

    def _in_line(self, line: Line, language: str | None) -> Iterator[_Mention]:
        index = 0
        while index < len(line.words):
            size, key = self._longest(line, index)
            mention = self._read(line, index, size, key, language) if key else None
            if mention is not None and mention.code != MASK:
                yield mention
            index += size if mention else 1

    def _longest(self, line: Line, index: int) -> tuple[int, str]:
        """How many words the longest name has that begins here, and its key; (1, "") without one."""
        first = line.words[index].text
        for size in range(min(self._names.longest.get(first, 1), len(line.words) - index), 0, -1):
            words = line.words[index : index + size]
            key = " ".join(word.text for word in words)
            if key in self._names.lines and _is_unbroken(line.text, words):
                return size, key
        return 1, self._without_prefix(first)

    def _without_prefix(self, word: str) -> str:
        """The name in an Arabic or Hebrew word with a particle written onto its front."""
        if len(word) < 4 or not "\u05d0" <= word[0] <= "\u064a":
            return ""
        if word.startswith("لل") and "ال" + word[2:] in self._names.lines:
            return "ال" + word[2:]
        for prefix in _ARABIC if word[0] >= "\u0620" else _HEBREW:
            rest = word.removeprefix(prefix)
            if rest != word and len(rest) >= 3 and rest in self._names.lines:
                return rest
        return ""

    def _read(self, line: Line, index: int, size: int, key: str, language: str | None) -> _Mention | None:
        """What the name means here; None when it is no place after all."""
        span = line.words[index].start, line.words[index + size - 1].end
        shown = line.text[span[0] : span[1]]
        fits = [r for r in readings(self._names.lines[key]) if _is_in(r, language, key) and _is_written(r, shown, line)]
        if not fits or line.text[max(span[0] - 1, 0) : span[0]] in ("@", "_"):
            return None  # the second is a part of somebody's handle
        reading = fits[0]
        if reading.code == MASK:
            return _Mention(MASK, shown, "mask", span, "", 0.0)
        against = doubt(key, line, index, index + size - 1, language)
        if not against.factor:
            return None
        score = _SCORES[reading.kind] * against.factor * (_AMBIGUOUS if len({r.code for r in fits}) > 1 else 1.0)
        why = f'"{shown}" {_WHY[reading.kind].format(country=self._names.english.get(reading.code, reading.code))}'
        return _Mention(reading.code, shown, reading.kind, span, f"{why}; {against.why}" if against.why else why, score)


def countries_of(evidence: Sequence[RegionEvidence]) -> tuple[str, ...]:
    """ISO 3166-1 codes of the evidence, in its order, each once."""
    return tuple(dict.fromkeys(e.code[:2] for e in evidence))


def _is_unbroken(text: str, words: Sequence[Token]) -> bool:
    """Whether the words of a name stand together: no gap in scripts without spaces, no comma or stop elsewhere."""
    for one, other in pairwise(words):
        gap = text[one.end : other.start]
        if is_run(one.text) and is_run(other.text) and gap:
            return False
        if len(gap) > 2 or any(mark in gap for mark in ";:!?|()،。"):
            return False
    return True


def _is_in(reading: Reading, language: str | None, key: str) -> bool:
    if language is not None:
        return reading.is_in(language)
    return not reading.languages or "en" in reading.languages or len(key) >= 5 or not key.isascii()


def _is_written(reading: Reading, shown: str, line: Line) -> bool:
    """Whether a name is spelt as a name: a capital first, and a short form all in capitals."""
    if shown[0].islower():
        return False
    if reading.kind != "short":
        return True
    if line.is_shouted:
        return "." in shown
    return " " in shown or shown.isupper()
