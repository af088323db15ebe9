"""How long an item takes against many rules: our index, pyahocorasick, re2.Set and a plain loop, in one run.

    ./run.sh bench bench/rules.py                             # 1,000 and 100,000 rules
    .venv/bin/python bench/rules.py --rules 1000000           # a minute or two
    .venv/bin/python bench/rules.py --rules 1000 --json

Rules have 1 to 4 words, a third of them a country as well; items have 54 words. Words are invented and as frequent as a
Zipf law says; what rules ask for is rarer than what texts consist of. Every engine is handed the words of the item
(cutting them is timed apart) and must name the same rules; times are medians over the items of the best of three turns.
Memory is what building adds to the process. pyahocorasick is optional: `pip install pyahocorasick`.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib
import importlib.util
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from alerts.models import Change, ChangeKind, Item, Tagged
from alerts.regions.areas import AreaIndex
from alerts.rules.grammar import parse
from alerts.rules.index import RuleIndex
from alerts.rules.match import Document
from alerts.rules.rarity import Rarity
from alerts.text.fingerprint import content_id
from alerts.text.tokens import tokens

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS = 40_000
_RULE_SKEW = 1.2  # of a word's frequency in texts, that in rules is this power
_TOO_COMMON = 20  # words nobody makes a rule of; with the twenty most frequent left out, a million rules give 240 matches an item
_COUNTRIES = "US GB RU UA IL LB SY IR IQ CN TW IN PK FR DE TR EG SD NG ET KE ZA BR MX VE CO AR JP KR KP PH ID MM AF YE SA AE QA".split()
_RE2_MOST = 10_000  # re2.Set takes minutes to compile beyond


@dataclass(frozen=True)
class Wanted:
    """A rule as the other engines know it."""

    words: tuple[str, ...]  # the rarest first
    country: str


def main() -> None:
    arguments = _arguments()
    for count in arguments.rules:
        rows = run(count, items=arguments.items, seed=arguments.seed)
        if arguments.json:
            for row in rows:
                print(json.dumps(row))
        else:
            _show(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def run(count: int, *, items: int, seed: int) -> list[dict[str, Any]]:
    """One row an engine."""
    rng = random.Random(seed)
    vocabulary = _vocabulary(rng)
    wanted = _rules(rng, vocabulary, count)
    documents = [_document(rng, vocabulary, n) for n in range(items)]
    learned = [_document(rng, vocabulary, items + n) for n in range(500)]
    index, row = _built("tocsin", lambda: _index(wanted, learned))
    rows = [row | {"rules": count} | _timed(documents, index.match)]
    expected = [set(index.match(d)) for d in documents]
    rows[0] |= {"matches": statistics.mean(map(len, expected)), "cut_us": _cutting(documents)} | _small_costs(index, wanted)
    del index
    for name, build in _others(wanted):
        engine, row = _built(name, build)
        rows.append(row | {"rules": count} | _timed(documents, engine))
        assert [set(map(_id, engine(d))) for d in documents[:50]] == expected[:50], name
        del engine
    return rows


# ---------------------------------------------------------------- what is matched


def _vocabulary(rng: random.Random) -> list[str]:
    """Invented words, the most frequent (and shortest) first."""
    syllables = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        words["".join(rng.choices(syllables, k=2 + (len(words) > 500) + (len(words) > 8000)))] = None
    return list(words)


def _rules(rng: random.Random, vocabulary: Sequence[str], count: int) -> list[Wanted]:
    """Different rules of 1 to 4 words, every third with a country."""
    ranks = range(_TOO_COMMON, len(vocabulary))
    weights = list(accumulate((1 / (r + 3)) ** _RULE_SKEW for r in ranks))
    made: dict[Wanted, None] = {}
    while len(made) < count:
        size = rng.choices((1, 2, 3, 4), (1, 6, 2, 1))[0]
        chosen = sorted(set(rng.choices(ranks, cum_weights=weights, k=size)), reverse=True)
        country = rng.choices(_COUNTRIES, [1 / (n + 2) for n in range(len(_COUNTRIES))])[0] if rng.random() < 1 / 3 else ""
        made[Wanted(tuple(vocabulary[r] for r in chosen), country)] = None
    return list(made)


def _document(rng: random.Random, vocabulary: Sequence[str], number: int) -> Document:
    """An item of 54 words and one or two countries, its words cut."""
    if not _SUMS:
        _SUMS.extend(accumulate(1 / (r + 3) for r in range(len(vocabulary))))
    words = rng.choices(vocabulary, cum_weights=_SUMS, k=54)
    item = Item(source_id="bench", title=" ".join(words[:12]), text=" ".join(words[12:]))
    change = Change(kind=ChangeKind.NEW, item_id=f"{number}", item=item, polled_at=_NOW, found_at=_NOW)
    document = Document.of(Tagged(change=change, language="en", countries=tuple(rng.sample(_COUNTRIES, rng.choice((1, 1, 2))))))
    document.lines("")
    return document


_SUMS: list[float] = []
_AREAS = AreaIndex.load()


def _id(number: int) -> str:
    return content_id("query", str(number))


# ---------------------------------------------------------------- the engines


def _index(wanted: Sequence[Wanted], learned: Iterable[Document]) -> RuleIndex:
    """Ours, from the text of each query."""
    rarity = Rarity()
    for document in learned:
        rarity.learn({word.text for word in document.words})
    index = RuleIndex(_AREAS, rarity=rarity)
    assert not index.put_many((_id(number), _query(rule), False) for number, rule in enumerate(wanted))
    return index


def _query(rule: Wanted) -> str:
    return " ".join((*rule.words, *((f"region:{rule.country}",) if rule.country else ())))


def _others(wanted: Sequence[Wanted]) -> list[tuple[str, Callable[[], Callable[[Document], list[int]]]]]:
    engines: list[tuple[str, Callable[[], Callable[[Document], list[int]]]]] = []
    if importlib.util.find_spec("ahocorasick"):
        engines.append(("pyahocorasick", lambda: _aho(wanted)))
    else:
        print("pyahocorasick is not installed: left out", file=sys.stderr)
    if len(wanted) <= _RE2_MOST:
        engines += [("re2.Set", lambda: _re2_set(wanted)), ("plain loop", lambda: _loop(wanted))]
    return engines


def _verified(wanted: Sequence[Wanted], candidates: Iterable[int], document: Document) -> list[int]:
    words = {word for line in document.lines("") for word in line.places}
    countries = document.tagged.countries
    return [n for n in candidates if words.issuperset(wanted[n].words) and (not wanted[n].country or wanted[n].country in countries)]


def _text(document: Document) -> str:
    item = document.tagged.change.item
    return f" {item.title} {item.text} "


def _aho(wanted: Sequence[Wanted]) -> Callable[[Document], list[int]]:
    """The rarest word of each rule with its boundaries in one automaton, then verification."""
    by_word: dict[str, list[int]] = defaultdict(list)
    for number, rule in enumerate(wanted):
        by_word[rule.words[0]].append(number)
    automaton = importlib.import_module("ahocorasick").Automaton()
    for word, numbers in by_word.items():
        automaton.add_word(f" {word} ", numbers)
    automaton.make_automaton()

    def match(document: Document) -> list[int]:
        found = {id(numbers): numbers for _, numbers in automaton.iter(_text(document))}
        return _verified(wanted, (n for numbers in found.values() for n in numbers), document)

    return match


def _re2_set(wanted: Sequence[Wanted]) -> Callable[[Document], list[int]]:
    """The rarest word of each rule as an expression of one set, then verification."""
    by_word: dict[str, list[int]] = defaultdict(list)
    for number, rule in enumerate(wanted):
        by_word[rule.words[0]].append(number)
    expressions = importlib.import_module("re2").Set.SearchSet()
    for word in by_word:
        expressions.Add(rf"\b{word}\b")
    expressions.Compile()
    numbers = list(by_word.values())

    def match(document: Document) -> list[int]:
        return _verified(wanted, (n for i in expressions.Match(_text(document)) or () for n in numbers[i]), document)

    return match


def _loop(wanted: Sequence[Wanted]) -> Callable[[Document], list[int]]:
    return lambda document: _verified(wanted, range(len(wanted)), document)


# ---------------------------------------------------------------- the clock


def _built(name: str, build: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    """What was built, and what it cost. """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _resident_mb()
    started = time.perf_counter()
    engine = build()
    took = time.perf_counter() - started
    gc.collect()
    return engine, {"engine": name, "build_s": round(took, 2), "memory_mb": round(_resident_mb() - before, 1)}


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def _timed(documents: Sequence[Document], match: Callable[[Document], object]) -> dict[str, float]:
    """Median microseconds an item, and the 99th percentile."""
    for document in documents:
        match(document)
    best = [min(_once(match, document) for _ in range(3)) for document in documents]
    return {"median_us": round(statistics.median(best), 1), "p99_us": round(sorted(best)[int(len(best) * 0.99)], 1)}


def _once(match: Callable[[Document], object], document: Document) -> float:
    started = time.perf_counter()
    match(document)
    return (time.perf_counter() - started) * 1e6


def _cutting(documents: Sequence[Document]) -> float:
    """Microseconds to cut the words of an item, which every stage shares."""
    texts = [f"{d.tagged.change.item.title} {d.tagged.change.item.text}" for d in documents]
    return round(statistics.median(min(_cut_once(t) for _ in range(3)) for t in texts), 1)


def _cut_once(text: str) -> float:
    started = time.perf_counter()
    tokens.__wrapped__(text)
    return (time.perf_counter() - started) * 1e6


def _small_costs(index: RuleIndex, wanted: Sequence[Wanted]) -> dict[str, float]:
    """Microseconds to add a rule, to remove it, and to parse a simple and a rich query."""
    add, remove = [], []
    for number in range(200):
        started = time.perf_counter()
        index.put("new", f"novel{number} {wanted[number].words[0]}")
        add.append(time.perf_counter() - started)
        started = time.perf_counter()
        index.remove("new")
        remove.append(time.perf_counter() - started)
    rich = 'strike (lebanon OR beirut) -football region:MENA "prime minister" missile* urgency:<=2'
    return {
        "add_us": round(statistics.median(add) * 1e6, 1),
        "remove_us": round(statistics.median(remove) * 1e6, 1),
        "parse_us": _parsing([_query(rule) for rule in wanted[:1000]]),
        "parse_rich_us": _parsing([f"{rich} w{n}" for n in range(200)]),
    }


def _parsing(queries: Sequence[str]) -> float:
    times = []
    for query in queries:
        started = time.perf_counter()
        parse.__wrapped__(query)
        times.append(time.perf_counter() - started)
    return round(statistics.median(times) * 1e6, 1)


def _show(rows: Sequence[dict[str, Any]]) -> None:
    ours = rows[0]
    print(f"\n{ours['rules']:,} rules, {ours['matches']:.0f} matches an item; cutting an item's words {ours['cut_us']} us")
    for row in rows:
        ratio = row["median_us"] / ours["median_us"]
        print(
            f"  {row['engine']:14} median {row['median_us']:9.1f} us  p99 {row['p99_us']:9.1f} us  {ratio:7.1f} x ours"
            f"  built in {row['build_s']:6.2f} s, {row['memory_mb']:6.1f} MB"
        )
    print(f"  add {ours['add_us']} us, remove {ours['remove_us']} us, parse {ours['parse_us']} us, rich {ours['parse_rich_us']} us")


if __name__ == "__main__":
    main()
