"""Previews: what a rule would have rung for, story by story, and that the quick look leaves nothing out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import QueryError
from alerts.models import Item, Tagged
from alerts.rules.backtest import ENOUGH, Preview, preview
from alerts.rules.glance import Glance, Growing, cheapest_first
from alerts.rules.grammar import parse
from alerts.rules.lists import expand
from alerts.rules.looks import Looks
from alerts.rules.match import Document, answer_of, evaluate
from alerts.rules.nodes import STORY_LEAVES, Words
from alerts.rules.sieve import Look
from alerts.rules.stem_look import StemLook
from alerts.state.codec import TAGGED
from alerts.text.stems import stems
from tests.builders import a_change, a_story, an_item
from tests.test_rules import AREAS, DOCUMENTS, LISTS, QUERIES

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)


def archived(number: int, title: str, *, minutes_ago: float = 60, story: str = "", source: str = "", **tags: object) -> tuple[Tagged, str]:
    at = NOW - timedelta(minutes=minutes_ago)
    item = an_item(number, title=title, text="", source_id=source or f"outlet-{number}")
    change = a_change(number, item=item, polled_at=at)
    return Tagged(change=change, language="en", **tags), story or f"story-{number}"  # type: ignore[arg-type]


def asked(query: str, *items: tuple[Tagged, str], days: float = 7) -> Preview:
    rows = [(TAGGED.dump(tagged), story_id) for tagged, story_id in items]
    return preview(query, rows, AREAS, load=TAGGED.load, until=NOW, days=days)


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
    assert 1 == asked(query, (tagged, "story")).items


def test_the_quick_look_keeps_most_others_out() -> None:
    tagged, _ = archived(1, "Quiet day at the harbour")
    assert not Looks(parse("(strike OR missile*) region:LB -drill"), AREAS).may_match(TAGGED.dump(tagged))


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("fire", "Fire at sea", True),
        ("fire", "The “fire”, they say", True),
        ("fire", "Firewall, campfire", False),
        ("fire", "Feuer über Straße", False),
        ("us", "The U.S. envoy", None),
        ("strasse", "Straße", True),
        ("müller", "Herr MÜLLER,", True),
        ("mueller", "Müller", None),
        ("غارة", "(غاره)", True),
        ("צהל", 'צה"ל', None),
        ("17", "2017", False),
        ("17", "17 dead", None),
        ("miss*", "Missiles", True),
        ("miss*", "Amiss", False),
        ('"air strike"', "Air-strike", True),
        ('"air strike"', "Strike by air", False),
        ("=US", "us", False),
        ("=US", "US envoy", True),
        ('"fire sea"~1', "Sea", False),
        ('"fire sea"~1', "Sea, fire", None),
        ("東京", "京都 東北", False),
        ("東京", "東京港", None),
    ],
)
def test_a_look_says_yes_and_no_where_it_can(query: str, text: str, expected: bool | None) -> None:
    words = parse(query)
    assert isinstance(words, Words)
    assert expected is Look([words])(text)


@pytest.mark.parametrize(
    ("term", "word", "language"),
    [
        ("strike", "Striking", "en"),
        ("die", "dying", "en"),
        ("ugly", "ugly", "en"),
        ("нападение", "нападения", "ru"),
        ("frappe", "frappée", "fr"),
        ("gehen", "gegangen", "de"),
        ("kitab", "kitap", "tr"),
        ("غارة", "الغارات", "ar"),
        ("baca", "membaca", "id"),
    ],
)
def test_a_word_with_the_stem_is_found_without_cutting_the_text(term: str, word: str, language: str) -> None:
    look = StemLook(Words((term,), mode="stem"))
    is_same = not stems(term, language).isdisjoint(stems(word.lower(), language))
    assert is_same is look(f"Some {word}, here".encode(), language)


def test_a_flood_is_counted_only_until_it_is_certain() -> None:
    items = [archived(n, "Fire", minutes_ago=10_000 - n) for n in range(ENOUGH + 50)]
    found = asked("fire", *items)
    assert "would have rung at least 5000 times in 7 days, most 60 in an hour" == found.summary
    assert found.warning.startswith("a flood: 5000 in the first 3.5 days, where counting stopped; ")
    assert 1000 == len(found.rings)


@given(QUERIES, DOCUMENTS)
def test_a_glance_answers_what_the_item_itself_answers(query: str, document: Document) -> None:
    ready = cheapest_first(expand(parse(query), LISTS))
    raw = TAGGED.dump(document.tagged)
    looks = Looks(ready, AREAS)
    expected = answer_of(ready, document, AREAS)
    assert expected is answer_of(ready, Glance(raw, looks), AREAS)
    assert expected is not True or looks.may_match(raw)


def test_a_story_grows_in_a_preview_as_it_does_in_life() -> None:
    """What `Growing` reads from the JSON is what the items say."""
    growing, items = Growing(), [archived(1, 'A "urgency":1', countries=("LB", "CY"), urgency=3)[0], archived(2, "B", urgency=2)[0]]
    for tagged in items:
        growing.add(Glance(TAGGED.dump(tagged), Looks(parse("*"), AREAS)), STORY_LEAVES)
    story = a_story(1, source_ids=("outlet-1", "outlet-2"), countries=("LB", "CY"), urgency=2)
    assert {t.change.item_id.encode() for t in items} == growing.items
    assert {i.encode() for i in story.source_ids} == growing.sources
    assert (story.countries, story.urgency) == (tuple(growing.countries), growing.urgency)


_CHARACTERS = st.characters(exclude_categories=["Cs"])


@given(st.text(max_size=40, alphabet=_CHARACTERS), st.text(max_size=12, alphabet=_CHARACTERS))
def test_what_a_query_matches_passes_the_quick_look(title: str, word: str) -> None:
    quoted = '"' + word.replace('"', " ") + '"'
    tagged = Tagged(change=a_change(1, item=Item(source_id="s", title=f"{title} {word}", text=title)))
    try:
        is_match = evaluate(quoted, Document.of(tagged), AREAS)
    except QueryError:  # nothing to look for in it
        return
    assert is_match == bool(asked(quoted, (tagged, "story")).items)
