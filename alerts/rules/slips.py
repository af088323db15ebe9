"""What went wrong in a query that lark could not read, in words, with a suggestion where the slip is a common one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from alerts.errors import QueryError

_SHOWN = {  # what lark calls a terminal -> what a person calls it
    "WORD": "a word", "VALUE": "a word", "PHRASE": 'a "phrase"', "FIELD": "a field", "STAR": "*", "LPAR": "(", "RPAR": ")",
    "_AND": "AND", "_OR": "OR", "_NOT": "NOT", "_MINUS": "-word", "REGEX": "/regex/", "LIST": "@list", "EXACT": "=word",
    "STEM": "~word", "$END": "the end",
}  # fmt: skip


def explained(text: str, error: UnexpectedToken | UnexpectedCharacters) -> QueryError:
    """Lark's error as ours."""
    at = error.pos_in_stream or 0
    found = text[at : at + 1]
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        if _brackets(text, "(") > _brackets(text, ")"):
            return QueryError('this bracket is never closed; write a ")" at its end', _open_bracket(text) + 1)
        return QueryError(f"the query ends here, but {_expected(error.expected)} was expected", len(text.rstrip()) + 1)
    if found == '"':
        return QueryError('this quote is never closed; write a second " at the end of the phrase', at + 1)
    if found == ")":
        return QueryError('this ")" closes nothing; take it out, or write the "(" it belongs to', at + 1)
    if found == "-":
        return QueryError("a - stands directly before the word that must be absent, as in -football; put a dash in quotes", at + 1)
    wanted = error.expected if isinstance(error, UnexpectedToken) else error.allowed
    word = (text[at:].split(maxsplit=1) or [""])[0]
    return QueryError(f'found "{word}", expected {_expected(wanted)}', at + 1)


def without_phrases(text: str) -> str:
    """The text with phrases, expressions and comments blanked, in its length."""
    return re.sub(r'"[^"]*"|(?<![^\s(:])/(?:[^/\\\n]|\\.)+/|#(?![^\s#])[^\n]*', lambda match: " " * len(match.group()), text)


def _brackets(text: str, char: str) -> int:
    return without_phrases(text).count(char)


def _open_bracket(text: str) -> int:
    """Where the last bracket stands that nothing closes."""
    opened: list[int] = []
    for index, char in enumerate(without_phrases(text)):
        if char == "(":
            opened.append(index)
        elif char == ")" and opened:
            opened.pop()
    return opened[-1] if opened else 0


def _expected(names: Iterable[str] | None) -> str:
    shown = sorted({_SHOWN.get(name, name) for name in names or ()} - {"COMMENT"})
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}" if shown else "nothing more"
