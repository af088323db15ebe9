"""The poll's part of the store: claim due sources, read their marks, commit what a transfer found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from alerts.errors import NotFoundError
from alerts.models import Mark, PollState, SourceLease
from alerts.ports import Outcome, PollCommit
from alerts.state.base import Base
from alerts.state.codec import CHANGE, POLL_STATE, SOURCE, changed_chunks, unpack_chunks
from alerts.state.scripts import Arg


class PollKeeper(Base):
    """Implements `ports.PollStore`."""

    def claim_sources(
        self, owner: str, *, limit: int, horizon_s: float, lease_s: float, downtime_s: float
    ) -> list[SourceLease]:
        """Sources due within horizon_s seconds, leased to the owner."""
        return self._leases(self._run("claim_sources", owner, limit, horizon_s, lease_s, "", downtime_s))

    def lease_source(self, owner: str, source_id: str, *, lease_s: float) -> SourceLease:
        """This source at once. Raises: NotFoundError."""
        leases = self._leases(self._run("claim_sources", owner, 1, 0, lease_s, source_id, 0))
        if not leases:
            raise NotFoundError(f"no source {source_id!r}; `tocsin sources list` shows them")
        return leases[0]

    def _leases(self, answer: Sequence[Any]) -> list[SourceLease]:
        downtime_end = datetime.fromtimestamp(float(answer[0]), UTC)
        leases = []
        for _, due, source, state in answer[1:]:
            poll_state = POLL_STATE.load(state) if state else PollState()
            leases.append(
                SourceLease(
                    source=SOURCE.load(source),
                    state=poll_state,
                    due_at=datetime.fromtimestamp(float(due), UTC),
                    is_catch_up=bool(poll_state.ok_at and poll_state.ok_at < downtime_end),
                )
            )
        return leases

    def marks(self, source_id: str) -> dict[int, Mark]:
        """index -> mark of the source, oldest first."""
        return unpack_chunks(self._hash("seen", source_id))

    def commit_polls(self, commits: Sequence[PollCommit]) -> list[Outcome]:
        """Each commit in one Lua call, all of them in one round trip."""
        if not commits:
            return []
        return [Outcome(a.decode()) for a in self._run_many("commit_poll", [_arguments(c) for c in commits])]


def _arguments(commit: PollCommit) -> list[Arg]:
    chunks = changed_chunks(commit.marks, added=commit.added, updated=commit.updated, forgotten=commit.forgotten)
    revision = commit.state.revision
    state = POLL_STATE.dump(replace(commit.state, revision=revision + 1))
    head: list[Arg] = [commit.source_id, revision, commit.request_id, commit.owner, state, commit.due_at.timestamp()]
    pairs: list[Arg] = [part for number, chunk in chunks.items() for part in (number, chunk)]
    return [*head, len(chunks), *pairs, len(commit.changes), *(CHANGE.dump(c) for c in commit.changes)]
