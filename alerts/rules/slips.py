"""What went wrong in a query that lark could not read, in words, with a suggestion where the slip is a common one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from alerts.errors import QueryError
from alerts.rules.nodes import FIELDS

_SHOWN = {  # what lark calls a terminal -> what a person calls it
    "WORD": "a word", "VALUE": "a word", "PHRASE": 'a "phrase"', "FIELD": "a field", "STAR": "*", "LPAR": "(", "RPAR": ")",
    "_AND": "AND", "_OR": "OR", "_NOT": "NOT", "_MINUS": "-word", "REGEX": "/regex/", "LIST": "@list", "EXACT": "=word",
    "STEM": "~word", "$END": "the end",
}  # fmt: skip

_OPERATORS = {"and": "AND", "or": "OR", "not": "NOT"}
_SIGNS = {
    "&": "write AND, or nothing: words side by side must all be there",
    "+": "leave it out: words side by side must all be there",
    "|": "write OR",
    "~": 'a ~ stands directly before a word (~fire), or with a number after a phrase ("fire storm"~3)',
    "=": "a = stands directly before a word or phrase, as in =US",
    "@": "an @ stands directly before the name of a list of config/lists.toml",
}
_OTHER_NAMES = {  # our field -> what people call it elsewhere
    "title": "headline heading", "text": "body content description summary", "source": "site outlet feed from publisher",
    "region": "country place location in where", "near": "geo around", "lang": "language", "age": "date published time since",
    "topic": "category subject", "tag": "label", "author": "by", "url": "link http https domain", "urgency": "priority severity",
    "sources": "origins",
}  # fmt: skip
_OUR_NAMES = {other: ours for ours, others in _OTHER_NAMES.items() for other in others.split()}
_LANGUAGES = {  # what people write for a language -> its code
    "ar": "arabic", "cs": "czech cz", "da": "danish dk", "de": "german deutsch", "el": "greek gr", "en": "english eng", "es": "spanish",
    "fa": "persian farsi", "fi": "finnish", "fr": "french", "he": "hebrew", "hi": "hindi", "hu": "hungarian", "id": "indonesian",
    "it": "italian", "ja": "japanese jp", "ko": "korean", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sv": "swedish", "th": "thai", "tr": "turkish", "uk": "ukrainian ua", "ur": "urdu",
    "vi": "vietnamese", "zh": "chinese cn mandarin",
}  # fmt: skip
_LANGUAGE_CODES = {name: code for code, names in _LANGUAGES.items() for name in names.split()}
_FORGOTTEN_COLON = re.compile(rf"({'|'.join(FIELDS)})(<=|>=|<|>|=)(.+)", re.IGNORECASE)
_SINGLE_QUOTED = re.compile(r"""(?<!\S)'([^'"\s]+\s[^'"]*[^'"\s])'(?!\S)""")


def check_word(shown: str, column: int) -> None:
    """Nothing, when a word is no likely slip. Raises: QueryError saying what to write."""
    operator = _OPERATORS.get(shown.lower())
    if operator is None and shown.isalnum():
        return
    if operator and shown != operator:
        small = "in small letters " if shown.islower() else ""
        raise QueryError(f'"{shown}" {small}is a word; write {operator}, or put the word in quotes', column)
    if operator:
        raise QueryError(f"an operand is missing beside {operator}; put it in quotes to look for the word", column)
    if shown in _SIGNS:
        raise QueryError(f'found "{shown}" alone; {_SIGNS[shown]}', column)
    if forgotten := _FORGOTTEN_COLON.fullmatch(shown):
        field, sign, value = forgotten.groups()
        right = f"{field}:{'' if sign == '=' else sign}{value}"
        raise QueryError(f"{shown}: a colon is missing after the field; write {right}, or put it in quotes", column)
    if wild := re.search(r"\w\?\w", shown):
        before = shown[: wild.start() + 1]
        raise QueryError(f"{shown}: there is no ? for any letter; write {before}* for every word that begins so", column)
    if len(shown) > 1 and shown.startswith("/") and "/" not in shown[1:]:
        raise QueryError(f"this expression is never closed; write a second / at its end, or quotes around {shown} to look for it", column)


def check_quotes(text: str) -> None:
    """Nothing, when no phrase stands in single quotes. Raises: QueryError."""
    if found := _SINGLE_QUOTED.search(without_phrases(text)):
        raise QueryError(f'phrases stand in double quotes; write "{found[1]}"', found.start() + 1)


def unknown_field(field: str) -> str:
    """What to say of a field that nobody knows."""
    close = [_OUR_NAMES[field]] if field in _OUR_NAMES else get_close_matches(field, FIELDS, n=1)
    hint = f"did you mean {close[0]}:?" if close else f"fields are {', '.join(f'{name}:' for name in FIELDS)}."
    return f'there is no field "{field}:"; {hint} For a word with a colon use quotes'


def meant_language(value: str) -> str:
    """The code of a language that was named instead, or given the code of its country; "" for anything else."""
    return _LANGUAGE_CODES.get(value.casefold(), "")


def several(field: str, value: str) -> str:
    """What to write instead of several values with commas; "" when there is one."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    return f"; for any of them write ({' OR '.join(f'{field}:{part}' for part in parts)})" if len(parts) > 1 else ""


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
    if found == ")" and without_phrases(text)[:at].rstrip().endswith("("):
        return QueryError("these brackets are empty; take them out, or write words into them", text[:at].rindex("(") + 1)
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
    found = set(names or ())
    if "WORD" in found and "STAR" in found:
        return 'a word, a "phrase", a field or a bracket'
    if "VALUE" in found:
        return "a value of the field"
    shown = sorted({_SHOWN.get(name, name) for name in names or ()} - {"COMMENT"})
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}" if shown else "nothing more"
