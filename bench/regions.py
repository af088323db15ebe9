"""How well and how fast places are found: our tagger, a naive most-populous baseline, geotext and flashgeotext in one run.

    python -m bench.regions [--data ../shared/data/regions] [--peers]

Needs the shared data beside the project. Peers are optional packages (`pip install geotext flashgeotext`) and are
left out, saying so, where they are missing. F1 is micro over (document, country), macro over the four corpora.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alerts.regions.gazetteer import load_gazetteer
from alerts.regions.tagger import Tagger, countries_of
from alerts.text.tokens import words

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "regions"
CORPORA = ("gwn", "lgl", "geocorpora", "geovirus")
Row = dict[str, Any]
Answer = Callable[[Row], Sequence[str]]


class Score(NamedTuple):
    """Precision, recall and F1 of one corpus."""

    precision: float
    recall: float
    f1: float


def rows_of(corpus: str, folder: Path) -> list[Row]:
    """The rows of one corpus."""
    return [json.loads(line) for line in (folder / f"{corpus}.jsonl").read_text(encoding="utf-8").splitlines()]


def score(rows: Iterable[Row], found: Iterable[Sequence[str]]) -> Score:
    """Micro scores over (document, country); optional countries count neither way."""
    right = wrong = missed = 0
    for row, codes in zip(rows, found, strict=True):
        gold = set(row["gold_countries"])
        said = set(codes) - (set(row.get("optional_countries") or ()) - gold)
        right, wrong, missed = right + len(said & gold), wrong + len(said - gold), missed + len(gold - said)
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    return Score(precision, recall, 2 * precision * recall / max(1e-9, precision + recall))


def text_of(row: Row) -> str:
    """What is tagged: title, newline, text."""
    return f"{row['title']}\n{row['text']}"


def ours(*, is_home_known: bool) -> Answer:
    """Our tagger, with or without the home of the source."""
    tagger = Tagger.load()
    return lambda row: countries_of(
        tagger.tag(text_of(row), language=row["lang"], home=row.get("source_home") if is_home_known else None)
    )


def most_populous() -> Answer:
    """Every capitalised name, longest first, is the largest place of that name."""
    gazetteer = load_gazetteer()

    def answer(row: Row) -> Sequence[str]:
        found, parts = [], [word for word in text_of(row).split() if word[:1].isupper()]
        for part in parts:
            readings = gazetteer.readings(" ".join(words(part)))
            if readings:
                found.append(max(readings, key=lambda r: r.place.size).place.country)
        return found

    return answer


def peers() -> Iterable[tuple[str, Answer]]:
    """geotext and flashgeotext where they are installed."""
    try:
        geotext: Any = importlib.import_module("geotext")
        yield "geotext", lambda row: list(geotext.GeoText(text_of(row)).country_mentions)
    except ImportError:
        sys.stdout.write("geotext is not installed\n")
    try:
        flash: Any = importlib.import_module("flashgeotext.geotext").GeoText()
        codes = {name: code for code, name in load_gazetteer().english.items()}
        yield "flashgeotext", lambda row: [codes[name] for name in flash.extract(text_of(row))["countries"] if name in codes]
    except ImportError:
        sys.stdout.write("flashgeotext is not installed\n")


def measure(name: str, answer: Answer, corpora: Sequence[list[Row]]) -> None:
    """Print one line: macro precision, recall, F1, and CPU per document."""
    for rows in corpora:
        for row in rows[:50]:
            answer(row)
    began = time.process_time()
    scores = [score(rows, [answer(row) for row in rows]) for rows in corpora]
    cpu = (time.process_time() - began) / sum(map(len, corpora))
    macro = [sum(values) / len(scores) for values in zip(*scores, strict=True)]
    sys.stdout.write(f"{name:24s} P {macro[0]:.3f}  R {macro[1]:.3f}  F1 {macro[2]:.3f}  {1e6 * cpu:7.0f} us a document\n")


def main() -> None:
    """Measure everything that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"{arguments.data.name}: the shared data is not on this machine; give its folder with --data")
    corpora = [rows_of(corpus, arguments.data) for corpus in CORPORA]
    measure("tocsin", ours(is_home_known=False), corpora)
    measure("tocsin, home known", ours(is_home_known=True), corpora)
    measure("most populous", most_populous(), corpora)
    for name, answer in peers() if arguments.peers else ():
        measure(name, answer, corpora)


if __name__ == "__main__":
    main()
