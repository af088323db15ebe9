"""What grouping keeps of one item: hashed terms, names, numbers with their roles, places, language and time.

A sketch is all that two items are compared by. It is packed into a text that the story carries, so that an index can
be rebuilt from stories alone.
"""

from __future__ import annotations

import base64
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from alerts.models import RegionEvidence, Tagged
from alerts.stories.keys import cut_headline
from alerts.stories.meanings import terms_of
from alerts.stories.numbers import Cut, Number, numbers_of, value_of
from alerts.stories.semantic import Encoder
from alerts.text.fingerprint import hash64
from alerts.text.tokens import Token, is_run, tokens

MAX_TERMS = 30  # of title and text together
MAX_NUMBERS = 8
MAX_PLACES = 8
TEXT_CHARS = 400
LEAST_TERMS = 3  # a headline with fewer says too little to be compared by
_SURE = 0.5  # a place with less evidence says nothing about the event
PREFIX = 5  # characters by which two spellings of a name are taken for one
_LATIN = str.maketrans(
    dict(zip("абвгдезиійклмнопрстуфхцчшщыэюяїєґђјљњћџ", (
        "a b v g d e z i i i k l m n o p r s t u f h ts ch sh sh i e u a i e g d i l n c d"
    ).split(), strict=True)) | {"ж": "zh", "ь": "", "ъ": ""}
)  # fmt: skip
_SPELLINGS = (("kh", "h"), ("ph", "f"), ("ck", "k"), ("yu", "u"), ("ya", "a"), ("y", "i"), ("w", "v"), ("c", "k"), ("ll", "l"), ("ss", "s"))
_UNCASED = frozenset({"de"})  # languages whose nouns are written with capitals


@dataclass(frozen=True, slots=True)
class Sketch:
    """One item as others are compared with it; every tuple is bounded."""

    terms: array[int]  # 32 bit hashes, each once: the title's first, in their order
    title: int  # how many of them the title has
    names: frozenset[int]  # those written with a capital where that says something
    numbers: tuple[Number, ...]
    places: tuple[str, ...]  # codes: LB, LB-JA
    language: str
    at_s: int
    towns: frozenset[int] = frozenset()  # those terms that are words of a place's name
    meaning: bytes = b""  # the headline's sentence vector (semantic.py); empty without the extra


def sketch_of(tagged: Tagged, at_s: int, encode: Encoder | None = None) -> Sketch:
    """The sketch of a tagged item at Unix time at_s; with the meaning of its headline where there is an encoder."""
    item, language = tagged.change.item, tagged.language
    headline, cut = cut_headline(item.title)
    start = item.title.find(headline)
    places = {} if start < 0 else _spans(tagged.regions, start, start + len(headline))
    towns: set[int] = set()
    terms, names, numbers = _read(headline, cut, language, places, towns)
    title = len(terms)
    if item.text:
        start = len(item.title) + 1
        text = item.text[:TEXT_CHARS]
        more, named, counted = _read(text, tokens(text), language, _spans(tagged.regions, start, start + len(text)), towns)
        terms, names = terms | more, names | named
        numbers = tuple(dict.fromkeys((*numbers, *counted)))
    kept = list(terms)[:MAX_TERMS]
    return Sketch(
        terms=array("I", kept),
        title=min(title, MAX_TERMS),
        names=frozenset(names.intersection(kept)),
        numbers=numbers[:MAX_NUMBERS],
        places=_places(tagged.regions),
        language=language or "",
        at_s=at_s,
        towns=frozenset(towns.intersection(kept)),
        meaning=encode(headline) if encode else b"",
    )


def _spans(regions: Iterable[RegionEvidence], start: int, end: int) -> dict[int, tuple[int, RegionEvidence]]:
    """Where a place is named in a part of the text: start -> (end, place), counted from the part's beginning."""
    sure = [region for region in regions if region.score >= _SURE]
    return {r.span[0] - start: (r.span[1] - start, r) for r in sure if start <= r.span[0] < r.span[1] <= end}


class _Named:
    """Reads the places of a text along with its words."""

    def __init__(self, places: dict[int, tuple[int, RegionEvidence]]) -> None:
        self._places = places
        self._inside = self._named = 0

    def terms_at(self, start: int) -> tuple[int, ...]:
        """The terms of the place whose name begins here."""
        if start not in self._places:
            return ()
        until, region = self._places[start]
        self._named = max(self._named, until)
        if region.kind in ("country", "subdivision"):
            self._inside = max(self._inside, until)
            return place_terms(region.code)
        return place_terms(region.code)[:1]

    def is_told(self, start: int) -> bool:
        """Whether the word here is told by its place already: the name of a town stays, as it is told from its neighbours by it."""
        return start < self._inside

    def is_name(self, start: int) -> bool:
        """Whether the word here is a part of a place's name."""
        return start < self._named


def _read(
    text: str, cut: Sequence[Token], language: str | None, places: dict[int, tuple[int, RegionEvidence]], towns: set[int]
) -> tuple[dict[int, None], set[int], tuple[Number, ...]]:
    """Terms in their order, names and numbers of one part of an item; words of places' names are put into `towns` as well."""
    is_cased = language not in _UNCASED and _is_cased(text, cut)
    values = [value_of(token.text, language) for token in cut]
    found: dict[int, None] = {}
    names: set[int] = set()
    named, previous = _Named(places), -1
    for (folded, start, end), value in zip(cut, values, strict=True):
        found |= dict.fromkeys(named.terms_at(start))
        if named.is_told(start) or value is not None:
            continue
        hashes: tuple[int, ...] = ()
        if is_run(folded):
            hashes = (hash32(text[start - 1 : end]),) if previous == start else ()
            previous = end
        elif len(folded) > 1 and not folded[0].isdigit():
            hashes = word_hashes(text[start:end], language)
            if is_cased and start and text[start].isupper():
                names.update(hashes)
        found |= dict.fromkeys(hashes)
        if named.is_name(start):
            towns.update(hashes)
    if not any(value is not None for value in values):
        return found, names, ()
    return found, names, numbers_of(_cuts(text, cut, language), values)


def _cuts(text: str, cut: Sequence[Token], language: str | None) -> list[Cut]:
    """The words as numbers are read."""
    found = []
    for token in cut:
        terms = terms_of(text[token.start : token.end], language)
        found.append(Cut(token.text, terms[-1].text if terms else "", text[max(0, token.start - 4) : token.start]))
    return found


@lru_cache(maxsize=8192)
def place_terms(code: str) -> tuple[int, ...]:
    """The terms of a place: its country, and the subdivision it is or lies in."""
    return tuple(hash32("@" + part) for part in dict.fromkeys((code[:2], code)))


def _is_cased(text: str, cut: Sequence[Token]) -> bool:
    """Whether capitals mark names: most longer words are written small."""
    longer = [text[token.start] for token in cut if token.end - token.start > 3]
    return sum(first.isupper() for first in longer) * 2 < len(longer)


@lru_cache(maxsize=65536)
def word_hashes(word: str, language: str | None) -> tuple[int, ...]:
    """The hashed terms of one word; none of a stop word."""
    return tuple(hash32(term.text) for term in terms_of(word, language))


def hash32(text: str) -> int:
    """A term as 32 bits: the upper half is that of its beginning, which zelenski, zelenskyy and зеленск share."""
    begin = text if text[0] in "#@" else _skeleton(text)[:PREFIX]
    return (hash64("begin", begin) & 0xFFFF) << 16 | hash64("term", text) & 0xFFFF


def _skeleton(text: str) -> str:
    """A word in Latin letters, with those that transliterations differ in made one."""
    latin = text.translate(_LATIN)
    for spelling, letter in _SPELLINGS:
        latin = latin.replace(spelling, letter)
    return latin


def _places(regions: Iterable[RegionEvidence]) -> tuple[str, ...]:
    codes = [region.code for region in regions if region.score >= _SURE]
    return tuple(dict.fromkeys(codes))[:MAX_PLACES]


def compared(kept: Sequence[Sketch]) -> tuple[Sketch, ...]:
    """What an item is compared with: the items a story keeps and, from three on, the core that most of them share.

    But for those whose headline is too short; maybe none is left.
    """
    sketches = (*kept, _core(kept)) if len(kept) > 2 else kept
    return tuple(sketch for sketch in sketches if sketch.title >= LEAST_TERMS)


def _core(kept: Sequence[Sketch]) -> Sketch:
    """The terms that half of the items have, as the headline of one; with the names, numbers and places of these."""
    counts = Counter(term for sketch in kept for term in sketch.terms)
    terms = [term for term, count in counts.most_common(MAX_TERMS) if 2 * count >= len(kept)]
    places = Counter(code for sketch in kept for code in sketch.places)
    return Sketch(
        terms=array("I", terms),
        title=len(terms),
        names=frozenset(term for term in terms if any(term in sketch.names for sketch in kept)),
        numbers=tuple(dict.fromkeys(number for sketch in reversed(kept) for number in sketch.numbers))[:MAX_NUMBERS],
        places=tuple(code for code, count in places.items() if 2 * count >= len(kept))[:MAX_PLACES],
        language=kept[-1].language,
        at_s=kept[-1].at_s,
        towns=frozenset(term for term in terms if any(term in sketch.towns for sketch in kept)),
        meaning=kept[-1].meaning,
    )


def pack(sketch: Sketch) -> str:
    """A sketch as one line of text; about 250 characters."""
    numbers = ";".join(f"{number.role}{number.value:g}" for number in sketch.numbers)
    packed = base64.b64encode(sketch.terms.tobytes()).decode()
    flags = ".".join(_flags(sketch.terms, some) for some in ((sketch.names, sketch.towns) if sketch.towns else (sketch.names,)))
    parts = (str(sketch.at_s), sketch.language, str(sketch.title), flags, numbers, ",".join(sketch.places), packed)
    return "|".join((*parts, base64.b64encode(sketch.meaning).decode()) if sketch.meaning else parts)


def unpack(text: str) -> Sketch:
    """The sketch again."""
    at_s, language, title, flags, numbers, places, packed, *meaning = text.split("|")
    terms = array("I", base64.b64decode(packed))
    names, _, towns = flags.partition(".")
    return Sketch(
        terms=terms,
        title=int(title),
        names=_flagged(terms, names),
        numbers=tuple(Number(part[0], float(part[1:])) for part in numbers.split(";") if part),
        places=tuple(part for part in places.split(",") if part),
        language=language,
        at_s=int(at_s),
        towns=_flagged(terms, towns),
        meaning=base64.b64decode(meaning[0]) if meaning else b"",
    )


def _flags(terms: Iterable[int], some: frozenset[int]) -> str:
    """Which of the terms are among some: a bit for each, behind a first one that is set."""
    bits = "".join("1" if term in some else "0" for term in terms)
    return f"{int('1' + bits, 2):x}"


def _flagged(terms: Iterable[int], flags: str) -> frozenset[int]:
    return frozenset(term for term, bit in zip(terms, bin(int(flags, 16))[3:], strict=True) if bit == "1") if flags else frozenset()
