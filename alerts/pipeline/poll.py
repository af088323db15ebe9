"""poll: which sources are due, what they say, what of it is new; one atomic commit a source.

A transfer that hangs holds nobody up: it stays with the fetcher while others are claimed, committed and claimed again.
Pages without news are committed together, pages with news at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.diff import Diff, Found, diff
from alerts.errors import NotFoundError, ParseError
from alerts.models import Change, ChangeKind, Page, PageStatus, PollState, Source, SourceKind, SourceLease
from alerts.pipeline.tools import Tools, Turn
from alerts.ports import Outcome, PollCommit
from alerts.sources.cadence import jittered, learn_rhythm, next_interval
from alerts.sources.parse import parse, parser_version
from alerts.text.fingerprint import content_id

_COLLECT_S = 0.05  # longest wait for transfers before sources are claimed again


def poll(tools: Tools) -> int:
    """Poll what is due, and what becomes due meanwhile; how many pages were committed."""
    turn, done = Turn(tools, "poll"), 0
    while True:
        claimed = _claim(tools)
        tools.fetcher.submit(claimed, tools.clock())
        quiet: list[PollCommit] = []
        for lease, page in tools.fetcher.collect(_COLLECT_S):
            quiet.append(examine(tools, lease, page))
            if quiet[-1].changes:
                done += _commit(tools, quiet)
                quiet = []
        done += _commit(tools, quiet)
        if not claimed and not tools.fetcher.in_flight:
            return done
        if turn.is_over():
            return done


def poll_sources(tools: Tools, source_ids: Sequence[str]) -> list[PollCommit]:
    """Poll these sources at once, due or not; what each poll changed, in the order they ended.

    Raises:
        NotFoundError: Nobody knows one of them.
    """
    lease_s = tools.settings.poll.lease_s
    leases = [tools.state.lease_source(tools.owner, source_id, lease_s=lease_s) for source_id in source_ids]
    tools.fetcher.submit([replace(lease, due_at=tools.clock()) for lease in leases], tools.clock())
    commits: list[PollCommit] = []
    while tools.fetcher.in_flight:
        found = [examine(tools, lease, page) for lease, page in tools.fetcher.collect(_COLLECT_S)]
        commits += found
        _commit(tools, found)
    return commits


def _claim(tools: Tools) -> list[SourceLease]:
    settings = tools.settings.poll
    places = settings.batch * 4 - tools.fetcher.in_flight
    if places <= 0:
        return []
    return tools.state.claim_sources(
        tools.owner,
        limit=min(settings.batch, places),
        horizon_s=settings.tick_s,
        lease_s=settings.lease_s,
        downtime_s=settings.downtime_s,
    )


def _commit(tools: Tools, commits: Sequence[PollCommit]) -> int:
    """Commit; wakes the sifter when there is something for it."""
    tools.baselines.note([commit.source_id for commit in commits if commit.state.is_baselined])
    outcomes = tools.state.commit_polls(commits)
    for commit, outcome in zip(commits, outcomes, strict=True):
        if outcome is Outcome.STALE:
            _forget_removed(tools, commit.source_id)
    if any(c.changes and o is not Outcome.STALE for c, o in zip(commits, outcomes, strict=True)):
        tools.wake_up("sift")
    return len(outcomes)


def _forget_removed(tools: Tools, source_id: str) -> None:
    """A source that was removed while it was polled has no baseline: should it come back, that is a first poll."""
    try:
        tools.state.source(source_id)
    except NotFoundError:
        tools.baselines.forget(source_id)


def examine(tools: Tools, lease: SourceLease, page: Page) -> PollCommit:
    """What a finished transfer changes: the source's state, its marks, its changed items, its next due time."""
    now = tools.clock()
    if page.status is PageStatus.CHANGED:
        try:
            return _read(tools, lease, page, now)
        except ParseError as error:
            page = replace(page, status=PageStatus.FAILED, error=str(error))
    return _commit_of(tools, lease, _met(lease, page, now), page, found_new=0)


def _read(tools: Tools, lease: SourceLease, page: Page, now: datetime) -> PollCommit:
    """parse -> diff of a page that differs from the last one."""
    source, state = lease.source, lease.state
    version = parser_version(source)
    votes = state.fast_votes if state.parser == version else 0
    parsed = parse(
        source, page.body, content_type=page.content_type, base_url=page.url or source.url, votes=votes, sandbox=tools.sandbox
    )
    is_first = not state.is_baselined
    is_recovering = is_first and tools.baselines.knows(source.source_id)
    is_silent = is_first and not is_recovering
    items = parsed.items if is_silent else parsed.items[: tools.settings.poll.max_items]
    marks = {} if is_first else tools.state.marks(source.source_id)
    is_capped = len(items) < len(parsed.items)
    is_whole = parsed.is_complete and not is_capped
    change = diff(items, marks, source=source, now=now, lines=state.lines, is_complete=is_whole)
    is_baselined = state.is_baselined or bool(items) or source.kind is not SourceKind.FEED
    learned = replace(
        _met(lease, page, now),
        etag=page.etag if parsed.is_complete else None,
        last_modified=page.last_modified if parsed.is_complete else None,
        body_hash=page.body_hash if parsed.is_complete else "",
        parser=version,
        fast_votes=parsed.votes,
        is_baselined=is_baselined,
        changed_at=now,
        item_at=now if change.new and not is_silent else state.item_at,
        rhythm_s=state.rhythm_s if is_silent else learn_rhythm(state, now, len(change.new)),
        gaps=state.gaps + (change.is_gap or is_capped),
        lines=tuple(i.title for i in items) if source.kind is not SourceKind.FEED else (),
    )
    changes = () if is_silent else _changes(source, change, now, is_catch_up=lease.is_catch_up or is_recovering)
    commit = _commit_of(tools, lease, learned, page, found_new=0 if is_silent else len(change.new))
    return replace(
        commit, changes=changes, marks=marks, added=change.added, updated=change.updated, forgotten=change.forgotten
    )


def _changes(source: Source, change: Diff, now: datetime, *, is_catch_up: bool) -> tuple[Change, ...]:
    found_at = datetime.now(now.tzinfo)

    def of(kind: ChangeKind, found: Sequence[Found]) -> list[Change]:
        return [
            Change(
                kind=kind,
                item_id=content_id("item", source.source_id, f"{f.key:x}"),
                item=f.item,
                polled_at=now,
                found_at=found_at,
                is_catch_up=is_catch_up,
            )
            for f in found
        ]

    return (
        *of(ChangeKind.NEW, change.new),
        *of(ChangeKind.EDITED, change.edited),
        *of(ChangeKind.RETURNED, change.returned),
    )


def _met(lease: SourceLease, page: Page, now: datetime) -> PollState:
    """The source's state after an answer, or after none; the page carries on what the answer left as it was."""
    state = lease.state
    if page.status in (PageStatus.FAILED, PageStatus.GONE):
        error = page.error or f"the source answered {page.http_status}"
        is_gone = page.status is PageStatus.GONE
        return replace(
            state, polled_at=now, failures=state.failures + 1, error=error, http_status=page.http_status, is_gone=is_gone
        )
    return replace(
        state,
        polled_at=now,
        ok_at=now,
        failures=0,
        error="",
        http_status=page.http_status,
        is_gone=False,
        moved_to=page.moved_to,
        etag=page.etag,
        last_modified=page.last_modified,
    )


def _commit_of(tools: Tools, lease: SourceLease, state: PollState, page: Page, *, found_new: int) -> PollCommit:
    settings = tools.settings.poll
    interval = next_interval(lease.source, lease.state, page, found_new=found_new, settings=settings)
    due_at = page.fetched_at + timedelta(seconds=jittered(interval, settings.jitter, tools.random))
    return PollCommit(
        source_id=lease.source.source_id,
        request_id=uuid.uuid4().hex,
        owner=tools.owner,
        state=replace(state, interval_s=interval, next_due_at=due_at),
        due_at=due_at,
    )
