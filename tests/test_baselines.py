"""The list of baselined sources outlives the store, and a crash in the middle of a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.sources.baselines import Baselines


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "baselines.log"


def test_a_noted_source_is_known_to_the_next_process(path: Path) -> None:
    Baselines(path).note(["harbour"])
    assert Baselines(path).knows("harbour")
    assert not Baselines(path).knows("quay")


def test_nothing_is_known_before_anything_was_noted(path: Path) -> None:
    assert not Baselines(path).knows("harbour")
    assert not path.exists()


def test_a_source_noted_by_another_process_is_seen(path: Path) -> None:
    mine, theirs = Baselines(path), Baselines(path)
    assert not mine.knows("harbour")
    theirs.note(["harbour"])
    assert mine.knows("harbour")


def test_noting_a_source_again_writes_nothing(path: Path) -> None:
    baselines = Baselines(path)
    baselines.note(["harbour"])
    size = path.stat().st_size
    baselines.note(["harbour"])
    assert path.stat().st_size == size


def test_a_forgotten_source_is_not_known_until_it_is_noted_again(path: Path) -> None:
    baselines = Baselines(path)
    baselines.note(["harbour"])
    baselines.note(["quay"])
    baselines.forget("harbour")
    assert [baselines.knows("harbour"), Baselines(path).knows("harbour"), Baselines(path).knows("quay")] == [False, False, True]
    baselines.note(["harbour"])
    assert Baselines(path).knows("harbour")


def test_forgetting_an_unknown_source_writes_nothing(path: Path) -> None:
    Baselines(path).forget("harbour")
    assert not path.exists()


def test_a_last_line_torn_by_a_crash_is_not_read(path: Path) -> None:
    Baselines(path).note(["harbour"])
    with path.open("ab") as file:
        file.write(b"+qua")
    assert not Baselines(path).knows("qua")
    assert Baselines(path).knows("harbour")


def test_a_source_forgotten_by_another_process_is_not_known(path: Path) -> None:
    """The command line removes a source while a worker runs."""
    worker = Baselines(path)
    worker.note(["harbour"])
    Baselines(path).forget("harbour")
    assert not worker.knows("harbour")


def test_a_torn_line_does_not_swallow_the_next_one(path: Path) -> None:
    Baselines(path).note(["harbour"])
    with path.open("ab") as file:
        file.write(b"+qua")
    Baselines(path).note(["pier"])
    assert Baselines(path).knows("pier")


def test_the_list_can_be_read_by_its_owner_only(path: Path) -> None:
    Baselines(path).note(["harbour"])
    assert path.stat().st_mode & 0o777 == 0o600
