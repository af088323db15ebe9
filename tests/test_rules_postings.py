"""Rows of keys: found when all their keys are there, however they were added, removed and packed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rules import plan as planning
from alerts.rules.grammar import parse
from alerts.rules.plan import SEP, plan
from alerts.rules.postings import Postings
from alerts.rules.rarity import Rarity

_KEYS = st.lists(st.integers(1, 8), max_size=4, unique=True)


@given(st.lists(st.tuples(_KEYS, st.booleans()), max_size=30), st.sets(st.integers(1, 8)))
def test_the_rows_found_are_those_whose_keys_are_all_there(rows: list[tuple[list[int], bool]], have: set[int]) -> None:
    postings = Postings()
    kept: dict[int, list[int]] = {}
    for keys, is_removed in rows:
        row = postings.add(keys)
        kept[row] = keys
        if is_removed:
            postings.remove(row)
            del kept[row]
    assert sorted(row for row, keys in kept.items() if have.issuperset(keys)) == sorted(postings.within(have))
    assert kept == {row: list(postings.keys_of(row)) for row in kept}


def test_rows_survive_the_packing_of_what_was_removed() -> None:
    postings = Postings()
    rows = [postings.add([n % 50 + 1, n % 7 + 60, 100]) for n in range(60_000)]
    for row in rows[:50_000]:
        postings.remove(row)
    assert [100] == list(postings.keys_of(rows[-1]))[2:]
    assert set(rows[50_000:]) == set(postings.within(set(range(101))))


@pytest.mark.parametrize(
    ("query", "sets", "is_exact"),
    [
        ("fire", [{"fire"}], True),
        ("fire storm", [{"fire", "storm"}], True),
        ("fire (storm OR gale)", [{"fire", "storm"}, {"fire", "gale"}], True),
        ('"fire storm"', [{"fire", "storm"}], False),
        ("fire -storm", [{"fire"}], False),
        ("-storm", [set()], False),
        ("müller", [{"muller"}, {"mueller"}], True),
        ("missiles*", [{f"{SEP}prefix{SEP}miss"}], False),
        ("fire sources:>=2", [{"fire"}], False),
        ("fire urgency:1", [{"fire"}], False),
        ("urgency:1-2", [{f"{SEP}urgency{SEP}1"}, {f"{SEP}urgency{SEP}2"}], True),
        ("*", [set()], True),
    ],
)
def test_a_query_says_what_it_cannot_do_without(query: str, sets: list[set[str]], is_exact: bool) -> None:
    assert (tuple(map(frozenset, sets)), is_exact) == tuple(plan(parse(query)))


def test_a_query_with_too_many_combinations_keeps_what_it_can() -> None:
    wide = " ".join(f"({' OR '.join(f'w{group}x{n}' for n in range(20))})" for group in range(3))
    sets, is_exact = plan(parse(wide))
    assert (20, False) == (len(sets), is_exact)
    assert len(sets) <= planning.MAX_SETS


def test_words_that_were_seen_often_are_less_rare_than_words_that_were_not() -> None:
    rarity = Rarity()
    assert rarity.share("earthquake") < rarity.share("the")
    for _ in range(100):
        rarity.learn({"earthquake"})
    assert rarity.share("earthquake") > rarity.share("fire")
