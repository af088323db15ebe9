"""The benchmarks run: each at a size where it costs next to nothing; what they measure is not judged here."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import psutil
import pytest

from alerts.bootstrap import build_sifter
from alerts.settings import DeliverSettings
from bench import (
    _pages,
    _rig,
    capacity,
    delivery,
    idle,
    latency,
    parsers_agree,
    plain_celery,
    plain_celery_app,
    policy_year,
    poll_cost,
    seen_marks,
    sift_cost,
    takeover,
)
from bench import urgency as judging
from tests.conftest import ROOT

_STORE = pytest.mark.usefixtures("valkey_server")  # skipped where no store is installed


def test_every_benchmark_is_described_with_its_command() -> None:
    readme = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    scripts = {path.name for path in (ROOT / "bench").glob("[a-z]*.py")} - {"plain_celery_app.py"}
    assert scripts == {Path(found).name for found in re.findall(r"\./run\.sh bench (bench/[a-z]\w*\.py)", readme)}


def test_the_modules_say_how_they_are_read() -> None:
    modules = (capacity, delivery, idle, latency, parsers_agree, plain_celery, policy_year, poll_cost, seen_marks, sift_cost, judging)
    assert [m.__name__ for m in (*modules, takeover) if not m.__doc__ or not callable(m.main)] == []


def test_the_page_server_keeps_what_each_kind_of_page_promises() -> None:
    wire = _pages.Wire()
    quiet, _ = wire.answer(f"GET /quiet/a HTTP/1.1\r\nIf-None-Match: {_pages.ETAG}".encode())
    plain = [wire.answer(b"GET /plain/a HTTP/1.1")[0] for _ in range(2)]
    news = [wire.answer(b"GET /news/a HTTP/1.1")[0] for _ in range(2)]
    _, is_last = wire.answer(b"GET /plain-close/a HTTP/1.1")
    assert quiet.startswith(b"HTTP/1.1 304")
    assert plain[0] == plain[1]
    assert news[0] != news[1]
    assert news[1].count(b"<item>") == _pages.ITEMS
    assert is_last


def test_percentiles_are_values_that_occurred() -> None:
    assert [_rig.percentile(range(1, 101), share) for share in (0.0, 0.5, 0.99, 1.0)] == [1, 51, 100, 100]
    assert _rig.percentile([], 0.5) == 0.0


def test_a_table_has_numbers_to_the_right() -> None:
    assert _rig.table(("what", "ms"), [("a", 1.5), ("bc", 12.25)]) == "\n".join(
        ("| what |    ms |", "|------|------:|", "| a    | 1.500 |", "| bc   |  12.2 |")
    )


@_STORE
def test_a_poll_is_measured_beside_the_bare_tools() -> None:
    with _rig.page_server() as base, _rig.workplace() as tools:
        alone = poll_cost.bare(base, rounds=1, batch=2)
        mine = {kind: poll_cost.ours(tools, base, kind, rounds=1, batch=2) for kind in ("quiet", "plain")}
    assert all(ms > 0 for ms in alone.values())
    assert "feedparser" in poll_cost.report({**mine, "news": (1.0, 1.0)}, alone, 0.01)


@_STORE
def test_the_capacity_run_polls_what_falls_due() -> None:
    with _rig.page_server() as base, _rig.workplace() as tools:
        mine = capacity.fill(tools, base, 20)
        capacity.spread_due(tools, mine, first_s=-1.0, over_s=0.5)
        timed, fetcher = capacity.timed(tools)
        done, *_ = capacity.run_for(timed, 0.05)
        fetcher.close()
    assert (done, len(fetcher.late_s)) == (20, 20)


@_STORE
def test_the_marks_that_were_put_in_are_all_there() -> None:
    with _rig.workplace() as tools:
        used, marks = seen_marks.measure(tools, number=3, pages=2, size=70)
    assert marks == 3 * 2 * 70
    assert used > 0


@_STORE
def test_a_sift_is_measured_whole_and_by_its_stages() -> None:
    random = Random(1)
    asked, found = sift_cost.queries(random, 20), sift_cost.changes(random, 6, datetime.now(UTC))
    with _rig.workplace() as tools:
        sift_cost.prepare(tools, asked)
        sifter = build_sifter()
        assert sift_cost.whole(tools, sifter, found, 2) > 0
    assert [name for name, _ in sift_cost.stages(sifter, found, asked)] == ["tag", "story", "match"]


def test_a_takeover_is_measured_from_the_last_commit_to_the_next() -> None:
    now = datetime.now(UTC)
    with _rig.workplace() as roomy:
        brief = roomy.settings.sift.model_copy(update={"lease_s": 0.2})
        tools = replace(roomy, settings=roomy.settings.model_copy(update={"sift": brief}))
        sift_cost.prepare(tools, sift_cost.queries(Random(1), 5))
        takeover.store(tools, takeover.stories(sift_cost.changes(Random(2), 3, now), build_sifter().tagger, now))
        waited, rebuilding, cpu = takeover.silence(tools, sift_cost.changes(Random(3), 2, now))
    assert waited > rebuilding
    assert waited > cpu > 0


def test_the_latency_report_counts_what_did_not_arrive() -> None:
    wire = latency.Wire([[-1], [-2]])
    first, _ = wire.plant(), wire.plant()
    page = wire.page("feed-0")
    wire.accept({"title": f"Planted headline {first} of feed-0", "found_at": datetime.now(UTC).isoformat()})
    assert page is not None
    assert b"Planted headline 0 of feed-0" in page.body
    assert "1 of 2 items arrived" in latency.report(wire, range(2), 1.0)


def test_the_idle_run_looks_at_processes_without_waiting_for_them() -> None:
    [(part, pss_mb, uss_mb, _)] = idle.look([psutil.Process()], 1.0, wait=lambda _: None)
    assert part
    assert 0 < uss_mb <= pss_mb


@_STORE
def test_one_story_is_told_to_all_its_subscribers_and_their_receiver_s_limit_is_kept() -> None:
    with delivery.sinks() as (base, _), _rig.workplace() as tools:
        assert len(delivery.references(base, 3)) == 3
        name, rate, *_ = delivery.fan_out(tools, base, 7, "webhook", f"webhook+{base}/ok/{{}}")
        assert (name, float(str(rate)) > 0) == ("webhook", True)
        assert "0 exceeded" in str(delivery.limited(tools, base, 5)[0])


@_STORE
def test_the_sick_ones_of_the_benchmark_get_well_and_are_told_in_order() -> None:
    quick = DeliverSettings(timeout_s=0.3, breaker_s=0.2, retries_s=(0.0, 0.2))
    with delivery.sinks() as (base, _), _rig.workplace(deliver=quick) as tools:
        rows = delivery.sick(tools, base, 0.5, 0.5)
    assert [row[-1] for row in rows] == ["yes"] * 4
    assert {row[1] for row in rows[1:]} == {rows[0][1] // 20}  # type: ignore[operator]


def test_the_baseline_is_celery_at_its_most_careful() -> None:
    settings = plain_celery_app.configuration()
    assert settings["task_acks_late"]
    assert settings["worker_prefetch_multiplier"] == 1
    assert {"item", "tell"} <= set(plain_celery_app.app.tasks)


def test_judging_is_measured_on_invented_headlines_where_there_are_no_real_ones(tmp_path: Path) -> None:
    items = judging.headlines(tmp_path / "none.jsonl")[:20]
    assert all(us > 0 for _, us in judging.costs(items, rounds=1))
    assert 20 == sum(int(str(count)) for name, count, _ in judging.levels(items) if name.startswith("urgency"))


def test_a_short_year_is_counted_and_nothing_goes_wrong() -> None:
    report = policy_year.live(people=3, days=20, seed=5)
    assert re.search(r"^\| wrong +\| +0 \|$", report, re.M)
    assert re.search(r"^\| subscribers +\| +3 \|$", report, re.M)
