"""What a poll commits: baselines, validators, failures, catch-up, and that no source delays another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.models import ChangeKind, Selectors, SourceKind
from alerts.pipeline import poll
from alerts.sources.parse import parser_version
from tests.harness import Rig, a_rig, answering, entry, feed, watched_rig
from tests.servers_http import Asked, Script, reply

BANNER = Selectors(item="ul.banner li", canary="ul.banner")


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        yield made


@pytest.fixture
def bare(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with a_rig(valkey_url, tmp_path) as made:
        made.channel()
        made.rule()
        yield made


def changes(rig: Rig, source_id: str = "harbour") -> list[tuple[str, str, bool]]:
    """(kind, headline, is catch-up) of what one poll found."""
    [commit] = rig.poll(source_id)
    return [(c.kind.value, c.item.title, c.is_catch_up) for c in commit.changes]


def rss(*titles: str, end: str = "</channel></rss>") -> bytes:
    """An RSS feed; without its end it is cut off."""
    items = "".join(f"<item><guid>{t}</guid><link>https://pier.example/{t}</link><title>{t}</title></item>" for t in titles)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Pier</title>{items}{end}'.encode()


def banner(*lines: str) -> bytes:
    """A ticker page with these lines."""
    rows = "".join(f"<li>{line}</li>" for line in lines)
    return f'<!doctype html><html><body><ul class="banner">{rows}</ul></body></html>'.encode()


# ---------------------------------------------------------------- baseline


def test_a_first_poll_is_a_baseline_and_rings_nobody(bare: Rig) -> None:
    bare.watch()
    bare.publish("harbour", entry(2), entry(1))
    assert bare.sink.got == []
    assert bare.stages() == []
    assert bare.state_of().is_baselined
    bare.publish("harbour", entry(3), entry(2), entry(1))
    assert bare.sink.titles == [entry(3)["title"]]


def test_a_feed_that_was_empty_at_first_has_its_baseline_when_it_has_items(bare: Rig) -> None:
    bare.watch()
    bare.publish("harbour")
    assert not bare.state_of().is_baselined
    bare.publish("harbour", entry(1))
    assert bare.sink.got == []
    bare.publish("harbour", entry(2), entry(1))
    assert bare.sink.titles == [entry(2)["title"]]


def test_an_empty_ticker_is_a_baseline_and_its_first_line_rings(bare: Rig) -> None:
    bare.watch("quay", kind=SourceKind.TICKER, selectors=BANNER)
    bare.serve("quay", banner())
    bare.run("quay")
    assert bare.state_of("quay").is_baselined
    bare.serve("quay", banner("Crane falls into dock, two hurt"))
    bare.run("quay")
    assert len(bare.sink.got) == 1


def test_a_ticker_without_its_canary_is_an_error_and_not_an_empty_banner(bare: Rig) -> None:
    bare.watch("quay", kind=SourceKind.TICKER, selectors=BANNER)
    bare.serve("quay", banner("Crane falls into dock"))
    bare.run("quay")
    bare.serve("quay", b"<html><body><p>We have a new page</p></body></html>")
    assert changes(bare, "quay") == []
    assert "canary" in bare.state_of("quay").error
    bare.serve("quay", banner("Crane falls into dock"))
    assert changes(bare, "quay") == []


# ---------------------------------------------------------------- validators


def test_validators_are_stored_with_a_complete_parsed_body(rig: Rig) -> None:
    assert rig.state_of().etag == rig.pages["harbour"].etag
    rig.poll()
    assert rig.state_of().http_status == 304


def test_a_parse_error_keeps_validators_and_marks_and_is_the_source_s_error(rig: Rig) -> None:
    before, marks = rig.state_of(), rig.tools.state.marks("harbour")
    rig.serve("harbour", b'{"version": "https://jsonfeed.org/version/1.1", "items": [', "application/json")
    assert changes(rig) == []
    after = rig.state_of()
    assert (after.etag, after.last_modified, after.body_hash) == (before.etag, before.last_modified, before.body_hash)
    assert rig.tools.state.marks("harbour") == marks
    assert "JSON" in after.error
    assert after.failures == 1
    rig.publish("harbour", entry(2), entry(1))
    assert rig.state_of().error == ""
    assert rig.sink.titles == [entry(2)["title"]]


def test_an_html_page_where_a_feed_should_be_is_the_source_s_error(rig: Rig) -> None:
    rig.serve("harbour", b"<!doctype html><html><title>Forbidden</title></html>")
    assert changes(rig) == []
    assert "HTML page where a feed should be (Forbidden)" in rig.state_of().error


def test_a_truncated_body_lets_nothing_go_and_stores_no_validators(bare: Rig) -> None:
    bare.watch("pier")
    bare.serve("pier", rss("one", "two", "three"))
    bare.poll("pier")
    bare.serve("pier", rss("four", "one", end=""))
    assert changes(bare, "pier") == [("new", "four", False)]
    state = bare.state_of("pier")
    assert (state.etag, state.last_modified, state.body_hash) == (None, None, "")
    assert sum(m.is_present for m in bare.tools.state.marks("pier").values()) == 4
    bare.serve("pier", rss("four", "one", "two", "three"))
    assert changes(bare, "pier") == []
    assert bare.state_of("pier").etag


def test_a_changed_selector_asks_for_the_whole_page_again(bare: Rig) -> None:
    bare.watch("quay", kind=SourceKind.TICKER, selectors=BANNER)
    bare.serve("quay", banner("Crane falls into dock"))
    bare.poll("quay")
    source = bare.watch("quay", kind=SourceKind.TICKER, selectors=Selectors(item="li", canary="ul"))
    bare.poll("quay")
    assert bare.state_of("quay").http_status == 200
    assert bare.state_of("quay").parser == parser_version(source)


def test_a_304_moves_the_due_time_on(rig: Rig) -> None:
    due_at = rig.state_of().next_due_at
    rig.clock.move(minutes=10)
    [commit] = rig.poll()
    assert due_at
    assert rig.state_of().http_status == 304
    assert commit.due_at > due_at + timedelta(minutes=9)
    assert rig.state_of().next_due_at == commit.due_at


# ---------------------------------------------------------------- failures


def test_a_source_taken_down_for_good_is_gone_and_asked_once_a_day(rig: Rig) -> None:
    with answering(rig, "quay", lambda _asked: reply(410)):
        [commit] = rig.poll("quay")
    assert rig.state_of("quay").is_gone
    assert "410" in rig.state_of("quay").error
    assert commit.due_at > rig.clock() + timedelta(hours=23)


def test_a_failure_backs_off_and_keeps_what_was_known(rig: Rig) -> None:
    del rig.pages["harbour"]
    intervals = [rig.poll()[0].state.interval_s for _ in range(3)]
    assert intervals == sorted(set(intervals))
    assert rig.state_of().failures == 3
    rig.show("harbour", entry(1))
    assert changes(rig) == []
    assert rig.state_of().failures == 0


def test_a_hanging_source_does_not_delay_the_others(rig: Rig) -> None:
    """It answers only when the other one's item is in the store."""
    is_there = threading.Event()

    def late(_asked: Asked) -> bytes | Script:
        while not is_there.wait(0.01) and not rig.tools.state.waiting()["sift"]:
            pass
        return reply(200, feed(entry(7, outlet="quay")))

    rig.show("harbour", entry(2), entry(1))
    with answering(rig, "quay", late):
        rig.wait(3600)
        poll(rig.tools)
        is_there.set()
    assert rig.state_of("quay").error == ""
    assert rig.state_of("quay").is_baselined


def test_a_source_removed_while_it_is_polled_commits_nothing_and_has_no_baseline(bare: Rig) -> None:
    def answer(_asked: Asked) -> bytes:
        bare.service.remove_source("quay")
        return reply(200, feed(entry(1)))

    with answering(bare, "quay", answer):
        bare.poll("quay")
    assert bare.tools.state.marks("quay") == {}
    assert not bare.tools.baselines.knows("quay")
    bare.watch("quay")
    bare.show("quay", entry(2), entry(1))
    assert changes(bare, "quay") == []


# ---------------------------------------------------------------- bounds


def test_items_beyond_the_cap_are_not_marked_and_are_found_later(rig: Rig) -> None:
    capped = rig.with_settings("poll", max_items=2)
    capped.show("harbour", entry(4), entry(3), entry(2), entry(1))
    assert changes(capped) == [("new", entry(3)["title"], False), ("new", entry(4)["title"], False)]
    assert capped.state_of().gaps == 1
    capped.show("harbour", entry(2), entry(1))
    assert changes(capped) == [("new", entry(2)["title"], False)]


def test_a_page_of_which_nothing_is_known_is_counted_as_a_gap(rig: Rig) -> None:
    rig.show("harbour", entry(9), entry(8), entry(7))
    assert len(changes(rig)) == 3
    assert rig.state_of().gaps == 1


# ---------------------------------------------------------------- catch-up


def test_lost_state_is_not_a_first_poll_its_items_catch_up(rig: Rig) -> None:
    rig.tools.state.remove_source("harbour")  # the store's own: nobody told the list of baselines
    rig.watch()
    rig.show("harbour", entry(2), entry(1))
    assert changes(rig) == [("new", entry(1)["title"], True), ("new", entry(2)["title"], True)]
    rig.show("harbour", entry(3), entry(2), entry(1))
    assert changes(rig) == [("new", entry(3)["title"], False)]


def test_a_source_that_a_person_removed_and_added_again_has_a_new_baseline(rig: Rig) -> None:
    rig.service.remove_source("harbour")
    rig.watch()
    assert changes(rig) == []


def test_the_first_polls_after_a_downtime_of_ours_catch_up(rig: Rig) -> None:
    poll(rig.tools)
    rig.store.run_command("SET", f"{rig.store.prefix}tick", 1)
    rig.show("harbour", entry(2), entry(1))
    rig.wait(7200)
    assert poll(rig.tools) == 1
    [queued] = rig.tools.state.read_items("rig", 10)
    assert (queued.change.kind, queued.change.is_catch_up) == (ChangeKind.NEW, True)
    rig.show("harbour", entry(3), entry(2), entry(1))
    assert changes(rig) == [("new", entry(3)["title"], False)]


def test_a_first_poll_that_fails_after_a_downtime_does_not_end_the_catch_up(rig: Rig) -> None:
    """The network of a machine that comes back is often not there yet."""
    poll(rig.tools)
    rig.store.run_command("SET", f"{rig.store.prefix}tick", 1)
    del rig.pages["harbour"]
    rig.wait(7200)
    poll(rig.tools)
    assert rig.state_of().failures == 1
    rig.show("harbour", entry(2), entry(1))
    assert changes(rig) == [("new", entry(2)["title"], True)]


def test_news_wakes_the_sifter_and_a_page_without_news_does_not(rig: Rig) -> None:
    rig.tools.state.clear_wake("sift")
    rig.woken.clear()
    rig.poll()
    assert rig.woken == []
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    assert rig.woken == ["sift"]
