"""What a sifted item becomes: one story, one alert for each subscriber, and nothing lost when sifters come and go."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest
import redis

from alerts.errors import StateError
from alerts.models import DeliveryStatus, RegionEvidence, Rule, Story
from alerts.pipeline import Sifter, sift
from alerts.ports import Outcome, SiftCommit
from alerts.regions.tagger import Tagger
from alerts.state.codec import STORY
from alerts.state.redis import RedisState
from alerts.state.server import running
from tests.harness import Entry, Rig, a_rig, entry, the_areas, watched_rig

POISON = "Poisoned headline that no tagger survives"


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        yield made


class BitingTagger(Tagger):
    """The real tagger, but for one headline."""

    def tag(self, text: str, *, language: str | None, home: str | None) -> tuple[RegionEvidence, ...]:
        if text.startswith(POISON):
            raise ValueError("this item bites")
        return super().tag(text, language=language, home=home)


def biting(rig: Rig) -> Rig:
    """The same worker with a tagger that one item kills."""
    tagger = BitingTagger.load()
    assert isinstance(tagger, BitingTagger)
    made = rig.with_tools()
    made.sifter = Sifter(tagger, the_areas())
    return made


def sift_until_done(rig: Rig, tries: int = 10) -> int:
    """Turns as tasks give them: one that fails is followed by the next; how many failed."""
    failed = 0
    for _ in range(tries):
        try:
            rig.sift()
        except ValueError:
            failed += 1
    return failed


def bells(rig: Rig) -> int:
    """How many bells were rung so far."""
    return rig.tools.state.counters().get("bells", 0)


# ---------------------------------------------------------------- what rings


def test_one_story_is_one_alert_for_a_subscriber(rig: Rig) -> None:
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    same = "Ferry with forty aboard runs aground off Northpoint"
    rig.publish("harbour", entry(2, same), entry(1))
    rig.publish("quay", entry(2, same, outlet="quay"), entry(1, outlet="quay"))
    assert len(rig.sink.got) == 1
    assert len(rig.service.alerts()) == 1
    assert rig.stages()[-1] == "matched, but the story was told before"


def test_every_subscriber_gets_an_alert_of_their_own(rig: Rig) -> None:
    rig.service.add_subscriber("desk-two")
    rig.channel("second", subscriber_id="desk-two")
    rig.rule("gate", "gates", subscriber_id="desk-two")
    rig.publish("harbour", entry(2), entry(1))
    assert sorted(d.channel_id for d in rig.deliveries(DeliveryStatus.SENT)) == ["desk", "second"]


def test_two_rules_of_a_subscriber_are_one_alert_that_names_both(rig: Rig) -> None:
    rig.rule("gate", "gates")
    rig.publish("harbour", entry(2), entry(1))
    [view] = rig.service.alerts()
    assert view.alert.rule_ids == ("everything", "gates")
    assert len(rig.sink.got) == 1


def test_an_edit_of_a_told_item_never_rings_again(rig: Rig) -> None:
    rig.publish("harbour", entry(2), entry(1))
    rig.publish("harbour", entry(2, "Harbour gate 2 closes, one hurt"), entry(1))
    assert len(rig.sink.got) == 1


def test_edits_of_a_baseline_item_start_no_story_that_rings(rig: Rig) -> None:
    rig.publish("harbour", entry(1, "Harbour gate 1 closes, one hurt"))
    rig.publish("harbour", entry(1, "Harbour gate 1 closes, two hurt"))
    assert rig.sink.got == []
    assert {stage.partition(":")[0] for stage in rig.stages()} == {"edited"}


def test_an_item_that_comes_back_rings_nobody(rig: Rig) -> None:
    rig.rule("*", "everything", is_enabled=False)
    rig.publish("harbour", entry(2), entry(1))
    rig.publish("harbour", entry(1))
    rig.rule("*", "everything")
    rig.publish("harbour", entry(2), entry(1))
    assert rig.sink.got == []
    assert rig.stages()[-1].startswith("returned")


# ---------------------------------------------------------------- rules


def test_a_rule_added_while_running_is_in_force_with_the_next_item(rig: Rig) -> None:
    rig.service.remove_rule("everything")
    rig.publish("harbour", entry(2), entry(1))
    rig.rule("gate", "gates")
    rig.publish("harbour", entry(3), entry(2), entry(1))
    assert rig.sink.titles == [entry(3)["title"]]


def test_a_removed_rule_rings_no_more(rig: Rig) -> None:
    rig.service.remove_rule("everything")
    rig.publish("harbour", entry(2), entry(1))
    assert rig.stages() == ["no rule matched"]


def test_a_paused_rule_rings_nobody_until_it_is_resumed(rig: Rig) -> None:
    rig.service.pause_rule("everything", is_paused=True)
    rig.publish("harbour", entry(2), entry(1))
    assert rig.sink.got == []
    rig.service.pause_rule("everything", is_paused=False)
    rig.publish("harbour", entry(3), entry(2), entry(1))
    assert rig.sink.titles == [entry(3)["title"]]


def test_a_query_that_one_of_two_rules_still_has_is_still_matched(rig: Rig) -> None:
    rig.rule("*", "another")
    rig.service.remove_rule("everything")
    rig.publish("harbour", entry(2), entry(1))
    [view] = rig.service.alerts()
    assert view.alert.rule_ids == ("another",)


def test_a_stored_rule_that_no_longer_parses_is_left_out_and_the_others_ring(rig: Rig) -> None:
    rig.service.put_rules([Rule(rule_id="broken", query='"unclosed')])
    rig.publish("harbour", entry(2), entry(1))
    assert len(rig.sink.got) == 1


def test_what_a_person_corrects_of_a_source_counts_for_the_next_item(rig: Rig) -> None:
    rig.publish("harbour", entry(2), entry(1))
    rig.watch("harbour", region="IS", name="The Harbour Post")
    rig.publish("harbour", entry(3), entry(2), entry(1))
    views = rig.service.alerts()
    assert [v.bell.source_name for v in views] == ["The Harbour Post", "Harbour"]
    assert views[0].bell.tagged.countries == ("IS",)


# ---------------------------------------------------------------- catch-up


def missed(rig: Rig, *entries: Entry) -> None:
    """Lose the source's state and find these items as a catch-up."""
    rig.tools.state.remove_source("harbour")
    rig.watch()
    rig.publish("harbour", *entries)


def test_stale_items_of_a_catch_up_are_archived_and_not_rung(rig: Rig) -> None:
    old = (rig.clock() - timedelta(hours=20)).isoformat()
    missed(rig, entry(2, date_published=old), entry(1, date_published=old))
    assert rig.stages() == ["stale: published 20 h before we were back"] * 2
    assert bells(rig) == 0


def test_an_edit_of_a_stale_item_rings_nobody(rig: Rig) -> None:
    old = (rig.clock() - timedelta(hours=20)).isoformat()
    missed(rig, entry(1, date_published=old))
    rig.publish("harbour", entry(1, "Harbour gate 1 closes, one hurt", date_published=old))
    assert rig.stages()[-1].startswith("edited")
    assert bells(rig) == 0


# ---------------------------------------------------------------- sifters come and go


def test_a_poison_item_goes_to_the_dead_letters_and_the_others_go_on(rig: Rig) -> None:
    worker = biting(rig)
    rig.show("harbour", entry(4), entry(3, POISON), entry(2), entry(1))
    rig.poll()
    assert sift_until_done(worker) == 3  # sift.max_attempts
    [(_, item_id, reason)] = rig.tools.state.dead_items()
    assert item_id
    assert "3 attempts" in reason
    rig.deliver()
    assert sorted(rig.sink.titles) == [entry(2)["title"], entry(4)["title"]]


def test_a_dead_item_rings_when_it_is_replayed_after_the_cure(rig: Rig) -> None:
    rig.show("harbour", entry(3, POISON), entry(1))
    rig.poll()
    sift_until_done(biting(rig))
    [(entry_id, _, _)] = rig.tools.state.dead_items()
    rig.tools.state.replay_item(entry_id)
    rig.tools.state.free_leases("rig")
    rig.sift()
    rig.deliver()
    assert rig.sink.titles == [POISON]


def test_a_standby_sifter_does_nothing_and_takes_over_when_the_first_one_died(rig: Rig) -> None:
    standby = rig.with_tools(owner="standby")
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    assert standby.sift() == 0
    rig.tools.state.free_leases("rig")
    assert standby.sift() == 1


def test_a_standby_that_waits_takes_over_by_itself_when_the_lease_runs_out(rig: Rig) -> None:
    brief = rig.with_settings("sift", lease_s=0.2)
    standby = brief.with_tools(owner="standby")
    brief.publish("harbour", entry(2), entry(1))
    brief.show("harbour", entry(3), entry(2), entry(1))
    brief.poll()
    assert sift(standby.tools, standby.sifter, stands_by=True) == 1
    assert [story.headline for story in standby.sifter.stories][-1] == entry(3)["title"]
    assert brief.sift() == 0, "who was silent is a standby now"


def test_a_standby_sends_the_wake_up_on_that_the_active_one_should_have_had(rig: Rig) -> None:
    brief = rig.with_settings("sift", lease_s=0.2)
    standby = brief.with_tools(owner="standby")
    brief.sift()
    rig.woken.clear()
    sift(standby.tools, standby.sifter, stands_by=True)
    assert rig.woken == ["sift"]


class Slow(RedisState):
    """A store that takes longer to hand over its stories than a lease lasts; another worker tries for it after each."""

    answers: ClassVar[list[object]] = []

    def live_stories(self, since: datetime) -> Iterator[Story]:
        for story in super().live_stories(since):
            yield story
            time.sleep(0.4)
            self.answers.append(self.hold_sifter("other", 1.0))


def test_who_reads_the_stories_of_the_store_holds_the_lease_however_long_it_takes(rig: Rig, valkey_url: str) -> None:
    rig.publish("harbour", entry(3, "Lorry overturns near Dunmore"), entry(2, "Ferry aground off Northpoint"), entry(1))
    rig.publish("harbour", entry(5, "School roof torn off in Westhaven"), entry(4, "Strike closes mines of Tarn"), entry(1))
    rig.tools.state.free_leases("rig")
    with redis.Redis.from_url(valkey_url) as client:
        reader = rig.with_settings("sift", lease_s=1.0).with_tools(state=Slow(client), owner="reader")
        reader.sift()
    assert Slow.answers == [None] * 4
    assert reader.sifter.is_trusted


class Deposing(RedisState):
    """A store in which another worker takes the lease just before a commit arrives."""

    is_armed = True

    def commit_sifts(self, commits: Sequence[SiftCommit]) -> list[Outcome]:
        if self.is_armed:
            self.is_armed = False
            self.free_leases("rig")
            assert self.hold_sifter("other", 5.0)
        return super().commit_sifts(commits)


class Robbing(RedisState):
    """A store in which the lease is taken from whoever is about to commit, now and then."""

    def __init__(self, client: redis.Redis, owner: str) -> None:
        super().__init__(client)
        self._owner, self._random = owner, Random(owner)

    def commit_sifts(self, commits: Sequence[SiftCommit]) -> list[Outcome]:
        if self._random.random() < 0.5:
            self.free_leases(self._owner)
            self.hold_sifter("b" if self._owner == "a" else "a", 3.0)
        return super().commit_sifts(commits)


class Failing(RedisState):
    """A store that carries a commit out, or not, and then does not answer."""

    is_armed = True
    is_done_first = False

    def commit_sifts(self, commits: Sequence[SiftCommit]) -> list[Outcome]:
        if not self.is_armed:
            return super().commit_sifts(commits)
        self.is_armed = False
        if self.is_done_first:
            super().commit_sifts(commits)
        raise StateError("the store does not answer")


def test_a_deposed_sifter_s_commit_is_refused_and_its_successor_tells_once(rig: Rig, valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        deposed = rig.with_tools(state=Deposing(client))
        rig.show("harbour", entry(2), entry(1))
        rig.poll()
        assert deposed.sift() == 0
        assert not deposed.sifter.is_trusted
        assert len(deposed.sifter.stories) == 0
        successor = rig.with_tools(owner="other")
        assert successor.sift() == 1
    assert bells(rig) == 1


def test_two_sifters_that_both_believe_to_be_active_make_one_story_of_one_event(rig: Rig, valkey_url: str) -> None:
    """Both read and decide at once, each time with the lease taken from under them; every event is told by two items."""
    events = 12
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    for number in range(2, events + 2):
        for outlet in ("harbour", "quay"):
            rig.show(outlet, entry(number, f"Bridge {number} near Dunmore collapses after flood", outlet=outlet))
            rig.poll(outlet)
    rig.tools.state.free_leases("rig")
    with redis.Redis.from_url(valkey_url) as one, redis.Redis.from_url(valkey_url) as other:
        patient = rig.with_settings("sift", max_attempts=20)  # a robbed commit counts as an attempt
        workers = [patient.with_tools(state=Robbing(client, owner), owner=owner) for client, owner in ((one, "a"), (other, "b"))]
        with ThreadPoolExecutor(2) as pool:
            while rig.tools.state.waiting()["sift"]:
                list(pool.map(lambda worker: worker.sift(), workers))
    stories = list(rig.tools.state.live_stories(rig.clock() - timedelta(hours=1)))
    assert sorted(len(story.item_ids) for story in stories) == [2] * events
    assert bells(rig) == events + sum(story.rung.count("update:1") for story in stories)


@pytest.mark.parametrize("is_done_first", [True, False], ids=["carried out", "not carried out"])
def test_a_commit_without_an_answer_is_neither_lost_nor_doubled(rig: Rig, valkey_url: str, is_done_first: bool) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        state = Failing(client)
        state.is_done_first = is_done_first
        worker = rig.with_tools(state=state)
        rig.show("harbour", *(entry(n) for n in range(25, 0, -1)))
        rig.poll()
        with pytest.raises(StateError):
            worker.sift()
        worker.sift()
    assert bells(rig) == 24
    assert rig.tools.state.waiting()["sift"] == 0
    assert rig.tools.state.dead_items() == []


def test_a_story_that_changed_under_the_sifter_makes_it_read_the_store_again(rig: Rig) -> None:
    """Its memory is of no use then: what is left of the batch is matched with the rules of the store."""
    rig.publish("harbour", entry(2), entry(1))
    [story] = rig.tools.state.live_stories(rig.clock() - timedelta(hours=1))
    key = f"{rig.store.prefix}story:{story.story_id}"
    rig.store.run_command("HSET", key, "rev", 7, "json", STORY.dump(replace(story, revision=7)))
    edited = entry(2, "Harbour gate 2 closes, one hurt")
    rig.publish("harbour", *(entry(n) for n in range(42, 2, -1)), edited, entry(1))
    assert len(rig.sink.got) == 41
    assert rig.tools.state.waiting()["sift"] == 0


def test_another_store_makes_the_sifter_forget_what_it_knew(tmp_path: Path) -> None:
    with running(tmp_path / "one", tmp_path / "1.sock", memory_mb=64) as url, watched_rig(url, tmp_path) as rig:
        rig.publish("harbour", entry(2), entry(1))
        sifter = rig.sifter
        assert len(sifter.stories) == 1
    with running(tmp_path / "two", tmp_path / "2.sock", memory_mb=64) as url, a_rig(url, tmp_path) as rig:
        rig.sifter = sifter
        assert rig.sift() == 0
        assert len(sifter.stories) == 0
        assert sifter.rules_version == 0
