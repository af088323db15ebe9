"""What a person can do, and the one clear error each wrong word gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from redis.backoff import NoBackoff
from redis.retry import Retry

from alerts.errors import AlertsError, ConfigError, FetchError, NotFoundError, ParseError, QueryError
from alerts.models import ReceiptStatus, SourceKind
from alerts.pipeline.expand import expand
from alerts.rules.load import read_rules
from alerts.service import Service
from alerts.service.alerts import Why
from alerts.sources.load import source_of
from alerts.state.redis import RedisState
from tests.harness import Rig, a_rig, entry, watched_rig
from tests.servers_http import reply

HOUSE = """
[[subscriber]]
id = "night"
name = "Night desk"

[[channel]]
id = "phone"
url = "console:"
subscriber = "night"

[[source]]
id = "pier"
url = "https://pier.example/feed.xml"

[[rule]]
id = "storms"
query = "storm OR gale"
subscriber = "night"
channels = ["phone"]
"""


@pytest.fixture
def rig(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with watched_rig(valkey_url, tmp_path) as made:
        yield made


@pytest.fixture
def bare(valkey_url: str, tmp_path: Path) -> Iterator[Rig]:
    with a_rig(valkey_url, tmp_path) as made:
        yield made


def written(tmp_path: Path, text: str, name: str = "house.toml") -> Path:
    """A file with this text."""
    path = tmp_path / name
    path.write_text(text)
    return path


# ---------------------------------------------------------------- wrong words

WRONG: dict[str, tuple[Callable[[Service], object], type[AlertsError], str]] = {
    "an unknown source": (lambda s: s.source("nowhere"), NotFoundError, "sources list"),
    "pausing an unknown source": (lambda s: s.pause_source("nowhere", is_paused=True), NotFoundError, "sources list"),
    "removing an unknown source": (lambda s: s.remove_source("nowhere"), NotFoundError, "sources list"),
    "reading an unknown source": (lambda s: s.read_source("nowhere"), NotFoundError, "sources list"),
    "a source without a URL": (lambda s: s.add_source({"name": "Harbour"}), ConfigError, "url:"),
    "a source with an odd key": (
        lambda s: s.add_source({"url": "https://a.example/", "colour": "red"}),
        ConfigError,
        "colour: unknown key",
    ),
    "probing what is no URL": (lambda s: s.probe("harbour"), ConfigError, "no http or https URL"),
    "an unknown rule": (lambda s: s.rule("nothing"), NotFoundError, "rules list"),
    "pausing an unknown rule": (lambda s: s.pause_rule("nothing", is_paused=True), NotFoundError, "rules list"),
    "removing an unknown rule": (lambda s: s.remove_rule("nothing"), NotFoundError, "rules list"),
    "a query that does not parse": (lambda s: s.add_rule("storm AND"), QueryError, "column"),
    "a query with an unknown region": (lambda s: s.add_rule("region:Lemuria"), QueryError, "Lemuria"),
    "a rule id with a space": (lambda s: s.add_rule("storm", rule_id="my rule"), ConfigError, "rule id 'my rule'"),
    "a rule for an unknown channel": (lambda s: s.add_rule("storm", channel_ids=["x"]), NotFoundError, "no channel 'x'; known are desk"),
    "a rule for an unknown subscriber": (lambda s: s.add_rule("storm", subscriber_id="x"), NotFoundError, "no subscriber 'x'"),
    "a rule name with a line break": (lambda s: s.add_rule("storm", name="a\nb"), ConfigError, "control characters"),
    "testing a broken query": (lambda s: s.test_rule('"open', "text"), QueryError, "column"),
    "testing on nothing": (lambda s: s.test_rule("storm", " "), ConfigError, "empty"),
    "a subscriber id with a slash": (lambda s: s.add_subscriber("a/b"), ConfigError, "subscriber id 'a/b'"),
    "a channel id with a space": (lambda s: s.add_channel("console:", channel_id="my phone"), ConfigError, "channel id 'my phone'"),
    "a channel of an unknown scheme": (lambda s: s.add_channel("gopher://x", channel_id="x"), ConfigError, "allowed are"),
    "a channel of an unknown subscriber": (
        lambda s: s.add_channel("console:", channel_id="x", subscriber_id="nobody"),
        NotFoundError,
        "no subscriber 'nobody'",
    ),
    "an unknown channel": (lambda s: s.channel("nothing"), NotFoundError, "channels list"),
    "enabling an unknown channel": (lambda s: s.enable_channel("nothing", is_enabled=True), NotFoundError, "channels list"),
    "testing an unknown channel": (lambda s: s.test_channel("nothing"), NotFoundError, "channels list"),
    "removing an unknown channel": (lambda s: s.remove_channel("nothing"), NotFoundError, "channels list"),
    "alerts of an unknown subscriber": (lambda s: s.alerts(subscriber_id="nobody"), NotFoundError, "no subscriber 'nobody'"),
    "an unknown alert": (lambda s: s.alert("nothing"), NotFoundError, "alerts list"),
    "why for an unknown rule": (lambda s: s.why("item", "nothing"), NotFoundError, "rules list"),
    "replaying an unknown delivery": (lambda s: s.replay_delivery("nothing"), NotFoundError, "deliveries list"),
    "dropping an unknown delivery": (lambda s: s.drop_delivery("nothing"), NotFoundError, "deliveries list"),
    "retrying an unknown item": (lambda s: s.retry_item("0-0"), NotFoundError, "no dead item"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_word_gets_one_error_that_says_what_to_do(rig: Rig, case: str) -> None:
    do, error, words = WRONG[case]
    before = rig.service.export()
    with pytest.raises(error) as problem:
        do(rig.service)
    assert words in str(problem.value)
    assert rig.service.export() == before


# ---------------------------------------------------------------- sources


def test_a_source_gets_an_id_from_its_name_or_host(rig: Rig) -> None:
    assert rig.service.add_source({"url": "https://www.pier.example/feed", "name": "The Pier"}).source_id == "the-pier"
    assert rig.service.add_source({"url": "https://www.quay.example/feed"}).source_id == "quay-example"


def test_a_source_s_health_is_shown_in_a_word(rig: Rig) -> None:
    rig.watch("new-one")
    rig.watch("asleep", is_paused=True)
    rig.watch("lost")
    rig.poll("lost")
    assert {v.source.source_id: v.health for v in rig.service.sources()} == {
        "asleep": "paused",
        "harbour": "ok",
        "lost": "failing",
        "new-one": "new",
    }
    assert "404" in rig.service.source("lost").why


def test_a_paused_source_is_not_polled_until_it_is_resumed(rig: Rig) -> None:
    rig.service.pause_source("harbour", is_paused=True)
    rig.wait(10_000)
    assert rig.tools.state.waiting()["poll"] == 0
    rig.service.pause_source("harbour", is_paused=False)
    assert rig.tools.state.waiting()["poll"] == 1


def test_probing_a_feed_shows_its_items_and_stores_nothing(rig: Rig) -> None:
    probe = rig.service.probe(rig.site.url("harbour"))
    assert (probe.kind, [i.title for i in probe.items], probe.error) == (SourceKind.FEED, [entry(1)["title"]], "")
    assert [v.source.source_id for v in rig.service.sources()] == ["harbour"]


def test_probing_a_page_shows_the_feeds_it_names(rig: Rig) -> None:
    rig.serve(
        "front", b'<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/rss" title="All"></head></html>'
    )
    probe = rig.service.probe(rig.site.url("front"))
    assert probe.candidates[0].url == rig.site.url("rss")


def test_probing_a_dead_address_says_what_happened(rig: Rig) -> None:
    assert "404" in rig.service.probe(rig.site.url("nowhere")).error


def test_reading_a_source_shows_its_items_or_why_not(rig: Rig) -> None:
    assert [i.title for i in rig.service.read_source("harbour")] == [entry(1)["title"]]
    rig.serve("harbour", b'{"a": 1}')
    with pytest.raises(ParseError):
        rig.service.read_source("harbour")
    del rig.pages["harbour"]
    with pytest.raises(FetchError, match="404"):
        rig.service.read_source("harbour")


# ---------------------------------------------------------------- rules and channels


def test_a_rule_without_an_id_gets_a_free_one(rig: Rig) -> None:
    assert [rig.service.add_rule("gale warning").rule_id for _ in range(2)] == ["gale-warning", "gale-warning-2"]


def test_a_rule_may_not_ring_another_subscriber_s_channel(rig: Rig) -> None:
    rig.service.add_subscriber("night")
    with pytest.raises(ConfigError, match="belongs to me"):
        rig.service.add_rule("storm", subscriber_id="night", channel_ids=["desk"])


def test_pausing_a_rule_drops_what_only_it_asked_for(rig: Rig) -> None:
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    rig.sift()
    while expand(rig.tools):
        pass
    assert rig.service.pause_rule("everything", is_paused=True) == 1
    rig.deliver()
    assert rig.sink.got == []


def test_a_query_is_tried_on_a_text_with_each_operand_s_answer(rig: Rig) -> None:
    trial = rig.service.test_rule("storm region:LB", "Storm hits Beirut, Lebanon")
    assert trial.is_match
    assert [o.is_true for o in trial.operands] == [True, True]
    assert not rig.service.test_rule("storm region:LB", "Storm hits Oslo, Norway").is_match


def test_me_is_always_a_subscriber(bare: Rig) -> None:
    assert [s.subscriber_id for s in bare.service.subscribers()] == ["me"]


def test_a_channel_s_url_is_shown_masked_and_stored_sealed(bare: Rig) -> None:
    url = f"webhook+{bare.sink.server.url('/hook')}?secret=whsec_c2VjcmV0LXNlY3JldA=="
    shown = bare.service.add_channel(url, channel_id="hook")
    assert "c2VjcmV0" not in shown.url
    assert [c.url for c in bare.service.channels()] == [shown.url]
    assert bare.service.channel("hook").url == shown.url
    assert "127.0.0.1" not in bare.tools.state.channels()[0].url


def test_a_masked_url_is_not_taken_for_a_url(bare: Rig) -> None:
    shown = bare.service.add_channel(f"webhook+{bare.sink.server.url('/hook')}?secret=whsec_c2VjcmV0LXNlY3JldA==", channel_id="hook")
    with pytest.raises(ConfigError, match="masked"):
        bare.service.add_channel(shown.url, channel_id="hook")


def test_testing_a_channel_sends_past_all_rules_and_gives_the_answer(rig: Rig) -> None:
    rig.sink.answers = [reply(204), reply(403)]
    assert rig.service.test_channel("desk").status is ReceiptStatus.ACCEPTED
    refused = rig.service.test_channel("desk")
    assert (refused.status, "403" in refused.detail) == (ReceiptStatus.PERMANENT, True)
    assert rig.deliveries() == []


def test_rotated_keys_open_every_channel_and_seal_with_the_new_one(rig: Rig) -> None:
    before = rig.tools.state.channels()[0].url
    assert rig.service.rotate_keys() == 1
    assert rig.tools.state.channels()[0].url != before
    assert len(rig.tools.keys.export().splitlines()) == 2
    rig.publish("harbour", entry(2), entry(1))
    assert len(rig.sink.got) == 1


# ---------------------------------------------------------------- why


def why(rig: Rig, rule_id: str = "everything") -> Why:
    """Why the last item was told or not."""
    tagged, _, _ = rig.service.items(limit=1)[0]
    return rig.service.why(tagged.change.item_id, rule_id)


def test_why_says_that_a_baseline_item_is_not_in_the_archive(rig: Rig) -> None:
    found = rig.service.why("no-such-item", "everything")
    assert found.stage == "unknown"
    assert "baseline" in found.reason


def test_why_says_which_operand_did_not_match(rig: Rig) -> None:
    rig.rule("volcano", "volcanoes")
    rig.publish("harbour", entry(2), entry(1))
    found = why(rig, "volcanoes")
    assert found.stage == "not matched"
    assert [o.is_true for o in found.operands] == [False]


def test_why_says_that_a_rule_is_paused(rig: Rig) -> None:
    rig.publish("harbour", entry(2), entry(1))
    rig.service.pause_rule("everything", is_paused=True)
    assert why(rig).stage == "told"  # it was on then
    rig.publish("harbour", entry(3), entry(2), entry(1))
    assert why(rig).stage == "paused"


def test_why_says_that_an_edit_started_no_story(rig: Rig) -> None:
    rig.publish("harbour", entry(1, "Harbour gate 1 closes, one hurt"))
    found = why(rig)
    assert found.stage == "silent"
    assert "before we watched" in found.reason


def test_why_says_that_another_rule_had_told_the_story(rig: Rig) -> None:
    rig.publish("harbour", entry(2), entry(1))
    rig.rule("gate", "gates")
    found = why(rig, "gates")
    assert found.stage == "told before"
    assert "everything" in found.reason


def test_why_says_that_a_bell_is_being_expanded(rig: Rig) -> None:
    rig.show("harbour", entry(2), entry(1))
    rig.poll()
    rig.sift()
    assert why(rig).stage == "expanding"


def test_why_says_that_it_was_told_and_where(rig: Rig) -> None:
    rig.publish("harbour", entry(2), entry(1))
    found = why(rig)
    assert found.stage == "told"
    assert found.reason.startswith("desk: sent")
    assert found.alert


def test_why_says_why_it_was_not_told(rig: Rig) -> None:
    rig.sink.answers = [reply(404)]
    rig.publish("harbour", entry(2), entry(1))
    found = why(rig)
    assert found.stage == "not told"
    assert "dead HTTP 404" in found.reason


def test_why_says_that_the_subscriber_has_no_channel(rig: Rig) -> None:
    rig.service.remove_channel("desk")
    rig.publish("harbour", entry(2), entry(1))
    found = why(rig)
    assert found.stage == "not told"
    assert "channels add" in found.reason


def test_an_alert_is_shown_with_what_it_told_and_its_deliveries(rig: Rig) -> None:
    rig.publish("harbour", entry(2), entry(1))
    [listed] = rig.service.alerts()
    view = rig.service.alert(listed.alert.alert_id)
    assert view.bell.tagged.change.item.title == entry(2)["title"]
    assert [d.channel_id for d in view.deliveries] == ["desk"]


# ---------------------------------------------------------------- files


def test_applying_a_file_again_changes_nothing(rig: Rig, tmp_path: Path) -> None:
    path = written(tmp_path, HOUSE)
    first = rig.service.apply(path)
    assert first.changed == ["subscriber/night", "channel/phone", "source/pier", "rule/storms"]
    again = rig.service.apply(path)
    assert (again.changed, again.unchanged) == ([], first.changed)


def test_what_people_changed_since_stays_until_the_file_changes(rig: Rig, tmp_path: Path) -> None:
    path = written(tmp_path, HOUSE)
    assert rig.service.apply_if_changed(path).changed
    rig.service.remove_rule("storms")
    assert not rig.service.apply_if_changed(path).changed
    written(tmp_path, HOUSE + "\n# more\n")
    assert rig.service.apply_if_changed(path).changed == ["rule/storms"]


BAD_FILES = {
    "an unknown table": ("[[feed]]\nid = 'x'\n", "feed: unknown table"),
    "a table that is none": ("rule = 5\n", "rule: must be tables"),
    "a single table": ("[channel]\nid = 'x'\n", r"channel: must be tables"),
    "no TOML": ("[[rule\n", "not TOML"),
    "a query that does not parse": ("[[rule]]\nid = 'x'\nquery = 'storm AND'\n", "rule 1.*query"),
    "an unknown region": ("[[rule]]\nid = 'x'\nquery = 'region:Lemuria'\n", "rule 1.*Lemuria"),
    "an unknown channel": ("[[rule]]\nid = 'x'\nquery = 'storm'\nchannels = ['y']\n", "rule x: channels: no channel 'y'"),
    "an unknown subscriber": ("[[rule]]\nid = 'x'\nquery = 'storm'\nsubscriber = 'y'\n", "subscriber: nobody is 'y'"),
    "a channel without a URL": ("[[channel]]\nid = 'x'\n", "channel 1 .x.: url: is missing"),
    "a channel with an odd key": ("[[channel]]\nid = 'x'\nurl = 'console:'\ncolour = 'red'\n", "colour: unknown key"),
    "an operator that is no truth": ("[[channel]]\nid = 'x'\nurl = 'console:'\noperator = 'yes'\n", "operator: must be true or false"),
    "a source without a URL": ("[[source]]\nid = 'x'\n", "source 2 .x.: url: field required"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_whole_and_says_where(rig: Rig, tmp_path: Path, case: str) -> None:
    text, words = BAD_FILES[case]
    before = rig.service.export()
    with pytest.raises(AlertsError, match=rf"house.toml.*{words}"):
        rig.service.apply(
            written(tmp_path, "[[source]]\nid = 'pier'\nurl = 'https://pier.example/'\n" + text if text[:2] == "[[" else text)
        )
    assert rig.service.export() == before


def test_a_rule_in_a_file_may_not_ring_another_subscriber_s_channel(rig: Rig, tmp_path: Path) -> None:
    path = written(tmp_path, HOUSE.replace('channels = ["phone"]', 'channels = ["desk"]'))
    with pytest.raises(ConfigError, match="rule storms: channels: desk belongs to me"):
        rig.service.apply(path)


def test_a_file_that_is_not_there_is_said(rig: Rig, tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.toml", tmp_path):
        with pytest.raises(ConfigError, match=str(path)):
            rig.service.apply(path)
        with pytest.raises(ConfigError, match=str(path)):
            rig.service.apply_if_changed(path)


def test_what_is_exported_can_be_applied_again(rig: Rig, tmp_path: Path) -> None:
    rig.service.apply(written(tmp_path, HOUSE))
    out = rig.service.export()
    assert [source_of(t, where="here") for t in out["source"]] == [v.source for v in rig.service.sources()]
    lines = "\n".join(str(t).replace("'", '"') for t in out["rule"])
    assert list(read_rules(written(tmp_path, lines, "rules.jsonl"))) == rig.service.rules()
    assert {t["id"]: t["url"] for t in out["channel"]} == {c.channel_id: c.url for c in rig.service.channels()}


# ---------------------------------------------------------------- how it is


def test_status_counts_what_there_is(rig: Rig) -> None:
    rig.publish("harbour", entry(2), entry(1))
    status = rig.service.status()
    assert (status["sources"], status["rules"], status["channels"]) == ({"ok": 1}, 1, 1)
    assert status["counters"]["delivery_sent"] == 1
    assert status["workers"]["rig"]["queue"] in ("sift", "deliver")


def test_health_names_each_queue_that_nobody_works_on(rig: Rig) -> None:
    for queue in ("poll", "sift"):
        rig.tools.state.beat(f"worker-{queue}", queue)
    rig.tools.state.beat("rig", "sift")
    assert rig.service.health() == {"ok": False, "problems": ["no worker makes progress on the queue deliver"]}
    rig.tools.state.beat("worker-deliver", "deliver")
    assert rig.service.health() == {"ok": True, "problems": []}


def test_a_store_that_does_not_answer_is_a_finding_and_not_a_crash(rig: Rig, tmp_path: Path) -> None:
    lost = RedisState(redis.Redis(unix_socket_path=str(tmp_path / "nothing.sock"), retry=Retry(NoBackoff(), 0)))
    service = rig.with_tools(state=lost).service
    assert service.health()["ok"] is False
    [finding] = service.doctor()
    assert (finding.check, finding.is_ok) == ("store", False)
    assert "tocsin up" in finding.advice


def test_the_doctor_says_of_an_empty_service_what_is_to_be_done(bare: Rig) -> None:
    missing = {f.check: f.advice for f in bare.service.doctor() if not f.is_ok}
    assert set(missing) == {"worker poll", "worker sift", "worker deliver", "sources", "channels", "rules"}
    assert all("`tocsin " in advice for advice in missing.values())


def test_the_doctor_names_what_is_ill_and_what_to_do_about_it(rig: Rig) -> None:
    rig.watch("lost")
    rig.poll("lost")
    rig.sink.answers = [reply(404)]
    rig.publish("harbour", entry(2), entry(1))
    rig.channel("off", is_operator=True)
    rig.service.enable_channel("off", is_enabled=False)
    ill = {f.check: f for f in rig.with_settings("watch", disk_free_mb=10**9).service.doctor() if not f.is_ok}
    assert {"source lost", "channel off", "disk", "dead letters"} <= set(ill)
    assert all(finding.advice for finding in ill.values())


def test_the_doctor_finds_nothing_in_a_service_that_is_well(rig: Rig) -> None:
    rig.channel("operator", is_operator=True)
    for queue in ("poll", "sift", "deliver"):
        rig.tools.state.beat(f"worker-{queue}", queue)
    assert [f for f in rig.service.doctor() if not f.is_ok] == []


class _Collector:
    """A collector as prometheus_client wants one."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        return self._service.metrics()


def test_metrics_are_valid_and_count_what_happened(rig: Rig) -> None:
    rig.publish("harbour", entry(2), entry(1))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(rig.service))
    lines = generate_latest(registry).decode().splitlines()
    assert "tocsin_delivery_sent_total 1.0" in lines
    assert 'tocsin_waiting{queue="sift"} 0.0' in lines
    assert 'tocsin_sources{health="ok"} 1.0' in lines
    assert any(line.startswith('tocsin_worker_idle_seconds{queue="') for line in lines)
