"""A recorded history through the whole pipeline: what is refused, what the report holds, which rules ring."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from alerts.errors import ConfigError
from alerts.replay import read_history, replay
from alerts.settings import Settings
from alerts.state.server import held
from tests.harness import Entry, entry, feed

HEAD = "utc\tsource\tfile\n"
FORBIDDEN = b"<!doctype html><html><title>403 Forbidden</title><body>No.</body></html>"
FERRY = "Ferry with forty aboard runs aground off Northpoint"


def a_history(folder: Path, rows: Sequence[tuple[str, str, bytes]]) -> Path:
    """A history: (time of day, source, body) a poll, each body in a file of its own."""
    folder.mkdir()
    index = HEAD
    for number, (time, source, body) in enumerate(rows):
        (folder / f"{number}.body").write_bytes(body)
        index += f"20260301T{time}Z\t{source}\t{number}.body\n"
    (folder / "index.tsv").write_text(index)
    return folder


def page(*entries: Entry) -> bytes:
    """A feed page."""
    return feed(*entries)


def two_outlets(folder: Path) -> Path:
    """Two outlets: news, an edit, a return, an echo of the same story, and a 403 page at the end of one."""
    one, two, three = entry(1), entry(2), entry(3)
    quay = entry(1, "Quay opens late", outlet="quay")
    echo = entry(2, FERRY, "Tugs are on their way.", outlet="quay")
    return a_history(
        folder,
        [
            ("120000", "harbour", page(one)),
            ("120000", "quay", page(quay)),
            ("121000", "harbour", page(two, one)),
            ("122000", "harbour", page(entry(2, "Harbour gate 2 closes, one hurt"))),
            ("123000", "harbour", page(entry(4, FERRY, "Tugs are on their way."), three, entry(2, "Harbour gate 2 closes, one hurt"), one)),
            ("124000", "quay", page(echo, quay)),
            ("125000", "quay", FORBIDDEN),
        ],
    )


def run(tmp_path: Path, history: Path, **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(summary, rows of the report) of a replay."""
    report = tmp_path / "report.jsonl"
    settings = Settings(data_dir=tmp_path / "data")
    summary = replay(settings, history, **{"speed": 1e9, "rules": None, "report": report, "say": lambda _: None, **options})
    return summary, [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]


# ---------------------------------------------------------------- a whole run


def test_a_replay_begins_empty_each_time_and_leaves_the_service_of_the_directory_alone(tmp_path: Path) -> None:
    history = two_outlets(tmp_path / "history")
    with held(tmp_path / "data"):
        first, _ = run(tmp_path, history)
        again, _ = run(tmp_path, history)
    assert first["new"] > 0
    assert {**again, "seconds": 0} == {**first, "seconds": 0}
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["replay", "tocsin.lock"]


def test_a_history_is_found_told_and_reported(tmp_path: Path) -> None:
    summary, rows = run(tmp_path, two_outlets(tmp_path / "history"))
    assert {k: summary[k] for k in ("polls", "new", "edited", "returned")} == {"polls": 7, "new": 4, "edited": 1, "returned": 1}
    [failing] = summary["sources with errors at the end"]
    assert failing.startswith("quay: HTML page where a feed should be (403 Forbidden)")
    items = [(r["event"], r["source"], r["guid"], r["utc"]) for r in rows if r["kind"] == "item"]
    assert items == [
        ("new", "harbour", "harbour-2", "20260301T121000Z"),
        ("edited", "harbour", "harbour-2", "20260301T122000Z"),
        ("new", "harbour", "harbour-3", "20260301T123000Z"),
        ("new", "harbour", "harbour-4", "20260301T123000Z"),
        ("returned", "harbour", "harbour-1", "20260301T123000Z"),
        ("new", "quay", "quay-2", "20260301T124000Z"),
    ]


def test_every_story_is_one_alert_with_all_that_a_reader_measures_by(tmp_path: Path) -> None:
    _, rows = run(tmp_path, two_outlets(tmp_path / "history"))
    alerts = [r for r in rows if r["kind"] == "alert"]
    assert sorted((r["source"], r["guid"], r["utc"]) for r in alerts) == [
        ("harbour", "harbour-2", "20260301T121000Z"),
        ("harbour", "harbour-3", "20260301T123000Z"),
        ("harbour", "harbour-4", "20260301T123000Z"),
    ]
    assert {(r["occasion"], r["result"], r["channel"], *r["rules"]) for r in alerts} == {("first", "sent", "replay-me", "everything")}
    assert all(r["found_at"] <= r["accepted_at"] for r in alerts)
    assert len({r["alert"] for r in alerts} | {r["delivery"] for r in alerts} | {r["story"] for r in alerts}) == 9


def test_rules_from_json_lines_ring_by_themselves(tmp_path: Path) -> None:
    rules = tmp_path / "rules.jsonl"
    rules.write_text('{"id": "ferries", "query": "ferry"}\n{"id": "gates", "query": "gate source:harbour", "subscriber": "night"}\n')
    _, rows = run(tmp_path, two_outlets(tmp_path / "history"), rules=rules)
    rung = Counter((r["channel"], *r["rules"]) for r in rows if r["kind"] == "alert")
    assert rung == {("replay-me", "ferries"): 1, ("replay-night", "gates"): 2}


def test_rules_from_toml_ring_and_their_channels_are_set_aside(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nid = "ferries"\nquery = "ferry"\nchannels = ["phone"]\n')
    _, rows = run(tmp_path, two_outlets(tmp_path / "history"), rules=rules)
    assert [(r["channel"], r["rules"]) for r in rows if r["kind"] == "alert"] == [("replay-me", ["ferries"])]


def test_a_source_may_have_any_name(tmp_path: Path) -> None:
    name = "Der Hafen / Süd? 50%"
    history = a_history(tmp_path / "history", [("120000", name, page(entry(1))), ("121000", name, page(entry(2), entry(1)))])
    summary, _ = run(tmp_path, history)
    assert (summary["new"], summary["sources with errors at the end"]) == (1, [])


# ---------------------------------------------------------------- what is refused

BAD_INDEXES = {
    "no rows": (HEAD, "has no rows"),
    "an empty file": ("", "line 1: the columns must be utc, source, file"),
    "other columns": ("time\tsource\tfile\n", "line 1: the columns must be"),
    "commas for tabs": ("utc,source,file\n", "line 1: the columns must be"),
    "a bad time": (HEAD + "2026-03-01 12:00\tharbour\tpage\n", "line 2: utc: '2026-03-01 12:00' is not"),
    "no time": (HEAD + "\tharbour\tpage\n", "line 2: utc: '' is not"),
    "a missing column": (HEAD + "20260301T120000Z\tharbour\n", "line 2: file: None is no file"),
    "a file that is not there": (HEAD + "20260301T120000Z\tharbour\tnowhere\n", "line 2: file: 'nowhere' is no file"),
    "a file outside": (HEAD + "20260301T120000Z\tharbour\t../secret\n", "line 2: file: '../secret' is no file"),
    "an absolute file": (HEAD + "20260301T120000Z\tharbour\t/etc/hostname\n", "line 2: file: '/etc/hostname' is no file"),
    "a directory for a file": (HEAD + "20260301T120000Z\tharbour\tfolder\n", "line 2: file: 'folder' is no file"),
    "a NUL in a file's name": (HEAD + "20260301T120000Z\tharbour\tno\0where\n", "index.tsv"),
    "a name too long": (HEAD + f"20260301T120000Z\tharbour\t{'x' * 5000}\n", "index.tsv"),
    "a field without an end": (HEAD + f'20260301T120000Z\tharbour\t"{"x" * 200_000}\n', "index.tsv"),
    "no source": (HEAD + "20260301T120000Z\t\tpage\n", "line 2: source: is missing"),
}


@pytest.mark.parametrize("case", BAD_INDEXES)
def test_a_bad_index_is_refused_and_says_where(tmp_path: Path, case: str) -> None:
    text, words = BAD_INDEXES[case]
    history = tmp_path / "history"
    (history / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("not for you")
    (history / "page").write_bytes(page(entry(1)))
    (history / "index.tsv").write_text(text)
    with pytest.raises(ConfigError) as problem:
        read_history(history)
    assert words in str(problem.value)
    assert "index.tsv" in str(problem.value)


def test_an_index_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.tsv").write_bytes(HEAD.encode() + b"\xff\xfe\n")
    with pytest.raises(ConfigError, match=r"index.tsv: not UTF-8 at byte \d+"):
        read_history(tmp_path)


def test_a_directory_without_an_index_and_a_file_for_a_directory_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for place in (tmp_path, file, tmp_path / "nowhere"):
        with pytest.raises(ConfigError, match=r"a history is a directory with index\.tsv and its bodies"):
            read_history(place)


def test_rows_are_played_in_the_order_of_time_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    rows = [("121000", "harbour", page(entry(2), entry(1))), ("120000", "harbour", page(entry(1)))]
    history = read_history(a_history(tmp_path / "history", rows))
    assert [row.path.name for row in history.rows] == ["1.body", "0.body"]


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    history = a_history(tmp_path / "history", [("120000", "harbour", page(entry(1)))])
    settings = Settings(data_dir=tmp_path / "data")
    with pytest.raises(ConfigError, match="name a file that can be written"):
        replay(settings, history, speed=1e9, rules=None, report=tmp_path, say=lambda _: None)
    assert not (tmp_path / "data").exists()


def test_a_bad_rules_file_is_refused_with_its_line(tmp_path: Path) -> None:
    history = a_history(tmp_path / "history", [("120000", "harbour", page(entry(1)))])
    rules = tmp_path / "rules.jsonl"
    rules.write_text('{"id": "a", "query": "storm"}\n{"id": "b", "query": "storm AND"}\n')
    with pytest.raises(ConfigError, match=r"rules\.jsonl:2: query"):
        run(tmp_path, history, rules=rules)


def test_a_slow_clock_waits_for_the_history(tmp_path: Path) -> None:
    """At ten times its speed two seconds of history take 0.2 s at least."""
    history = a_history(tmp_path / "history", [("120000", "harbour", page(entry(1))), ("120002", "harbour", page(entry(2), entry(1)))])
    summary, _ = run(tmp_path, history, speed=10.0)
    assert summary["seconds"] >= 0.2
