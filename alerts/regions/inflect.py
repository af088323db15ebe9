"""Forms of a name that its language makes, written out when the gazetteer is compiled.

Adjectives of countries (a stem that ends in ~ in own_names.txt), Arabic nisba adjectives of every country, and the
cases of Russian and Ukrainian provinces. What can be undone at run time is in endings.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ADJECTIVES = {
    "ru": "ий ая ое ие ого ому им ом ой ую их ими",
    "uk": "ий а е і ого ому им ій у ої их ими ою",
    "be": "і ая ае ія ага аму ім ай ую іх імі",
    "bg": "и а о ия ият ата ото ите",
    "mk": "и а о иот ата ото ите",
    "sr": "и а о е ог ом ој у их им i a o e og om oj u ih im",
    "hr": "i a o e og om oj u ih im oga",
    "bs": "i a o e og om oj u ih im",
    "sl": "i a o e ega emu em im ih imi",
    "pl": "i a ie iego iemu im ą iej ich imi",
    "cs": "ý á é ého ému ém ým ou ých ými í",
    "sk": "ý á é ého ému om ým ou ej ých ými í",
    "de": " e er en em es",
    "nl": " e",
    "da": " e",
    "no": " e",
    "nb": " e",
    "sv": " a t",
}
_NISBA = ("ي", "ية", "يين", "يون", "يان", "يات", "يتين")
_NOT_NISBA = frozenset(("مالي", "مجري", "جزري", "كوبي", "بالاوي"))  # financial, current, of islands, cup: everyday words
_PROVINCES = (
    (re.compile(r"(.+)ская область$", re.I), ("ской области", "скую область", "ская обл")),
    (re.compile(r"(.+)ский край$", re.I), ("ского края", "скому краю", "ском крае")),
    (re.compile(r"(.+)ська область$", re.I), ("ської області", "ській області", "ську область", "щина", "щині", "щини", "щину")),
)


def forms(name: str, kind: str, language: str = "") -> Iterator[str]:
    """Other forms of a name; empty for most."""
    if name.endswith("~"):
        yield from (name[:-1] + ending for ending in _ADJECTIVES.get(language, "").split(" "))
    elif kind == "country" and language == "ar" and " " not in name:
        yield from _nisba(name)
    elif kind == "subdivision":
        yield from _provinces(name)
        if " " in name and "\u0620" <= name[0] <= "\u06ff":  # short first words (Dhi Qar) that a particle may be written onto
            yield from (particle + name for particle in ("ب", "و", "ل"))


def _nisba(name: str) -> Iterator[str]:
    """What is of a country: lubnan gives lubnani, lubnaniya, al-lubnani ..."""
    stem = re.sub("(يا|ا|ة)$", "", name.removeprefix("ال"))
    if len(stem) < 3 or stem + "ي" in _NOT_NISBA:
        return
    for ending in _NISBA:
        yield stem + ending
        yield "ال" + stem + ending


def _provinces(name: str) -> Iterator[str]:
    for pattern, endings in _PROVINCES:
        if found := pattern.match(name):
            yield from ((found[1] + ending) for ending in endings)
            if endings[0] == "ской области":
                yield from (found[1] + "щин" + case for case in ("а", "е", "ы", "у"))
    if name.startswith("St "):
        yield "Saint " + name[3:]
