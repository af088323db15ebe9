"""The demo's recorded wire: every outlet can be read as it is served, and its rules ring for it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.demo import Outlet, page_at, read_wire, run
from alerts.errors import StateError
from alerts.models import Source, SourceKind
from alerts.rules.load import read_rules
from alerts.service import Service
from alerts.settings import Settings
from alerts.sources.parse import parse
from alerts.sources.sandbox import Sandbox
from alerts.state.server import held
from alerts.wire import WirePage
from tests.conftest import ROOT
from tests.harness import Rig, a_rig, the_areas
from tests.test_pipeline_poll import BANNER

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEMO = ROOT / "config" / "demo"
OUTLETS = read_wire(DEMO / "wire.toml")


def titles(outlet: Outlet, page: WirePage, sandbox: Sandbox) -> list[str]:
    """The headlines on an outlet's page, newest first."""
    kind = SourceKind(outlet.kind)
    source = Source(source_id=outlet.outlet_id, url="http://127.0.0.1/", kind=kind, selectors=BANNER if kind is SourceKind.TICKER else None)
    parsed = parse(source, page.body, content_type=page.media_type, base_url=source.url, votes=0, sandbox=sandbox)
    return [item.title for item in parsed.items]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


def an_outlet(kind: str = "feed", *flashes: dict[str, object]) -> Outlet:
    """An outlet of the test's own."""
    return Outlet("pier", "Pier <Post> & Co", kind, "en", None, flashes)


@pytest.mark.parametrize("outlet", OUTLETS, ids=lambda outlet: outlet.outlet_id)
def test_every_outlet_can_be_read_at_every_moment(outlet: Outlet, sandbox: Sandbox) -> None:
    for seconds in (0, 10, 30, 60, 300):
        now = BEGAN + timedelta(seconds=seconds)
        shown = titles(outlet, page_at(outlet, BEGAN, now), sandbox)
        out = {f["title"] for f in outlet.flashes if f["at"] <= seconds}
        assert set(shown) <= out
        assert outlet.kind == "ticker" or bool(shown) == bool(out)


def test_the_wire_names_no_outlet_that_it_does_not_describe() -> None:
    tables = tomllib.loads((DEMO / "wire.toml").read_text(encoding="utf-8"))
    assert {f["outlet"] for f in tables["flash"]} <= {o.outlet_id for o in OUTLETS}


def test_the_wire_has_a_feed_a_ticker_an_edit_and_several_languages() -> None:
    assert {o.kind for o in OUTLETS} == {"feed", "ticker"}
    assert len({o.language for o in OUTLETS}) > 2
    ids = [(o.outlet_id, f["id"]) for o in OUTLETS for f in o.flashes if o.kind == "feed"]
    assert len(ids) > len(set(ids))


def test_a_later_flash_with_the_same_id_is_an_edit_of_the_item(sandbox: Sandbox) -> None:
    outlet = an_outlet(
        "feed",
        {"id": "a", "at": 0, "title": "Crane falls", "text": "In the dock."},
        {"id": "a", "at": 10, "title": "Crane falls, two hurt", "text": "In the dock."},
    )
    assert titles(outlet, page_at(outlet, BEGAN, BEGAN + timedelta(seconds=5)), sandbox) == ["Crane falls"]
    assert titles(outlet, page_at(outlet, BEGAN, BEGAN + timedelta(seconds=15)), sandbox) == ["Crane falls, two hurt"]


def test_a_ticker_line_leaves_the_banner_after_a_minute(sandbox: Sandbox) -> None:
    outlet = an_outlet("ticker", {"id": "a", "at": 0, "title": "Crane & tackle fall into dock"})
    assert titles(outlet, page_at(outlet, BEGAN, BEGAN + timedelta(seconds=30)), sandbox) == ["Crane & tackle fall into dock"]
    assert titles(outlet, page_at(outlet, BEGAN, BEGAN + timedelta(seconds=90)), sandbox) == []


def test_a_page_keeps_its_validators_until_it_reads_otherwise() -> None:
    outlet = next(o for o in OUTLETS if o.kind == "feed" and any(f["at"] > 5 for f in o.flashes))
    at = min(f["at"] for f in outlet.flashes if f["at"] > 5)
    before, same, after = (page_at(outlet, BEGAN, BEGAN + timedelta(seconds=s)).etag for s in (at - 2, at - 1, at + 1))
    assert before == same
    assert after != same


def test_an_outlet_s_name_cannot_break_its_page() -> None:
    body = page_at(an_outlet("ticker"), BEGAN, BEGAN).body.decode()
    assert "<title>Pier &lt;Post&gt; &amp; Co</title>" in body


def test_the_demo_s_rules_can_be_applied_beside_its_screen(valkey_url: str, tmp_path: Path) -> None:
    with a_rig(valkey_url, tmp_path) as rig:
        rig.service.add_channel("console:", channel_id="screen", is_operator=True)
        assert rig.service.apply(DEMO / "rules.toml").changed
        assert read_rules(DEMO / "rules.toml", the_areas())


def test_the_demo_s_rules_ring_for_its_wire(valkey_url: str, tmp_path: Path) -> None:
    """Every outlet is polled at its beginning and at its end: something must ring, and not everything."""
    with a_rig(valkey_url, tmp_path) as rig:
        rig.channel()
        _add_rules(rig.service)
        _poll_all(rig, 0)
        assert rig.sink.got == []
        last = max(f["at"] for o in OUTLETS for f in o.flashes)
        for seconds in range(10, int(last) + 11, 10):
            _poll_all(rig, seconds)
        rang = len(rig.sink.got)
        assert 3 <= rang < len(rig.stages())


def _add_rules(service: Service) -> None:
    for rule in read_rules(DEMO / "rules.toml"):
        service.add_rule(rule.query, rule_id=rule.rule_id, name=rule.name)


def _poll_all(rig: Rig, seconds: int) -> None:
    for outlet in OUTLETS:
        page = page_at(outlet, BEGAN, BEGAN + timedelta(seconds=seconds))
        rig.serve(outlet.outlet_id, page.body, page.content_type)
        if not seconds:
            kind = SourceKind(outlet.kind)
            rig.watch(outlet.outlet_id, kind=kind, language=outlet.language, selectors=BANNER if kind is SourceKind.TICKER else None)
    rig.run(*(o.outlet_id for o in OUTLETS))


def test_a_second_demo_leaves_the_first_one_s_data_alone(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    with held(data):
        (data / "store").mkdir()
        with pytest.raises(StateError, match="another Tocsin"):
            run(Settings(data_dir=tmp_path), seconds=1)
        assert (data / "store").is_dir()
