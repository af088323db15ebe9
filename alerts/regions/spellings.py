"""Other spellings of an Arabic name in Latin letters, as the English and French press write it.

There is no one romanisation: al-Khiyam is El Khiam, Kafr Kila is Kfarkila, Dayr Qanun is Deir Qanoun. Each word of a name has
a few forms; their combinations, the likeliest first, are written out when the gazetteer is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, product

WRITTEN = frozenset("LB SY IQ YE PS JO EG LY SD SA KW BH QA AE OM".split())  # countries whose names are spelled so
PRESS = frozenset("en fr de es it nl pt".split())  # whose press writes them so
_MOST = 24  # spellings of one name
_ARTICLES = frozenset("al el as ash at ad adh an ar az es esh er en et ed ech il".split())
_ALIKE = [  # words that stand in front of many names
    group.split("|")
    for group in (
        "kfar|kafr|kafar|kufr ain|ayn|ein deir|dayr|dair|deyr beit|bayt|bait|beyt tal|tall|tell|tel burj|bourj|borj "
        "jabal|jebel|jabel|gabal khirbet|khirbat|kherbet|khirbah|kharbat um|umm|oum abu|abou wadi|ouadi "
        "sheikh|shaykh|shaikh|cheikh qasr|kasr majdal|majdel|mejdel ras|raas qalat|kalat|qalaat hosh|hawsh|housh|haouch "
        "mazraat|mazraa bani|beni jisr|jesr"
    ).split(" ")
]
_FIRST = {word: group for group in reversed(_ALIKE) for word in group}
_JOINED = frozenset(("kfar", "kafr", "kafar"))  # Kfarkila
# Ends and vowels that differ: one of each group stands for the others.
_ENDS = [
    (re.compile(r"(?:iyyah|iyyeh|iyya|iyah|iyeh|iye|iya|ieh|ia)$"), ("iyeh", "iyah", "iya", "iyya", "ieh")),
    (re.compile(r"(?:oun|un|oon)$"), ("oun", "un")),
    (re.compile(r"(?:ine|in|een)$"), ("in", "ine", "een")),
    (re.compile(r"(?:ah|eh|a)$"), ("eh", "a", "ah")),
]
_INSIDE = [pair.split("=") for pair in "ou=u oo=u ee=i ay=ai aw=au ch=sh aa=a iy=i q=k dj=j".split()]


def spellings(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Other spellings of a name given as folded words; the name itself is left out.

    An article in front may be left out where five letters stay; a front word may be written onto the next.
    """
    choices = [_word(word, is_first=number == 0) for number, word in enumerate(words)]
    seen = {words}
    for form in islice(product(*choices), _MOST):
        for other in (form, _bare(form), _joined(form)):
            if other not in seen:
                seen.add(other)
                yield other


def _bare(form: tuple[str, ...]) -> tuple[str, ...]:
    return form[1:] if len(form) > 1 and form[0] in _ARTICLES and len(form[1]) >= 5 else form


def _joined(form: tuple[str, ...]) -> tuple[str, ...]:
    return (form[0] + form[1], *form[2:]) if len(form) > 1 and form[0] in _JOINED and form[1] not in _ARTICLES else form


def _word(word: str, *, is_first: bool) -> list[str]:
    if word in _ARTICLES:
        return ["al", "el", word]
    if is_first and word in _FIRST:
        return list(dict.fromkeys(_FIRST[word]))
    if len(word) < 5:
        return [word]
    plain = word
    for one, other in _INSIDE:
        plain = plain.replace(one, other)
    forms = [*_ended(word), *_ended(plain), *_ended(plain.replace("u", "ou").replace("sh", "ch"))]
    return list(dict.fromkeys(forms))


def _ended(word: str) -> list[str]:
    for pattern, endings in _ENDS:
        if (found := pattern.search(word)) and found.start() >= 3:
            return [word, *(word[: found.start()] + ending for ending in endings)]
    return [word]
