"""Previews: what a rule would have rung for, story by story, and that the quick look leaves nothing out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import QueryError
from alerts.models import Item, Tagged
from alerts.rules.backtest import Preview, preview
from alerts.rules.match import Document, evaluate
from alerts.rules.sieve import sieve
from alerts.state.codec import TAGGED
from tests.builders import a_change, an_item
from tests.test_rules import AREAS

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)


def archived(number: int, title: str, *, minutes_ago: float = 60, story: str = "", source: str = "", **tags: object) -> tuple[Tagged, str]:
    at = NOW - timedelta(minutes=minutes_ago)
    item = an_item(number, title=title, text="", source_id=source or f"outlet-{number}")
    change = a_change(number, item=item, polled_at=at)
    return Tagged(change=change, language="en", **tags), story or f"story-{number}"  # type: ignore[arg-type]


def asked(query: str, *items: tuple[Tagged, str], days: float = 7) -> Preview:
    return preview(query, items, AREAS, until=NOW, days=days)


def test_one_story_rings_once() -> None:
    found = asked("fire", archived(1, "Fire", story="a"), archived(2, "Fire spreads", story="a"), archived(3, "Fire", story="b"))
    assert (2, 3) == (len(found.rings), found.items)
    assert "would have rung 2 times in 7 days, most 2 in an hour" == found.summary


def test_the_newest_ring_comes_first() -> None:
    found = asked("fire", archived(1, "Fire one", minutes_ago=500), archived(2, "Fire two", minutes_ago=5))
    assert ["Fire two", "Fire one"] == [r.tagged.change.item.title for r in found.rings]
    assert (1, NOW.replace(hour=11)) == (found.busiest, found.busiest_at)


def test_a_query_for_two_sources_rings_when_the_second_one_comes() -> None:
    items = [archived(1, "Fire", story="a"), archived(2, "Blaze", story="a", minutes_ago=30), archived(3, "Fire", story="b")]
    found = asked("fire sources:>=2", *items)
    assert ["Blaze"] == [r.tagged.change.item.title for r in found.rings]


def test_silence_is_warned_of_and_says_what_unknown_regions_would_change() -> None:
    found = asked("fire region:LB", archived(1, "Fire"))
    assert (0, 1) == (len(found.rings), found.unknown)
    assert 'silence: nothing in 7 days would have rung; 1 items have no known region: `unknown = "in"` would count them' == found.warning


def test_a_flood_is_warned_of() -> None:
    items = [archived(n, "Fire", minutes_ago=n % 60) for n in range(25)]
    assert asked("fire", *items).warning.startswith("a flood: 4 a day, ")


def test_once_is_said_in_words() -> None:
    assert "would have rung once in a day" == asked("fire", archived(1, "Fire"), days=1).summary


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("fire", "FIRE"),
        ("un", "U.N. envoy"),
        ("3000", "3,000 dead"),
        ("3000", "٣٬٠٠٠ dead"),
        ("muller", "Mül\u00adler"),
        ("mueller", "MU\u0308LLER"),
        ("strasse", "Straße"),
        ("istanbul", "İSTANBUL"),
        ("diyarbakir", "DIYARBAKIR DİYARBAKIR Diyarbakır"),
        ("file", "ﬁle"),
        ("missile", "ＭＩＳＳＩＬＥ"),
        ("لبنان", "لُبـنان"),
        ("غارة", "غاره"),
        ("צהל", 'צה"ל'),
        ("елка", "Ёлка"),
        ("kobenhavn", "København"),
        ("miss*", "Missiles"),
        ("~strike", "Strikes"),
        ('"air strike"', "Air-strike"),
        ("東京", "東京港"),
        ("북한", "북한이"),
        ("fire OR region:LB", "Nothing"),
        ("/x+y/", "xxy"),
        ("-football", "Nothing"),
    ],
)
def test_the_quick_look_lets_every_spelling_through(query: str, title: str) -> None:
    tagged, _ = archived(1, title, countries=("LB",))
    assert evaluate(query, Document.of(tagged), AREAS) is True
    assert sieve(query, AREAS)(TAGGED.dump(tagged).decode())


def test_the_quick_look_keeps_most_others_out() -> None:
    tagged, _ = archived(1, "Quiet day at the harbour")
    assert not sieve("(strike OR missile*) region:LB -drill", AREAS)(TAGGED.dump(tagged).decode())


_CHARACTERS = st.characters(exclude_categories=["Cs"])


@given(st.text(max_size=40, alphabet=_CHARACTERS), st.text(max_size=12, alphabet=_CHARACTERS))
def test_what_a_query_matches_passes_the_quick_look(title: str, word: str) -> None:
    quoted = '"' + word.replace('"', " ") + '"'
    tagged = Tagged(change=a_change(1, item=Item(source_id="s", title=f"{title} {word}", text=title)))
    try:
        is_match = evaluate(quoted, Document.of(tagged), AREAS)
    except QueryError:  # nothing to look for in it
        return
    assert not is_match or sieve(quoted, AREAS)(TAGGED.dump(tagged).decode())
