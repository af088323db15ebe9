"""Rules in the running service: stories that grow, cooldown, expiry, previews, limits, a rule's own tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest
import redis

from alerts.cli.toml import dumps
from alerts.errors import ConfigError, QueryError
from alerts.models import DeliveryStatus
from alerts.pipeline.expand import expand
from alerts.service.alerts import Why
from alerts.state.redis import RedisState
from tests.harness import Rig, a_rig, entry

FERRY = "Ferry with forty aboard runs aground off Northpoint"
BOAT = "Lifeboat crews train in the outer basin today"
LATER = "Crane topples onto a moored barge at Eastquay"
OWN_WORDS = {  # so that the two are two origins
    "harbour": "The coast guard took everybody off the ship before dawn and says that nobody was hurt.",
    "quay": "Passengers came ashore in small boats, a pilot told us; divers found no leak in the hull.",
}


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    """Two sources that had their baselines, and a channel."""
    with a_rig(valkey_url, tmp_path) as made:
        made.channel()
        for outlet in ("harbour", "quay"):
            made.watch(outlet)
            made.publish(outlet, entry(1, outlet=outlet))
        yield made


def publish(rig: Rig, outlet: str, *titles: str) -> None:
    """Show these headlines (newest last) above the baseline's."""
    texts = [OWN_WORDS[outlet] if title.startswith(FERRY) else "Details follow." for title in titles]
    items = [entry(n, title, text=text, outlet=outlet) for n, (title, text) in enumerate(zip(titles, texts, strict=True), 2)]
    rig.publish(outlet, *reversed(items), entry(1, outlet=outlet))


# ---------------------------------------------------------------- stories that grow


def test_a_rule_for_two_sources_rings_when_the_second_one_tells_the_story(rig: Rig) -> None:
    rig.rule("ferry sources:>=2", "ferry")
    publish(rig, "harbour", FERRY)
    assert [] == rig.sink.titles
    publish(rig, "quay", FERRY)
    assert [FERRY] == rig.sink.titles
    publish(rig, "quay", FERRY, FERRY + ".")
    assert [FERRY] == rig.sink.titles


def test_a_region_that_becomes_known_rings_the_rule_that_waited_for_it(rig: Rig) -> None:
    rig.rule("ferry region:NO", "ferry")
    publish(rig, "harbour", FERRY)
    assert [] == rig.sink.titles
    item = entry(2, FERRY, text="The coast guard of Norway is on its way.", outlet="quay")
    rig.publish("quay", item, entry(1, outlet="quay"))
    assert [FERRY] == rig.sink.titles


def test_what_waits_is_kept_with_the_story_and_survives_a_restart(rig: Rig) -> None:
    rig.rule("ferry sources:>=2", "ferry")
    publish(rig, "harbour", FERRY)
    rig.sifter.reset()
    publish(rig, "quay", FERRY)
    assert [FERRY] == rig.sink.titles


def test_a_rule_that_was_removed_no_longer_waits(rig: Rig) -> None:
    rig.rule("ferry sources:>=2", "ferry")
    publish(rig, "harbour", FERRY)
    rig.service.remove_rule("ferry")
    publish(rig, "quay", FERRY)
    assert [] == rig.sink.titles


def test_a_rule_for_updates_stays_silent_at_the_first_report(rig: Rig) -> None:
    rig.rule("ferry story:update", "ferry")
    publish(rig, "harbour", FERRY)
    assert [] == rig.sink.titles
    publish(rig, "quay", FERRY)
    assert [FERRY] == rig.sink.titles


# ---------------------------------------------------------------- the life of a rule


def test_a_rule_that_rang_is_silent_for_its_cooldown(rig: Rig, valkey_url: str) -> None:
    rig.rule("ferry OR lifeboat OR crane", "port", cooldown="30m")
    publish(rig, "harbour", FERRY)
    publish(rig, "harbour", FERRY, BOAT)
    assert [FERRY] == rig.sink.titles
    with redis.Redis.from_url(valkey_url) as client:
        assert 1700 < client.ttl("tocsin:cooling:port") <= 1800
        client.delete("tocsin:cooling:port")
    publish(rig, "harbour", FERRY, BOAT, LATER)
    assert [FERRY, LATER] == rig.sink.titles


def test_a_repeated_expansion_is_no_second_ring(rig: Rig) -> None:
    allowed = [rig.tools.state.start_cooldowns(bell, {"port": 60.0}) for bell in ("b1", "b1", "b2")]
    assert [frozenset({"port"}), frozenset({"port"}), frozenset()] == allowed


def test_an_expired_rule_rings_no_more(rig: Rig) -> None:
    rig.rule("ferry", "old", expires=(rig.clock() - timedelta(minutes=1)).isoformat())
    rig.rule("lifeboat", "live", expires=(rig.clock() + timedelta(days=1)).isoformat())
    publish(rig, "harbour", FERRY, BOAT)
    assert [BOAT] == rig.sink.titles


def test_a_rule_file_that_switches_a_rule_off_drops_what_is_pending(rig: Rig, tmp_path: Path) -> None:
    rig.rule("ferry", "ferry")
    rig.show("harbour", entry(2, FERRY), entry(1))
    rig.poll()
    rig.sift()
    expand(rig.tools)
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nid = "ferry"\nquery = "ferry"\nenabled = false\n')
    assert ["rule/ferry"] == rig.service.apply(path).changed
    rig.deliver()
    assert [] == rig.sink.titles


def test_note_cooldown_and_expiry_are_exported_as_they_are_applied(rig: Rig, tmp_path: Path) -> None:
    rule = rig.rule("ferry", "ferry", note="why", cooldown="2h", expires="2030-01-01")
    [table] = rig.service.export()["rule"]
    assert {"note": "why", "cooldown": 7200.0, "expires": "2030-01-01T00:00:00+00:00"}.items() <= table.items()
    path = tmp_path / "rules.toml"
    path.write_text("[[rule]]\n" + "\n".join(f"{key} = {value!r}" for key, value in table.items()))
    assert ["rule/ferry"] == rig.service.apply(path).unchanged
    assert rule == rig.service.rule("ferry")


def test_the_tests_of_a_rule_are_exported_with_it(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    rule = '[[rule]]\nid = "ferry"\nquery = "ferry"\nenabled = false\n'
    path.write_text(rule + 'matches = ["Ferry aground\\nat sea"]\nmisses = ["Ferries"]\n')
    assert ["rule/ferry"] == rig.service.apply(path).changed
    path.write_text(dumps({"rule": rig.service.export()["rule"]}))
    assert (["rule/ferry"], []) == ((applied := rig.service.apply(path)).unchanged, applied.changed)
    assert [True, True] == [c.is_ok for c in rig.service.check_rules(path)]


def pending(rig: Rig) -> list[str]:
    """Alerts' rules of what waits, after a ferry was found."""
    rig.show("harbour", entry(2, FERRY), entry(1))
    rig.poll()
    rig.sift()
    expand(rig.tools)
    return [d.channel_id for d in rig.deliveries(DeliveryStatus.PENDING)]


@pytest.mark.parametrize("end", ["pause", "remove"])
def test_a_rule_that_goes_takes_its_pending_deliveries_with_it(rig: Rig, end: str) -> None:
    rig.rule("ferry", "ferry")
    assert ["desk"] == pending(rig)
    dropped = rig.service.remove_rule("ferry") if end == "remove" else rig.service.pause_rule("ferry", is_paused=True)
    assert (1, []) == (dropped, rig.deliveries(DeliveryStatus.PENDING))
    rig.deliver()
    assert [] == rig.sink.titles


def test_what_another_rule_wants_too_stays_until_the_last_one_goes(rig: Rig) -> None:
    rig.rule("ferry", "one")
    rig.rule("aground", "two")
    assert ["desk"] == pending(rig)
    assert 0 == rig.service.pause_rule("one", is_paused=True)
    assert 1 == rig.service.remove_rule("two")


def test_the_store_drops_whatever_it_is_told_to(rig: Rig) -> None:
    rig.rule("ferry", "ferry")
    pending(rig)
    assert 1 == rig.tools.state.drop_waiting(rig.tools.state.all_waiting(), "muted")
    assert 0 == rig.tools.state.drop_waiting(rig.tools.state.all_waiting(), "muted")
    assert ["muted"] == [d.reason for d in rig.deliveries(DeliveryStatus.DROPPED)]


# ---------------------------------------------------------------- in force everywhere


def test_a_standby_takes_over_with_the_rules_of_the_store(rig: Rig) -> None:
    other = rig.with_tools(owner="other")
    rig.rule("ferry", "ferry")
    publish(rig, "harbour", FERRY)
    other.rule("lifeboat", "lifeboat")  # added by somebody else while `rig` sifts
    other.service.pause_rule("ferry", is_paused=True)
    assert 0 == other.sift()
    publish(rig, "harbour", FERRY, BOAT)
    assert [FERRY, BOAT] == rig.sink.titles
    rig.service.remove_rule("lifeboat")
    rig.rule("crane", "crane")
    rig.tools.state.free_leases("rig")
    publish(other, "harbour", FERRY, BOAT, LATER)
    assert [FERRY, BOAT, LATER] == rig.sink.titles


_WORKER = """
import sys, time
from alerts.bootstrap import build_engine
from alerts.settings import load_settings
engine = build_engine(load_settings())
while True:
    engine.sift()
    print("sifted", flush=True)
    time.sleep(0.1)
"""


def test_a_rule_is_in_force_in_a_process_that_sifts_already(rig: Rig, valkey_url: str, tmp_path: Path) -> None:
    environ = {**os.environ, "TOCSIN_REDIS_URL": valkey_url, "TOCSIN_DATA_DIR": str(tmp_path / "worker"), "TOCSIN_WORKER_ID": "worker"}
    rig.tools.state.free_leases("rig")
    with subprocess.Popen([sys.executable, "-c", _WORKER], env=environ, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        try:
            worker.stdout.readline()  # it holds the lease and has no rules
            rig.rule("ferry", "ferry")
            rig.show("harbour", entry(2, FERRY), entry(1))
            rig.poll()
            _sifted(rig, worker.stdout, 1)
            rig.service.pause_rule("ferry", is_paused=True)
            rig.show("harbour", entry(3, "Ferry on time"), entry(2, FERRY), entry(1))
            rig.poll()
            _sifted(rig, worker.stdout, 2)
        finally:
            worker.kill()
    assert ["matched 1 query: a bell was rung", "no rule matched"] == rig.stages()[-2:]


def _sifted(rig: Rig, progress: Iterable[str], items: int) -> None:
    """Wait until so many items are in the archive, at most 100 turns of the worker."""
    for _ in islice(progress, 100):
        if len(rig.stages()) >= items:
            return


# ---------------------------------------------------------------- why


def why(rig: Rig, rule_id: str, title: str) -> Why:
    """Why the item with this headline was told by a rule, or not."""
    found = next(t.change.item_id for t, _, _ in rig.service.items(limit=100) if t.change.item.title == title)
    return rig.service.why(found, rule_id)


def test_why_names_the_cooldown_and_what_had_rung(rig: Rig) -> None:
    rig.rule("ferry OR lifeboat", "port", cooldown="30m")
    publish(rig, "harbour", FERRY)
    publish(rig, "harbour", FERRY, BOAT)
    found = why(rig, "port", BOAT)
    assert "cooldown" == found.stage
    assert re.search(r"the rule rang at \S+ \S+ \(alert \w+\) and is silent for 0:30:00 after that", found.reason)
    assert "told" == why(rig, "port", FERRY).stage


def test_why_names_expiry(rig: Rig) -> None:
    rig.rule("ferry", "old", expires="2026-01-01")
    publish(rig, "harbour", FERRY)
    found = why(rig, "old", FERRY)
    assert ("expired", "the rule rings no more since 2026-01-01 00:00:00Z") == (found.stage, found.reason)


def test_why_names_what_policy_decided(rig: Rig) -> None:
    rig.rule("ferry", "ferry")
    rig.service.enable_channel("desk", is_enabled=False)
    publish(rig, "harbour", FERRY)
    found = why(rig, "ferry", FERRY)
    assert "policy" == found.stage
    assert "desk: dropped the channel is switched off" in found.reason


def test_why_says_which_rule_was_asked(rig: Rig) -> None:
    rig.rule("ferry", "ferry")
    publish(rig, "harbour", FERRY)
    assert "today's rule was asked; it has not changed since the item was found" == why(rig, "ferry", FERRY).note
    rig.rule("boat", "ferry")
    found = why(rig, "ferry", FERRY)
    assert "told" == found.stage
    assert "it was added or changed at" in found.note


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cooldown": "soon"}, 'cooldown: must be a time up to 30 days, such as "30m"'),
        ({"cooldown": -1}, "cooldown: must be"),
        ({"cooldown": "99d"}, "cooldown: must be"),
        ({"expires": "tomorrow"}, "expires: must be a date"),
        ({"note": "x" * 2001}, "use up to 2000 characters"),
        ({"note": "a\x00b"}, "without control characters"),
    ],
)
def test_a_wrong_life_is_refused(rig: Rig, fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rig.rule("ferry", "ferry", **fields)


def test_a_list_nobody_knows_is_refused_when_the_rule_is_saved(rig: Rig) -> None:
    with pytest.raises(QueryError, match="no list is called"):
        rig.rule("@ships", "ships")


# ---------------------------------------------------------------- limits


def test_a_subscriber_has_room_for_so_many_rules(rig: Rig) -> None:
    small = rig.with_settings("rules", max_per_subscriber=1, max_total=2)
    small.rule("ferry", "one")
    small.rule("ferry", "one", name="again")
    with pytest.raises(ConfigError, match=r"me would have 2 rules; a subscriber may have 1 \(setting rules.max_per_subscriber\)"):
        small.rule("boat", "two")
    small.service.add_subscriber("night")
    small.rule("boat", "two", subscriber_id="night")
    small.service.add_subscriber("day")
    with pytest.raises(ConfigError, match=r"3 rules; there may be 2"):
        small.rule("crane", "three", subscriber_id="day")


def test_a_file_with_too_many_rules_changes_nothing(rig: Rig, tmp_path: Path) -> None:
    small = rig.with_settings("rules", max_per_subscriber=1)
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nid = "a"\nquery = "ferry"\n[[rule]]\nid = "b"\nquery = "boat"\n')
    with pytest.raises(ConfigError, match="me would have 2 rules"):
        small.service.apply(path)
    assert [] == small.service.rules()


# ---------------------------------------------------------------- preview and check


def test_a_preview_says_what_a_rule_would_have_rung_for(rig: Rig) -> None:
    publish(rig, "harbour", FERRY, BOAT, LATER)
    publish(rig, "quay", FERRY)
    found = rig.service.preview_rule("ferry OR crane")
    assert [LATER, FERRY] == sorted(r.tagged.change.item.title for r in found.rings)
    assert found.summary == "would have rung 2 times in 7 days, most 2 in an hour"
    assert found.warning == ""


def test_items_past_their_days_leave_the_archive(rig: Rig, valkey_url: str) -> None:
    publish(rig, "harbour", FERRY)
    with redis.Redis.from_url(valkey_url) as client:
        short = RedisState(client, archive_s=0.001)
        time.sleep(0.01)
        short.sweep()
        rest = len(rig.service.items(limit=10))
        assert rest < 100  # a node of the stream goes as a whole
        assert client.xlen("tocsin:archive") == rest


def test_the_archive_keeps_a_thousand_characters_of_an_item(rig: Rig) -> None:
    rig.publish("harbour", entry(2, FERRY, text="long " * 500), entry(1))
    item = rig.service.items(limit=1)[0][0].change.item
    assert (FERRY, 1000) == (item.title, len(item.title) + len(item.text))


def test_a_preview_goes_back_only_as_far_as_asked(rig: Rig) -> None:
    publish(rig, "harbour", FERRY)
    rig.clock.move(days=3)
    assert 1 == len(rig.service.preview_rule("ferry", days=4).rings)
    assert rig.service.preview_rule("ferry", days=2).warning.startswith("silence: nothing in 2 days")


@pytest.mark.parametrize("days", [0, -1, 400])
def test_a_preview_of_no_time_or_a_lifetime_is_refused(rig: Rig, days: float) -> None:
    with pytest.raises(ConfigError, match="days: must be more than 0 and at most 365"):
        rig.service.preview_rule("ferry", days=days)


def test_the_rules_of_a_file_are_checked_by_their_own_headlines(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(
        '[[rule]]\nid = "ferry"\nquery = "ferry region:NO"\nmatches = ["Ferry aground in Norway", "Ferry aground\\nNear Oslo in Norway"]\n'
        'misses = ["Ferry aground in Chile", "Norway ferry"]\n'
    )
    checked = rig.service.check_rules(path)
    assert [True, True, True, False] == [c.is_ok for c in checked]
    assert ["ferry", "region:NO"] == [o.text for o in checked[3].trial.operands]


@pytest.mark.parametrize("line", ['matches = "one"', "misses = [1]", 'matches = [""]'])
def test_wrong_headlines_are_named(rig: Rig, tmp_path: Path, line: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f'[[rule]]\nid = "ferry"\nquery = "ferry"\n{line}\n')
    with pytest.raises(ConfigError, match=r"rule 1: (matches|misses): must be a list of headlines"):
        rig.service.check_rules(path)


def test_the_shipped_rules_pass_their_own_tests(rig: Rig) -> None:
    root = Path(__file__).parent.parent
    assert all(c.is_ok for c in rig.service.check_rules(root / "config" / "rules.toml"))
