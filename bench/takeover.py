"""How long nobody sifts when the sifter dies: a standby waits for its lease, reads stories and rules again, and commits.

    ./run.sh bench bench/takeover.py

Two workers' engines on one store with 10,000 live stories and 1,000 rules. One sifts and then is silent, as if killed at the
worst moment, right after it renewed its lease; the other stands by. `silence` is wall time from the last commit of the one to the
first of the other, `rebuilding` what of it is more than the lease and a look, `CPU` what the other spent meanwhile.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from alerts.bootstrap import build_sifter
from alerts.models import Change, Source, Story
from alerts.pipeline import Tools, sift
from alerts.state.codec import STORY
from alerts.state.redis import RedisState
from alerts.stories.grouping import begin
from alerts.stories.life import grown
from alerts.stories.tag import RegionTagger, tag
from bench._rig import machine, table, workplace
from bench.sift_cost import changes, prepare, queries, queue

_HOME = Source(source_id="outlet-0", url="https://outlet-0.example/feed")


def stories(found: Iterable[Change], tagger: RegionTagger, now: datetime) -> Iterable[Story]:
    """A story of each item, as the store holds it."""
    for change in found:
        tagged = tag(change, _HOME, tagger)
        yield replace(grown(None, begin(tagged, now), tagged), revision=1)


def store(tools: Tools, told: Iterable[Story]) -> None:
    """Put stories into the store as their commits would have."""
    state = tools.state
    assert isinstance(state, RedisState)
    for story in told:
        state.run_command("HSET", f"{state.prefix}story:{story.story_id}", "rev", 1, "json", STORY.dump(story))
        state.run_command("ZADD", f"{state.prefix}stories", story.last_at.timestamp(), story.story_id)


def silence(tools: Tools, found: list[Change]) -> tuple[float, float, float]:
    """(wall seconds until a standby committed, those of it that were no waiting for the lease, CPU seconds)."""
    sifter, standby, other = build_sifter(), build_sifter(), replace(tools, owner="standby")
    queue(tools, found[:1])
    assert sift(tools, sifter) == 1
    died, cpu = time.monotonic(), time.process_time()
    queue(tools, found[1:2])
    assert sift(other, standby, stands_by=True) == 1
    waited = time.monotonic() - died
    return waited, waited - tools.settings.sift.lease_s, time.process_time() - cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, default=10_000)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(machine(), flush=True)
    random, now = Random(1), datetime.now(UTC)
    rows = []
    with workplace() as tools:
        prepare(tools, queries(random, given.rules))
        store(tools, stories(changes(random, given.stories, now - timedelta(hours=1)), build_sifter().tagger, now))
        for number in range(given.rounds):
            rows.append((f"round {number + 1}", *silence(tools, changes(Random(100 + number), 2, now))))
            tools.state.free_leases("standby")
    print(f"\nseconds, {given.stories:,} live stories, {given.rules:,} rules\n")
    print(table(("", "silence", "rebuilding", "CPU"), rows))


if __name__ == "__main__":
    main()
