"""A person's work with the command line on a service that has told something: look, ask why, repair, keep, move."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.models import DeliveryStatus, Selectors, SourceKind
from alerts.preferences import MuteKind
from tests.command import commands, desk, done, snapshot, tocsin
from tests.harness import Rig, answering, entry, watched_rig
from tests.servers_http import reply
from tests.test_pipeline_sift import POISON, biting, sift_until_done

LISTINGS = [
    "sources list",
    "rules list",
    "channels list",
    "subscribers list",
    "stories list",
    "mute list",
    "items",
    "alerts list",
    "deliveries list",
    "status",
    "doctor",
]


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    """A service that has told one headline, and a person who works on the same store and data directory."""
    with watched_rig(valkey_url, tmp_path) as made, desk(tmp_path / "data", valkey_url):
        made.rule("ferry region:LB", "ferries", name="Ferries of Lebanon")
        made.publish("harbour", entry(2, "BREAKING: Ferry aground off Tripoli, Lebanon"), entry(1))
        made.service.mute(MuteKind.REGION, "Iceland", span="4h")
        yield made


def only(command: str) -> dict[str, object]:
    """The one row of a listing."""
    rows = done(*command.split(), "--json").rows()
    assert 1 == len(rows), rows
    return rows[0]


# ---------------------------------------------------------------- listings


@pytest.mark.parametrize("command", LISTINGS)
def test_every_listing_has_json_lines(command: str, rig: Rig) -> None:
    ended = tocsin(*command.split(), "--json")
    assert "" == ended.err
    assert ended.rows(), "there is something to list"


@pytest.mark.parametrize("command", LISTINGS)
def test_a_listing_fits_into_80_columns_without_a_terminal(command: str, rig: Rig) -> None:
    ended = tocsin(*command.split())
    assert ended.out
    assert [] == [line for line in ended.out.splitlines() if len(line) > 80 or line != line.rstrip()]


def test_all_listings_are_among_the_commands() -> None:
    assert set(LISTINGS) <= set(commands())
    assert {c for c in commands() if c.endswith(" list")} <= set(LISTINGS)


@pytest.mark.parametrize("command", LISTINGS)
def test_an_empty_store_is_no_error(command: str, valkey_url: str, tmp_path: Path) -> None:
    with desk(tmp_path / "data", valkey_url):
        ended = tocsin(*command.split())
    assert ended.out
    assert "" == ended.err
    assert ended.code == (1 if command == "doctor" else 0)


def test_the_newest_come_first_and_no_more_than_asked_for(rig: Rig) -> None:
    rig.publish("harbour", entry(3, "Gate closes"), entry(2, "BREAKING: Ferry aground off Tripoli, Lebanon"), entry(1))
    titles = [row["tagged"]["change"]["item"]["title"] for row in done("items", "--json").rows()]
    assert ["Gate closes", "BREAKING: Ferry aground off Tripoli, Lebanon"] == titles
    assert 1 == len(done("items", "--json", "--limit", "1").rows())
    assert 1 == len(done("alerts", "list", "--json", "--limit", "1").rows())


def test_deliveries_are_listed_by_status(rig: Rig) -> None:
    assert 1 == len(done("deliveries", "list", "--json", "--status", "sent").rows())
    assert "no deliveries are dead\n" == done("deliveries", "list", "--status", "dead").out


# ---------------------------------------------------------------- why


def test_an_alert_is_shown_with_what_became_of_its_deliveries(rig: Rig) -> None:
    alert_id = done("alerts", "list", "--json").rows()[0]["alert"]["alert_id"]
    shown = done("alerts", "show", alert_id).out
    assert "headline   BREAKING: Ferry aground off Tripoli, Lebanon\n" in shown
    assert re.search(r"^channel   desk\nis        sent", shown, re.M)
    row = done("alerts", "show", alert_id, "--json").rows()[0]
    assert ["sent"] == [delivery["status"] for delivery in row["deliveries"]]


def item_id_of(rig: Rig) -> str:
    """The id of the newest item."""
    return rig.tools.state.archived(limit=1)[0][0].change.item_id


@pytest.mark.parametrize(
    ("rule", "stage", "says"),
    [
        pytest.param("ferries", "told", "desk: sent", id="told"),
        pytest.param("snow", "not matched", "snow", id="a rule it does not match"),
        pytest.param("quiet", "paused", "the rule is paused", id="a paused rule"),
    ],
)
def test_why_names_the_stage(rule: str, stage: str, says: str, rig: Rig) -> None:
    done("rules", "add", "snow", "--id", "snow")
    done("rules", "add", "ferry", "--id", "quiet")
    done("rules", "pause", "quiet")
    shown = done("alerts", "why", item_id_of(rig), rule).out
    assert f"stage   {stage}\n" in shown
    assert says in shown


def test_a_query_is_tried_on_a_text_before_it_becomes_a_rule(rig: Rig) -> None:
    ended = done("rules", "test", "ferry AND region:LB", "--text", "Ferry aground off Beirut", "--lang", "en")
    assert ended.out.startswith("matches\n")
    assert re.search(r"^yes     18-24  region:LB", ended.out, re.M)
    missed = tocsin("rules", "test", "ferry AND region:LB", "--text", "Ferry aground", "--json")
    assert (1, None) == (missed.code, missed.rows()[0]["is_match"])


# ---------------------------------------------------------------- sources


def test_a_source_that_answers_with_a_refusal_page_is_failing_and_says_why(rig: Rig) -> None:
    page = reply(403, b"<html><body>Forbidden</body></html>", content_type="text/html")
    with answering(rig, "tides", lambda _: page):
        rig.poll("tides")
        row = next(r for r in done("sources", "list", "--json").rows() if r["source"]["source_id"] == "tides")
        listing, shown, doctor = done("sources", "list").out, done("sources", "show", "tides").out, tocsin("doctor")
    assert "failing" == row["health"]
    assert re.search(r"^tides    feed  failing  \d{4}-.*403", listing, re.M)
    assert re.search(r"^health +failing: .*403", shown, re.M)
    assert 1 == doctor.code
    assert re.search(r"^WRONG  source tides +failing: .*403", doctor.out, re.M)
    assert "-> look at `tocsin sources show tides`" in doctor.out


def test_a_source_is_added_shown_paused_resumed_and_removed(rig: Rig) -> None:
    options = ("--kind", "ticker", "--item", "li", "--link", "a@href", "--canary", "ul", "--region", "LB", "--language", "ar")
    done("sources", "add", "https://www.cedar.example/live", "--name", "Cedar Wire", *options)
    source = rig.tools.state.source("cedar-wire")[0]
    assert (SourceKind.TICKER, Selectors(item="li", link="a@href", canary="ul")) == (source.kind, source.selectors)
    assert "cedar-wire  ticker  new" in done("sources", "list").out
    done("sources", "pause", "cedar-wire")
    assert "health          paused" in done("sources", "show", "cedar-wire").out
    done("sources", "resume", "cedar-wire")
    assert "removed cedar-wire\n" == done("sources", "remove", "cedar-wire").out
    assert 2 == tocsin("sources", "show", "cedar-wire").code


def test_a_list_of_another_reader_is_imported_and_replaces_nothing(rig: Rig, tmp_path: Path) -> None:
    opml = tmp_path / "feeds.opml"
    outlines = "".join(f'<outline text="{n}" xmlUrl="{u}"/>' for n, u in (("Harbour", "https://other.example/rss"), ("Gone", "ftp://x/")))
    opml.write_text(f'<opml version="2.0"><body>{outlines}</body></opml>', encoding="utf-8")
    before = rig.tools.state.source("harbour")[0]
    first = tocsin("sources", "import", str(opml))
    assert (0, "added 1 sources; 0 were there already, 1 were left out\n") == (first.code, first.out)
    assert "left out: line 1: xmlUrl 'ftp://x/'" in first.err
    assert "added 0 sources; 1 were there" in tocsin("sources", "import", str(opml)).out
    assert before == rig.tools.state.source("harbour")[0]
    assert "https://other.example/rss" == rig.tools.state.source("harbour-2")[0].url


def test_a_look_at_a_url_stores_nothing(rig: Rig, valkey_url: str) -> None:
    before = snapshot(valkey_url)
    found = done("sources", "probe", rig.site.url("harbour")).out
    assert "kind    feed\n" in found
    assert "Ferry aground off Tripoli" in found
    assert 2 == len(done("sources", "read", "harbour", "--json").rows())
    nowhere = tocsin("sources", "probe", "http://127.0.0.1:1/")
    assert (1, "") == (nowhere.code, nowhere.err)
    assert "problem" in nowhere.out
    assert before == snapshot(valkey_url)


# ---------------------------------------------------------------- channels, rules, deliveries


def test_a_channel_is_tried_switched_off_and_on_and_removed(rig: Rig) -> None:
    assert done("channels", "test", "desk").out.startswith("accepted")
    rig.sink.answers.append(reply(410))
    assert 1 == tocsin("channels", "test", "desk").code
    done("channels", "disable", "desk")
    assert re.search(r"^desk .* off$", done("channels", "list").out, re.M)
    done("channels", "enable", "desk")
    assert "encrypted 1 channels" in done("channels", "rotate-keys").out
    assert "removed desk" in done("channels", "remove", "desk").out
    assert "no channels yet" in done("channels", "list").out


def test_a_rule_of_another_desk_is_listed_by_subscriber(rig: Rig) -> None:
    done("subscribers", "add", "night", "--name", "Night desk")
    done("channels", "add", "night-log", "console:", "--subscriber", "night")
    done("rules", "add", "snow", "--id", "snow", "--subscriber", "night", "--channel", "night-log", "--unknown-in")
    row = done("rules", "list", "--subscriber", "night", "--json").rows()
    assert [("snow", ["night-log"], True)] == [(r["rule_id"], r["channel_ids"], r["is_unknown_in"]) for r in row]
    assert ["everything", "ferries"] == [r["rule_id"] for r in done("rules", "list", "--subscriber", "me", "--json").rows()]
    done("rules", "pause", "snow")
    assert "paused" in done("rules", "list").out
    done("rules", "resume", "snow")
    done("rules", "remove", "snow")
    assert "no rules yet" in done("rules", "list", "--subscriber", "night").out


def test_a_delivery_is_sent_again_or_taken_back(rig: Rig) -> None:
    delivery = rig.deliveries(DeliveryStatus.SENT)[0].delivery_id
    refused = tocsin("deliveries", "drop", delivery)
    assert (1, f"error: delivery {delivery} is sent: only what is pending can be dropped\n") == (refused.code, refused.err)
    assert f"{delivery} is pending again\n" == done("deliveries", "replay", delivery).out
    done("deliveries", "drop", delivery)
    assert "dropped" == only("deliveries list")["status"]


def test_an_item_that_was_given_up_is_found_and_tried_again(rig: Rig) -> None:
    assert "no item was given up\n" == done("items", "--dead").out
    rig.show("harbour", entry(3, POISON), entry(1))
    rig.poll()
    sift_until_done(biting(rig))
    dead = only("items --dead")
    assert str(dead["item_id"]) in done("items", "--dead").out
    assert "tocsin items --retry ENTRY" in next(f for f in tocsin("doctor", "--json").rows() if f["check"] == "dead letters")["advice"]
    done("items", "--retry", str(dead["entry_id"]))
    assert [] == done("items", "--dead", "--json").rows()


# ---------------------------------------------------------------- status and doctor


def test_the_status_of_a_service_that_does_not_run_says_so(rig: Rig) -> None:
    shown = done("status").out
    assert "sources     1 (ok 1)\n" in shown
    assert "problems    no worker makes progress on the queue poll" in shown


def test_the_doctor_says_what_to_do_about_everything_that_is_wrong(rig: Rig) -> None:
    ended = tocsin("doctor", "--json")
    wrong = [finding for finding in ended.rows() if not finding["is_ok"]]
    assert 1 == ended.code
    assert {"worker poll", "worker sift", "channels"} <= {finding["check"] for finding in wrong}
    assert [] == [finding for finding in wrong if not finding["advice"]]


# ---------------------------------------------------------------- files


def test_what_was_exported_is_applied_once_the_secrets_are_filled_in(rig: Rig, valkey_url: str, tmp_path: Path) -> None:
    url = f"ntfy://me:abcdefghijklmnop@127.0.0.1:{rig.sink.server.port}/topic"
    done("channels", "add", "desk", url)
    done("subscribers", "add", "night", "--name", 'The "night" desk')
    exported = done("export").out
    assert "abcdefghijklmnop" not in exported
    path = tmp_path / "all.toml"
    path.write_text(exported, encoding="utf-8")
    before = snapshot(valkey_url)
    refused = tocsin("apply", "-f", str(path))
    assert 2 == refused.code
    assert f"{path}: channel desk: " in refused.err
    assert "give the URL with its secrets" in refused.err
    assert before == snapshot(valkey_url)
    masked = tomllib.loads(exported)["channel"][0]["url"]
    path.write_text(exported.replace(masked, url), encoding="utf-8")
    assert "0 changed, 6 unchanged\n" == done("apply", "-f", str(path)).out
    assert exported == done("export").out


def test_a_file_is_applied_once_until_it_changes(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nid = "snow"\nquery = "snow"\n', encoding="utf-8")
    assert "changed rule/snow\n1 changed, 0 unchanged\n" == done("apply", "--if-changed", "-f", str(path)).out
    done("rules", "remove", "snow")
    assert "0 changed, 0 unchanged\n" == done("apply", "--if-changed", "-f", str(path)).out
    path.write_text('[[rule]]\nid = "snow"\nquery = "snow OR ice"\n', encoding="utf-8")
    assert "changed rule/snow" in done("apply", "--if-changed", "-f", str(path)).out


def test_a_backup_is_restored_into_an_empty_store_only(rig: Rig, valkey_url: str, tmp_path: Path) -> None:
    path = tmp_path / "all.backup"
    assert done("backup", str(path)).out.startswith("wrote ")
    assert 0o600 == path.stat().st_mode & 0o777
    assert 2 == tocsin("backup", str(path)).code, "an older backup is not overwritten"
    full = tocsin("restore", str(path))
    assert (1, "error: the store is not empty; restore into a new data directory\n") == (full.code, full.err)
    before = {command: done(*command.split(), "--json").out for command in ("rules list", "alerts list", "channels list")}
    rig.store.run_command("FLUSHALL")
    with desk(tmp_path / "elsewhere", valkey_url):
        assert done("restore", str(path)).out.startswith("restored ")
        assert before == {command: done(*command.split(), "--json").out for command in before}


def test_third_party_text_never_controls_the_terminal(rig: Rig) -> None:
    rig.publish("harbour", entry(9, "Ferry \u202e\x9b31m\u2066 sinks"), entry(1))
    for command in ("items", "alerts list"):
        shown = done(*command.split()).out
        assert not re.search("[\x1b\x9b\u202e\u2066]", shown)
    assert json.loads(done("items", "--json", "--limit", "1").out)
