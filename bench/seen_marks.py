"""Bytes of the store that one remembered item costs, its share of keys and its fingerprint included, at a million items.

    ./run.sh bench bench/seen_marks.py

The marks go in as polls bring them: the sources take turns, each time one more page of items, read back and committed as
`pipeline.poll` does. `used_memory` of the store before (sources and their state are there, no mark is) and after, divided
by the number of items. The target is 48 bytes; 39 of them are the packed mark.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random

from alerts.models import Mark, PollState, Source
from alerts.pipeline import Tools
from alerts.ports import PollCommit
from bench._rig import machine, sources, store_of, table, workplace

_TOGETHER = 50  # sources in one batch


def used_memory(tools: Tools) -> int:
    """Bytes the store has allocated, once its buffers have been written."""
    client = store_of(tools)
    time.sleep(1.0)
    used = int(client.info("memory")["used_memory"])  # type: ignore[index,unused-ignore]
    client.close()
    return used


def page_of_marks(random: Random, size: int, now_s: int) -> list[Mark]:
    """Marks of items never seen before."""
    bits = random.getrandbits
    return [Mark(bits(64), bits(48), bits(48), bits(48), bits(48), now_s, now_s // 3600, True) for _ in range(size)]


def batches(rows: Sequence[Source]) -> Iterator[Sequence[Source]]:
    """The sources as workers claim them."""
    for start in range(0, len(rows), _TOGETHER):
        yield rows[start : start + _TOGETHER]


def turn(tools: Tools, mine: Sequence[Source], revision: int, *, random: Random, size: int) -> None:
    """One more page of every source; a size of 0 brings the source's state only."""
    now = datetime.now(UTC)
    state = PollState(revision=revision, etag='"bench"', body_hash="0" * 32, parser="feed-1", is_baselined=True, polled_at=now, ok_at=now)
    for some in batches(mine):
        commits = [
            PollCommit(
                source_id=source.source_id,
                request_id=f"{random.getrandbits(128):032x}",
                owner=tools.owner,
                state=state,
                due_at=now,
                marks=tools.state.marks(source.source_id),
                added=page_of_marks(random, size, int(now.timestamp())),
            )
            for source in some
        ]
        tools.state.commit_polls(commits)


def measure(tools: Tools, *, number: int, pages: int, size: int, seed: int = 1) -> tuple[int, int]:
    """Bytes used by the marks, and how many marks are there by the store's own account."""
    random, mine = Random(seed), sources("https://wire.example", "quiet", number)
    for source in mine:
        tools.state.put_source(source)
    turn(tools, mine, 0, random=random, size=0)
    before = used_memory(tools)
    for revision in range(1, pages + 1):
        turn(tools, mine, revision, random=random, size=size)
    used = used_memory(tools) - before
    return used, sum(len(tools.state.marks(source.source_id)) for source in mine)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=2000)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--page-size", type=int, default=50)
    given = parser.parse_args()
    print(machine(), flush=True)
    with workplace() as tools:
        used, marks = measure(tools, number=given.sources, pages=given.pages, size=given.page_size)
    print()
    print(table(("sources", "items", "MB", "bytes an item", "target"), [(given.sources, marks, used / 1e6, used / marks, 48)]))


if __name__ == "__main__":
    main()
