"""1,000 people, a year each: what policy does to 1.1 million alerts, and whether anything goes wrong.

Every person has a zone, quiet hours, budgets, digests, mutes, snoozes and downtimes of the service at random (seeded), one send
in fifty fails for now. The deciding is the service's own; the store is a model of it, which tests/test_policy_year.py holds to
the real one. What has to hold is checked in other ways than it was decided: silence by reading the wall clock, digests by
counting, budgets by looking back. The last column is CPU of deciding and storing, the alerts' making included.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from bench._policy_world import ModelStore, problems, run, scenario, summary
from bench._rig import machine, table

_SHOWN = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(machine())
    print(live(options.people, options.days, options.seed))


def live(people: int, days: int, seed: int) -> str:
    """The figures of so many years, and what went wrong."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    began = time.process_time()
    spent = 0.0
    for number in range(seed, seed + people):
        who = scenario(number, days=days)
        before = time.process_time()
        done = run(who, ModelStore(who.preferences), seed=number)
        spent += time.process_time() - before
        counts.update(summary([done]))
        wrong += [f"person {number}: {problem}" for problem in problems(done)]
    per = spent * 1e6 / max(1, counts["decisions"])
    rows = [(name, number) for name, number in counts.items()]
    rows += [("wrong", len(wrong)), ("CPU us a decision", round(per)), ("CPU s in all", round(time.process_time() - began))]
    return "\n".join([table(("what", "how many"), rows), *wrong[:_SHOWN]])


if __name__ == "__main__":
    main()
