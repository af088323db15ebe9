"""What judging a headline costs, and how the levels fall over real headlines in 30 languages.

    ./run.sh bench bench/urgency.py

us of CPU for each item (process time, medians over rounds): its nature, urgency, phase and toll, and its origin with the
imprint of its text, each on items never seen before; the row below cuts the same text into words once, which is part of the
first. The levels are those of the shared headlines beside the project; without them invented ones are used for the cost.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

from alerts.models import Item, Source
from alerts.stories.independence import record_of
from alerts.stories.nature import Nature, nature_of
from alerts.stories.phases import phase_of
from alerts.stories.reading import LEDE, passage_of
from alerts.stories.toll import toll_of
from alerts.stories.urgency import urgency_of
from alerts.text.tokens import tokens
from bench._rig import ROOT, machine, median_ms, table

HEADLINES = ROOT.parent / "shared" / "data" / "regions" / "unlabelled_headlines.jsonl"
_SOURCE = Source(source_id="harbour-north", url="https://harbour-north.example/feed.xml")
_WORDS = (
    "harbour council ferry fire minister explosion dead twelve people injured bridge since verdict says could market film Reuters "
    "storm talks border union police rescue warning river school"
).split()


def headlines(path: Path) -> list[Item]:
    """The shared headlines with their summaries; invented ones where there are none."""
    if path.is_file():
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [
            Item(source_id="s", title=row["title"], text=(row.get("summary") or "")[:400], url=row.get("url") or "", language=row["lang"])
            for row in rows
        ]
    random = Random(1)
    return [
        Item(source_id="s", title=" ".join(random.choices(_WORDS, k=10)), text=" ".join(random.choices(_WORDS, k=50)), language="en")
        for _ in range(2000)
    ]


def judge(item: Item) -> tuple[int, Nature]:
    """Everything that the tag and story stages ask about one headline."""
    language = item.language
    nature = nature_of(item.title, language=language, url=item.url).nature
    level, _ = urgency_of(item.title, item.text, language=language, nature=nature)
    phase_of(item.title, language=language)
    toll_of(item.title, item.text, language=language)
    return level, nature


def costs(items: Sequence[Item], rounds: int) -> Iterator[tuple[str, float]]:
    """(what, us of CPU for each item); what is kept of a headline is forgotten before each round."""
    works: dict[str, Callable[[Item], object]] = {
        "nature, urgency, phase, toll": judge,
        "origin and imprint": lambda item: record_of("i", item, _SOURCE, language=item.language),
        "all of it": lambda item: (judge(item), record_of("i", item, _SOURCE, language=item.language)),
        "of that, cutting the words": lambda item: (tokens.__wrapped__(item.title), tokens.__wrapped__(item.text[:LEDE])),
    }
    for name, work in works.items():

        def once(work: Callable[[Item], object] = work) -> None:
            passage_of.cache_clear()
            for item in items:
                work(item)

        once()
        yield name, 1000 * median_ms(once, rounds=rounds, per=len(items))


def levels(items: Sequence[Item]) -> list[tuple[str, object, object]]:
    """(level or nature, how many, share) over the headlines."""
    judged = [judge(item) for item in items]
    by_level, by_nature = Counter(level for level, _ in judged), Counter(nature for _, nature in judged)
    rows = [(f"urgency {level}", by_level[level]) for level in range(1, 6)]
    rows += [(nature.value, count) for nature, count in by_nature.most_common()]
    return [(name, count, f"{100 * count / len(items):.1f} %") for name, count in rows]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headlines", type=Path, default=HEADLINES)
    parser.add_argument("--items", type=int, default=5000, help="at most so many headlines")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(machine(), flush=True)
    items = headlines(given.headlines)[: given.items]
    print(f"\n{len(items):,} headlines, {'real' if given.headlines.is_file() else 'invented'}\n")
    print(table(("what", "us"), list(costs(items, given.rounds))))
    print()
    print(table(("is", "headlines", "share"), levels(items)))


if __name__ == "__main__":
    main()
