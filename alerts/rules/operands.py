"""The operands of a query from what a person wrote: words, phrases, fields; or an error at its column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise

from alerts.errors import QueryError
from alerts.rules.nodes import (
    FIELDS,
    NEAR,
    OTHER_FIELDS,
    Age,
    AllOf,
    AnyOf,
    Lang,
    Leaf,
    Mode,
    NoneOf,
    Pattern,
    Query,
    Region,
    Saved,
    Sources,
    StoryIs,
    Urgency,
    Words,
)
from alerts.rules.patterns import compiled
from alerts.rules.slips import meant_language, several, unknown_field
from alerts.text.language import primary_tag
from alerts.text.normalise import clean, fold
from alerts.text.tokens import Token, is_run, tokens
from alerts.text.variants import variants

MIN_PREFIX = 2  # letters before a *, of scripts with spaces between words
MAX_SLOP = 50
MAX_SOURCES = 50  # a story counts no more

_MODES: dict[str, Mode] = {"": "word", "=": "exact", "~": "stem"}
_VALUE = re.compile(r'(?s)"(?P<phrase>[^"]*)"(?P<star>\*)?(?:~(?P<slop>\d+))?|(?P<word>.*)')
_FUZZY = re.compile(r"(.+)[~^]\d*(?:\.\d+)?")
_COUNT = re.compile(r"(<=|>=|<|>|=)?(\d{1,3})(?:-(\d{1,3}))?")
_AGE = re.compile(r"(<=|>=|<|>)(\d{1,6}(?:\.\d{1,3})?)(s|m|min|h|d|w)")
_CIRCLE = re.compile(r"([+-]?\d{1,3}(?:\.\d{1,9})?)[,;]([+-]?\d{1,3}(?:\.\d{1,9})?)[,;](\d{1,5}(?:\.\d{1,3})?)(km|mi|m)")
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_UNITS_KM = {"km": 1.0, "mi": 1.609344, "m": 0.001}
_MAX_KM = 20015.0  # half way round the world


def words_of(value: str, shown: str, column: int, *, field: str = "", mark: str = "") -> Words:
    """Words, a phrase, a prefix or words near each other.

    Args:
        value: What stands there without field and mark.
        shown: The whole operand, for explanations.
        mark: "=" for exact letters, "~" for stems.

    Raises:
        QueryError: There is nothing in it to look for.
    """
    mode, slop, body = _MODES[mark], None, value
    if value.isalnum() and value.isascii():
        return Words((value if mark == "=" else value.lower(),), field, mode, None, shown, column)
    parts = _VALUE.fullmatch(value)
    if parts and parts["phrase"] is not None:
        body, is_prefix = parts["phrase"], parts["star"] is not None
        slop = int(parts["slop"]) if parts["slop"] else None
    else:
        body, is_prefix = value.removesuffix("*"), value.endswith("*")
        _check_word(body, shown, column)
    if "*" in body:
        raise QueryError("a * can only stand at the end of a word, for every word that begins so", column + shown.index("*"))
    if is_prefix and mark:
        raise QueryError(f'{shown}: "{mark}" and "*" exclude each other; take one of them out', column)
    terms = terms_of(body, mode)
    if not terms:
        raise QueryError(f"{shown} has no letters or digits to look for", column)
    if is_prefix and len(terms[-1]) < MIN_PREFIX and not is_run(terms[-1]):
        raise QueryError(f"{shown} would match nearly everything; write at least {MIN_PREFIX} letters before the *", column)
    if slop is not None and (len(terms) == 1 or slop > MAX_SLOP):
        raise QueryError(f'{shown}: "two words"~3 finds words with at most so many others (0 to {MAX_SLOP}) among them', column)
    return Words(terms, field, "prefix" if is_prefix else mode, slop, shown, column)


def _check_word(word: str, shown: str, column: int) -> None:
    """Lucene's fuzzy and boost signs mean nothing here, and a word that keeps them would match nothing."""
    found = _FUZZY.fullmatch(word)
    if found:
        hint = f"write ~{found[1]} for all its forms or {found[1]}* for a beginning"
        raise QueryError(f"{shown}: there are no ~ and ^ after a word; {hint}", column)
    if word.startswith("-"):
        raise QueryError(f"write the - before the field: -{shown.replace('-', '', 1)}", column)


def terms_of(text: str, mode: Mode = "word") -> tuple[str, ...]:
    """The words of a text to look for; neighbours of a script without spaces that touch are one term.

    They are folded but for letters that have other spellings (ü, ø); with exact letters as they stand, for stems in
    small letters.
    """
    found = tokens(text)
    terms: list[str] = []
    for before, token in pairwise((None, *found)):
        term = _term(text, token, mode) if token else ""
        if before and token and before.end == token.start and is_run(before.text) and is_run(token.text) and mode != "stem":
            terms[-1] += term
        elif token:
            terms.append(term)
    return tuple(terms)


def _term(text: str, token: Token, mode: Mode) -> str:
    if token.text.isascii() and text.isascii() and mode != "exact":
        return token.text
    surface = text[token.start : token.end]
    if fold(surface) != token.text:  # a number, an acronym, or one of the words of a ligature
        return token.text
    spelled = unicodedata.normalize("NFKC", surface if mode == "exact" else clean(surface).casefold())
    is_kept = mode != "word" or variants(spelled)
    return spelled if is_kept and tokens(spelled) == (Token(token.text, 0, len(spelled)),) else token.text


def pattern_of(value: str, shown: str, column: int, *, field: str = "") -> Pattern:
    """A regular expression between slashes. Raises: QueryError."""
    source = value[1:-1]
    compiled(source, column)
    return Pattern(source, field, shown, column)


def saved_of(value: str, column: int) -> Saved:
    """The name of a list. Raises: QueryError."""
    name = value[1:].casefold()
    if not re.fullmatch(r"[\w-]+", name):
        raise QueryError(f'"{value}" is no list; write @ and a name of config/lists.toml, or quotes for the word', column)
    return Saved(name, (), value, column)


def scoped_leaf(field: str, value: str, shown: str, column: int, value_column: int, *, mark: str = "") -> Leaf:
    """The operand of a field.

    Raises:
        QueryError: Nobody knows the field, or the value says nothing to it.
    """
    if field not in FIELDS:
        raise QueryError(unknown_field(field), column)
    if field in OTHER_FIELDS:
        return _OTHER[field]((mark + value).strip('"').strip(), shown, value_column)
    if not mark and len(value) > 2 and value[0] == value[-1] == "/":
        return pattern_of(value, shown, column, field=field)
    return words_of(value, shown, column, field=field, mark=mark)


def in_field(query: Query, field: str, column: int) -> Query:
    """The query with its words and expressions looked for in that field: `title:(fire OR storm)`.

    Raises:
        QueryError: The field takes no words, or the bracket holds other fields.
    """
    if field not in FIELDS:
        raise QueryError(unknown_field(field), column)
    if field in OTHER_FIELDS:
        raise QueryError(f"{field}: takes one value; write ({field}:A OR {field}:B)", column)
    match query:
        case AllOf(parts):
            return AllOf(tuple(in_field(part, field, column) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(in_field(part, field, column) for part in parts))
        case NoneOf(part):
            return NoneOf(in_field(part, field, column))
        case Words(terms, "", mode, slop, text, place):
            return Words(terms, field, mode, slop, f"{field}:{text}", place)
        case Pattern(source, "", text, place):
            return Pattern(source, field, f"{field}:{text}", place)
        case _:
            raise QueryError(f'{field}:( ) takes words, phrases and expressions, not "{query.text}"', query.column)


def _lang(value: str, shown: str, column: int) -> Leaf:
    tag = primary_tag(value)
    if meant := meant_language(value):
        raise QueryError(f'"{value}" is no code of a language; write lang:{meant}', column)
    if tag is None:
        raise QueryError(f'"{value}" is no language; write its code, such as lang:en or lang:ar{several("lang", value)}', column)
    return Lang(tag, shown, column)


def _region(value: str, shown: str, column: int) -> Leaf:
    if value.casefold().startswith(NEAR):
        return _near(value[len(NEAR) :], shown, column)
    if not tokens(value):
        raise QueryError('name a region after region:, such as region:LB, region:MENA or region:"Saudi Arabia"', column)
    return Region(value, shown, column)


def _near(value: str, shown: str, column: int) -> Leaf:
    match = _CIRCLE.fullmatch(value.replace(" ", "").casefold())
    if match is None:
        raise QueryError(f'"{value}" is no circle; write latitude, longitude and radius, such as near:33.27,35.20,50km', column)
    lat, lon, km = float(match[1]), float(match[2]), float(match[3]) * _UNITS_KM[match[4]]
    if abs(lat) > 90 or abs(lon) > 180 or not 0 < km <= _MAX_KM:
        raise QueryError(f'"{value}": latitude goes from -90 to 90, longitude from -180 to 180, the radius up to {_MAX_KM:.0f} km', column)
    return Region(f"{NEAR}{_number(lat)},{_number(lon)},{_number(km)}km", shown, column)


def _number(value: float) -> str:
    return f"{value:.5f}".rstrip("0").rstrip(".").replace("-0", "0") if abs(value) < 5e-6 else f"{value:.5f}".rstrip("0").rstrip(".")


def _urgency(value: str, shown: str, column: int) -> Leaf:
    bounds = _bounds(value)
    if bounds is None or not all(1 <= n <= 5 for n in bounds[2]):
        raise QueryError(f'"{value}" is no urgency; write a number from 1 (highest) to 5, such as urgency:1 or urgency:<=2', column)
    levels = frozenset(n for n in range(1, 6) if bounds[0] <= n <= bounds[1])
    if not levels:
        raise QueryError(f"{shown} is true of nothing; urgencies go from 1 (highest) to 5", column)
    return Urgency(levels, shown, column)


def _sources(value: str, shown: str, column: int) -> Leaf:
    bounds = _bounds(value)
    if bounds is None:
        raise QueryError(f'"{value}" is no number of sources; write for instance sources:>=2', column)
    low, high = max(bounds[0], 1), min(bounds[1], MAX_SOURCES)
    if low > high:
        raise QueryError(f"{shown} is true of nothing; a story has 1 to {MAX_SOURCES} sources that count", column)
    return Sources(low, high if bounds[1] < MAX_SOURCES else None, shown, column)


def _bounds(value: str) -> tuple[int, int, list[int]] | None:
    """(lowest, highest, the numbers written) of "2", "<=2", ">2" or "1-3"."""
    match = _COUNT.fullmatch(value.replace(" ", ""))
    if match is None or (match[1] and match[3]):
        return None
    first = int(match[2])
    if match[3]:
        return first, int(match[3]), [first, int(match[3])]
    low, high = {"<=": (0, first), "<": (0, first - 1), ">=": (first, 999), ">": (first + 1, 999)}.get(match[1], (first, first))
    return low, high, [first]


def _age(value: str, shown: str, column: int) -> Leaf:
    match = _AGE.fullmatch(value.replace(" ", "").casefold())
    if match is None:
        raise QueryError(f'"{value}" is no age; write < or > and a time in s, m, h, d or w, such as age:<30m', column)
    return Age(float(match[2]) * _UNITS_S[match[3]], match[1].startswith("<"), shown, column)


def _story(value: str, shown: str, column: int) -> Leaf:
    kinds = frozenset(part.strip() for part in value.casefold().split("|"))
    if not kinds <= {"new", "update"}:
        raise QueryError(f'"{value}" is nothing a story can be; write story:new or story:update', column)
    return StoryIs(kinds, shown, column)


_OTHER: dict[str, Callable[[str, str, int], Leaf]] = {
    "lang": _lang,
    "region": _region,
    "near": _near,
    "urgency": _urgency,
    "sources": _sources,
    "age": _age,
    "story": _story,
}
