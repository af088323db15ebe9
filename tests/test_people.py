"""What a person does to be told at the right time: by command, by file, and what is said when a word is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.errors import ConfigError
from alerts.models import DeliveryStatus
from alerts.preferences import NO_PREFERENCES
from tests.command import desk, done, snapshot, tocsin
from tests.harness import Rig, entry, watched_rig


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    """A service, and a person who works on the same store and data directory."""
    with watched_rig(valkey_url, tmp_path) as made, desk(tmp_path / "data", valkey_url):
        yield made


def table_of(rig: Rig, subscriber_id: str = "me") -> dict[str, object]:
    """What `tocsin subscribers show` knows, as a program sees it."""
    [row] = done("subscribers", "show", subscriber_id, "--json").rows()
    return row


SET = (
    "subscribers set me --zone Europe/Berlin --quiet 22:00-07:00 --quiet-mode batch_on_wake --critical 2"
    " --budget-hour 10 --budget-hour 4:3 --budget-day 40 --digest daily@07:30"
)


def test_preferences_are_set_and_shown(rig: Rig) -> None:
    assert done(*SET.split()).out == "set zone, quiet, quiet_mode, critical, budget_hour, budget_day, digest of me\n"
    shown = table_of(rig)
    assert shown == {
        "id": "me",
        "name": "me",
        "zone": "Europe/Berlin",
        "quiet": ["22:00-07:00"],
        "quiet_mode": "batch_on_wake",
        "critical": 2,
        "budget_hour": ["10", "4:3"],
        "budget_day": ["40"],
        "digest": ["daily@07:30"],
        "mutes": [],
    }
    text = done("subscribers", "show").out
    assert "22:00-07:00" in text
    assert "batch_on_wake" in text


def test_what_is_not_given_stays_and_off_takes_back(rig: Rig) -> None:
    done(*SET.split())
    done("subscribers", "set", "me", "--quiet", "off", "--digest", "off", "--critical", "0")
    shown = table_of(rig)
    assert ("quiet" in shown, "digest" in shown, shown["critical"], shown["zone"]) == (False, False, 0, "Europe/Berlin")


def test_a_new_name_keeps_what_a_subscriber_prefers(rig: Rig) -> None:
    done("subscribers", "set", "me", "--zone", "Asia/Beirut")
    done("subscribers", "add", "me", "--name", "Night desk")
    assert (table_of(rig)["name"], table_of(rig)["zone"]) == ("Night desk", "Asia/Beirut")


WRONG = [
    ("subscribers set me --zone Berlin", "did you mean Europe/Berlin?"),
    ("subscribers set me --quiet 22-7", "did you mean 22:00-07:00?"),
    ("subscribers set me --digest dayly", "did you mean daily@07:30?"),
    ("subscribers set nobody --zone UTC", "no subscriber 'nobody'"),
    ("subscribers show nobody", "no subscriber 'nobody'"),
    ("mute rule everything --for 4hours", "did you mean 4h?"),
    ("mute rule everything --for 9999d", "at most 366d"),
    ("mute rule nothing", "no rule 'nothing'"),
    ("mute story 123", "no story or alert '123'"),
    ("mute region Lemuria", 'no region is called "Lemuria"'),
    ("mute region near:33.2,35.2,50km", "is a shape"),
    ("mute remove rule:x", "nothing is muted as 'rule:x'"),
    ("mute list --subscriber nobody", "no subscriber 'nobody'"),
    ("snooze tomorrow", "must be a time such as 30m"),
    ("snooze 30d", "at most 14d"),
    ("snooze off", "nothing is muted as 'all'"),
]


@pytest.mark.parametrize(("command", "says"), WRONG)
def test_a_wrong_word_changes_nothing_and_says_what_is_right(command: str, says: str, rig: Rig, valkey_url: str) -> None:
    before = snapshot(valkey_url)
    ended = tocsin(*command.split())
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert before == snapshot(valkey_url)


def test_a_rule_of_somebody_else_is_not_muted_by_mistake(rig: Rig) -> None:
    done("subscribers", "add", "night")
    rig.rule("snow", "snows", subscriber_id="night")
    assert "rule snows belongs to night" in tocsin("mute", "rule", "snows").err
    assert done("mute", "rule", "snows", "--subscriber", "night").out.startswith("muted rule:snows until ")


def test_mutes_are_listed_by_their_end_and_removed(rig: Rig) -> None:
    done("mute", "rule", "everything", "--for", "2d")
    done("mute", "region", "Lebanon", "--for", "4h")
    done("snooze", "30m")
    assert [row["mute_id"] for row in done("mute", "list", "--json").rows()] == ["all", "region:LB", "rule:everything"]
    assert "region:LB until" in done("subscribers", "show").out
    assert done("mute", "remove", "region:LB").out == "removed region:LB\n"
    assert done("snooze", "off").out == "snoozing has ended\n"
    assert [row["mute_id"] for row in done("mute", "list", "--json").rows()] == ["rule:everything"]


def test_a_mute_that_has_ended_is_forgotten(rig: Rig) -> None:
    done("mute", "rule", "everything", "--for", "1s")
    rig.store.run_command("HSET", f"{rig.store.prefix}mutes:me", "rule:everything", '{"kind":"rule","until_at":"2026-01-01T00:00:00Z"}')
    done("mute", "region", "LB")
    assert [row["mute_id"] for row in done("mute", "list", "--json").rows()] == ["region:LB"]
    assert rig.store.run_command("HLEN", f"{rig.store.prefix}mutes:me") == 1


def test_a_story_is_muted_by_an_alert_about_it(rig: Rig) -> None:
    rig.publish("harbour", entry(2), entry(1))
    [view] = rig.service.alerts()
    assert done("mute", "story", view.alert.alert_id).out.startswith(f"muted story:{view.alert.story_id} until ")
    assert view.alert.story_id in done("alerts", "show", view.alert.alert_id).out


def test_why_says_what_policy_decided(rig: Rig) -> None:
    now = datetime.now(UTC)
    done("subscribers", "set", "me", "--quiet", f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}")
    rig.publish("harbour", entry(2), entry(1))
    item_id = rig.service.items()[0][0].change.item_id
    told = done("alerts", "why", item_id, "everything").out
    assert "desk: held quiet hours (critical_only) until" in " ".join(told.split())
    done("subscribers", "set", "me", "--quiet", "off")
    rig.deliver()
    assert "(policy: quiet hours" in " ".join(done("alerts", "why", item_id, "everything").out.split())
    [delivery] = rig.deliveries(DeliveryStatus.SENT)
    assert "quiet hours" in done("alerts", "show", delivery.alert_id).out


# ---------------------------------------------------------------- files

DESKS = """
[[subscriber]]
id = "night"
name = "Night desk"
zone = "Asia/Beirut"
quiet = ["22:00-07:00", "sun 07:00-09:00"]
budget_hour = 10
digest = "daily@07:30"

[[subscriber]]
id = "me"
critical = 0
"""


def test_preferences_are_applied_from_a_file_once_and_exported(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "desks.toml"
    path.write_text(DESKS, encoding="utf-8")
    assert "changed subscriber/night\nchanged subscriber/me\n2 changed, 0 unchanged\n" == done("apply", "-f", str(path)).out
    assert "0 changed, 2 unchanged\n" == done("apply", "-f", str(path)).out
    exported = {row["id"]: row for row in tomllib.loads(done("export").out)["subscriber"]}
    assert exported["me"] == {"id": "me", "name": "me", "critical": 0}
    assert exported["night"] == {
        "id": "night",
        "name": "Night desk",
        "zone": "Asia/Beirut",
        "quiet": ["22:00-07:00", "sun 07:00-09:00"],
        "budget_hour": ["10"],
        "digest": ["daily@07:30"],
    }


def test_a_file_that_names_no_preferences_leaves_them(rig: Rig, tmp_path: Path) -> None:
    done("subscribers", "set", "me", "--zone", "Asia/Beirut")
    path = tmp_path / "desks.toml"
    path.write_text('[[subscriber]]\nid = "me"\nname = "me"\n', encoding="utf-8")
    assert "0 changed, 1 unchanged\n" == done("apply", "-f", str(path)).out
    assert rig.service.subscriber("me").preferences.zone == "Asia/Beirut"


@pytest.mark.parametrize(
    ("line", "says"),
    [('quiet = "22-7"', "quiet: must be hours"), ('zones = "UTC"', "zones: unknown key"), ("name = 5", "name: must be a text")],
)
def test_a_file_with_a_wrong_word_changes_nothing(line: str, says: str, rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "desks.toml"
    path.write_text(f'[[subscriber]]\nid = "night"\n{line}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=f"desks.toml: subscriber.*night.*{says}"):
        rig.service.apply(path)
    assert [s.subscriber_id for s in rig.service.subscribers()] == ["me"]
    assert rig.service.subscriber("me").preferences == NO_PREFERENCES
