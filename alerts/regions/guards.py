"""Which readings of a name the words around it speak against: birds, people, and the other Georgia.

Each guard answers a factor for the score and why; 0 = it is no country here. All are about Latin letters, where the
same word names a country and something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alerts.text.tokens import Token

_BIRD = frozenset("recipe recipes breast dinner sandwich sandwiches hunting leg trot bacon meat stuffing roast roasted wild cook".split())
_FIRST_NAMES = frozenset("jordan chad georgia israel kenya india sydney dallas houston milan santiago".split())
_SURNAMES = frozenset("jordan holland ireland england houston dallas france israel chad london berlin".split())
_NOT_NAMES = frozenset(  # capitalised words that may stand beside a country without making it a person
    "king queen prince princess president minister prime foreign army police government court river parliament border "
    "ambassador and or the of in to from for with at on by against north south east west northern southern eastern western "
    "central st says said mr".split()
)
_STATE_OF_GEORGIA = frozenset(
    "atlanta savannah augusta athens macon fulton kemp bulldogs peach senate runoff governor gov county southern carolina alabama florida "
    "tennessee texas trump biden republican democrat democrats republicans voters ossoff warnock abrams tech ga u.s us".split()
)
_COUNTRY_OF_GEORGIA = frozenset(
    "tbilisi georgian abkhazia ossetia russia russian caucasus armenia azerbaijan batumi eu nato kobakhidze ivanishvili".split()
)
_WORDS = {  # (language, name): an everyday word that opens sentences
    *((language, "mali") for language in ("hr", "sr", "bs", "sl", "sq")),
    *((language, "man") for language in ("nb", "nn", "no", "da", "sv", "de")),
    ("en", "reading"), ("en", "nice"), ("fr", "tours"), ("vi", "man"), ("es", "este"), ("it", "marche"), ("ru", "туле"),
}  # fmt: skip


class Doubt(NamedTuple):
    """How much a reading is worth here (0 to 1), and what speaks against it."""

    factor: float
    why: str = ""


_NONE = Doubt(1.0)


class Line:
    """One line of a text as the guards look at it."""

    def __init__(self, text: str, words: Sequence[Token]) -> None:
        self.text = text
        self.words = words
        self.all = frozenset(word.text for word in words)
        cased = [word for word in words if text[word.start].isupper() or text[word.start].islower()]
        small = sum(text[word.start].islower() for word in cased)
        self.is_sentence = small >= 0.35 * len(cased)  # else a Headline in Title Case, where capitals say nothing
        self.is_shouted = not small and all(text[w.start : w.end].isupper() for w in cased if w.end - w.start > 1)

    def is_capital(self, index: int) -> bool:
        """Whether there is a word, and it begins with a capital."""
        return 0 <= index < len(self.words) and self.text[self.words[index].start].isupper()

    def is_joined(self, index: int) -> bool:
        """Whether nothing but a space stands between this word and the next."""
        return self.text[self.words[index].end : self.words[index + 1].start] == " "


def doubt(name: str, line: Line, first: int, last: int, language: str | None) -> Doubt:
    """What speaks against a country's name in this place.

    Args:
        name: The folded words of the name.
        line: The line it stands in.
        first: Index of its first word in the line.
        last: Index of its last word.
        language: The text's, when known.
    """
    if (language, name) in _WORDS:
        return Doubt(0.0, "an everyday word of this language")
    if name == "turkey" and _near(line, first, last) & _BIRD:
        return Doubt(0.0, "the bird")
    if name in _FIRST_NAMES or name in _SURNAMES:
        person = _person(name, line, first, last)
        if person.factor < 1:
            return person
    return _georgia(line) if name == "georgia" else _NONE


def _near(line: Line, first: int, last: int) -> frozenset[str]:
    return frozenset(word.text for word in (*line.words[max(first - 2, 0) : first], *line.words[last + 1 : last + 3]))


def _person(name: str, line: Line, first: int, last: int) -> Doubt:
    follows = name in _FIRST_NAMES and _is_name_part(line, last + 1) and line.is_joined(last)
    leads = name in _SURNAMES and first > 1 and _is_name_part(line, first - 1) and line.is_joined(first - 1)
    if not follows and not leads:
        return _NONE
    return Doubt(0.0, "part of a person's name") if line.is_sentence else Doubt(0.7, "may be a person's name")


def _is_name_part(line: Line, index: int) -> bool:
    return line.is_capital(index) and line.words[index].text not in _NOT_NAMES


def _georgia(line: Line) -> Doubt:
    if line.all & _COUNTRY_OF_GEORGIA:
        return _NONE
    return Doubt(0.0, "the US state") if line.all & _STATE_OF_GEORGIA else Doubt(0.7, "may be the US state")
