"""Rules on a real store: reading 100,000 rules into a worker that starts, and previews of 100,000 archived items.

    ./run.sh bench bench/rules_store.py
    .venv/bin/python bench/rules_store.py --rules 10000 --items 10000

Items have 54 words, invented and as frequent as a Zipf law says; half are written with other than ASCII letters or signs
(quotes, German, Arabic, Japanese), a third share a story with the one before, three in four name countries. A preview is
what `tocsin rules preview` does, from the store to the warning. Figures are seconds of CPU, of this process and of the
store, which other work on the machine disturbs less than the clock does; `read` is the archive read page by page and
thrown away, `decode` every item read into the model, both in the same run.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from alerts.bootstrap import build_service, build_sifter
from alerts.models import Change, ChangeKind, Item, RegionEvidence, Rule, Tagged
from alerts.pipeline import Tools
from alerts.rules.query import query_id
from alerts.service import Service
from alerts.state.codec import TAGGED
from alerts.state.redis import RedisState
from alerts.text.fingerprint import content_id
from bench._rig import cpu_of, cpu_s, machine, store_process, table, workplace

_COUNTRIES = "US GB RU UA IL LB SY IR IQ CN TW IN PK FR DE TR EG SD NG ET KE ZA BR MX VE CO AR JP KR PH ID".split()
_ARABIC = "غارة جوية لبنان مقتل انفجار وزير الخارجية الحكومة رئيس المدينة الحدود اليوم بعد قبل هجوم صاروخ".split()
_GERMAN = "Straße München Bürger für über Erklärung Polizei Regierung größte Unwetter Flughafen Minister Brücke".split()
_HAN = "東京港火災地震津波警報政府発表発射首相会談経済大統領"
_KEEP_DAYS = 6.5  # over which the archive is spread


def vocabulary(rng: random.Random, number: int = 40_000) -> list[str]:
    """Invented words, the most frequent (and shortest) first."""
    syllables = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
    words: dict[str, None] = {}
    while len(words) < number:
        words["".join(rng.choices(syllables, k=2 + (len(words) > 500) + (len(words) > 8000)))] = None
    return list(words)


def items(rng: random.Random, words: Sequence[str], number: int, now: datetime) -> Iterator[tuple[Tagged, str]]:
    """(item, story id) of so many items, oldest first."""
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    story_id = ""
    for n in range(number):
        language, said = _said(rng, rng.choices(words, cum_weights=weights, k=54))
        at = now - timedelta(days=_KEEP_DAYS) * (1 - n / number)
        countries = tuple(rng.sample(_COUNTRIES, rng.choice((0, 1, 1, 2))))
        link = f"https://outlet-{n % 200}.example/news/{n}/a-slug-of-some-words"
        item = Item(
            source_id=f"outlet-{rng.randrange(200)}",
            guid=link,
            url=link,
            title=" ".join(said[:12]).capitalize(),
            text=" ".join(said[12:]) + ".",
            published_at=at - timedelta(minutes=rng.randrange(90)),
            topics=("world",),
        )
        item_id = content_id("item", str(n))
        story_id = content_id("story", item_id) if not story_id or rng.random() < 2 / 3 else story_id
        change = Change(kind=ChangeKind.NEW, item_id=item_id, item=item, polled_at=at, found_at=at)
        regions = tuple(_evidence(code) for code in countries)
        yield Tagged(change=change, language=language, urgency=rng.choice((1, 2, 3, 3, 3)), countries=countries, regions=regions), story_id


def _said(rng: random.Random, words: list[str]) -> tuple[str, list[str]]:
    """The language and the words of an item."""
    kind = rng.random()
    if kind < 0.08:
        return "ar", [rng.choice(_ARABIC) if rng.random() < 0.8 else word for word in words]
    if kind < 0.16:
        return "de", [rng.choice(_GERMAN) if rng.random() < 0.3 else word for word in words]
    if kind < 0.20:
        return "ja", ["".join(rng.choices(_HAN, k=rng.randrange(4, 12))) for _ in words[:20]]
    if kind < 0.50:
        words[5], words[8], words[20] = f"“{words[5]}", f"{words[8]}”", f"{words[20]}’s"
    return "en", words


def _evidence(code: str) -> RegionEvidence:
    why = f'"{code} land" names {code} land, a country'
    return RegionEvidence(code=code, name=f"{code} land", kind="country", lat=10.5, lon=20.25, span=(3, 9), why=why, score=0.81)


def fill(tools: Tools, found: Iterator[tuple[Tagged, str]]) -> None:
    """Put items into the archive as the sift commit does, at the times they were found."""
    state = tools.state
    assert isinstance(state, RedisState)
    rows = ((int(t.change.polled_at.timestamp() * 1000), n, TAGGED.dump(t), story_id) for n, (t, story_id) in enumerate(found))
    archive = f"{state.prefix}archive"
    state.run_commands(
        ("XADD", archive, f"{ms}-{n}", "j", row, "s", story_id, "w", "no rule matched") for ms, n, row, story_id in rows
    )


def queries(words: Sequence[str]) -> list[tuple[str, str]]:
    """(kind, query) of every kind of query; words by how frequent they are."""
    return [
        ("rare word", words[3000]),
        ("word in every third item", words[30]),
        ("phrase", f'"{words[100]} {words[200]}"'),
        ("word and region", f"{words[2000]} region:LB"),
        ("region", "region:LB"),
        ("circle", "near:33.27,35.20,50km"),
        ("expression", f"/{words[3000]}s?/"),
        ("expression on the headline", "title:/^za.*a$/"),
        ("word, two sources", f"{words[500]} sources:>=2"),
        ("frequent word, four sources", f"{words[30]} sources:>=4"),
        ("language, three sources", "lang:en sources:>=3"),
        ("stem", f"~{words[3000]}"),
        ("stem of a frequent word", f"~{words[30]}"),
        ("short stem", "~die"),
        ("Arabic stem", "~غارة"),
        ("beginning", f"{words[4000][:5]}*"),
        ("exact letters", f"={words[2000].capitalize()}"),
        ("near each other", f'"{words[50]} {words[60]}"~2'),
        ("other spellings", "müller OR straße"),
        ("no spaces", "東京"),
        ("link", f"url:{words[3000]}"),
        ("source and urgency", "source:outlet-17 urgency:1"),
        ("age and urgency", "age:>85m urgency:1"),
        ("list", "@militias"),
        ("ninety words", " OR ".join(words[5000:5090])),
        ("none but one", f"{words[30]} -{words[30]}"),
        ("NOT", f"-{words[30]}"),
        ("everything", "*"),
    ]


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of CPU that some work costs here and in the store."""
    store = store_process()
    before = cpu_s(store)
    mine = cpu_of(work)
    return mine, cpu_s(store) - before


def previews(service: Service, asked: Sequence[tuple[str, str]]) -> list[tuple[object, ...]]:
    """A row a query: kind, seconds here, seconds of the store, how often it would have rung."""
    rows: list[tuple[object, ...]] = []
    for kind, query in asked:
        counts: list[str] = []
        mine, store = measured(lambda query=query, counts=counts: counts.append(service.preview_rule(query).summary))  # type: ignore[misc]
        rows.append((kind, mine, store, counts[0].removeprefix("would have rung ")))
    return rows


def rebuild(tools: Tools, number: int) -> tuple[float, float]:
    """Seconds of CPU, here and of the store, until a worker that starts has so many rules in force."""
    rng = random.Random(2)
    words = vocabulary(rng, 20_000)
    made = []
    for n in range(number):
        query = " ".join(rng.choices(words, k=rng.choice((1, 2, 2, 3))) + ([f"region:{rng.choice(_COUNTRIES)}"] if n % 3 == 0 else []))
        made.append(Rule(rule_id=f"rule-{n}", query=query if n % 10 else f"({query}) OR ~{words[n % 5000]} -drill"))
    for start in range(0, number, 1000):
        tools.state.put_rules([(rule, query_id(rule.query, False)) for rule in made[start : start + 1000]])
    sifter = build_sifter()
    mine, store = measured(lambda: sifter.renew(tools))
    assert len(sifter.rules) > number * 0.5
    return mine, store


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=100_000)
    given = parser.parse_args()
    print(machine(), flush=True)
    rng = random.Random(1)
    words, now = vocabulary(rng), datetime.now(UTC)
    with workplace() as tools:
        fill(tools, items(rng, words, given.items, now))
        service = build_service(tools.settings, tools)
        service.preview_rule("*")  # loads what a process loads once
        since = now - timedelta(days=7)
        alone = measured(lambda: sum(1 for _ in tools.state.scan_archive(since)))
        decoded = measured(lambda: sum(1 for row, _ in tools.state.scan_archive(since) if TAGGED.load(row)))
        rows = previews(service, queries(words))
        built = rebuild(tools, given.rules)
    worst = max(float(str(row[1])) + float(str(row[2])) for row in rows)
    middle = statistics.median(float(str(row[1])) + float(str(row[2])) for row in rows)
    print(f"\n{given.items:,} archived items; s of CPU\n")
    print(table(("query", "preview", "store", "would have rung"), [("(read)", *alone, ""), ("(decode)", *decoded, ""), *rows]))
    print(f"\nslowest {worst:.2f} s, median {middle:.2f} s; decoding everything {sum(decoded):.2f} s")
    print(f"{given.rules:,} rules from the store into a worker: {built[0]:.2f} s here, {built[1]:.2f} s in the store")


if __name__ == "__main__":
    main()
