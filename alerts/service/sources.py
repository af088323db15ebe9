"""What a person does with sources: add, look, probe, pause, remove, import."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from alerts.errors import ConfigError, FetchError, ParseError
from alerts.models import Item, Page, PageStatus, PollState, Source, SourceKind, SourceLease
from alerts.service.desk import Desk
from alerts.sources.cadence import is_blind
from alerts.sources.discover import Candidate, classify, discover
from alerts.sources.load import source_of
from alerts.sources.opml import slug
from alerts.sources.parse import Parsed, parse
from alerts.text.urls import is_web_address

_PROBE_S = 0.1


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source as a listing shows it; `health` is ok | new | quiet | blind | failing | gone | paused."""

    source: Source
    state: PollState
    health: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one look at a URL found; nothing was stored."""

    url: str
    http_status: int
    content_type: str
    kind: SourceKind | None
    items: tuple[Item, ...]
    candidates: tuple[Candidate, ...]
    error: str = ""


class SourceDesk(Desk):
    """Sources."""

    def add_source(self, table: Mapping[str, Any]) -> Source:
        """Add a source, or replace the one with its id.

        Args:
            table: The keys of a [[source]] table; without an `id` one is made from name or host.

        Raises:
            ConfigError: Names the key, what is wrong and what is allowed.
        """
        given = {k: v for k, v in table.items() if v not in (None, "", (), [])}
        url = str(given.get("url", ""))
        if not is_web_address(url):
            raise ConfigError(f"url: {url[:200]!r} is no http or https URL")
        given.setdefault("id", slug(str(given.get("name") or re.sub(r"^https?://(www\.)?", "", url).split("/")[0])))
        source = source_of(given, where="source")
        self.tools.state.put_source(source)
        return source

    def import_sources(self, sources: Sequence[Source]) -> tuple[list[str], list[str]]:
        """Add sources from a list of another program: (ids added, ids of those whose URL was there already).

        An id that another source has is given a number: an import replaces nothing.
        """
        known = {source.url: source.source_id for source, _ in self.tools.state.sources()}
        taken, added, there = set(known.values()), [], []
        for source in sources:
            if source.url in known:
                there.append(known[source.url])
                continue
            wanted = (source.source_id, *(f"{source.source_id}-{n}" for n in range(2, len(taken) + 3)))
            free = next(name for name in wanted if name not in taken)
            self.tools.state.put_source(replace(source, source_id=free))
            taken.add(free)
            added.append(free)
        return added, there

    def sources(self) -> list[SourceView]:
        """All sources with their health, in the order of their ids."""
        now = datetime.now(UTC)
        return [_view(source, state, now) for source, state in self.tools.state.sources()]

    def source(self, source_id: str) -> SourceView:
        """One source. Raises: NotFoundError."""
        source, state = self.tools.state.source(source_id)
        return _view(source, state, datetime.now(UTC))

    def pause_source(self, source_id: str, *, is_paused: bool) -> Source:
        """Stop or resume polling a source. Raises: NotFoundError."""
        source = replace(self.tools.state.source(source_id)[0], is_paused=is_paused)
        self.tools.state.put_source(source)
        return source

    def remove_source(self, source_id: str) -> None:
        """Forget a source; should it come back, that is a first poll. Raises: NotFoundError."""
        self.tools.state.remove_source(source_id)
        self.tools.baselines.forget(source_id)

    def probe(self, url: str) -> Probe:
        """Look at a URL once: is it a feed, a page that names feeds, what items does it give?

        Raises:
            ConfigError: The text is no http(s) URL.
        """
        if not is_web_address(url):
            raise ConfigError(f"url: {url[:200]!r} is no http or https URL")
        page = self._look(Source(source_id="probe", url=url, kind=SourceKind.TICKER))  # the kind that takes any body
        kind = classify(page.body, page.content_type) if page.body else None
        items: tuple[Item, ...] = ()
        error = page.error
        if kind is SourceKind.FEED:
            try:
                items = self._parse(Source(source_id="probe", url=url), page).items
            except ParseError as problem:
                error = str(problem)
        candidates = discover(page.body, page.url or url) if page.body and kind is not SourceKind.FEED else ()
        return Probe(page.url or url, page.http_status, page.content_type, kind, items, candidates, error)

    def read_source(self, source_id: str) -> tuple[Item, ...]:
        """The items a source shows right now; nothing is stored. Raises: NotFoundError, FetchError, ParseError."""
        source = self.tools.state.source(source_id)[0]
        page = self._look(source)
        if page.status is not PageStatus.CHANGED:
            raise FetchError(f"{source_id}: {page.error or page.status.value}")
        return self._parse(source, page).items

    def parse_page(self, source: Source, body: bytes, *, content_type: str, base_url: str) -> Parsed:
        """The items of a saved page. Raises: ParseError."""
        return parse(source, body, content_type=content_type, base_url=base_url, votes=0, sandbox=self.tools.sandbox)

    def _parse(self, source: Source, page: Page) -> Parsed:
        return self.parse_page(source, page.body, content_type=page.content_type, base_url=page.url or source.url)

    def _look(self, source: Source) -> Page:
        now = datetime.now(UTC)
        fetcher = self.tools.fetcher
        fetcher.submit([SourceLease(source=source, state=PollState(), due_at=now)], now)
        while True:
            for lease, page in fetcher.collect(_PROBE_S):
                if lease.source is source:
                    return page


def _view(source: Source, state: PollState, now: datetime) -> SourceView:
    if source.is_paused:
        return SourceView(source, state, "paused")
    if state.is_gone:
        return SourceView(source, state, "gone", "the publisher took it down for good (410)")
    if state.failures:
        often = f" ({state.failures} times in a row)" if state.failures > 1 else ""
        return SourceView(source, state, "failing", state.error + often)
    if state.polled_at is None:
        return SourceView(source, state, "new", "not polled yet")
    blind = is_blind(source, state, now)
    return SourceView(source, state, "blind" if blind else "ok", blind or "")
