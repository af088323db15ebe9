"""The numbers of a headline with what they count: 5 dead, magnitude 6.1, 40 billion dollars, 12 percent.

A number is what decides between two reports of one template ("5 dead" in one town, "8 dead" in the next), and what
grows within one story. Years, dates and the figures of links are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_ROLES = {
    "#kill": "k", "#hurt": "h", "#missing": "m", "#arrest": "a", "#rescue": "r", "#kidnap": "x", "#release": "f", "#sentence": "y",
    "#child": "b",
}  # fmt: skip
_WORDS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty",
    "de": "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "it": "zero uno due tre quattro cinque sei sette otto nove dieci",
    "pt": "zero um dois três quatro cinco seis sete oito nove dez",
    "ru": "ноль один два три четыре пять шесть семь восемь девять десять",
}
_TENS = dict(zip("thirty forty fifty sixty seventy eighty ninety".split(), range(30, 100, 10), strict=True))
_MAGNITUDE = frozenset("magnitude richter stärke starke magnitud магнитудой magnitud balle".split())
_MONEY_BEFORE = re.compile(r"[$€£¥₹]\s?$|(?:US|Rs\.?|EUR|USD)\s?$")
_SCALE = {"#million": 1e6, "million": 1e6, "millionen": 1e6, "millon": 1e6, "#billion": 1e9, "milliard": 1e9, "миллион": 1e6,
          "миллиард": 1e9, "thousand": 1e3, "тысяч": 1e3, "trillion": 1e12, "crore": 1e7, "lakh": 1e5, "mil": 1e6, "mio": 1e6,
          "bil": 1e9, "mrd": 1e9, "млн": 1e6, "млрд": 1e9}  # fmt: skip
_LETTER_SCALE = {"m": 1e6, "k": 1e3, "b": 1e9, "tn": 1e12}  # of money only
_MONEY = frozenset("dollar dollars usd euro euros eur pound pounds yen yuan rupee rupees rubles".split())
_AGE = frozenset("year years yr old jahre jahrige ans anos лет летний".split())
_REACH = 4  # words between a number and what it counts


class Number(NamedTuple):
    """A value and what it counts.

    k dead, h hurt, m missing, a arrested, r rescued, x kidnapped, f freed, b children, q magnitude, c money, p percent,
    y years, n unknown.
    """

    role: str
    value: float


class Cut(NamedTuple):
    """One token as numbers are read: folded, its first term, and the character before it."""

    text: str
    term: str
    before: str


def numbers_of(cuts: Sequence[Cut], values: Sequence[float | None]) -> tuple[Number, ...]:
    """The numbers of one line in their order, each once; `values` from `value_of` of each word."""
    found: list[Number] = []
    for place, value in enumerate(values):
        if value is None or _is_date(cuts, values, place):
            continue
        number = _with_role(cuts, values, place, value)
        if number is not None and number not in found:
            found.append(number)
    return tuple(found)


def _with_role(cuts: Sequence[Cut], values: Sequence[float | None], place: int, value: float) -> Number | None:
    after = cuts[place + 1 : place + 1 + _REACH]
    near = [cut.text for cut in after[:2]]
    scale = _SCALE.get(after[0].term, 1.0) if after else 1.0
    if _MONEY_BEFORE.search(cuts[place].before) or _MONEY.intersection(near):
        return Number("c", value * (_LETTER_SCALE.get(after[0].text, scale) if after else scale))
    if near[:1] and (near[0] in ("percent", "prozent", "pct", "процентов") or cuts[place + 1].before.startswith("%")):
        return Number("p", value)
    if any(cut.text in _MAGNITUDE for cut in cuts[max(0, place - 2) : place + 3]):
        return Number("q", value)
    if _AGE.intersection(near[:1]):
        return Number("y", value)
    if 1900 <= value <= 2100 and scale == 1.0:
        return None
    role = _counted(cuts, values, place)
    return Number(role, value * scale)


def _counted(cuts: Sequence[Cut], values: Sequence[float | None], place: int) -> str:
    """What the number counts: the nearest word of harm behind it, before the next number; else the nearest ahead of it."""
    for step in range(place + 1, min(len(cuts), place + 1 + _REACH)):
        if values[step] is not None:
            break
        if role := _ROLES.get(cuts[step].term):
            return role
    for step in range(place - 1, max(-1, place - 1 - _REACH), -1):
        if values[step] is not None:
            break
        if role := _ROLES.get(cuts[step].term):
            return role
    return "n"


def _is_date(cuts: Sequence[Cut], values: Sequence[float | None], place: int) -> bool:
    """Whether it is a part of 2026 08 19, as links end."""
    start = max(0, place - 2)
    for at in range(start, place + 1):
        part = values[at : at + 3]
        if len(part) == 3 and None not in part and 1990 <= (part[0] or 0) <= 2100 and (part[1] or 99) <= 12 and (part[2] or 99) <= 31:
            return all(cut.text.isdigit() for cut in cuts[at : at + 3])
    return False


_DIGITS = re.compile(r"\d{1,15}(?:[.,]\d{1,6})?")  # what is longer is a code; 5e1234 is a word


@lru_cache(maxsize=8192)
def value_of(text: str, language: str | None) -> float | None:
    """The value of a folded word that is a number in digits or words; None when it is none."""
    if text[0].isdigit():
        return float(text.replace(",", ".")) if _DIGITS.fullmatch(text) else None
    return _words(language or "en").get(text)


@lru_cache(maxsize=64)
def _words(language: str) -> dict[str, float]:
    names = _WORDS.get(language, "").split()
    found = {name: float(value) for value, name in enumerate(names) if value != 1 or language == "en"}
    found.pop("one", None)  # mostly a pronoun
    return {**found, **{name: float(value) for name, value in _TENS.items()}} if language == "en" else found
