"""How well and how fast places are found: our tagger, a naive most-populous baseline, geotext and flashgeotext in one run.

    python -m bench.regions [--data ../shared/data/regions] [--peers]

Needs the shared data beside the project. Peers are optional packages (`pip install geotext flashgeotext`) and are
left out, saying so, where they are missing. F1 is micro over (document, country), macro over the four corpora. Ours is
also measured on the texts outside the United States, on those without any country, and on Arabic news by governorate,
each for all rows and for the two halves A and B of the rows (by a hash of the id): who reads errors reads those of A.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import resource
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
ARABIC = "shafaq_ar"
_PASSES = 3  # the cost of a document is that of the quickest pass
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
    return lambda row: countries_of(tagger.tag(text_of(row), language=row["lang"], home=row.get("source_home") if is_home_known else None))


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
    costs = []
    for _ in range(_PASSES):
        began = time.process_time()
        scores = [score(rows, [answer(row) for row in rows]) for rows in corpora]
        costs.append((time.process_time() - began) / sum(map(len, corpora)))
    cpu = min(costs)
    macro = [sum(values) / len(scores) for values in zip(*scores, strict=True)]
    sys.stdout.write(f"{name:24s} P {macro[0]:.3f}  R {macro[1]:.3f}  F1 {macro[2]:.3f}  {1e6 * cpu:7.0f} us a document\n")


def half_of(row: Row) -> str:
    """A or B, by a hash of the row's id."""
    return "AB"[hashlib.md5(str(row["id"]).encode(), usedforsecurity=False).digest()[0] & 1]


def details(data: Path) -> None:
    """Print what macro figures hide, for all rows and for each half."""
    tagger = Tagger.load()
    rows = [row for corpus in CORPORA for row in rows_of(corpus, data)]
    arabic = [row for row in rows_of(ARABIC, data) if row["gold_countries"]]
    found = {row["id"]: tagger.tag(text_of(row), language=row["lang"], home=None) for row in (*rows, *arabic)}
    for name, halves in (("all", "AB"), ("A", "A"), ("B", "B")):
        taken = [row for row in rows if half_of(row) in halves]
        abroad = [row for row in taken if "US" not in row["gold_countries"]]
        none = [row for row in taken if row["corpus"] == "geocorpora" and not row["gold_countries"]]
        some = [row for row in arabic if half_of(row) in halves]
        f1 = score(abroad, [countries_of(found[row["id"]]) for row in abroad]).f1
        false = sum(bool(set(countries_of(found[row["id"]])) - set(row["optional_countries"])) for row in none) / len(none)
        golds = [{"gold_countries": row["gold_admin1"]} for row in some]
        places = score(golds, [{e.code for e in found[row["id"]] if "-" in e.code} for row in some])
        labelled = [row for row in some if row["gold_admin1"]]
        said = [tagger.principal(found[row["id"]], text_of(row), language=row["lang"]) for row in labelled]
        one = score([{"gold_countries": row["gold_admin1"]} for row in labelled], [[code] if code else [] for code in said])
        first = sum(bool({*countries_of(found[row["id"]])[:1]} & {*row["gold_countries"]}) for row in some) / len(some)
        sys.stdout.write(
            f"{name:4s} F1 outside the US {f1:.3f}, none-FP {false:.3f}, Arabic governorates P {places.precision:.3f} "
            f"R {places.recall:.3f}, the principal one P {one.precision:.3f} R {one.recall:.3f}, first country right {first:.3f}\n"
        )
    arabic_texts = [(text_of(row), row["lang"]) for row in arabic]
    began = time.process_time()
    for text, language in arabic_texts:
        tagger.tag(text, language=language, home=None)
    cpu = (time.process_time() - began) / len(arabic_texts)
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"Arabic texts of {sum(len(text) for text, _ in arabic_texts) // len(arabic)} characters: {1e6 * cpu:.0f} us; ")
    sys.stdout.write(f"resident {resident:.0f} MB\n")


def main() -> None:
    """Measure everything that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"{arguments.data.name}: the shared data is not on this machine; give its folder with --data")
    corpora = [rows_of(corpus, arguments.data) for corpus in CORPORA]
    details(arguments.data)
    measure("tocsin", ours(is_home_known=False), corpora)
    measure("tocsin, home known", ours(is_home_known=True), corpora)
    measure("most populous", most_populous(), corpora)
    for name, answer in peers() if arguments.peers else ():
        measure(name, answer, corpora)


if __name__ == "__main__":
    main()
