"""How well and at which cost items are grouped into stories, beside three plain ways, each in the same run.

    ./run.sh bench bench/stories.py                   all of it, some ten minutes
    .venv/bin/python bench/stories.py --only cost     CPU and memory at 10,000 live stories
    .venv/bin/python bench/stories.py --only quality --semantic   the same with the extra `semantic`

Needs the labelled headlines beside the project. Every figure of ours comes from weights that never saw what they are
judged on: of the stream, each month is grouped with weights learned from the other months; of the pairs, each fifth with
weights learned from the rest, pairs that hang together by a common headline in one fifth. `cost100` = 5 x missed + late +
duplicate alerts per 100 events; an alert rings when an item starts a story. Intervals are 95 % of 1,000 resamplings of the
events (of the pairs).
"""

from __future__ import annotations

import argparse
import gc
import random
import time
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from alerts.cli.edges import tagged_row
from alerts.models import Tagged
from alerts.regions.tagger import Tagger
from alerts.stories.compare import closer_features, view_of
from alerts.stories.grouping import JOIN_CHANCE, StoryIndex, begin
from alerts.stories.likeness import same_event
from alerts.stories.rarity import Rarity
from alerts.stories.scorer import Weights
from alerts.stories.semantic import load_encoder
from alerts.stories.sketch import Sketch
from bench._rig import machine, table
from bench._train_stories import DATA, Candidate, Labelled, Pair, School, chooser, read_rows, read_stream, walk

DIAL = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_LIVE = 10_000
Grouping = Mapping[str, str]  # item id -> story


class Verdict(NamedTuple):
    """What became of one event: 1 or 0 for missed and late, and how many alerts too many."""

    missed: int
    late: int
    duplicates: int

    @property
    def cost(self) -> int:
        """What it counts for in cost100."""
        return 5 * self.missed + self.late + self.duplicates


def verdicts(stream: Sequence[Labelled], stories: Grouping) -> list[Verdict]:
    """Of each event, in the order in which they began."""
    started: set[str] = set()
    alerts: Counter[str] = Counter()
    first_is_new: dict[str, bool] = {}
    for item in stream:
        is_new = stories[item.item_id] not in started
        started.add(stories[item.item_id])
        alerts[item.event] += is_new
        first_is_new.setdefault(item.event, is_new)
    return [Verdict(int(alerts[e] == 0), int(alerts[e] > 0 and not new), max(0, alerts[e] - 1)) for e, new in first_is_new.items()]


def bcubed(stream: Sequence[Labelled], stories: Grouping) -> float:
    """B-cubed F1."""
    joint = Counter((item.event, stories[item.item_id]) for item in stream)
    events, groups = Counter(item.event for item in stream), Counter(stories[item.item_id] for item in stream)
    precision = sum(n * n / groups[story] for (_, story), n in joint.items()) / len(stream)
    recall = sum(n * n / events[event] for (event, _), n in joint.items()) / len(stream)
    return 2 * precision * recall / (precision + recall)


def interval(values: Sequence[Any], figure: Callable[[Sequence[Any]], float]) -> str:
    """The figure with its 95 % interval."""
    dice = random.Random(5)
    drawn = sorted(figure(dice.choices(values, k=len(values))) for _ in range(1000))
    return f"{figure(values):.3g} ({drawn[25]:.3g} to {drawn[974]:.3g})"


def cost100(found: Sequence[Verdict]) -> float:
    """5 x missed + late + duplicates per 100 events."""
    return 100 * sum(verdict.cost for verdict in found) / len(found)


def f1(found: Sequence[tuple[bool, bool]]) -> float:
    """F1 of (called the same, are the same)."""
    hits = sum(said and true for said, true in found)
    return 2 * hits / max(1, sum(said for said, _ in found) + sum(true for _, true in found))


# ---------------------------------------------------------------- ways to group


def ours(stream: Sequence[Labelled], weights: Mapping[str, Weights], least: float) -> Grouping:
    """Our grouping with the weights of each item's month."""
    pick, stories = chooser(weights.__getitem__, least), dict[str, str]()

    def choose(item: Labelled, met: list[tuple[str, Candidate]]) -> str:
        stories[item.item_id] = pick(item, met) or item.item_id
        return stories[item.item_id]

    walk(stream, {month: known.prior for month, known in weights.items()}, choose)
    return stories


def by_likeness(stream: Sequence[Labelled], likeness: Callable[[Sketch, Sketch], float], least: float) -> Grouping:
    """Join the item of the last 72 h that is most alike."""
    stories: dict[str, str] = {}
    for place, item in enumerate(stream):
        recent = (o for o in reversed(stream[max(0, place - 400) : place]) if o.sketch.at_s >= item.sketch.at_s - 72 * 3600)
        best = max(((likeness(item.sketch, other.sketch), other.item_id) for other in recent), default=(0.0, ""))
        stories[item.item_id] = stories[best[1]] if best[1] and best[0] >= least else item.item_id
    return stories


def exact(one: Sketch, other: Sketch) -> float:
    """Whether the words are the same."""
    return float(one.terms == other.terms)


def jaccard(one: Sketch, other: Sketch) -> float:
    """The share of words in common."""
    a, b = set(one.terms), set(other.terms)
    return len(a & b) / len(a | b) if a | b else 0.0


def tfidf(prior: Mapping[int, float]) -> Callable[[Sketch, Sketch], float]:
    """The cosine of TF-IDF vectors."""
    rarity = Rarity(prior, {}, ())

    def cosine(one: Sketch, other: Sketch) -> float:
        if not set(one.terms) & set(other.terms):
            return 0.0
        return closer_features(view_of(one, rarity), view_of(other, rarity))[0]

    return cosine


# ---------------------------------------------------------------- what is printed


def show_stream(school: School, weights: Mapping[str, Weights]) -> None:
    """The stream by cross-validation, beside the plain ways."""
    plain = {
        "exact title": (exact, 1.0),
        "Jaccard of words >= .55": (jaccard, 0.55),
        "TF-IDF cosine >= .45": (tfidf(school.prior()), 0.45),
    }
    found = {name: by_likeness(school.stream, likeness, least) for name, (likeness, least) in plain.items()}
    found["ours, months by cross-validation"] = ours(school.stream, weights, JOIN_CHANCE)
    rows = []
    for name, stories in found.items():
        all_of = verdicts(school.stream, stories)
        missed = interval(all_of, lambda v: 100 * sum(x.missed for x in v) / len(v))
        repeats = interval(all_of, lambda v: sum(x.duplicates for x in v) / len(v))
        rows.append([name, interval(all_of, cost100), missed, repeats, f"{bcubed(school.stream, stories):.3f}"])
    print(f"\nstream of {len(school.stream)} items, {len({item.event for item in school.stream})} events")
    print(table(["", "cost100", "missed %", "duplicates an event", "B-cubed F1"], rows))


def show_dial(school: School, weights: Mapping[str, Weights]) -> None:
    """What the dial trades for what."""
    rows = []
    for least in DIAL:
        stories = ours(school.stream, weights, least)
        found = verdicts(school.stream, stories)
        missed, late = (100 * sum(getattr(v, name) for v in found) / len(found) for name in ("missed", "late"))
        duplicates = sum(v.duplicates for v in found) / len(found)
        figures = (f"{missed:.1f}", f"{late:.1f}", f"{duplicates:.2f}", f"{cost100(found):.1f}", f"{bcubed(school.stream, stories):.3f}")
        rows.append([f"{least}", *figures])
    print("\nthe dial (sift.join_chance), months by cross-validation")
    print(table(["join_chance", "missed %", "late %", "duplicates an event", "cost100", "B-cubed F1"], rows))


def show_pairs(school: School) -> None:
    """Pairs of headlines, each fifth with weights that never saw it."""
    rows = []
    for name, is_dated in (("lede", True), ("lede", False), ("sts_headlines", False)):
        pairs = school.pairs[name]
        said = pair_answers(school, name, is_dated=is_dated)
        plain = tfidf(school.prior())
        rows.append(
            [
                f"{name}, {len(pairs)} pairs{', with their times' if is_dated else ''}",
                interval([(s >= 0.5, p.is_same) for s, p in zip(said, pairs, strict=True)], f1),
                f"{f1([(plain(p.one.sketch, p.other.sketch) >= 0.45, p.is_same) for p in pairs]):.2f}",
                f"{f1([(jaccard(p.one.sketch, p.other.sketch) >= 0.55, p.is_same) for p in pairs]):.2f}",
            ]
        )
    print()
    print(table(["pairs", "F1, ours by cross-validation", "TF-IDF >= .45", "Jaccard >= .55"], rows))


def pair_answers(school: School, name: str, *, is_dated: bool) -> list[float]:
    """The scores of all pairs of a corpus, each from weights that saw no pair of the group it hangs together with."""
    pairs, groups = school.pairs[name], groups_of(school.pairs[name])
    keys = sorted(set(groups))
    random.Random(3).shuffle(keys)
    part_of = {key: number % 5 for number, key in enumerate(keys)}
    parts = [part_of[group] for group in groups]
    said = [0.0] * len(pairs)
    for part in range(5):
        known = school.with_pairs(name, (pair for pair, own in zip(pairs, parts, strict=True) if own != part)).learn_same()
        for place, (pair, own) in enumerate(zip(pairs, parts, strict=True)):
            if own == part:
                one, other = (side._replace(is_dated=is_dated) for side in (pair.one, pair.other))
                said[place] = same_event(one, other, known)
    return said


def groups_of(pairs: Sequence[Pair]) -> list[str]:
    """Of each pair the name of its group: pairs that have a headline in common, and those that have one in common with these."""
    above: dict[str, str] = {}

    def top(title: str) -> str:
        while above.setdefault(title, title) != title:
            title = above[title]
        return title

    for pair in pairs:
        above[top(pair.one.title)] = top(pair.other.title)
    return [top(pair.one.title) for pair in pairs]


def show_cost(tagger: Tagger) -> None:
    """CPU for each item and memory at 10,000 live stories."""
    items = list(arrivals(tagger))
    random.Random(1).shuffle(items)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    gc.collect()
    tracemalloc.start()
    index = StoryIndex()
    for tagged in items[:_LIVE]:
        index.apply(begin(tagged, now))
    gc.collect()
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    costs = sorted(assign_ms(index, tagged, now + timedelta(hours=1)) for tagged in items[_LIVE : _LIVE + 600])
    stories = list(index)
    start = time.process_time()
    StoryIndex().load(stories)
    loading = time.process_time() - start
    mean, tail = sum(costs) / len(costs), costs[int(len(costs) * 0.99)]
    print(f"\nat {len(stories)} live stories: {mean:.2f} ms CPU an item, p99 {tail:.2f}; {megabytes:.0f} MB; loaded in {loading:.1f} s")


def assign_ms(index: StoryIndex, tagged: Tagged, now: datetime) -> float:
    """CPU of one assign and apply."""
    start = time.process_time()
    index.apply(index.assign(tagged, now))
    return (time.process_time() - start) * 1000


def arrivals(tagger: Tagger) -> Iterable[Tagged]:
    """Real headlines of all corpora as items with ids of their own."""
    sides = [row[side] for row in read_rows(DATA / "pairs/sts_headlines.dev.jsonl") for side in ("a", "b")]
    rows = [*read_rows(DATA / "streams/wce.dev.jsonl"), *read_rows(DATA / "streams/uci.dev.jsonl"), *sides]
    for number, row in enumerate(rows):
        tagged = tagged_row({**row, "id": f"n{number}"}, "row", tagger)
        yield replace(tagged, change=replace(tagged.change, item=replace(tagged.change.item, source_id=row.get("source", "stdin"))))


def show_topics(school: School, weights: Weights, tagger: Tagger) -> None:
    """A stream whose labels are coarse topics, never learned from: a check that nothing is far off, not a score."""
    stream = read_stream("uci", tagger)
    found = defaultdict(set)
    stories = ours(stream, {item.month: weights for item in stream}, JOIN_CHANCE)
    for item in stream:
        found[stories[item.item_id]].add(item.event)
    mixed = sum(len(events) > 1 for events in found.values())
    print(
        f"\ntopics of 2014 (never learned from): {len(stream)} items of {len({i.event for i in stream})} topics in {len(found)} stories, "
        f"{mixed} of them mixed; {len(school.months())} months learned from"
    )


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("quality", "cost"))
    parser.add_argument("--semantic", action="store_true", help="with sentence vectors (the extra), ten minutes more")
    options = parser.parse_args()
    only, encode = options.only, lru_cache(maxsize=None)(load_encoder()) if options.semantic else None
    print(machine())
    if not DATA.exists():
        print(f"skipped: there is no {DATA.name} data beside the project")
        return
    tagger = Tagger.load()
    if only != "quality":
        show_cost(tagger)
    if only != "cost":
        school = School.open(tagger, encode)
        weights, candidates = school.folds()
        show_stream(school, weights)
        show_dial(school, weights)
        show_pairs(school)
        show_topics(school, school.learn(candidates), tagger)


if __name__ == "__main__":
    main()
