"""The reader of queries and the grammar say the same of every text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import QueryError
from alerts.rules.grammar import by_grammar
from alerts.rules.nodes import Query, leaves
from alerts.rules.reader import read
from tests.test_rules import QUERIES

_PIECES = (
    'fire "air strike" "at the "* "a b"~3 =US ="Ada Quill" ~strike @quake /x+y/ /a\\/b/ /open title:fire title:( title:"a b" '
    "text:=Ada url:/x/ source:~fire region:LB near:1,2,3km urgency:<=2 age:<5m story:new|update lang:ar nofield:x ( ) AND OR NOT and - ! "
    "-fire !fire -( && || & | * fire* a* *fire # #gaza = ~ @ \" ' 3,000 U.S. F-16 al-Assad 東京 צה\"ל straße can't fire~2 AND( NOT) OR\" "
    'https://a.example/b x""y'
).split(" ")


def both(text: str) -> tuple[list[object], list[object]]:
    """What the reader and the grammar say, columns included; nothing when it is no query."""
    try:
        expected: Query | None = by_grammar(text)
    except QueryError:
        expected = None
    return shape(read(text)), shape(expected)


def shape(query: Query | None) -> list[object]:
    return [query, *((leaf.text, leaf.column) for leaf in leaves(query))] if query else []


@pytest.mark.parametrize(
    "text",
    [
        "fire",
        " fire  storm ",
        "fire\nstorm # a comment\n-drill",
        "# a comment alone",
        "fire #",
        "fire AND storm OR drill NOT x",
        "a && b || !c",
        'a"b"c',
        "(a)(b)c",
        "a&&b",
        "NOT NOT fire",
        "-(a OR -b)",
        "title: fire",
        "title:# a comment\nfire",
        "title:(fire OR (storm =US))",
        "title:-fire",
        "-title:fire",
        "*",
        "* -fire",
        "(a b) c",
        "(a OR b) OR c",
        "ANDROID ORGAN NOTE",
        "AND",
        "fire OR",
        "(fire",
        "fire)",
        "()",
        "title:()",
        '""',
        "=",
        "'a b'",
        "fire\x00",
        "(" * 20 + "a" + ")" * 20,
        "(" * 21 + "a" + ")" * 21,
        "!" * 50 + "a",
        'צה"ל',
        "",
    ],
)
def test_the_reader_says_what_the_grammar_says(text: str) -> None:
    found, expected = both(text)
    assert expected == found


@given(QUERIES)
def test_queries_of_every_form_are_read_without_the_grammar(query: str) -> None:
    found, expected = both(query)
    assert expected == found != []


@given(st.lists(st.tuples(st.sampled_from(_PIECES), st.sampled_from((" ", "", "\n", "  "))), max_size=12))
def test_pieces_of_queries_in_any_order_are_read_alike(pieces: list[tuple[str, str]]) -> None:
    found, expected = both("".join(piece + gap for piece, gap in pieces))
    assert expected == found


@given(st.text(max_size=60) | st.text(alphabet='ab" ()*-:ANDORT=~@#/1\\.,<&|!\'ü東צ\n', max_size=40))
def test_any_text_is_read_alike(text: str) -> None:
    found, expected = both(text)
    assert expected == found
