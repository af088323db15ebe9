"""Words that mean something for an alert, in twenty languages, and where a headline has them.

The words stand in `data/*.toml`: a table for each sense (`[harm.blast]`), a line for each language, terms parted by bars.
A term is a word, a phrase, a beginning (`explo*`) or, for languages that write compounds, a middle (`*angriff*`).
Everything is compared as `alerts.text.tokens` cuts and folds it, so words match as words in every script.

Terms in Latin letters count in their own language only (German "die" is no death); other scripts tell languages apart by
themselves.

`[not]` of context.toml holds phrases that mean something else ("shooting star", "price war"): what stands in them is
passed over.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from alerts.text.tokens import Token, cut, placed, words

_NEAREST = {"af": "nl", "ms": "id", "gl": "pt", "ca": "es", "nb": "no"}  # languages whose news words are mostly another's
_FILES = ("harm", "counts", "nature", "phases", "context", "agencies")
_NOT = "context.not"
_LANGUAGE = re.compile(r"[a-z]{2}|any")
_CACHED = 16384  # words of one language whose entries are kept; a day of news of one has some 20,000, most of them once
LEDE = 260  # characters of the text that are read: further down stands the background
_ARABIC = re.compile("[وف]?(?:[بك]?ال|لل|[بلك])?(?=.{3})")  # and, then, with, like, the, to: written onto the word
_HEBREW = re.compile("(?:ו|ש|כש)?[בלמ]?ה?(?=.{3})")


class Hit(NamedTuple):
    """A term that was found: what it means, and its words `[start, end)`."""

    sense: str
    start: int
    end: int


class _Entry(NamedTuple):
    """A term by its first word: the words that must follow, and what it means then."""

    rest: tuple[str, ...]
    sense: str


class _Found(NamedTuple):
    """What is filed under a word."""

    alone: tuple[str, ...]  # senses of the word by itself
    by_next: Mapping[str, tuple[_Entry, ...]]  # phrases by their second word
    open: tuple[_Entry, ...]  # phrases whose second word may go on
    is_guard: bool  # whether one of them takes the meaning out of the words that follow
    is_digits: bool  # whether the word begins with a digit


_NOTHING = _Found((), {}, (), False, False)
_DIGITS = _Found((), {}, (), False, True)
_new = tuple.__new__  # Hit(...) without its keyword handling


class Lexicon:
    """Terms filed under their first word."""

    def __init__(self, terms: Iterable[tuple[str, str]]) -> None:
        self._whole: dict[str, list[_Entry]] = {}
        self._beginnings: dict[str, list[_Entry]] = {}
        self._middles: dict[str, list[_Entry]] = {}
        for sense, term in terms:
            self._file(sense, term)
        self._lengths = sorted({len(beginning) for beginning in self._beginnings})
        self.under: Callable[[str], _Found] = lru_cache(_CACHED)(self._look_up)  # what is filed under a word

    def _file(self, sense: str, term: str) -> None:
        parts = list(_parts(term))
        first, entry = parts[0], _Entry(tuple(parts[1:]), sense)
        table = self._middles if first.startswith("*") else self._beginnings if first.endswith("*") else self._whole
        table.setdefault(first.strip("*"), []).append(entry)

    def _look_up(self, word: str) -> _Found:
        found: dict[_Entry, None] = {}
        for form in _forms(word):
            found.update(dict.fromkeys(self._whole.get(form, ())))
            for length in self._lengths:
                if length > len(form):
                    break
                if entries := self._beginnings.get(form[:length]):
                    found.update(dict.fromkeys(entries))
        for middle, entries in self._middles.items():
            if middle in word:
                found.update(dict.fromkeys(entries))
        is_digits = word[0].isdigit()
        return _filed_as(found, is_digits) if found else _DIGITS if is_digits else _NOTHING


def _filed_as(entries: Iterable[_Entry], is_digits: bool) -> _Found:
    """The entries of one word, ready for a glance at the word after it."""
    alone, opened, by_next = [], [], dict[str, list[_Entry]]()
    for entry in entries:
        if not entry.rest:
            alone.append(entry.sense)
        elif entry.rest[0].endswith("*"):
            opened.append(entry)
        else:
            by_next.setdefault(entry.rest[0], []).append(entry)
    is_guard = any(entry.sense == _NOT for entry in entries)
    return _Found(tuple(alone), {word: tuple(rows) for word, rows in by_next.items()}, tuple(opened), is_guard, is_digits)


class Passage:
    """A text cut into words, with the terms found in it.

    Where the words stand in the text is found out when it is asked for: most headlines have no term that needs it.
    """

    __slots__ = ("_cut", "_tokens", "digits", "hits", "text")

    def __init__(self, text: str, latin: Lexicon, other: Lexicon) -> None:
        self.text = text
        self._cut = cut(text)
        self._tokens: tuple[Token, ...] | None = None
        self.hits, self.digits = _scan(self.words, latin, other)  # the terms; which words begin with a digit

    @property
    def words(self) -> list[str]:
        """The words as they are compared."""
        return self._cut[0]

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The words with their places in the text."""
        if self._tokens is None:
            self._tokens = placed(*self._cut)
        return self._tokens

    def has(self, *senses: str) -> bool:
        """Whether one of the senses was found."""
        return any(hit.sense in senses for hit in self.hits)

    def first(self, *prefixes: str) -> Hit | None:
        """The first hit whose sense begins so."""
        return next((hit for hit in self.hits if hit.sense.startswith(prefixes)), None)

    def words_of(self, hit: Hit) -> str:
        """The words of a hit as they were written."""
        return self.text[self.tokens[hit.start].start : self.tokens[hit.end - 1].end]


class Reading(NamedTuple):
    """A headline and the beginning of its text; `language` is the one whose terms were looked for."""

    title: Passage
    lede: Passage
    language: str


def read(title: str, text: str = "", language: str | None = None) -> Reading:
    """The headline and the first characters of its text with the terms in them.

    Args:
        language: Primary tag; None looks for the language whose terms the headline has most of.
    """
    known = nearest(language) if language else _guessed(title)
    return Reading(passage_of(title, known), passage_of(text[:LEDE], known), known)


def nearest(language: str) -> str:
    """The language whose terms are looked for in a text of this one."""
    return _NEAREST.get(language, language)


@lru_cache(maxsize=1024)
def passage_of(text: str, language: str) -> Passage:
    """A text cut into words, with its terms; kept for a while, since several stages ask for the same headline."""
    return Passage(text, _latin(language), _other())


def _scan(found: Sequence[str], latin: Lexicon, other: Lexicon) -> tuple[tuple[Hit, ...], list[int]]:
    """The terms among these words, and which words begin with a digit."""
    hits: list[Hit] = []
    digits: list[int] = []
    passed, latin_under, other_under = 0, latin.under, other.under
    for index, word in enumerate(found):
        filed = latin_under(word) if word.isascii() else other_under(word)
        if filed is _NOTHING:
            continue
        if filed.is_digits:
            digits.append(index)
        if index < passed:
            continue
        here = _hits_at(found, index, filed)
        if filed.is_guard and (guards := [hit for hit in here if hit.sense == _NOT]):
            here = [max(guards, key=lambda hit: hit.end)]
            passed = here[0].end
        hits += here
    return tuple(hits), digits


def _hits_at(found: Sequence[str], index: int, filed: _Found) -> list[Hit]:
    """The terms that begin with this word."""
    start = index + 1
    here = [_new(Hit, (sense, index, start)) for sense in filed.alone]
    if start < len(found):
        phrases = filed.by_next.get(found[start], ())
        for entry in (*phrases, *filed.open) if filed.open else phrases:
            if _follows(found, start, entry.rest):
                here.append(_new(Hit, (entry.sense, index, start + len(entry.rest))))
    return here


def _follows(found: Sequence[str], start: int, rest: tuple[str, ...]) -> bool:
    if start + len(rest) > len(found):
        return False
    for word, wanted in zip(found[start : start + len(rest)], rest, strict=True):
        if not (word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted):
            return False
    return True


def _forms(word: str) -> tuple[str, ...]:
    """The word, and without what Arabic and Hebrew write onto its front, or the digits Korean counters follow."""
    if word[0].isdigit():
        return (word, word.lstrip("0123456789.,")) if not word.isascii() else (word,)
    pattern = _ARABIC if "\u0621" <= word[:1] <= "\u064a" else _HEBREW if "\u05d0" <= word[:1] <= "\u05ea" else None
    if pattern is None:
        return (word,)
    match = pattern.match(word)
    bare = word[match.end() :] if match else word
    return tuple(dict.fromkeys((word, word[1:] if len(word) > 3 and word[0] in "وה" else word, bare)))


def _parts(term: str) -> Iterator[str]:
    """The folded words of a term; a star stays with the word it was written at."""
    for part in term.split():
        cut = words(part.strip("*"))
        for number, word in enumerate(cut):
            is_last = number == len(cut) - 1
            yield ("*" if part.startswith("*") and not number else "") + word + ("*" if part.endswith("*") and is_last else "")


@lru_cache(maxsize=1024)
def _guessed(text: str) -> str:
    """The language with the most terms among these words; English when none leads."""
    votes = Counter(language for word in cut(text)[0] if word.isascii() for language in _speakers().under(word).alone)
    if not votes:
        return "en"
    best = max(votes.values())
    return "en" if votes["en"] == best else max(votes, key=lambda language: (votes[language], language))


@cache
def _speakers() -> Lexicon:
    """The words that mean something by themselves, filed under the languages they mean it in."""
    own = _filed()
    return Lexicon((language, term) for language in own.keys() - {"other", "any"} for _, term in own[language] if _is_single(term))


def _is_single(term: str) -> bool:
    return len(list(_parts(term))) == 1


# ---------------------------------------------------------------- the tables


@cache
def table(name: str) -> Mapping[str, Any]:
    """A file of `data/` as it stands."""
    return tomllib.loads((files(__package__) / "data" / f"{name}.toml").read_text(encoding="utf-8"))


def _rows(node: Mapping[str, Any], sense: str = "") -> Iterator[tuple[str, str, str]]:
    """(sense, language, line) of a table and the tables in it."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _rows(value, f"{sense}.{key}".lstrip("."))
        elif isinstance(value, str) and _LANGUAGE.fullmatch(key):
            yield sense, key, value


def _terms(sense: str, line: str) -> Iterator[tuple[str, str]]:
    """(sense, term); the numbers one to twelve stand in their order, other forms of one behind a slash."""
    if sense == "counts.number":
        for value, forms in enumerate(line.split(), 1):
            yield from ((f"{sense}.{value}", form.replace("_", " ")) for form in forms.split("/"))
        return
    yield from ((sense, term.strip()) for term in line.split("|") if term.strip("* "))


@cache
def _filed() -> dict[str, list[tuple[str, str]]]:
    """language -> (sense, term); "other" has what begins in another script than ASCII folds to."""
    found: dict[str, list[tuple[str, str]]] = {}
    rows = (row for name in _FILES for row in _rows(table(name), name))
    named = ((language, *term) for sense, language, line in rows for term in _terms(sense, line))
    for language, sense, term in named:
        first = next(_parts(term), "")
        if first:
            found.setdefault(language if first.strip("*").isascii() else "other", []).append((sense, term))
    return found


@cache
def _latin(language: str) -> Lexicon:
    filed = _filed()
    return Lexicon([*filed.get("any", ()), *filed.get(language, ())])


@cache
def _other() -> Lexicon:
    return Lexicon(_filed().get("other", ()))
