"""What counts as new, as an edit and as a return: the rules of the diff, one a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.diff import KEEP_H, Diff, diff, is_near_equal
from alerts.models import Item, Mark, Source, SourceKind
from tests.builders import NOW, a_source, an_item


@dataclass
class Watch:
    """A source watched over several polls, as the pipeline does it."""

    source: Source = field(default_factory=a_source)
    now: datetime = NOW
    marks: Mapping[int, Mark] = field(default_factory=dict)
    lines: tuple[str, ...] = ()

    def poll(self, *items: Item, after_h: float = 0.25, is_complete: bool = True) -> Diff:
        """The diff of a page shown so many hours after the last one."""
        self.now += timedelta(hours=after_h)
        found = diff(items, self.marks, source=self.source, now=self.now, lines=self.lines, is_complete=is_complete)
        kept = {i: m for i, m in {**self.marks, **found.updated}.items() if i not in found.forgotten}
        self.marks = dict(enumerate([*kept.values(), *found.added]))
        self.lines = tuple(item.title for item in items)
        return found


def titles(found: Sequence[object]) -> list[str]:
    return [f.item.title for f in found]  # type: ignore[attr-defined]


def a_ticker() -> Watch:
    return Watch(a_source(kind=SourceKind.TICKER))


def a_line(title: str) -> Item:
    return Item(source_id="harbour", title=title)


# ---------------------------------------------------------------- identity


def test_an_unchanged_page_brings_nothing() -> None:
    watch = Watch()
    watch.poll(an_item(1), an_item(2))
    found = watch.poll(an_item(1), an_item(2))
    assert (found.new, found.edited, found.returned, found.updated, found.added) == ((), (), (), {}, ())


def test_new_items_come_oldest_first() -> None:
    watch = Watch()
    watch.poll(an_item(1))
    assert titles(watch.poll(an_item(3), an_item(2), an_item(1)).new) == [an_item(2).title, an_item(3).title]


def test_a_guid_that_occurs_twice_in_one_page_counts_once() -> None:
    watch = Watch()
    watch.poll(an_item(1))
    assert len(watch.poll(an_item(2), an_item(2, title="The pinned copy"), an_item(1)).new) == 1


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("guid changes, link stays", {"guid": "other"}),
        ("guid gets another fragment", {"guid": "https://harbour.example/news/2#3"}),
        ("link gets tracking parameters", {"url": "https://harbour.example/news/2?utm_source=rss&utm_medium=x"}),
        ("link gets a fragment", {"guid": "", "url": "https://harbour.example/news/2#comments"}),
        ("guid and link change, headline stays", {"guid": "other", "url": "https://harbour.example/moved/2"}),
        ("headline comes back in capitals with a dash", {"guid": "o", "url": "", "title": "HARBOUR GATE 2 — closes after collision"}),
    ],
)
def test_it_is_the_same_item_when(name: str, change: dict[str, str]) -> None:
    watch = Watch()
    watch.poll(an_item(1), an_item(2))
    assert watch.poll(an_item(1), an_item(2, **change)).new == (), name


def test_the_rest_of_a_link_s_query_tells_articles_apart() -> None:
    watch = Watch()
    watch.poll(an_item(1, guid="", url="https://harbour.example/read?id=1"))
    assert len(watch.poll(an_item(2, guid="", url="https://harbour.example/read?id=2")).new) == 1


def test_an_equal_headline_under_a_new_guid_is_news_after_a_day() -> None:
    watch = Watch()
    watch.poll(an_item(1), an_item(2))
    watch.poll(an_item(1))
    again = an_item(2, guid="next", url="https://harbour.example/next")
    assert len(watch.poll(an_item(1), again, after_h=26).new) == 1


def test_guids_are_learned_as_they_move_from_poll_to_poll() -> None:
    watch = Watch()
    watch.poll(an_item(1, guid="a"))
    watch.poll(an_item(1, guid="b"))
    assert watch.poll(an_item(1, guid="b", url="https://harbour.example/elsewhere", title="Another headline")).new == ()


def test_a_guid_or_link_that_most_of_the_page_shares_identifies_nothing() -> None:
    watch = Watch()
    home = {"guid": "https://harbour.example/", "url": "https://harbour.example/"}
    watch.poll(*(an_item(n, **home) for n in range(4)))
    assert titles(watch.poll(*(an_item(n, **home) for n in range(5))).new) == [an_item(4).title]


def test_items_without_guid_and_link_are_known_by_their_headline() -> None:
    watch = Watch()
    bare = an_item(1, guid="", url="")
    watch.poll(bare)
    assert watch.poll(bare, after_h=100).new == ()


def test_a_feed_that_changed_all_its_guids_and_links_is_known_by_its_headlines_at_any_age() -> None:
    watch = Watch()
    watch.poll(*(an_item(n) for n in range(10)))
    moved = [an_item(n, guid=f"v2-{n}", url=f"https://new.example/{n}") for n in range(10)]
    fresh = an_item(50, guid="v2-50", url="https://new.example/50")
    assert titles(watch.poll(fresh, *moved, after_h=48).new) == [fresh.title]


def test_an_item_keeps_its_key_while_everything_about_it_changes() -> None:
    watch = Watch()
    [first] = watch.poll(an_item(1)).new
    [edited] = watch.poll(an_item(1, title="Harbour gate 1 is open again")).edited
    [moved] = watch.poll(an_item(1, guid="z", title="Harbour gate 1 is open again and busy")).edited
    assert (edited.key, moved.key) == (first.key, first.key)


# ---------------------------------------------------------------- edits, returns, gaps


def test_a_changed_headline_or_text_is_an_edit_once() -> None:
    watch = Watch()
    watch.poll(an_item(1))
    edited = an_item(1, title="At least 8 hurt at gate 1")
    assert titles(watch.poll(edited).edited) == [edited.title]
    assert watch.poll(edited).edited == ()


def test_a_damaged_character_that_comes_and_goes_is_no_edit() -> None:
    watch = Watch()
    watch.poll(an_item(1))
    assert watch.poll(an_item(1, title="Harbour gate 1 clo\ufffdes after collision")).edited == ()
    assert watch.poll(an_item(1)).edited == ()


def test_an_item_that_vanished_and_came_back_is_returned_not_new() -> None:
    watch = Watch()
    watch.poll(an_item(1), an_item(2))
    assert watch.poll(an_item(1)).gone == 1
    found = watch.poll(an_item(1), an_item(2))
    assert (titles(found.returned), found.new) == ([an_item(2).title], ())


def test_a_truncated_page_makes_nothing_gone() -> None:
    watch = Watch()
    watch.poll(an_item(1), an_item(2))
    assert watch.poll(an_item(1), is_complete=False).gone == 0
    assert watch.poll(an_item(1), an_item(2)).returned == ()


def test_a_page_of_which_nothing_is_known_is_a_gap() -> None:
    watch = Watch()
    watch.poll(an_item(1), an_item(2))
    assert watch.poll(an_item(8), an_item(9)).is_gap
    assert not watch.poll(an_item(10), an_item(9)).is_gap


def test_marks_are_kept_for_30_days_and_five_pages() -> None:
    watch = Watch()
    watch.poll(*(an_item(n) for n in range(20)))
    watch.poll(an_item(100))
    watch.poll(an_item(100), after_h=KEEP_H + 25)
    assert len(watch.marks) == 5


# ---------------------------------------------------------------- tickers


def test_an_empty_banner_is_normal_and_a_reordered_one_is_nothing() -> None:
    watch = a_ticker()
    watch.poll()
    watch.poll(a_line("Port closed by storm"), a_line("Train stopped near the lake"))
    found = watch.poll(a_line("Train stopped near the lake"), a_line("Port closed by storm"), a_line("Port closed by storm"))
    assert (found.new, found.edited, found.is_gap) == ((), (), False)
    assert watch.poll().is_gap is False


@pytest.mark.parametrize(
    "after",
    ["Blast in port: 8 hurt", "Blast in the port: 5 hurt", "Blast in port: 5 hurt, mayor says", "Blsat in port: 5 hurt"],
)
def test_a_near_equal_line_in_the_place_of_another_is_its_edit(after: str) -> None:
    watch = a_ticker()
    watch.poll(a_line("Blast in port: 5 hurt"))
    found = watch.poll(a_line(after))
    assert (found.new, titles(found.edited)) == ((), [after])


def test_the_same_template_with_another_place_is_another_event() -> None:
    watch = a_ticker()
    watch.poll(a_line("Explosion reported in Norham"))
    assert len(watch.poll(a_line("Explosion reported in Westmark")).new) == 1
    assert not is_near_equal("Explosion reported in Norham", "Explosion reported in Westmark")


def test_a_line_that_comes_back_rings_again_only_after_its_time_to_live() -> None:
    watch = a_ticker()
    [first] = watch.poll(a_line("Sirens in the valley")).new
    watch.poll()
    assert titles(watch.poll(a_line("Sirens in the valley"), after_h=2).returned) == ["Sirens in the valley"]
    watch.poll()
    [again] = watch.poll(a_line("Sirens in the valley"), after_h=25).new
    assert again.key != first.key


# ---------------------------------------------------------------- properties

pages = st.lists(st.lists(st.integers(0, 12), max_size=8, unique=True), min_size=1, max_size=8)


@given(pages)
def test_every_item_is_new_exactly_once_whatever_comes_and_goes(polls: list[list[int]]) -> None:
    watch, found = Watch(), []
    for page in polls:
        found += [f.item.guid for f in watch.poll(*(an_item(n) for n in page)).new]
    assert sorted(found) == sorted({f"guid-{n}" for page in polls for n in page})


@given(pages)
def test_reading_the_same_page_twice_changes_nothing(polls: list[list[int]]) -> None:
    watch = Watch()
    for page in polls:
        watch.poll(*(an_item(n) for n in page))
        before = watch.marks
        again = replace(watch).poll(*(an_item(n) for n in page), after_h=0)
        assert (again.new, again.edited, again.returned, again.gone) == ((), (), (), 0)
        assert before == watch.marks
