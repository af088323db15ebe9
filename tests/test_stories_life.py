"""What of a story may ring again: each thing once, only when it is more than people were told, and not at every breath."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.models import Story, Tagged
from alerts.stories.life import Stage, Step, again, grown, rang, stage_of
from alerts.stories.regroup import merged, rebuilt
from tests.builders import NOW, a_change, a_story, a_tagged, an_item

WINDOW_S = 72 * 3600.0
GAP_S = 300.0


def told(**fields: Any) -> Story:
    """A story that rang an hour ago, with what people were told."""
    story = replace(a_story(), **{"urgency": 4, **fields})
    return replace(rang(story, "first", NOW - timedelta(hours=1)), query_ids=("q1",))


def step(before: Story, *, now: timedelta = timedelta(), **item: Any) -> Step | None:
    """What a second item with these findings makes of it."""
    tagged = a_tagged(2, **item)
    story = replace(before, item_ids=(*before.item_ids, tagged.change.item_id), urgency=min(before.urgency, tagged.urgency))
    return again(before, grown(before, story, tagged), tagged, now=NOW + now, gap_s=GAP_S)


# ---------------------------------------------------------------- what rings again


def test_a_story_that_never_rang_is_told_as_new_not_as_an_update() -> None:
    assert again(a_story(), a_story(), a_tagged(2, nature="correction"), now=NOW, gap_s=GAP_S) is None


def test_an_item_that_says_nothing_new_rings_nobody_again() -> None:
    assert step(told()) is None


def test_an_urgency_that_rises_to_very_urgent_rings() -> None:
    assert step(told(), urgency=2, urgency_why="words of harm") == Step(
        "escalation:urgency:2", "urgency rose from 4 to 2 (words of harm)"
    )


@pytest.mark.parametrize(("before", "urgency"), [(4, 3), (2, 2), (1, 2)], ids=["to urgent only", "the same", "less"])
def test_an_urgency_that_does_not_rise_to_very_urgent_rings_nobody(before: int, urgency: int) -> None:
    assert step(told(urgency=before), urgency=urgency) is None


@pytest.mark.parametrize(
    ("known", "new", "occasion"),
    [
        ((("dead", 5),), (("dead", 8),), "escalation:toll:dead-8"),
        ((), (("dead", 1),), "escalation:toll:dead-1"),
        ((("injured", 10),), (("injured", 30),), "escalation:toll:injured-30"),
        ((("dead", 4), ("injured", 10)), (("injured", 40), ("dead", 9)), "escalation:toll:dead-9"),
    ],
    ids=["more dead", "first dead", "many more injured", "the dead come first"],
)
def test_a_number_that_grew_much_rings(known: Any, new: Any, occasion: str) -> None:
    result = step(told(tolls=known), tolls=new)
    assert result is not None
    assert result.occasion == occasion


@pytest.mark.parametrize(
    ("known", "new"),
    [((("dead", 40),), (("dead", 41),)), ((), (("injured", 3),)), ((("dead", 8),), (("dead", 5),)), ((), (("magnitude", 6),))],
    ids=["one more of forty", "a first number of injured", "an older number", "a number that is no toll"],
)
def test_a_number_that_hardly_grew_makes_no_sound(known: Any, new: Any) -> None:
    result = step(told(tolls=known), tolls=new)
    assert result is None or result.is_silent


def test_a_number_is_compared_with_what_was_told_not_with_the_last_item() -> None:
    before = told(tolls=(("dead", 10),))
    for number in (11, 12, 13, 14):
        before = grown(before, before, a_tagged(2, tolls=(("dead", number),)))
    result = step(before, tolls=(("dead", 15),))
    assert result == Step("escalation:toll:dead-15", "dead: 15, was 10")


def test_a_phase_that_follows_another_rings() -> None:
    before = told(phases=(("custody", "detained"),))
    assert step(before, phase=("custody", "released")) == Step("escalation:phase:custody-released", "detained, now released")
    assert step(before, phase=("custody", "detained")) is None
    assert step(before, phase=("search", "missing")) is None, "a first phase is what the story is about, not a change"


@pytest.mark.parametrize("nature", ["correction", "all_clear"])
def test_a_correction_and_an_all_clear_ring_once_and_do_not_wait(nature: str) -> None:
    before = replace(told(), rung_at=NOW)
    first = step(before, nature=nature)
    assert first is not None
    assert first.occasion == nature
    assert step(rang(before, nature, NOW), nature=nature) is None


def test_two_rings_of_a_story_keep_their_distance_and_nothing_is_lost_by_it() -> None:
    before = replace(told(tolls=(("dead", 4),)), rung_at=NOW)
    soon = step(before, tolls=(("dead", 9),))
    assert soon is not None
    assert soon.is_silent
    later = step(grown(before, before, a_tagged(2, tolls=(("dead", 9),))), now=timedelta(seconds=GAP_S))
    assert later == Step("escalation:toll:dead-9", "dead: 9, was 4")


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 500), st.sampled_from(["event", "correction", "all_clear"]))))
def test_no_occasion_ever_comes_twice(items: list[tuple[int, int, str]]) -> None:
    story, seen = told(), ["first"]
    for minute, (urgency, dead, nature) in enumerate(items):
        tagged = a_tagged(2, urgency=urgency, tolls=(("dead", dead),), nature=nature)
        after = grown(story, replace(story, urgency=min(story.urgency, urgency)), tagged)
        now = NOW + timedelta(minutes=minute)
        result = again(story, after, tagged, now=now, gap_s=GAP_S)
        story = after if result is None else rang(after, result.occasion, now)
        seen += [result.occasion] if result else []
    assert len(seen) == len(set(seen))


# ---------------------------------------------------------------- what it knows


def test_a_second_origin_brings_what_was_told_up_to_date_without_a_sound() -> None:
    before = told(source_ids=("harbour",))
    after = replace(before, source_ids=("harbour", "quay"))
    assert again(before, after, a_tagged(2), now=NOW, gap_s=GAP_S) == Step("update:1", "2 independent origins")


def test_the_country_that_most_items_name_comes_first() -> None:
    story = grown(None, a_story(), a_tagged(1, countries=("SY", "LB")))
    for number in (2, 3):
        story = grown(story, story, a_tagged(number, countries=("LB",)))
    assert story.countries == ("LB", "SY")
    assert story.votes == (("LB", 3), ("SY", 1))


def test_an_edit_does_not_vote_a_second_time() -> None:
    story = grown(None, a_story(), a_tagged(1, countries=("LB",)))
    assert grown(story, story, a_tagged(1, countries=("LB",))).votes == (("LB", 1),)


@pytest.mark.parametrize(
    ("hours", "items", "stage"),
    [(0, 1, Stage.NEW), (1, 1, Stage.DEVELOPING), (0, 2, Stage.DEVELOPING), (7, 2, Stage.QUIET), (73, 2, Stage.CLOSED)],
)
def test_a_story_is_new_then_developing_then_quiet_then_closed(hours: int, items: int, stage: Stage) -> None:
    story = replace(a_story(), item_ids=tuple(map(str, range(items))))
    assert stage_of(story, NOW + timedelta(hours=hours), window_s=WINDOW_S) is stage


# ---------------------------------------------------------------- merge and split


def test_a_merged_story_keeps_its_id_and_has_rung_what_either_rang() -> None:
    one, other = told(tolls=(("dead", 3),)), replace(a_story(2), rung=("first", "correction"), tolls=(("dead", 7),), query_ids=("q2",))
    both = merged(one, other)
    assert (both.story_id, both.headline) == (one.story_id, one.headline)
    assert both.rung == ("first", "correction")
    assert both.item_ids == (*one.item_ids, *other.item_ids)
    assert both.query_ids == ("q1", "q2")
    assert both.tolls == (("dead", 7),)
    assert both.kin_ids == (other.story_id,)


def test_a_story_rebuilt_from_fewer_items_forgets_what_the_others_said_but_not_what_rang() -> None:
    def item(number: int, country: str) -> Tagged:
        return a_tagged(number, change=a_change(number, item=an_item(number)), countries=(country,))

    story = replace(told(), item_ids=("a", "b"), votes=(("LB", 1), ("GR", 1)), revision=4)
    left = rebuilt(story, [item(1, "LB")])
    assert left.countries == ("LB",)
    assert (left.rung, left.query_ids, left.revision) == (story.rung, story.query_ids, 4)
    assert left.item_ids == (a_change(1).item_id,)
