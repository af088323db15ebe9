"""Numbers of a headline with what they count: dead, injured, missing, arrested, displaced, a magnitude, money.

A number belongs to the nearest word that says what is counted: behind it before the next number, comma or "and" ("five
dead"), else in front of it ("kills five"). Ages, dates, distances and the like count nobody. Words of number are read
from one to twelve, dozens, hundreds and thousands in the languages of `data/counts.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from alerts.stories.reading import Hit, Passage, read
from alerts.text.tokens import Token

ROLES = ("dead", "injured", "missing", "arrested", "displaced")
_VAGUE = {"counts.dozens": (24.0, 99.0), "counts.hundreds": (200.0, 999.0), "counts.thousands": (2000.0, 9999.0)}
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)(.*)")
_CLOSES = re.compile(r"[,;:،؛、，；：|()（）.!?。–—]|\s-\s")  # a sign between two words that parts clauses
_CURRENCY = re.compile(r"[$€£¥₹₽₴₺₩₪]\s?$")
_PERCENT = re.compile(r"\s?[%٪％]|\s?[°º]|-?(?:year|jährig|летн|річн)")
_AND = re.compile("و(?!ف[اي])|ו")  # Arabic and Hebrew write "and" onto the next word; not that of وفاة, "death"
_BEHIND, _BEFORE, _FAR, _FARTHEST = 5, 4, 8, 20  # words a role may stand away; totals ("death toll ... rises to 15") reach further
_THIN = (" ", "\u00a0", "\u202f", "\u2009")
_MOST = 50_000_000  # people: a larger number counts something else
_FIRST_YEAR, _LAST_YEAR = 1800, 2199
_QUAKE = ("harm.quake", "harm.tsunami")


class Count(NamedTuple):
    """How many of what; `low` and `high` differ for words such as dozens."""

    role: str  # one of ROLES, magnitude or money
    low: float
    high: float
    at: int  # index of its word


class _Number(NamedTuple):
    start: int  # its words [start, end)
    end: int
    low: float
    high: float
    rest: str  # letters written onto the digits ("5명")


def toll_of(title: str, text: str = "", *, language: str | None = None) -> tuple[Count, ...]:
    """What the headline counts, then what its first sentences count of roles that the headline does not.

    Args:
        language: Primary tag; None looks for it.

    Returns:
        In the order of the text; nothing for headlines that count nobody. Numbers of a whole war or year ("so far",
        "since the start") are left out of what `scale` reads by `urgency`, not here.
    """
    reading = read(title, text, language)
    heading = counts(reading.title)
    said = {count.role for count in heading}
    return heading + tuple(count for count in counts(reading.lede) if count.role not in said)


def counts(passage: Passage) -> tuple[Count, ...]:
    """The counts of one passage."""
    if not passage.digits and passage.first("counts.number.", *_VAGUE) is None:
        return ()
    numbers = tuple(_numbers(passage))
    roles = [hit for hit in passage.hits if hit.sense.startswith("counts.")]
    found = []
    for place, number in enumerate(numbers):
        role = _role(passage, roles, numbers, place)
        if role:
            found.append(Count(role, number.low, number.high, number.start))
    return tuple(found)


def is_total(title: str, *, language: str | None = None) -> bool:
    """Whether a headline says how many it are by now ("death toll rises to 8"): another number before it is no contradiction."""
    return any(_is_total(hit) for hit in read(title, "", language).title.hits)


def largest(found: Iterable[Count]) -> dict[str, float]:
    """role -> its largest number, with the low end of vague ones."""
    best: dict[str, float] = {}
    for count in found:
        best[count.role] = max(best.get(count.role, 0.0), count.low)
    return best


# ---------------------------------------------------------------- numbers


def _numbers(passage: Passage) -> Iterator[_Number]:
    words = {hit.start: hit for hit in passage.hits if hit.sense.startswith("counts.number.") or hit.sense in _VAGUE}
    times = {hit.start: hit for hit in passage.hits if hit.sense.startswith("counts.times.")}
    digits = set(passage.digits)
    passed = 0
    for index in sorted(digits | words.keys()):
        if index < passed:
            continue
        number = _digits(index, passage.words[index]) if index in digits else _worded(words[index])
        if number is None:
            continue
        number = _joined(passage, number, words.get(number.end))
        multiplied = times.get(number.end)
        if multiplied is not None:
            factor = float(multiplied.sense.rpartition(".")[2])
            number = number._replace(end=multiplied.end, low=number.low * factor, high=number.high * factor)
        passed = number.end
        yield number


def _digits(index: int, word: str) -> _Number | None:
    match = _NUMBER.fullmatch(word)
    if match is None or len(match[1]) > 12:
        return None
    value = float(match[1].replace(",", "."))
    return _Number(index, index + 1, value, value, match[2])


def _joined(passage: Passage, number: _Number, following: Hit | None) -> _Number:
    """With the rest of a number in two words: "twenty-four", and "12 500" as many languages write thousands."""
    if 20 <= number.low < 100 and number.low % 10 == 0 and following is not None and following.sense not in _VAGUE:
        unit = _worded(following)
        if unit is not None and unit.low < 10 and not passage.words[number.start][0].isdigit():
            return number._replace(end=following.end, low=number.low + unit.low, high=number.low + unit.low)
    is_open = number.end < len(passage.words) and not number.rest and 1 <= number.low < 1000
    if is_open and len(passage.words[number.end]) == 3 and passage.words[number.end].isdecimal():
        last, after = passage.tokens[number.end - 1], passage.tokens[number.end]
        if passage.text[last.end : after.start] in _THIN and last.text.isdecimal():
            value = number.low * 1000 + int(after.text)
            return number._replace(end=number.end + 1, low=value, high=value)
    return number


def _worded(hit: Hit | None) -> _Number | None:
    if hit is None:
        return None
    if hit.sense in _VAGUE:
        return _Number(hit.start, hit.end, *_VAGUE[hit.sense], "")
    value = float(hit.sense.rpartition(".")[2])
    return _Number(hit.start, hit.end, value, value, "")


# ---------------------------------------------------------------- roles


def _role(passage: Passage, roles: Sequence[Hit], numbers: Sequence[_Number], place: int) -> str:
    number = numbers[place]
    first, last = passage.tokens[number.start], passage.tokens[number.end - 1]
    if _CURRENCY.search(passage.text[: first.start]) or _has(roles, "counts.money", number.end, number.end + 2):
        return "money"
    if _is_magnitude(passage, roles, number):
        return "magnitude"
    if number.low != int(number.low) or not 1 <= number.low <= _MOST:
        return ""
    if _is_name(passage, roles, number) or _is_measure(passage, roles, number, last):
        return ""
    until = numbers[place + 1].start if place + 1 < len(numbers) else len(passage.words)
    since = numbers[place - 1].end if place else 0
    return _behind(passage, roles, number, until) or _before(passage, roles, number, since)


def _behind(passage: Passage, roles: Sequence[Hit], number: _Number, until: int) -> str:
    """The role that follows without a break; words that take their object behind them ("5 killed 3") count as well."""
    until = min(until, number.end + _BEHIND)
    for hit in roles:
        if not number.end <= hit.start < until and not (number.rest and hit.start == number.start):
            continue
        if hit.sense == "counts.break" or _is_cut(passage, number.end - 1, hit.start):
            return ""
        if hit.start > number.start and _AND.match(passage.words[hit.start]):
            return ""
        name = hit.sense.removeprefix("counts.")
        if name in ROLES:
            return name
    return ""


def _before(passage: Passage, roles: Sequence[Hit], number: _Number, since: int) -> str:
    """The nearest role in front that takes its object behind it."""
    for hit in sorted(roles, key=lambda hit: (hit.end, hit.end - hit.start), reverse=True):
        name = hit.sense.removeprefix("counts.").removesuffix(".before")
        if hit.end > number.start or hit.end <= since or name not in ROLES:
            continue
        if _is_total(hit) and _has(roles, "counts.reached", number.start - _BEFORE, number.start) and number.start - hit.end <= _FARTHEST:
            return name
        if number.start - hit.end > (_FAR if _is_total(hit) else _BEFORE) or _is_cut(passage, hit.end - 1, number.start):
            return ""
        if _has(roles, "counts.break", hit.end, number.start):
            return ""
        if hit.sense.endswith(".before") or (number.start == hit.end and not _is_other(passage, number)):
            return name
    return ""


def _is_total(hit: Hit) -> bool:
    return hit.end - hit.start > 1 and hit.sense.startswith("counts.") and hit.sense.endswith(".before")


def _is_other(passage: Passage, number: _Number) -> bool:
    """Whether other words that are no people follow ("killed 3 goals later")."""
    return not any(hit.sense == "counts.people" and number.end <= hit.start <= number.end + 1 for hit in passage.hits)


def _is_cut(passage: Passage, left: int, right: int) -> bool:
    between = passage.text[passage.tokens[left].end : passage.tokens[right].start]
    return _CLOSES.search(between) is not None


def _is_magnitude(passage: Passage, roles: Sequence[Hit], number: _Number) -> bool:
    if not 1.0 <= number.low < 10.0:
        return False
    if _has(roles, "counts.magnitude", number.start - 3, number.end + 3):
        return passage.first(*_QUAKE) is not None or number.low != int(number.low)
    return number.low != int(number.low) and any(
        hit.sense in _QUAKE and number.start - 3 <= hit.start <= number.end + 2 for hit in passage.hits
    )


def _is_measure(passage: Passage, roles: Sequence[Hit], number: _Number, last: Token) -> bool:
    """Whether it is a year, an age, a percentage, or so many of something that is no people."""
    is_year = _FIRST_YEAR <= number.low <= _LAST_YEAR and last.end - last.start == 4
    if is_year and not _has(roles, "counts.people", number.end, number.end + 1):
        return True
    if _PERCENT.match(passage.text[last.end : last.end + 12]) or (number.rest and _is_unit(passage, number)):
        return True
    if _has(roles, "counts.unit", number.end, number.end + 1):
        return True
    return _is_age(passage.text, passage.tokens[number.start].start, last.end)


def _is_name(passage: Passage, roles: Sequence[Hit], number: _Number) -> bool:
    """Whether it is part of a name: "Flight 175", "Ka-226"."""
    start = passage.tokens[number.start].start
    is_joined = passage.text[start - 1 : start] == "-" and passage.text[start - 2 : start - 1].isalpha()
    return (start > 1 and is_joined) or _has(roles, "counts.named", number.start - 1, number.start)


def _is_unit(passage: Passage, number: _Number) -> bool:
    """Letters written onto the digits that count no people ("3rd", "50km", but not Korean "5명")."""
    here = [hit for hit in passage.hits if hit.start == number.start]
    return number.rest.isascii() or any(hit.sense == "counts.unit" for hit in here)


def _is_age(text: str, start: int, end: int) -> bool:
    """Set off by commas or brackets: "a man, 34, ...", "Ana (34)"."""
    before, after = text[:start].rstrip(), text[end:].lstrip()
    return (before[-1:] in "(（" and after[:1] in ")）" and bool(after)) or (before[-1:] == "," and after[:1] == ",")


def _has(hits: Iterable[Hit], sense: str, start: int, end: int) -> bool:
    return any(hit.sense == sense and start <= hit.start < end for hit in hits)


def as_words(found: Mapping[str, float]) -> str:
    """The counts of people in words ("12 dead, 40 injured")."""
    return ", ".join(f"{found[role]:,.0f} {role}" for role in ROLES if role in found)
