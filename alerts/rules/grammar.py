"""A query as people type it -> its parsed form, or an error that says where it went wrong and what to write.

The grammar in query.lark says what a query is, and what is wrong with one that is none. Right ones are read by hand, which
takes a third of the time or less (see `reader`); a property test holds the two to the same answer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

from alerts.errors import QueryError
from alerts.rules.nodes import AllOf, AnyOf, Everything, Query, leaves
from alerts.rules.operands import in_field, pattern_of, saved_of, scoped_leaf, words_of
from alerts.rules.reader import CONTROL, MAX_DEPTH, joined, none_of, read
from alerts.rules.slips import check_quotes, check_word, explained, without_phrases

MAX_LENGTH = 2000  # characters
MAX_OPERANDS = 100
_GRAMMAR = Path(__file__).with_name("query.lark")
QUOTES = str.maketrans("“”„‟«»＂", '"""""""')
_SMALL = frozenset(("and", "or", "not"))  # operators, when in capitals
_COUNTRY = re.compile("region:[A-Z]{2}")
_Part: TypeAlias = "Token | Query"


@lru_cache(maxsize=8192)
def parse(query: str) -> Query:
    """The parsed form of a query; remembered, since the same queries come again and again.

    Raises:
        QueryError: With the column, what was found, what was expected, and what to write for likely slips.
    """
    text = query.translate(QUOTES) if not query.isascii() else query
    parsed = (read(text) if len(text) <= MAX_LENGTH else None) or by_grammar(text)
    count = sum(1 for _ in leaves(parsed)) if len(text) > 2 * MAX_OPERANDS else 1
    if count > MAX_OPERANDS:
        raise QueryError(f"{count} operands; a query may have {MAX_OPERANDS}: make several rules of it", 1)
    return parsed


def plain_parts(text: str) -> tuple[list[str], list[str]] | None:
    """(words, countries) of a query that is nothing but plain words and `region:LB` side by side; None for any other.

    It says what `parse` would, in a tenth of the time: a million rules are put in force with it.
    """
    if len(text) > 2 * MAX_OPERANDS or not text.isascii():
        return None
    if text.replace(" ", "").isalnum():
        found = text.lower().split(" ")
        return (found, []) if "" not in found and _SMALL.isdisjoint(found) else None
    found = []
    countries: list[str] = []
    for piece in text.split(" "):
        if piece.isalnum():
            found.append(piece.lower())
        elif len(piece) == 9 and _COUNTRY.fullmatch(piece):
            countries.append(piece[7:])
        else:
            return None
    return (found, countries) if _SMALL.isdisjoint(found) else None


def by_grammar(text: str) -> Query:
    """The parsed form by query.lark alone. Raises: QueryError."""
    _check_shape(text)
    try:
        tree = _parser().parse(text)
    except (UnexpectedToken, UnexpectedCharacters) as error:
        raise explained(text, error) from error
    except VisitError as error:
        if isinstance(error.orig_exc, QueryError):
            raise error.orig_exc from error
        raise
    parsed: Query = tree  # type: ignore[assignment]  # the transformer builds no tree
    return parsed


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(_GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer="contextual", transformer=_Builder())


class _Builder(Transformer[Token, Query]):
    """Makes the nodes while lark reduces, so that depth costs no recursion."""

    def any_of(self, parts: list[Query]) -> Query:
        return joined(AnyOf, parts)

    def all_of(self, parts: list[Query]) -> Query:
        return joined(AllOf, parts)

    def none_of(self, parts: list[Query]) -> Query:
        return none_of(parts[0])

    def everything(self, parts: list[Token]) -> Query:
        return Everything("*", _column(parts[0]))

    def word(self, parts: list[Token]) -> Query:
        shown = str(parts[0])
        check_word(shown, _column(parts[0]))
        return words_of(shown, shown, _column(parts[0]))

    def phrase(self, parts: list[Token]) -> Query:
        return words_of(str(parts[0]), str(parts[0]), _column(parts[0]))

    def marked(self, parts: list[Token]) -> Query:
        mark, value = str(parts[0]), str(parts[1])
        return words_of(value, mark + value, _column(parts[0]), mark=mark)

    def pattern(self, parts: list[Token]) -> Query:
        return pattern_of(str(parts[0]), str(parts[0]), _column(parts[0]))

    def saved(self, parts: list[Token]) -> Query:
        return saved_of(str(parts[0]), _column(parts[0]))

    def scoped(self, parts: list[Token]) -> Query:
        value = str(parts[-1])
        mark = str(parts[1]) if len(parts) == 3 else ""
        shown = "".join(map(str, parts))
        return scoped_leaf(str(parts[0])[:-1].lower(), value, shown, _column(parts[0]), _column(parts[1]), mark=mark)

    def group(self, parts: list[_Part]) -> Query:
        field, inner = parts
        assert isinstance(field, Token)
        assert not isinstance(inner, Token)
        return in_field(inner, str(field)[:-1].lower(), _column(field))


def _check_shape(text: str) -> None:
    """Refuse what is empty, too long or too deep before anything is built."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"{len(text)} characters; a query may have {MAX_LENGTH}: make several rules of it", MAX_LENGTH + 1)
    if control := CONTROL.search(text):
        raise QueryError(f"U+{ord(control.group()):04X} is a control character; remove it", control.start() + 1)
    bare = without_phrases(text)
    if not text.strip() or (not bare.strip() and text.lstrip().startswith("#")):
        raise QueryError("the query is empty; write * to match everything", 1)
    check_quotes(text)
    depth = 0
    for column, char in enumerate(bare, 1):
        depth += (char == "(") - (char == ")")
        if depth > MAX_DEPTH:
            raise QueryError(f"more than {MAX_DEPTH} brackets within each other", column)


def _column(token: Token) -> int:
    return (token.start_pos or 0) + 1
