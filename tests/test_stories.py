"""One story for one event: by link, by headline, within its window, and never across what the diff told apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alerts.models import ChangeKind, RegionEvidence, SourceKind, Story, Tagged
from alerts.stories.grouping import MAX_ITEMS, StoryIndex
from alerts.stories.tag import tag
from alerts.text.fingerprint import content_id
from tests.builders import NOW, a_change, a_source, an_item

HOUR = timedelta(hours=1)


def an_arrival(
    number: int, *, kind: ChangeKind = ChangeKind.NEW, urgency: int = 5, countries: tuple[str, ...] = (), **fields: Any
) -> Tagged:
    """A tagged item whose link, guid and headline come from its number unless given."""
    return Tagged(change=a_change(number, kind=kind, item=an_item(number, **fields)), urgency=urgency, countries=countries)


def arrive(index: StoryIndex, tagged: Tagged, after: timedelta = timedelta()) -> Story:
    """Assign and apply, as a committed sift does."""
    story = index.assign(tagged, NOW + after)
    index.apply(story)
    return story


def test_a_first_item_starts_a_story_at_revision_zero() -> None:
    story = arrive(StoryIndex(), an_arrival(1, url="https://harbour.example/news/1"))
    item_id = a_change(1).item_id
    assert (content_id("story", item_id), 0, (item_id,)) == (story.story_id, story.revision, story.item_ids)
    assert (NOW, NOW, ("harbour",)) == (story.first_at, story.last_at, story.source_ids)


def test_an_applied_story_is_expected_one_revision_further() -> None:
    index = StoryIndex()
    arrive(index, an_arrival(1))
    assert 1 == index.assign(an_arrival(1, kind=ChangeKind.EDITED), NOW).revision
    assert 1 == index.assign(an_arrival(1, kind=ChangeKind.EDITED), NOW).revision, "assigning alone changes nothing"


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"source_id": "beacon", "url": "http://harbour.example/news/1?utm_source=x#top"}, id="the same link"),
        pytest.param({"source_id": "beacon", "title": "HARBOUR GATE 1 CLOSES – after collision"}, id="the same headline"),
        pytest.param({"source_id": "beacon", "title": "BREAKING: Harbour gate 1 closes after collision"}, id="with its marker"),
    ],
)
def test_items_of_two_outlets_about_one_event_are_one_story(second: dict[str, Any]) -> None:
    index = StoryIndex()
    first = arrive(index, an_arrival(1))
    joined = arrive(index, an_arrival(2, **second), HOUR)
    assert (first.story_id, ("harbour", "beacon"), NOW + HOUR) == (joined.story_id, joined.source_ids, joined.last_at)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"source_id": "beacon"}, id="another headline"),
        pytest.param({"source_id": "beacon", "title": "Weather", "url": "https://beacon.example/"}, id="a home page is no link"),
    ],
)
def test_items_about_two_events_are_two_stories(second: dict[str, Any]) -> None:
    index = StoryIndex()
    arrive(index, an_arrival(9, title="Weather", url="https://beacon.example/"))
    first = arrive(index, an_arrival(1))
    assert first.story_id != arrive(index, an_arrival(2, **second)).story_id
    assert 3 == len(index)


def test_a_short_headline_joins_only_within_its_own_source() -> None:
    index = StoryIndex()
    first = arrive(index, an_arrival(1, title="Gate closed"))
    assert first.story_id != arrive(index, an_arrival(2, title="Gate closed", source_id="beacon")).story_id
    assert first.story_id == arrive(index, an_arrival(3, title="BREAKING: Gate closed")).story_id


def test_a_story_takes_no_items_after_its_window() -> None:
    index = StoryIndex()
    first = arrive(index, an_arrival(1))
    again = an_arrival(2, source_id="beacon", title=an_item(1).title)
    assert first.story_id == index.assign(again, NOW + 72 * HOUR).story_id
    assert first.story_id != index.assign(again, NOW + 73 * HOUR).story_id


@pytest.mark.parametrize("kind", [ChangeKind.EDITED, ChangeKind.RETURNED])
def test_a_change_of_a_known_item_stays_in_its_story_whatever_it_says_now(kind: ChangeKind) -> None:
    index = StoryIndex()
    first = arrive(index, an_arrival(1))
    edited = arrive(index, an_arrival(1, kind=kind, title="Two gates close", url="https://harbour.example/moved"), 100 * HOUR)
    assert (first.story_id, "Two gates close", first.item_ids) == (edited.story_id, edited.headline, edited.item_ids)
    assert first.story_id == index.assign(an_arrival(2, source_id="beacon", url="https://harbour.example/moved"), NOW).story_id


def test_an_edit_of_a_later_item_does_not_change_the_headline() -> None:
    index = StoryIndex()
    first = arrive(index, an_arrival(1))
    arrive(index, an_arrival(2, source_id="beacon", title=first.headline))
    assert first.headline == arrive(index, an_arrival(2, kind=ChangeKind.EDITED, source_id="beacon", title="Other")).headline


def test_an_edit_of_an_unknown_item_starts_a_story() -> None:
    assert 0 == StoryIndex().assign(an_arrival(1, kind=ChangeKind.EDITED), NOW).revision


def test_a_ticker_line_that_came_back_is_news_again() -> None:
    index = StoryIndex()
    line: dict[str, Any] = {"title": "Sirens in the harbour and the old town", "guid": "", "url": ""}
    first = arrive(index, an_arrival(1, **line))
    assert first.story_id != arrive(index, an_arrival(2, **line), 30 * HOUR).story_id


def test_one_link_for_many_lines_does_not_make_them_one_story() -> None:
    index = StoryIndex()
    live: dict[str, Any] = {"url": "https://harbour.example/live", "guid": ""}
    first = arrive(index, an_arrival(1, title="Sirens in the old town tonight", **live))
    assert first.story_id != arrive(index, an_arrival(2, title="Ferry service stopped until further notice", **live)).story_id


def test_a_story_knows_its_highest_urgency_and_all_its_countries() -> None:
    index = StoryIndex()
    arrive(index, an_arrival(1, urgency=3, countries=("GR",)))
    story = arrive(index, an_arrival(1, kind=ChangeKind.EDITED, urgency=5, countries=("CY", "GR")))
    assert (3, ("GR", "CY")) == (story.urgency, story.countries)


def test_lists_of_a_story_are_bounded() -> None:
    index = StoryIndex()
    title = "Harbour gate closes after a collision"
    for number in range(MAX_ITEMS + 20):
        story = arrive(index, an_arrival(number, title=title, source_id=f"outlet-{number}"))
    assert (MAX_ITEMS, 50, 1) == (len(story.item_ids), len(story.source_ids), len(index))
    assert a_change(0, item=an_item(0, source_id="outlet-0")).item_id == story.item_ids[0]
    assert len(story.keys) <= 400


def test_an_index_loaded_from_the_store_decides_as_before() -> None:
    index = StoryIndex()
    first = arrive(index, an_arrival(1))
    reloaded = StoryIndex()
    reloaded.load(index)
    assert (first.story_id, 1) == ((story := reloaded.assign(an_arrival(1), NOW)).story_id, story.revision)


def test_old_stories_are_forgotten_and_live_ones_stay() -> None:
    index = StoryIndex()
    old = arrive(index, an_arrival(1))
    live = arrive(index, an_arrival(2), 2 * HOUR)
    assert [old.story_id] == [story.story_id for story in index.drop_older(NOW + HOUR)]
    assert [live.story_id] == [story.story_id for story in index]
    assert 0 == index.assign(an_arrival(1), NOW).revision
    assert old.story_id == index.assign(an_arrival(1), NOW).story_id, "ids are hashes: the same item gives the same story"


class OneCountry:
    """A tagger that answers with the home it is given."""

    def tag(self, text: str, *, language: str | None, home: str | None) -> tuple[RegionEvidence, ...]:
        return (RegionEvidence(code=home or "GR", name=text, kind="country", why=language or ""),)


def test_tagging_joins_language_urgency_and_regions() -> None:
    source = a_source(kind=SourceKind.TICKER, language="el-GR", region="CY")
    result = tag(a_change(1, item=an_item(1, title="Φωτιά", text="στο λιμάνι", language="en-US")), source, OneCountry())
    assert ("el", 2, ("CY",)) == (result.language, result.urgency, result.countries)
    assert ("Φωτιά\nστο λιμάνι", "el") == (result.regions[0].name, result.regions[0].why)
    assert "a line of a breaking ticker" == result.urgency_why
