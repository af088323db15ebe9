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

from alerts.text.tokens import Token, tokens, words

_NEAREST = {"af": "nl", "ms": "id", "gl": "pt", "ca": "es", "nb": "no"}  # languages whose news words are mostly another's
_FILES = ("harm", "counts", "nature", "phases", "context", "agencies")
_NOT = "context.not"
_LANGUAGE = re.compile(r"[a-z]{2}|any")
_CACHED = 32768  # words of one language whose entries are kept; a language has some 20,000 in a day of news
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
    is_empty: bool


_NOTHING = _Found((), {}, (), True)


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
                found.update(dict.fromkeys(self._beginnings.get(form[:length], ())))
        for middle, entries in self._middles.items():
            if middle in word:
                found.update(dict.fromkeys(entries))
        return _filed_as(found) if found else _NOTHING


def _filed_as(entries: Iterable[_Entry]) -> _Found:
    """The entries of one word, ready for a glance at the word after it."""
    alone, opened, by_next = [], [], dict[str, list[_Entry]]()
    for entry in entries:
        if not entry.rest:
            alone.append(entry.sense)
        elif entry.rest[0].endswith("*"):
            opened.append(entry)
        else:
            by_next.setdefault(entry.rest[0], []).append(entry)
    return _Found(tuple(alone), {word: tuple(rows) for word, rows in by_next.items()}, tuple(opened), False)


class Passage(NamedTuple):
    """A text cut into words, with the terms found in it."""

    text: str
    tokens: tuple[Token, ...]
    hits: tuple[Hit, ...]

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
    found = tokens(text)
    return Passage(text, found, _scan(found, _latin(language), _other()))


def _scan(found: Sequence[Token], latin: Lexicon, other: Lexicon) -> tuple[Hit, ...]:
    hits: list[Hit] = []
    passed = 0
    for index, token in enumerate(found):
        word = token.text
        filed = latin.under(word) if word.isascii() else other.under(word)
        if filed.is_empty or index < passed:
            continue
        here = [Hit(sense, index, index + 1) for sense in filed.alone]
        if index + 1 < len(found):
            phrases = (*filed.by_next.get(found[index + 1].text, ()), *filed.open)
            here += [Hit(e.sense, index, index + 1 + len(e.rest)) for e in phrases if _follows(found, index + 1, e.rest)]
        guards = [hit for hit in here if hit.sense == _NOT]
        if guards:
            here = [max(guards, key=lambda hit: hit.end)]
            passed = here[0].end
        hits += here
    return tuple(hits)


def _follows(found: Sequence[Token], start: int, rest: tuple[str, ...]) -> bool:
    if start + len(rest) > len(found):
        return False
    for token, wanted in zip(found[start : start + len(rest)], rest, strict=True):
        if not (token.text.startswith(wanted[:-1]) if wanted.endswith("*") else token.text == wanted):
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
    votes = Counter(language for token in tokens(text) if token.text.isascii() for language in _speakers(token.text))
    if not votes:
        return "en"
    best = max(votes.values())
    return "en" if votes["en"] == best else max(votes, key=lambda language: (votes[language], language))


@lru_cache(maxsize=_CACHED)
def _speakers(word: str) -> tuple[str, ...]:
    return tuple(language for language in _latin_languages() if _latin(language).under(word).alone)


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


def _latin_languages() -> tuple[str, ...]:
    return tuple(sorted(_filed().keys() - {"other", "any"}))


@cache
def _latin(language: str) -> Lexicon:
    filed = _filed()
    return Lexicon([*filed.get("any", ()), *filed.get(language, ())])


@cache
def _other() -> Lexicon:
    return Lexicon(_filed().get("other", ()))
