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
    "ro": " ă i e a ul ului ii ei ilor ele elor",
    "el": "ός ή ό ού ής οί ές ά ών ούς όν ήν ος η ο ου ης οι ες α ων ους",
    "lt": "ų",
    "lv": "u",
    "fi": "lainen laisen laiset laisten laista laisia laisille laisissa läinen läisen läiset läisten läistä läisiä läisille",
}
# People of a country from the adjective's stem: украинск- gives украинец and its cases.
_PEOPLE = {
    "ru": (re.compile("(?<=[нйв])ск$"), "ец ца цу цем це цы цев цам цами цах ка ки"),
    "uk": (re.compile("(?<=[нйв])ськ$"), "ець ця цю цем ці ців цям цями цях ка ки"),
    "bg": (re.compile("(?<=[нйв])ск$"), "ец ци ците ца ецът"),
    "mk": (re.compile("(?<=[нјв])ск$"), "ец ци ците"),
    "sr": (re.compile("(?<=[нјв])ск$"), "ац ци ца цима це"),
    "hr": (re.compile("(?<=[njv])sk$"), "ac ci ca aca cima ce"),
    "sl": (re.compile("(?<=[njv])sk$"), "ec ci ca cev cem cih ce"),
}
_NISBA = ("ي", "ية", "يين", "يون", "يان", "يات", "يتين")
_NOT_NISBA = frozenset(("مالي", "مجري", "جزري", "كوبي", "بالاوي"))  # financial, current, of islands, cup: everyday words
_PROVINCES = (
    (re.compile(r"(.+)ская область$", re.I), ("ской области", "скую область", "ская обл")),
    (re.compile(r"(.+)ский край$", re.I), ("ского края", "скому краю", "ском крае")),
    (re.compile(r"(.+)ська область$", re.I), ("ської області", "ській області", "ську область", "щина", "щині", "щини", "щину")),
)


_PERSON = (re.compile("й(?=ец$)"), re.compile("йе(?=ць$)"))  # китаец, індієць
# An adjective's stem out of the country's name: what it ends in, and what stands there instead.
_STEMS = {
    "ru": "ия=ийск ь=ьск а=ск я=ск о=ск =ск",
    "uk": "ія=ійськ ь=ьськ а=ськ я=ськ о=ськ =ськ",
    "bg": "ия=ийск а=ск о=ск =ск",
    "mk": "ија=иск а=ск о=ск =ск",
    "sr": "ска=ск чка=чк шка=шк ија=ијск к=чк а=ск о=ск =ск",
    "hr": "ska=sk čka=čk ška=šk ija=ijsk k=čk a=sk o=sk =sk",
    "sl": "ska=sk čka=čk ška=šk ija=ijsk k=šk a=sk o=sk =sk",
    "cs": "sko=sk cko=ck ie=ijsk k=ck a=sk o=sk =sk",
    "sk": "sko=sk cko=ck ia=ijsk k=ck a=sk o=sk =sk",
    "pl": "ska=sk ia=ijsk na=ńsk n=ńsk yna=yńsk a=sk l=lsk",
}
_COMMUNITY = {"hu": re.compile("ország$"), "fi": re.compile("maa$")}


def adjectives(name: str, language: str) -> Iterator[str]:
    """Adjectives and people of a country, as its name in a language makes them; some of them nobody says.

    Slavic languages put -sk- in place of an ending, Hungarian adds -i or drops -ország, Finnish adds -lainen.
    """
    if " " in name or "-" in name or len(name) < 4:
        return
    lower = name[0].lower() + name[1:]
    if language == "hu":
        short = _COMMUNITY["hu"].sub("", lower)
        yield from (short,) if short != lower else (lower + "i",)
    elif language == "fi":
        yield from inflected(lower if lower[-1] in "aeiouyäö" else lower + "i", "fi")
    for ending, other in (rule.split("=") for rule in _STEMS.get(language, "").split()):
        if lower.endswith(ending) and len(lower) - len(ending) >= 2:
            yield from inflected(lower[: len(lower) - len(ending)] + other, language)
            return


def inflected(stem: str, language: str) -> Iterator[str]:
    """The forms of an adjective's stem, and of the people called so."""
    yield from (stem + ending for ending in _ADJECTIVES.get(language, "").split(" "))
    pattern, endings = _PEOPLE.get(language, (None, ""))
    if pattern and pattern.search(stem):
        people = pattern.sub("", stem)
        yield from (_PERSON[0].sub("", _PERSON[1].sub("є", people + ending)) for ending in endings.split(" "))


def of_province(name: str) -> Iterator[str]:
    """Adjectives of Russian and Ukrainian provinces: ростовский of Ростовская область."""
    for pattern, language, middle in (
        (re.compile(r"(.+)(?:ская область|ский край)$", re.I), "ru", "ск"),
        (re.compile(r"(.+)ська область$", re.I), "uk", "ськ"),
    ):
        if found := pattern.match(name):
            stem = found[1][0].lower() + found[1][1:] + middle
            yield from (stem + ending for ending in _ADJECTIVES[language].split(" "))


def forms(name: str, kind: str, language: str = "") -> Iterator[str]:
    """Other forms of a name; empty for most."""
    if name.endswith("~"):
        yield from inflected(name[:-1], language)
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
