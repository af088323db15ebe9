"""What this host has told to whom, kept in fsynced files, so that a store with a torn log does not make it tell twice.

A delivery is written down before it is sent (`intend`, synced to the disk) and after it was accepted (`accept`). One file
a day, one JSON list a line, appended by all worker processes of a host with a single write each. A batch begins with an
empty line, so that a line torn by a crash never swallows the next one. Only the last days are held in memory: an alert
lives no longer than one.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

import structlog

from alerts.errors import StateError
from alerts.text.fingerprint import hash64

_DAYS_IN_MEMORY = 3  # today, and so at least the 48 h before now
_NAME = re.compile(r"\d{4}-\d\d-\d\d\.log")
_JSON = json.JSONEncoder(separators=(",", ":"))
_log = structlog.get_logger("ledger")

Outcome = Literal["intended", "accepted"]


class LedgerRow(NamedTuple):
    """A delivery that is about to be sent, and the items it tells."""

    delivery_id: str
    subscriber_id: str
    channel_id: str
    item_ids: tuple[str, ...]


@dataclass(slots=True)
class _Day:
    """One day's file as far as it was read; what is told is found by a hash of subscriber, channel and item."""

    path: Path
    offset: int = 0
    accepted: set[str] = field(default_factory=set)
    intended: dict[str, tuple[int, ...]] = field(default_factory=dict)  # not accepted so far
    told: dict[int, str] = field(default_factory=dict)


class Ledger:
    """The ledger of this host; several processes may use one directory, several threads one ledger.

    Args:
        directory: Made when the first delivery is written down.
        keep_days: Files older than this are removed.
        clock: UTC.
    """

    def __init__(self, directory: Path, *, keep_days: int = 30, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._directory = directory
        self._keep_days = keep_days
        self._clock = clock
        self._lock = threading.RLock()
        self._days: dict[date, _Day] = {}
        self._written: date | None = None

    def intend(self, rows: Sequence[LedgerRow]) -> None:
        """Write down what is about to be sent; on the disk when this returns.

        Raises:
            StateError: It could not be written: nothing may be sent.
        """
        if not rows:
            return
        lines = [["i", row.delivery_id, row.subscriber_id, row.channel_id, list(row.item_ids)] for row in rows]
        try:
            self._append(lines, is_synced=True)
        except OSError as error:
            raise StateError(f"{self._directory}: {error.strerror}; nothing is sent until the ledger can be written") from error

    def accept(self, delivery_ids: Sequence[str]) -> bool:
        """Write down that deliveries were accepted; False when the disk would not take it."""
        try:
            self._append([["a", delivery_id] for delivery_id in delivery_ids], is_synced=False)
        except OSError as error:
            _log.error("acceptance not in the ledger", delivery_ids=list(delivery_ids), error=error.strerror)
            return False
        return True

    def refresh(self) -> None:
        """Read what was appended since the last call, by whomever. Raises: StateError."""
        with self._lock:
            self._turn_page()
            for day in self._days.values():
                self._read(day)

    def outcome(self, delivery_id: str) -> Outcome | None:
        """What is known of a delivery: intended, accepted, or None."""
        with self._lock:
            if any(delivery_id in day.accepted for day in self._days.values()):
                return "accepted"
            return "intended" if any(delivery_id in day.intended for day in self._days.values()) else None

    def was_told(self, subscriber_id: str, channel_id: str, item_ids: Sequence[str]) -> str | None:
        """The delivery that told the subscriber one of these items on this channel, or None."""
        keys = [hash64(subscriber_id, channel_id, item_id) for item_id in item_ids]
        with self._lock:
            return next((day.told[key] for day in self._days.values() for key in keys if key in day.told), None)

    # ------------------------------------------------------------ files

    def _append(self, lines: Sequence[list[Any]], *, is_synced: bool) -> None:
        if not lines:
            return
        data = ("\n" + "".join(_JSON.encode(line) + "\n" for line in lines)).encode()
        with self._lock:
            today = self._clock().date()
            if today != self._written:
                self._begin(today)
            end = self._write(self._path(today), data, is_synced=is_synced)
            day = self._day(today)
            if end - len(data) == day.offset:  # nobody else wrote since we read: our own lines need not be read again
                day.offset = end
            for line in lines:
                self._apply(day, line)

    def _begin(self, today: date) -> None:
        """Make the directory and drop what is older than it has to be."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        oldest = f"{today - timedelta(days=self._keep_days)}.log"
        for path in self._directory.iterdir():
            if _NAME.fullmatch(path.name) and path.name < oldest:
                path.unlink(missing_ok=True)
        self._written = today

    def _write(self, path: Path, data: bytes, *, is_synced: bool) -> int:
        """Append; where the file ends then."""
        is_new = not path.exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            written = os.write(descriptor, data)
            end = os.lseek(descriptor, 0, os.SEEK_CUR)
            if is_synced:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if written != len(data):
            raise OSError(28, "no space left on the device")
        if is_new:
            _sync_directory(self._directory)
        return end

    def _turn_page(self) -> None:
        """Have the last days at hand, and no others."""
        today = self._clock().date()
        wanted = [today - timedelta(days=n) for n in range(_DAYS_IN_MEMORY)]
        for old in [day for day in self._days if day < wanted[-1]]:
            del self._days[old]
        for day in wanted:
            self._day(day)

    def _day(self, day: date) -> _Day:
        if day not in self._days:
            self._days[day] = _Day(self._path(day))
        return self._days[day]

    def _path(self, day: date) -> Path:
        return self._directory / f"{day}.log"

    # ------------------------------------------------------------ reading

    def _read(self, day: _Day) -> None:
        """Apply the complete lines after the place where the last call stopped."""
        try:
            if day.path.stat().st_size <= day.offset:
                return
            with day.path.open("rb") as file:
                file.seek(day.offset)
                data = file.read()
        except FileNotFoundError:
            return
        except OSError as error:
            raise StateError(f"{day.path}: {error.strerror}; the ledger must be readable before anything is sent") from error
        end = data.rfind(b"\n") + 1
        day.offset += end
        for row in _rows(data[:end]):
            self._apply(day, row)

    def _apply(self, day: _Day, row: list[Any]) -> None:
        match row:
            case ["i", str(delivery_id), str(subscriber_id), str(channel_id), list(item_ids)]:
                keys = tuple(hash64(subscriber_id, channel_id, str(item_id)) for item_id in item_ids)
                if self.outcome(delivery_id) == "accepted":  # files may be read in any order
                    day.told.update(dict.fromkeys(keys, delivery_id))
                else:
                    day.intended[delivery_id] = keys
            case ["a", str(delivery_id)]:
                day.accepted.add(delivery_id)
                for known in self._days.values():
                    day.told.update(dict.fromkeys(known.intended.pop(delivery_id, ()), delivery_id))


def _rows(data: bytes) -> Iterator[list[Any]]:
    """The lines that can be read; one torn by a crash is left out."""
    for line in data.splitlines():
        if not line:
            continue
        try:
            row = json.loads(line)
        except ValueError:
            _log.warning("a torn line in the ledger was left out", bytes=len(line))
            continue
        if isinstance(row, list):
            yield row


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
