"""The list of sources that had a baseline, kept outside the store: lost state is not a first poll.

One local file, a source id a line, fsynced before the baseline is committed. A source on it without state in the store
has lost its state: its items go the catch-up way, never through a silent baseline. The promise holds per host.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path


class Baselines:
    """The file of baselined sources; several processes of one host may append to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[str] = set()
        self._read_to = 0

    def knows(self, source_id: str) -> bool:
        """Whether this source had a baseline before."""
        self._refresh()
        return source_id in self._known

    def note(self, source_ids: Iterable[str]) -> None:
        """Keep that these sources have a baseline; on disk when this returns."""
        self._append([f"+{i}" for i in source_ids if not self.knows(i)])

    def forget(self, source_id: str) -> None:
        """A person removed the source: should it come back, that is a first poll."""
        if self.knows(source_id):
            self._append([f"-{source_id}"])

    def _append(self, lines: Sequence[str]) -> None:
        """Write lines; they begin with a line end, so that one torn by a crash never swallows the first."""
        if not lines:
            return
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, "".join(f"\n{line}\n" for line in lines).encode())
            os.fsync(file)
        finally:
            os.close(file)

    def _refresh(self) -> None:
        """Read what was appended since; a torn last line is read when it is whole."""
        if not self._path.exists() or self._path.stat().st_size <= self._read_to:
            return
        with self._path.open("rb") as file:
            file.seek(self._read_to)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read_to += len(whole)
        for line in filter(None, whole.decode("utf-8", "replace").splitlines()):
            (self._known.add if line.startswith("+") else self._known.discard)(line[1:])
