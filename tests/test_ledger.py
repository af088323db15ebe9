"""The ledger: what was told survives a crash, is seen by every process of the host, and does not grow for ever."""

from __future__ import annotations

import multiprocessing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.delivery.ledger import Ledger, LedgerRow
from alerts.errors import StateError
from tests.builders import NOW


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def row(number: int = 1, *, items: tuple[str, ...] = ("item-a",)) -> LedgerRow:
    return LedgerRow(f"delivery-{number}", "me", "desk", items)


def a_ledger(path: Path, clock: Clock | None = None) -> Ledger:
    return Ledger(path / "ledger", keep_days=30, clock=clock or Clock())


def restarted(path: Path, clock: Clock | None = None) -> Ledger:
    ledger = a_ledger(path, clock)
    ledger.refresh()
    return ledger


def test_an_intended_delivery_is_known_and_not_yet_told(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    ledger.intend([row()])
    assert ledger.outcome("delivery-1") == "intended"
    assert ledger.was_told("me", "desk", ["item-a"]) is None
    assert ledger.outcome("delivery-2") is None


def test_an_accepted_delivery_is_found_by_each_of_its_items(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    ledger.intend([row(items=("item-a", "item-b"))])
    assert ledger.accept(["delivery-1"])
    assert ledger.outcome("delivery-1") == "accepted"
    assert ledger.was_told("me", "desk", ["item-x", "item-b"]) == "delivery-1"


@pytest.mark.parametrize("other", [("you", "desk", "item-a"), ("me", "phone", "item-a"), ("me", "desk", "item-z")])
def test_another_person_channel_or_item_was_not_told(tmp_path: Path, other: tuple[str, str, str]) -> None:
    subscriber, channel, item = other
    ledger = a_ledger(tmp_path)
    ledger.intend([row()])
    ledger.accept(["delivery-1"])
    assert ledger.was_told(subscriber, channel, [item]) is None


def test_a_restart_remembers(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    ledger.intend([row(1), row(2, items=("item-b",))])
    ledger.accept(["delivery-1"])
    again = restarted(tmp_path)
    assert (again.outcome("delivery-1"), again.outcome("delivery-2")) == ("accepted", "intended")
    assert again.was_told("me", "desk", ["item-a"]) == "delivery-1"


def test_a_refresh_shows_what_another_process_wrote(tmp_path: Path) -> None:
    mine, other = a_ledger(tmp_path), a_ledger(tmp_path)
    mine.refresh()
    other.intend([row()])
    mine.refresh()
    assert mine.outcome("delivery-1") == "intended"
    other.accept(["delivery-1"])
    mine.refresh()
    assert mine.was_told("me", "desk", ["item-a"]) == "delivery-1"


def _write_many(path: Path, writer: int) -> None:
    ledger = a_ledger(path)
    for number in range(50):
        ledger.intend([LedgerRow(f"{writer}-{number}", "me", "desk", (f"item-{writer}-{number}",))])
        ledger.accept([f"{writer}-{number}"])


def test_processes_that_write_at_once_lose_no_line(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(tmp_path, n)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ledger = restarted(tmp_path)
    told = [ledger.was_told("me", "desk", [f"item-{w}-{n}"]) for w in range(2) for n in range(50)]
    assert told == [f"{w}-{n}" for w in range(2) for n in range(50)]


@pytest.mark.parametrize("torn", [b'["i","delivery-9","me","de', b'["a"', b"\xff\xfe\x00", b"{}"])
def test_a_torn_last_line_is_left_out_and_the_next_one_is_read(tmp_path: Path, torn: bytes) -> None:
    a_ledger(tmp_path).intend([row(1)])
    (file,) = (tmp_path / "ledger").iterdir()
    with file.open("ab") as stream:
        stream.write(torn)
    reader = restarted(tmp_path)
    assert reader.outcome("delivery-1") == "intended"
    a_ledger(tmp_path).intend([row(2)])
    reader.refresh()
    assert (reader.outcome("delivery-2"), reader.outcome("delivery-9")) == ("intended", None)


def test_an_acceptance_after_midnight_belongs_to_the_intention_before_it(tmp_path: Path) -> None:
    clock = Clock()
    clock.now = NOW.replace(hour=23, minute=59)
    ledger = a_ledger(tmp_path, clock)
    ledger.intend([row()])
    clock.now += timedelta(minutes=2)
    ledger.accept(["delivery-1"])
    assert len(list((tmp_path / "ledger").iterdir())) == 2
    for seen in (ledger, restarted(tmp_path, clock)):
        assert seen.outcome("delivery-1") == "accepted"
        assert seen.was_told("me", "desk", ["item-a"]) == "delivery-1"


def test_memory_forgets_after_two_days_and_files_after_their_keep_time(tmp_path: Path) -> None:
    clock = Clock()
    ledger = a_ledger(tmp_path, clock)
    ledger.intend([row(1)])
    clock.now += timedelta(days=2)
    ledger.refresh()
    assert ledger.outcome("delivery-1") == "intended"
    clock.now += timedelta(days=1)
    ledger.refresh()
    assert ledger.outcome("delivery-1") is None
    clock.now += timedelta(days=27)
    ledger.intend([row(2)])
    assert len(list((tmp_path / "ledger").iterdir())) == 2
    clock.now += timedelta(days=1)
    ledger.intend([row(3)])
    assert sorted(p.name for p in (tmp_path / "ledger").iterdir()) == ["2026-03-31.log", "2026-04-01.log"]


def test_foreign_files_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "notes.txt").write_text("mine")
    a_ledger(tmp_path).intend([row()])
    assert (tmp_path / "ledger" / "notes.txt").read_text() == "mine"


def test_nothing_may_be_sent_when_the_ledger_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file where a directory should be")
    ledger = a_ledger(tmp_path)
    with pytest.raises(StateError, match="nothing is sent until the ledger can be written"):
        ledger.intend([row()])
    assert ledger.accept(["delivery-1"]) is False


def test_an_empty_batch_touches_nothing(tmp_path: Path) -> None:
    a_ledger(tmp_path).intend([])
    a_ledger(tmp_path).refresh()
    assert list(tmp_path.iterdir()) == []
