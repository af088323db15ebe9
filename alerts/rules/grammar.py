"""A query as people type it -> its parsed form, or an error that says where it went wrong and what to write."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from alerts.errors import QueryError
from alerts.rules.nodes import FIELDS, OTHER_FIELDS, AllOf, AnyOf, Everything, Lang, Leaf, NoneOf, Query, Region, Urgency, Words, leaves
from alerts.text.language import primary_tag
from alerts.text.tokens import is_run, tokens

MAX_LENGTH = 2000  # characters
MAX_OPERANDS = 100
MAX_DEPTH = 20  # brackets within brackets
MIN_PREFIX = 2  # letters before a *, of scripts with spaces between words

_GRAMMAR = Path(__file__).with_name("query.lark")
_CONTROL = re.compile(r"(?!\s)[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_QUOTES = str.maketrans("“”„‟«»＂", '"""""""')
_SMALL = {"and": "AND", "or": "OR", "not": "NOT"}
_URGENCY = re.compile(r"(<=|>=|<|>|=)?([1-5])(?:-([1-5]))?")
_SHOWN = {  # what lark calls a terminal -> what a person calls it
    "WORD": "a word", "PHRASE": 'a "phrase"', "FIELD": "a field", "STAR": "*", "LPAR": "(", "RPAR": ")", "_AND": "AND", "_OR": "OR",
    "_NOT": "NOT", "_MINUS": "-word", "$END": "the end",
}  # fmt: skip
_Part: TypeAlias = "Token | Query"


@lru_cache(maxsize=8192)
def parse(query: str) -> Query:
    """The parsed form of a query; remembered, since the same queries come again and again.

    Raises:
        QueryError: With the column, what was found, what was expected, and what to write for likely slips.
    """
    text = query.translate(_QUOTES)
    _check_shape(text)
    try:
        tree = _parser().parse(text)
    except (UnexpectedToken, UnexpectedCharacters) as error:
        raise _explained(text, error) from error
    parsed: Query = tree  # type: ignore[assignment]  # the transformer builds no tree
    count = sum(1 for _ in leaves(parsed))
    if count > MAX_OPERANDS:
        raise QueryError(f"{count} operands; a query may have {MAX_OPERANDS}: make several rules of it", 1)
    return parsed


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer="contextual", transformer=_Builder())


class _Builder(Transformer[Token, Query]):
    """Makes the nodes while lark reduces, so that depth costs no recursion."""

    def any_of(self, parts: list[Query]) -> Query:
        return _joined(AnyOf, parts)

    def all_of(self, parts: list[Query]) -> Query:
        return _joined(AllOf, parts)

    def none_of(self, parts: list[Query]) -> Query:
        return parts[0].part if isinstance(parts[0], NoneOf) else NoneOf(parts[0])

    def everything(self, parts: list[Token]) -> Query:
        return Everything("*", _column(parts[0]))

    def word(self, parts: list[Token]) -> Query:
        shown = str(parts[0])
        if shown in _SMALL:
            raise QueryError(f'"{shown}" in small letters is a word; write {_SMALL[shown]}, or put the word in quotes', _column(parts[0]))
        if shown in _SMALL.values():
            raise QueryError(f"an operand is missing beside {shown}; put it in quotes to look for the word", _column(parts[0]))
        return _words(shown, "", shown, _column(parts[0]))

    def phrase(self, parts: list[Token]) -> Query:
        return _words(str(parts[0]), "", str(parts[0]), _column(parts[0]))

    def scoped(self, parts: list[Token]) -> Query:
        field, value = str(parts[0])[:-1].lower(), str(parts[1])
        if field not in FIELDS:
            raise QueryError(_unknown_field(field), _column(parts[0]))
        shown = f"{parts[0]}{value}"
        if field not in OTHER_FIELDS:
            return _words(value, field, shown, _column(parts[0]))
        return _OTHER[field](value.strip('"').strip(), shown, _column(parts[1]))


def _joined(kind: type[AllOf] | type[AnyOf], parts: Sequence[Query]) -> Query:
    """One node for all parts; parts of the same kind are taken apart."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return kind(tuple(flat))


def _words(value: str, field: str, shown: str, column: int) -> Words:
    is_prefix = value.endswith("*")
    value = value.removesuffix("*").strip('"') if value.startswith('"') else value.removesuffix("*")
    if "*" in value:
        raise QueryError("a * can only stand at the end of a word, for every word that begins so", column + shown.index("*"))
    terms = terms_of(value)
    if not terms:
        raise QueryError(f"{shown} has no letters or digits to look for", column)
    if is_prefix and len(terms[-1]) < MIN_PREFIX and not is_run(terms[-1]):
        raise QueryError(f"{shown} would match nearly everything; write at least {MIN_PREFIX} letters before the *", column)
    return Words(terms, field, is_prefix, shown, column)


def terms_of(text: str) -> tuple[str, ...]:
    """The folded words of a text; neighbours of a script without spaces that touch are one term."""
    found = tokens(text)
    terms = [found[0].text] if found else []
    for before, token in pairwise(found):
        if before.end == token.start and is_run(before.text) and is_run(token.text):
            terms[-1] += token.text
        else:
            terms.append(token.text)
    return tuple(terms)


def _lang(value: str, shown: str, column: int) -> Leaf:
    tag = primary_tag(value)
    if tag is None:
        raise QueryError(f'"{value}" is no language; write its code, such as lang:en or lang:ar', column)
    return Lang(tag, shown, column)


def _region(value: str, shown: str, column: int) -> Leaf:
    if not terms_of(value):
        raise QueryError('name a region after region:, such as region:LB, region:MENA or region:"Saudi Arabia"', column)
    return Region(value, shown, column)


def _urgency(value: str, shown: str, column: int) -> Leaf:
    match = _URGENCY.fullmatch(value.replace(" ", ""))
    if match is None:
        raise QueryError(f'"{value}" is no urgency; write a number from 1 (highest) to 5, such as urgency:1 or urgency:<=2', column)
    sign, first, last = match.group(1) or "=", int(match.group(2)), int(match.group(3) or 0)
    test = (lambda n: first <= n <= last) if last else _COMPARE[sign](first)
    levels = frozenset(n for n in range(1, 6) if test(n))
    if not levels:
        raise QueryError(f"{shown} is true of nothing; urgencies go from 1 (highest) to 5", column)
    return Urgency(levels, shown, column)


_COMPARE: dict[str, Callable[[int], Callable[[int], bool]]] = {
    "=": lambda limit: lambda n: n == limit,
    "<=": lambda limit: lambda n: n <= limit,
    ">=": lambda limit: lambda n: n >= limit,
    "<": lambda limit: lambda n: n < limit,
    ">": lambda limit: lambda n: n > limit,
}
_OTHER: dict[str, Callable[[str, str, int], Leaf]] = {"lang": _lang, "region": _region, "urgency": _urgency}


def _check_shape(text: str) -> None:
    """Refuse what is empty, too long or too deep before anything is built."""
    if not text.strip():
        raise QueryError("the query is empty; write * to match everything", 1)
    if len(text) > MAX_LENGTH:
        raise QueryError(f"{len(text)} characters; a query may have {MAX_LENGTH}: make several rules of it", MAX_LENGTH + 1)
    depth = 0
    if control := _CONTROL.search(text):
        raise QueryError(f"U+{ord(control.group()):04X} is a control character; remove it", control.start() + 1)
    for column, char in enumerate(_without_phrases(text), 1):
        depth += (char == "(") - (char == ")")
        if depth > MAX_DEPTH:
            raise QueryError(f"more than {MAX_DEPTH} brackets within each other", column)


def _without_phrases(text: str) -> str:
    return re.sub(r'"[^"]*"', lambda match: " " * len(match.group()), text)


def _explained(text: str, error: UnexpectedToken | UnexpectedCharacters) -> QueryError:
    """Lark's error in words, with a suggestion where the slip is a common one."""
    at = error.pos_in_stream or 0
    found = text[at : at + 1]
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        if text.count("(") > text.count(")"):
            return QueryError('this bracket is never closed; write a ")" at its end', _open_bracket(text) + 1)
        return QueryError(f"the query ends here, but {_expected(error.expected)} was expected", len(text.rstrip()) + 1)
    if found == '"':
        return QueryError('this quote is never closed; write a second " at the end of the phrase', at + 1)
    if found == ")":
        return QueryError('this ")" closes nothing; take it out, or write the "(" it belongs to', at + 1)
    if found == "-":
        return QueryError("a - stands directly before the word that must be absent, as in -football; put a dash in quotes", at + 1)
    wanted = error.expected if isinstance(error, UnexpectedToken) else error.allowed
    word = text[at:].split(maxsplit=1)[0]
    return QueryError(f'found "{word}", expected {_expected(wanted)}', at + 1)


def _open_bracket(text: str) -> int:
    """Where the last bracket stands that nothing closes."""
    opened: list[int] = []
    for index, char in enumerate(_without_phrases(text)):
        if char == "(":
            opened.append(index)
        elif char == ")" and opened:
            opened.pop()
    return opened[-1] if opened else 0


def _expected(names: set[str] | Sequence[str] | None) -> str:
    shown = sorted(_SHOWN.get(name, name) for name in names or ())
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}" if shown else "nothing more"


def _unknown_field(field: str) -> str:
    close = get_close_matches(field, FIELDS, n=1)
    hint = f"did you mean {close[0]}:?" if close else f"fields are {', '.join(f'{name}:' for name in FIELDS)}"
    return f'there is no field "{field}:"; {hint} For a word with a colon use quotes'


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1
