"""CPU that sifting one item costs with a thousand rules: tag, story, match, and the commit on a real store.

    ./run.sh bench bench/sift_cost.py

`whole sift` is `pipeline.sift` as the worker runs it, from the queue to the commit, redis-py included; the rows below it
are its stages alone on the same items, without a store. ms of CPU of the sifting process, medians over rounds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from alerts.bootstrap import build_areas, build_sifter
from alerts.models import Change, ChangeKind, Item, PollState, Rule, Source, Tagged
from alerts.pipeline import Sifter, Tools, sift
from alerts.ports import PollCommit
from alerts.rules.index import RuleIndex
from alerts.rules.match import Document
from alerts.rules.query import query_id
from alerts.stories.grouping import StoryIndex
from alerts.stories.tag import tag
from alerts.text.fingerprint import content_id
from bench._rig import machine, median_ms, table, workplace

_PLACES = ("Lebanon", "Norway", "Chile", "Kenya", "Japan", "Portugal", "Fiji", "Mali", "Peru", "Latvia")
_EVENTS = ("earthquake", "ferry accident", "power cut", "general strike", "flood warning", "airport closure", "coup attempt", "wildfire")
_WORDS = "harbour council minister bridge tanker union border river convoy hospital school reactor market grain cable".split()
_SYLLABLES = "bar den mo ras ti kul fen os wick lo mar sund va ner el to".split()


def words(random: Random, number: int) -> list[str]:
    """Invented words, so that most rules match nothing, as in life."""
    return ["".join(random.choices(_SYLLABLES, k=5)) for _ in range(number)]


def queries(random: Random, number: int) -> list[str]:
    """Queries as people write them: words, phrases, regions, exclusions; one in twenty hits something now and then."""
    shapes = ("{a} {b}", '"{a} {b}"', "({a} OR {b}) region:{r}", "{a} NOT {b}", "{a} OR {b} OR {c}", "{a} lang:en", "{w} {a}")
    made = [random.choice(shapes).format(**_fill(random)) for _ in range(number - number // 20)]
    return made + [
        f"{random.choice(_WORDS)} {random.choice(_EVENTS).split()[0]} {random.choice(_PLACES)}" for _ in range(number // 20)
    ]


def _fill(random: Random) -> dict[str, str]:
    a, b, c = words(random, 3)
    return {"a": a, "b": b, "c": c, "r": random.choice(("LB", "NO", "CL", "KE", "JP")), "w": random.choice(_WORDS)}


def changes(random: Random, number: int, now: datetime) -> list[Change]:
    """New items of invented outlets, about 50 words each; one in ten tells what another has told."""
    made: list[Change] = []
    for n in range(number):
        place, event = random.choice(_PLACES), random.choice(_EVENTS)
        title = f"{event.title()} in {place}: {random.choice(_WORDS)} near {words(random, 1)[0].title()} closed, {n} affected"
        if made and n % 10 == 0:
            title = made[-1].item.title
        text = " ".join([*random.choices(_WORDS, k=4), *words(random, 34)])
        link = f"https://outlet-{n % 40}.example/{n}"
        item = Item(source_id=f"outlet-{n % 40}", guid=link, url=link, title=title, text=text, published_at=now - timedelta(minutes=5))
        made.append(Change(kind=ChangeKind.NEW, item_id=content_id("item", link), item=item, polled_at=now, found_at=now))
    return made


def prepare(tools: Tools, asked: Sequence[str]) -> None:
    """Put sources and rules into the store."""
    for n in range(40):
        tools.state.put_source(Source(source_id=f"outlet-{n}", url=f"https://outlet-{n}.example/feed"))
    tools.state.put_rules([(Rule(rule_id=f"rule-{n}", query=query), query_id(query, False)) for n, query in enumerate(asked)])


def queue(tools: Tools, found: Sequence[Change]) -> None:
    """Put items on the stream as a poll of one of the sources does."""
    state, now = tools.state.source("outlet-0")[1], datetime.now(UTC)
    request = content_id(*(change.item_id for change in found))
    commit = PollCommit(source_id="outlet-0", request_id=request, owner=tools.owner, state=state or PollState(), due_at=now, changes=found)
    tools.state.commit_polls([commit])


def whole(tools: Tools, sifter: Sifter, found: Sequence[Change], per: int) -> float:
    """ms of CPU for one item of `pipeline.sift`, in rounds of `per` items."""
    parts = [found[start : start + per] for start in range(0, len(found), per)]
    waiting = iter(parts)
    queue(tools, next(waiting))
    sift(tools, sifter)  # reads the rules
    return median_ms(partial(sift, tools, sifter), rounds=len(parts) - 1, per=per, before=lambda: queue(tools, next(waiting)))


def stages(sifter: Sifter, found: Sequence[Change], asked: Sequence[str]) -> list[tuple[str, float]]:
    """(stage, ms of CPU for one item) of each stage alone."""
    home = Source(source_id="outlet-0", url="https://outlet-0.example/feed")
    tagged: list[Tagged] = [tag(change, home, sifter.tagger) for change in found]
    rules = RuleIndex(build_areas())
    for query in asked:
        rules.put(query_id(query, False), query)
    return [
        ("tag", median_ms(lambda: [tag(change, home, sifter.tagger) for change in found], rounds=3, per=len(found))),
        ("story", median_ms(partial(_group, tagged), rounds=3, per=len(found))),
        ("match", median_ms(lambda: [rules.match(Document.of(one)) for one in tagged], rounds=3, per=len(found))),
    ]


def _group(tagged: Sequence[Tagged]) -> None:
    stories = StoryIndex()
    for one in tagged:
        stories.apply(stories.assign(one, one.change.polled_at))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--round", type=int, default=100, help="items in a round")
    given = parser.parse_args()
    print(machine(), flush=True)
    random = Random(1)
    asked, found = queries(random, given.rules), changes(random, given.items, datetime.now(UTC))
    with workplace() as tools:
        prepare(tools, asked)
        sifter = build_sifter()
        total = whole(tools, sifter, found, given.round)
        bells = tools.state.waiting()["deliver"]
        rows = [("whole sift", total), *stages(sifter, found, asked)]
    print(f"\nms of CPU for each item, {given.rules:,} rules, {given.items:,} items, {bells} of them rang\n")
    print(table(("stage", "ms"), rows))
    print(f"\nThat is {1000 / total:,.0f} items a second in one sifter.")


if __name__ == "__main__":
    main()
