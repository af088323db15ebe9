"""Who hears of a story again, and who does not: growth, merges and splits through the real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.errors import ConfigError, NotFoundError
from alerts.models import DeliveryStatus, Story
from alerts.service.stories import StoryView
from alerts.stories.life import Stage
from tests.harness import Rig, entry, watched_rig

OURS = "Our reporter on the quay saw all forty passengers climb down into two orange lifeboats."
SHIP = "Ferry with forty aboard runs aground off Northpoint"
THEIRS = "The coast guard said the captain had asked for tugs after the steering failed in fog."


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        yield made


def occasions(rig: Rig, subscriber: str = "me") -> list[str]:
    """What a subscriber was told, oldest first."""
    return [view.alert.occasion for view in rig.service.alerts(subscriber_id=subscriber)][::-1]


def live(rig: Rig) -> list[Story]:
    """The live stories, the one that began first at the beginning."""
    return sorted((view.story for view in rig.service.stories()), key=lambda story: story.first_at)


def two_stories(rig: Rig) -> tuple[str, str]:
    """Two stories that were told, as one item each."""
    rig.publish("harbour", entry(3, "Lorry overturns near Dunmore"), entry(2, "Ferry aground off Northpoint"), entry(1))
    one, other = live(rig)
    return one.story_id, other.story_id


# ---------------------------------------------------------------- growth


def test_a_rule_that_waited_for_a_second_origin_rings_though_another_rule_was_told(rig: Rig) -> None:
    rig.rule("ferry sources:>=2", "confirmed")
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    same = "Ferry with forty aboard runs aground off Northpoint"
    rig.publish("harbour", entry(2, same, OURS), entry(1))
    rig.publish("quay", entry(2, same, THEIRS, outlet="quay"), entry(1, outlet="quay"))
    assert occasions(rig) == ["first", "escalation:origins:2"]
    assert len(rig.sink.got) == 2


def test_a_story_that_enters_the_region_of_a_rule_rings_though_another_rule_was_told(rig: Rig) -> None:
    rig.rule("region:GR", "greece")
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    same = "Ferry with forty aboard runs aground off the coast"
    rig.publish("harbour", entry(2, same, "Seen from Cyprus."), entry(1))
    rig.publish("quay", entry(2, same, "Boats from Greece are on their way.", outlet="quay"), entry(1, outlet="quay"))
    assert occasions(rig) == ["first", "escalation:region:GR"]


def test_a_fresh_rule_without_a_region_does_not_ring_again_because_a_country_came(rig: Rig) -> None:
    rig.rule("boats", "boats")
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    same = "Ferry with forty aboard runs aground off the coast"
    rig.publish("harbour", entry(2, same, "Seen from Cyprus."), entry(1))
    rig.publish("quay", entry(2, same, "Boats from Greece are on their way.", outlet="quay"), entry(1, outlet="quay"))
    assert occasions(rig) == ["first"]


def test_who_hears_of_a_story_for_the_first_time_is_not_told_twice_by_its_growth(rig: Rig) -> None:
    rig.service.add_subscriber("desk-two")
    rig.channel("second", subscriber_id="desk-two")
    rig.rule("ferry sources:>=2", "confirmed", subscriber_id="desk-two")
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    same = "Ferry with forty aboard runs aground off Northpoint"
    rig.publish("harbour", entry(2, same, OURS), entry(1))
    assert occasions(rig, "desk-two") == []
    rig.publish("quay", entry(2, same, THEIRS, outlet="quay"), entry(1, outlet="quay"))
    assert occasions(rig, "desk-two") == ["first"]
    assert occasions(rig) == ["first"], "an update without a sound goes only where what was sent can be changed"


def test_the_same_words_from_another_outlet_confirm_nothing(rig: Rig) -> None:
    rig.rule("ferry sources:>=2", "confirmed")
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    same = "Ferry with forty aboard runs aground off Northpoint"
    rig.publish("harbour", entry(2, same, OURS), entry(1))
    rig.publish("quay", entry(2, same, OURS, outlet="quay"), entry(1, outlet="quay"))
    assert occasions(rig) == ["first"]


def test_a_copy_signed_by_one_agency_is_one_origin_wherever_it_is_printed(rig: Rig) -> None:
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    same = "Ferry with forty aboard runs aground off Northpoint"
    rig.publish("harbour", entry(2, same, f"(Reuters) - {OURS}"), entry(1))
    rig.publish("quay", entry(2, same, f"(Reuters) - {THEIRS}", outlet="quay"), entry(1, outlet="quay"))
    [story] = live(rig)
    assert story.source_ids == ("agency:reuters",)


def test_a_toll_that_grows_rings_again_and_an_edit_can_bring_it(rig: Rig) -> None:
    rig.publish("harbour", entry(2, "Fire in Dunmore market kills 5", "Smoke stood over the roofs."), entry(1))
    rig.clock.move(minutes=10)
    rig.publish("harbour", entry(2, "Fire in Dunmore market kills at least 9", "Smoke stood over the roofs."), entry(1))
    assert occasions(rig) == ["first", "escalation:toll:dead-9"]


def test_an_explainer_starts_no_story_that_rings_and_a_report_that_joins_it_does(rig: Rig) -> None:
    rig.publish("harbour", entry(2, "Explained: why the Dunmore bridge collapsed"), entry(1))
    assert occasions(rig) == []
    assert rig.stages()[-1].startswith("explainer: ")
    rig.publish("harbour", entry(3, "Dunmore bridge collapses"), entry(2, "Explained: why the Dunmore bridge collapsed"), entry(1))
    assert occasions(rig) == ["first"]


def test_a_correction_rings_once(rig: Rig) -> None:
    rig.publish("harbour", entry(2, "Ferry aground off Northpoint, forty aboard"), entry(1))
    link = entry(2)["url"]
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    for number in (5, 6):
        rig.publish("quay", entry(number, "Correction: Ferry aground off Northpoint, four aboard", outlet="quay", url=link))
    assert occasions(rig) == ["first", "correction"]


def test_a_story_that_becomes_urgent_rings_again_and_names_the_reason(rig: Rig) -> None:
    rig.publish("harbour", entry(2, SHIP, OURS), entry(1))
    rig.publish("harbour", entry(3, "BREAKING: Ferry aground off Northpoint", SHIP), entry(2, SHIP, OURS), entry(1))
    assert occasions(rig) == ["first", "escalation:urgency:1"]
    assert rig.stages()[-1].endswith('escalation:urgency:1: urgency rose from 5 to 1 (marked "BREAKING")')


def test_a_phase_that_follows_another_rings_and_the_all_clear_rings_once(rig: Rig) -> None:
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    link = entry(2)["url"]
    rig.publish("harbour", entry(2, "Journalist Ana Example detained in Dunmore"), entry(1))
    titles = ("Journalist Ana Example released in Dunmore", "All clear in Dunmore, Ana Example home", "Dunmore warning lifted")
    for number, title in enumerate(titles, 5):
        rig.clock.move(minutes=10)
        rig.publish("quay", entry(number, title, outlet="quay", url=link))
    assert occasions(rig) == ["first", "escalation:phase:captivity-released", "all_clear"]


def test_a_rule_s_words_and_what_the_story_came_to_need_not_stand_in_one_item(rig: Rig) -> None:
    """The item with the word came first; the second origin, which has it not, makes the rule true."""
    rig.rule("lifeboats sources:>=2", "confirmed")
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    rig.publish("harbour", entry(2, SHIP, OURS), entry(1))
    rig.publish("quay", entry(2, SHIP, THEIRS, outlet="quay"), entry(1, outlet="quay"))
    assert occasions(rig) == ["first", "escalation:origins:2"]


def test_each_number_of_origins_rings_the_rule_that_waited_for_it(rig: Rig) -> None:
    for number in (2, 3):
        rig.rule(f"ferry sources:>={number}", f"confirmed-{number}")
    texts = {"harbour": OURS, "quay": THEIRS, "light": "From the lighthouse two flares were seen, then the lamps of a tug."}
    for outlet, text in texts.items():
        rig.watch(outlet)
        rig.publish(outlet, entry(1, outlet=outlet))
        rig.publish(outlet, entry(2, SHIP, text, outlet=outlet), entry(1, outlet=outlet))
    assert occasions(rig) == ["first", "escalation:origins:2", "escalation:origins:3"]


# ---------------------------------------------------------------- a rule that matches later, and names another channel

AGAIN = "Ferry aground off Northpoint: lifeboats lowered"


def goes_on(rig: Rig, title: str = AGAIN) -> None:
    """The story goes on with an item about lifeboats."""
    rig.publish("harbour", entry(3, title, SHIP), entry(2, SHIP, "It ran aground."), entry(1))


def begun(rig: Rig) -> None:
    """A story that was told on the desk; then a rule about lifeboats that names a phone."""
    rig.publish("harbour", entry(2, SHIP, "It ran aground."), entry(1))
    rig.channel("phone")
    rig.rule("lifeboats", "lifeboats", channel_ids=("phone",))


def told(rig: Rig) -> list[tuple[str, str]]:
    """(channel, headline) of what was sent, oldest first."""
    return list(zip([d.channel_id for d in rig.deliveries(DeliveryStatus.SENT)], rig.sink.titles, strict=True))


def test_a_channel_that_a_rule_names_later_is_told_of_the_item_that_matched(rig: Rig) -> None:
    begun(rig)
    goes_on(rig)
    goes_on(rig, f"{AGAIN} at dawn")
    assert told(rig) == [("desk", SHIP), ("phone", AGAIN)]
    assert rig.sink.got[-1]["rules"] == ["lifeboats"]


def test_a_channel_that_a_rule_names_later_is_told_though_the_first_alert_expired(rig: Rig) -> None:
    rig.show("harbour", entry(2, SHIP, "It ran aground."), entry(1))
    rig.poll()
    rig.sift()
    rig.with_settings("deliver", ttl_s=0.0).deliver()
    assert [d.status for d in rig.deliveries()] == [DeliveryStatus.EXPIRED]
    begun(rig)
    goes_on(rig)
    assert told(rig) == [("phone", AGAIN)]


def test_a_channel_that_is_told_the_story_is_not_told_its_growth_by_the_same_item(rig: Rig) -> None:
    begun(rig)
    rig.clock.move(minutes=10)
    goes_on(rig, f"{AGAIN}, 4 dead")
    assert told(rig) == [("desk", SHIP), ("phone", f"{AGAIN}, 4 dead"), ("desk", f"Update: {AGAIN}, 4 dead")]


# ---------------------------------------------------------------- merge


def test_merged_stories_are_one_and_ring_nobody(rig: Rig) -> None:
    one, other = two_stories(rig)
    before = len(rig.sink.got)
    rig.service.merge_stories(one, other)
    rig.sift()
    rig.deliver()
    [story] = live(rig)
    assert (story.story_id, len(story.item_ids), story.kin_ids) == (one, 2, (other,))
    assert len(rig.sink.got) == before
    assert rig.service.story(other).story.merged_into == one
    assert rig.service.story(other).stage is Stage.CLOSED


def test_an_item_of_the_story_that_was_taken_in_joins_the_one_that_took_it(rig: Rig) -> None:
    one, other = two_stories(rig)
    rig.service.merge_stories(one, other)
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    rig.publish("quay", entry(2, "Lorry overturns near Dunmore", outlet="quay"), entry(1, outlet="quay"))
    [story] = live(rig)
    assert len(story.item_ids) == 3
    assert len(rig.sink.got) == 2


def test_a_rule_that_comes_after_a_merge_does_not_tell_a_channel_again(rig: Rig) -> None:
    """The channel was told of the lorry in the story that was taken in; another channel was told of neither."""
    one, other = two_stories(rig)
    rig.service.merge_stories(one, other)
    rig.channel("phone")
    rig.rule("lorry", "lorries")
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    before = len(rig.sink.got)
    rig.publish("quay", entry(2, "Lorry overturns near Dunmore", outlet="quay"), entry(1, outlet="quay"))
    assert len(rig.sink.got) == before + 1
    assert rig.deliveries()[-1].channel_id == "phone"


def test_a_sifter_that_takes_over_knows_of_the_merge(rig: Rig) -> None:
    one, other = two_stories(rig)
    rig.service.merge_stories(one, other)
    rig.sift()
    rig.tools.state.free_leases("rig")
    successor = rig.with_tools(owner="other")
    successor.sift()
    assert [story.story_id for story in successor.sifter.stories] == [one]


@pytest.mark.parametrize(("one", "other"), [("same", "same"), ("same", "nobody")])
def test_a_merge_that_cannot_be_is_refused_with_a_reason(rig: Rig, one: str, other: str) -> None:
    story_id, _ = two_stories(rig)
    named = {"same": story_id, "nobody": "nobody"}
    with pytest.raises((ConfigError, NotFoundError), match="stories"):
        rig.service.merge_stories(named[one], named[other])


# ---------------------------------------------------------------- split


def swallowed(rig: Rig) -> StoryView:
    """A story that swallowed another event: its headline is the same, and it was told once."""
    rig.watch("quay")
    rig.publish("quay", entry(1, outlet="quay"))
    rig.publish("harbour", entry(2, "Ferry aground off Northpoint, crew safe"), entry(1))
    rig.publish("quay", entry(2, "Ferry aground off Northpoint, crew safe", outlet="quay"), entry(1, outlet="quay"))
    [view] = rig.service.stories()
    return view


def test_a_story_that_is_split_off_rings_once_for_who_was_not_told_of_its_items(rig: Rig) -> None:
    story = swallowed(rig).story
    rig.service.split_story(story.story_id, story.item_ids[1:])
    for _ in range(2):
        rig.sift()
        rig.deliver()
    rest, part = sorted(live(rig), key=lambda s: s.story_id != story.story_id)
    assert (rest.item_ids, part.item_ids) == (story.item_ids[:1], story.item_ids[1:])
    assert len(rig.sink.got) == 2, "the first alert was sent before the second item came"


def test_a_story_split_off_rings_nobody_who_was_told_when_the_story_had_its_items(rig: Rig) -> None:
    rig.service.add_subscriber("desk-two")
    rig.channel("second", subscriber_id="desk-two")
    story = swallowed(rig).story
    rig.rule("crew", "crews", subscriber_id="desk-two")
    rig.publish("harbour", entry(2, "Ferry aground off Northpoint, crew is safe"), entry(1))
    assert occasions(rig, "desk-two") == ["first"]
    rig.service.split_story(story.story_id, story.item_ids[1:])
    rig.sift()
    rig.deliver()
    assert [d.channel_id for d in rig.deliveries()] == ["desk", "second", "desk"]


def test_a_split_and_a_merge_give_the_story_back(rig: Rig) -> None:
    story = swallowed(rig).story
    rig.service.split_story(story.story_id, story.item_ids[1:])
    rig.sift()
    [part] = [s for s in live(rig) if s.story_id != story.story_id]
    rig.service.merge_stories(story.story_id, part.story_id)
    rig.sift()
    [whole] = live(rig)
    assert (whole.story_id, whole.item_ids) == (story.story_id, story.item_ids)


def test_a_split_that_cannot_be_is_refused_with_a_reason(rig: Rig) -> None:
    story = swallowed(rig).story
    with pytest.raises(ConfigError, match="split off the other items"):
        rig.service.split_story(story.story_id, story.item_ids[:1])
    with pytest.raises(ConfigError, match="has no item strange"):
        rig.service.split_story(story.story_id, ("strange",))
    with pytest.raises(NotFoundError, match="nobody"):
        rig.service.split_story("nobody", ("strange",))
