"""What an item must have for a query to be true: sets of keys, one of which must be there in full.

`strike (beirut OR tyre) region:LB` becomes {strike, beirut, in LB} and {strike, tyre, in LB}. Where keys cannot say all
(phrases, NOT, expressions) they say what they can, and the query is verified on the few items that have them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from alerts.rules.document import fold_word
from alerts.rules.nodes import AllOf, AnyOf, Everything, Lang, Query, Region, Saved, Urgency, Words
from alerts.text.tokens import is_hangul, is_run, tokens
from alerts.text.variants import variants

MAX_SETS = 128  # of one query; an operand that would make more is left to verification
PREFIX = 4  # letters of a prefix that are looked up; a longer one is verified
HANGUL = 2  # the same for Korean
SEP = "\x1f"  # no word holds it; keys that are no words begin with it
BODY_SCOPES = ("", "title", "text")
Keys: TypeAlias = frozenset[str]

_NOTHING: tuple[Keys, ...] = (frozenset(),)


class Plan(NamedTuple):
    """Sets of keys of which an item must have one; `is_exact` when that is enough for the query to be true."""

    sets: tuple[Keys, ...]
    is_exact: bool


_ALWAYS = Plan(_NOTHING, True)
_UNSAID = Plan(_NOTHING, False)


def area_key(name: str, is_unknown_in: bool) -> str:
    """The key of being in an area, or perhaps being there when unknown counts as in."""
    return f"{SEP}area{SEP}{'in' if is_unknown_in else 'out'}{SEP}{name}"


def key(kind: str, value: object) -> str:
    """The key of anything that is no word: ("lang", "en"), ("prefix", "miss"), ("stem", "strike")."""
    return f"{SEP}{kind}{SEP}{value}"


def plan(query: Query, is_unknown_in: bool = False) -> Plan:
    """The sets of keys of a query whose lists are filled in."""
    match query:
        case Words():
            return _words(query)
        case AllOf(parts):
            return _plain(parts, is_unknown_in) or _all_of(parts, is_unknown_in)
        case AnyOf(parts):
            return _any_of([plan(part, is_unknown_in) for part in parts])
        case Saved():
            return _any_of([_words(option) for option in query.options])
        case Region(name):
            return Plan((frozenset((area_key(name, is_unknown_in),)),), True)
        case Lang(tag):
            return Plan((frozenset((key("lang", tag),)),), True)
        case Urgency(levels):
            return Plan(tuple(frozenset((key("urgency", level),)) for level in sorted(levels)), True)
        case Everything():
            return _ALWAYS
        case _:
            return _UNSAID


def _plain(parts: Sequence[Query], is_unknown_in: bool) -> Plan | None:
    """The plan of plain words and areas side by side, which most queries are; None for any other."""
    keys: list[str] = []
    for part in parts:
        if type(part) is Words and part.mode == "word" and not part.scope and len(part.terms) == 1 and part.terms[0].isascii():
            keys.append(part.terms[0])
        elif type(part) is Region:
            keys.append(area_key(part.name, is_unknown_in))
        else:
            return None
    return Plan((frozenset(keys),), True)


def _all_of(parts: Sequence[Query], is_unknown_in: bool) -> Plan:
    """Every combination, as long as there are few. Urgency joins only when there is nothing else: a story may raise it."""
    plans = [plan(part, is_unknown_in) for part in parts if not isinstance(part, Urgency)]
    is_exact = len(plans) == len(parts) and all(p.is_exact for p in plans)
    if all(sets == _NOTHING for sets, _ in plans) and len(plans) < len(parts):
        return Plan(_product([plan(p, is_unknown_in) for p in parts if isinstance(p, Urgency)])[0], False)
    sets, is_whole = _product(plans)
    return Plan(sets, is_exact and is_whole)


def _product(plans: Iterable[Plan]) -> tuple[tuple[Keys, ...], bool]:
    """The combined sets, and whether every plan is in them."""
    joined, is_whole = _NOTHING, True
    for sets, _ in sorted(plans, key=lambda p: len(p.sets)):
        if len(joined) * len(sets) > MAX_SETS:
            is_whole = False
        elif len(joined) == len(sets) == 1:
            joined = (joined[0] | sets[0],)
        else:
            joined = tuple(dict.fromkeys(one | other for one in joined for other in sets))
    return joined, is_whole


def _any_of(plans: Sequence[Plan]) -> Plan:
    sets = tuple(dict.fromkeys(keys for p in plans for keys in p.sets))
    if len(sets) > MAX_SETS:  # fewer keys in each set make fewer sets
        sets = tuple(dict.fromkeys(frozenset(sorted(keys)[:1]) for keys in sets))
        return Plan(sets, False) if len(sets) <= 2 * MAX_SETS else _UNSAID
    is_exact = all(p.is_exact for p in plans)
    return Plan(_NOTHING, is_exact and _ALWAYS in plans) if frozenset() in sets else Plan(sets, is_exact)


# ---------------------------------------------------------------- words


def _words(query: Words) -> Plan:
    if query.scope not in BODY_SCOPES:
        return _other_words(query)
    if query.mode == "word" and len(query.terms) == 1 and query.terms[0].isascii():
        return Plan((frozenset(query.terms),), not query.scope)
    last = len(query.terms) - 1
    terms = [_term(term, "prefix" if query.mode == "prefix" and n == last else query.mode) for n, term in enumerate(query.terms)]
    if query.mode == "prefix":
        terms = [_term(t, "word") for t in query.terms[:-1]] + terms[-1:]
    sets, is_whole = _product(terms)
    return Plan(sets, is_whole and len(terms) == 1 and terms[0].is_exact and not query.scope)


def _term(term: str, mode: str) -> Plan:
    if mode == "stem":
        return Plan((frozenset((key("stem", term),)),), True)
    if is_run(term):
        return _run([word.text for word in tokens(term)], mode)
    spellings = (fold_word(term),) if mode == "exact" else (fold_word(term), *variants(term)) if not term.isascii() else (term,)
    if mode == "prefix" or (is_hangul(term) and mode == "word"):
        size = HANGUL if is_hangul(term) else PREFIX
        is_exact = all(len(s) <= size for s in spellings)
        return Plan(tuple(dict.fromkeys(frozenset((key("prefix", s[:size]),)) for s in spellings)), is_exact)
    return Plan(tuple(frozenset((s,)) for s in spellings), mode == "word")


def _run(chars: Sequence[str], mode: str) -> Plan:
    """Pairs of neighbours, rarer than single characters; the last character of a prefix may go on, so it says nothing."""
    sure = chars[:-1] if mode == "prefix" else chars
    if not sure:
        return Plan((frozenset((key("prefix", chars[0][:1]),)),), False)
    if len(sure) == 1:
        return Plan((frozenset((sure[0],)),), mode == "word")
    return Plan((frozenset(one + two for one, two in pairwise(sure)),), mode == "word" and len(sure) == 2)


def _other_words(query: Words) -> Plan:
    """Words of source, topic, tag, author or link: whole ones are keys."""
    sure = [t for t in query.terms if query.mode in ("word", "exact") and not is_run(t) and not is_hangul(t) and not variants(t)]
    if not sure:
        return _UNSAID
    keys = frozenset(key(query.scope, fold_word(term)) for term in sure)
    return Plan((keys,), query.mode == "word" and len(query.terms) == 1)
