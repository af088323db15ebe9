"""A query read by hand, one token after the other: what query.lark says, in a third of its time or less.

The grammar is the specification, and gives the errors: whatever is wrong with a query, `read` answers None, and the grammar
says why. A property test and the fuzzer hold the two to the same answer.

    any  = all {OR all}                all = one {[AND] one}
    one  = {NOT | -} (bracket | FIELD (bracket | [= | ~] value) | [= | ~] word | operand)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from alerts.errors import QueryError
from alerts.rules.nodes import AllOf, AnyOf, Everything, NoneOf, Query
from alerts.rules.operands import in_field, pattern_of, saved_of, scoped_leaf, words_of
from alerts.rules.slips import check_quotes, check_word

MAX_DEPTH = 20  # brackets within brackets
CONTROL = re.compile(r"(?!\s)[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# The terminals of the grammar, those that are tried first standing first.
_ALONE = r"(?![^\s()])"
_GO_ON = r'(?:[^\s()"]|(?<=[\u05d0-\u05ea])"(?=[\u05d0-\u05ea]))*'
_MARKED = r"(?P<MARK>=(?=[^\s()=])|~(?=[^\s()~]))"
_REGEX = rf"(?P<REGEX>/(?:[^/\\\n]|\\.)+/{_ALONE})"
_WORD = rf'(?P<WORD>[^\s()"\-]{_GO_ON})'
_PHRASE = r'(?P<PHRASE>"[^"]*"(?:\*|~\d+)?)'
_VALUE = rf'(?P<VALUE>[^\s()"]{_GO_ON})'
_ENDS = ("", ")")  # of what stands side by side
_SKIP = re.compile(r"(?:\s+|#(?![^\s#])[^\n]*)+")
_NOT = re.compile(rf"NOT{_ALONE}|[-!](?=[^\s\-)])")
_AND = re.compile(rf"AND{_ALONE}|&&")
_OR = re.compile(rf"OR{_ALONE}|\|\|")
_OPERAND = re.compile(
    rf'(?P<STAR>\*{_ALONE})|{_MARKED}|(?P<LIST>@[^\s()"]+)|{_REGEX}|(?P<FIELD>[A-Za-z_]+:)|{_WORD}|{_PHRASE}|(?P<OPEN>\()'
)
_OF_FIELD = re.compile(rf"{_REGEX}|{_MARKED}|{_VALUE}|{_PHRASE}|(?P<OPEN>\()")
_VALUE_ONLY, _WORD_ONLY = re.compile(f"{_VALUE}|{_PHRASE}"), re.compile(f"{_WORD}|{_PHRASE}")


class _Stop(Exception):
    """The grammar has to say."""


def read(text: str) -> Query | None:
    """The parsed form of a query; None when it is wrong, or too deep: the grammar says why."""
    if not text.isprintable() and CONTROL.search(text):
        return None
    reader = _Reader(text)
    try:
        if "'" in text:
            check_quotes(text)
        query = reader.any_of(0)
    except (_Stop, QueryError):
        return None
    return query if reader.at == len(text) else None


class _Reader:
    """A text, and how far it was read."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self._skip()

    def any_of(self, depth: int) -> Query:
        """Parts joined by OR."""
        parts = [self._all_of(depth)]
        while self._take(_OR, "O|"):
            parts.append(self._all_of(depth))
        return joined(AnyOf, parts)

    def _all_of(self, depth: int) -> Query:
        parts = [self._one(depth)]
        while self._take(_AND, "A&") or self._goes_on():
            parts.append(self._one(depth))
        return joined(AllOf, parts)

    def _goes_on(self) -> bool:
        """Whether another operand follows: neither the end, nor a bracket's, nor OR."""
        char = self.text[self.at : self.at + 1]
        return char not in _ENDS and not (char in "O|" and _OR.match(self.text, self.at))

    def _one(self, depth: int) -> Query:
        is_absent = False
        while self._take(_NOT, "N-!"):
            is_absent = not is_absent
        column = self.at + 1
        kind, shown = self._next(_OPERAND)
        found = self._bracket(depth) if kind == "OPEN" else self._operand(kind, shown, column, depth)
        return none_of(found) if is_absent else found

    def _bracket(self, depth: int) -> Query:
        """What stands in a bracket that was opened."""
        if depth >= MAX_DEPTH:
            raise _Stop
        query = self.any_of(depth + 1)
        if self.at >= len(self.text):
            raise _Stop
        self.at += 1  # any_of ends at a bracket, or at the end
        self._skip()
        return query

    def _operand(self, kind: str, shown: str, column: int, depth: int) -> Query:
        if kind == "WORD":
            check_word(shown, column)
            return words_of(shown, shown, column)
        if kind == "PHRASE":
            return words_of(shown, shown, column)
        if kind == "FIELD":
            return self._field(shown, column, depth)
        if kind == "MARK":
            _, value = self._next(_WORD_ONLY)
            return words_of(value, shown + value, column, mark=shown)
        if kind == "REGEX":
            return pattern_of(shown, shown, column)
        return saved_of(shown, column) if kind == "LIST" else Everything("*", column)

    def _field(self, shown: str, column: int, depth: int) -> Query:
        """What is asked of a field."""
        field, value_column = shown[:-1].lower(), self.at + 1
        kind, value = self._next(_OF_FIELD)
        if kind == "OPEN":
            return in_field(self._bracket(depth), field, column)
        mark = ""
        if kind == "MARK":
            mark, (_, value) = value, self._next(_VALUE_ONLY)
        return scoped_leaf(field, value, f"{shown}{mark}{value}", column, value_column, mark=mark)

    # ---------------------------------------------------------------- tokens

    def _next(self, wanted: re.Pattern[str]) -> tuple[str, str]:
        """The kind and text of the next token. Raises: _Stop when it is none of those that are wanted."""
        found = wanted.match(self.text, self.at)
        if found is None or found.lastgroup is None:
            raise _Stop
        self.at = found.end()
        self._skip()
        return found.lastgroup, found[0]

    def _take(self, wanted: re.Pattern[str], begins: str) -> bool:
        """Whether this token, which begins with one of these characters, is next; then it is passed."""
        if self.text[self.at : self.at + 1] not in begins:
            return False
        found = wanted.match(self.text, self.at)
        if found is None:
            return False
        self.at = found.end()
        self._skip()
        return True

    def _skip(self) -> None:
        """Pass white space and comments."""
        if self.text[self.at : self.at + 1] not in _ENDS and (found := _SKIP.match(self.text, self.at)):
            self.at = found.end()


def joined(kind: type[AllOf] | type[AnyOf], parts: Sequence[Query]) -> Query:
    """One node for all parts; parts of the same kind are taken apart."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return kind(tuple(flat))


def none_of(part: Query) -> Query:
    """The opposite of a part."""
    return part.part if isinstance(part, NoneOf) else NoneOf(part)
