"""Real recorded histories through the whole pipeline, against an independent oracle.

The service must find every new item exactly once, deliver each occasion at most once, and report edits and returns apart.
"""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alerts.replay import replay
from alerts.settings import Settings
from alerts.text.urls import canonical_url
from tests.oracle import new_items

HISTORIES = {"english_2020_05_17": 1085, "world_2026_08_13": 548}


@pytest.fixture(scope="module", params=sorted(HISTORIES))
def run(request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """(the unpacked history, the rows of its report)."""
    folder = tmp_path_factory.mktemp("history")
    with tarfile.open(shared_data / "histories" / f"{request.param}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    report = folder / "report.jsonl"
    settings = Settings(data_dir=folder / "data")
    replay(settings, folder / request.param, speed=1e9, rules=None, report=report, say=lambda _: None)
    return folder / request.param, [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]


def key(utc: str, source: str, guid: str, url: str, title: str) -> tuple[str, ...]:
    """What tells two new items of one poll apart."""
    return utc, source, guid or canonical_url(url) or title


def test_every_new_item_is_found_exactly_once_at_the_poll_that_showed_it(run: tuple[Path, list[dict[str, Any]]]) -> None:
    history, rows = run
    expected = Counter(key(*item) for item in new_items(history))
    assert sum(expected.values()) == HISTORIES[history.name]
    found = Counter(
        key(r["utc"], r["source"], r["guid"], r["url"], r["title"]) for r in rows if r["kind"] == "item" and r["event"] == "new"
    )
    assert found == expected


def test_each_occasion_is_delivered_once_and_every_delivery_is_accepted(run: tuple[Path, list[dict[str, Any]]]) -> None:
    alerts = [r for r in run[1] if r["kind"] == "alert"]
    assert alerts
    assert {r["result"] for r in alerts} == {"sent"}
    assert max(Counter((r["story"], r["occasion"], r["channel"]) for r in alerts).values()) == 1


def test_every_new_item_is_in_a_story_that_rang(run: tuple[Path, list[dict[str, Any]]]) -> None:
    """One alert per story: items without an alert of their own must repeat the headline or link of one that has."""
    rows = run[1]
    new = [r for r in rows if r["kind"] == "item" and r["event"] == "new"]
    alerts = [r for r in rows if r["kind"] == "alert"]
    assert len(alerts) <= len(new)
    assert len(alerts) > 0.6 * len(new), "the rest repeats what another item told: a fifth to a third in these histories"
    assert {(r["source"], r["guid"], r["url"]) for r in alerts} <= {(r["source"], r["guid"], r["url"]) for r in new}


def test_edits_and_returns_are_reported_apart(run: tuple[Path, list[dict[str, Any]]]) -> None:
    events = Counter(r["event"] for r in run[1] if r["kind"] == "item")
    assert events["edited"] > 100
    assert events["returned"] > 0
