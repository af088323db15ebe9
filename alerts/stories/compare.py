"""How alike two items are, as the numbers that the scorer weighs.

Words count by their rarity; a shared rare name says more than ten common words. What one side has and the other lacks
counts too: another town, another toll, another magnitude. All features are the same whichever item comes first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import NamedTuple

from alerts.stories.meanings import concept_names, kinds_of_events
from alerts.stories.numbers import Number
from alerts.stories.rarity import Rarity
from alerts.stories.semantic import alike
from alerts.stories.sketch import Sketch, hash32, place_terms

TEXT_WEIGHT = 0.35  # of a term that only the text below the headline has
_SHRINK = 6.0  # of a share of a headline: one rare word, so that a headline of two words is not covered by chance
_ALIKE = 0.6  # of a word that only begins like one of the other side
_CONCEPTS = frozenset(hash32("#" + name) for name in concept_names())
_SAID = frozenset({hash32("#say")})  # that somebody said it tells nothing of what happened
_BITS = {kind: 1 << place for place, kind in enumerate(sorted(frozenset[str]().union(*kinds_of_events().values())))}
_LOCAL = sum(bit for kind, bit in _BITS.items() if kind in "air blast fire kidnap rail ram road sea shoot stab".split())  # at one place
_KINDS = {hash32("#" + concept): sum(map(_BITS.__getitem__, kinds)) for concept, kinds in kinds_of_events().items()}
_EVENTS = frozenset(_KINDS)
FEATURES = (
    "soft_more", "soft_less", "first", "second", "third", "shared", "names_lost", "value", "toll_gap", "magnitude_gap", "number_gap",
    "country", "country_gap", "area_gap", "concepts", "concepts_lost", "beyond", "kinds_apart", "languages", "length", "meaning",
)  # fmt: skip
CLOSER = ("cosine", "cover_more", "cover_less", "dice", "lost_more", "lost_less", "names", "number", "area")


@dataclass(frozen=True, slots=True)
class View:
    """One item with the weights of its terms at the moment of comparing."""

    sketch: Sketch
    weights: Mapping[int, float]  # of every term: its rarity, less for the text's
    norm: float
    title: float  # sum over the title's terms
    said: frozenset[int]  # the title's terms
    begins: set[int]
    concepts: int  # how many of its terms are concepts
    kinds: int  # a bit for each kind of event that its title may tell of
    placed: frozenset[int]  # the terms that say where, or that it was said, and not what


def view_of(sketch: Sketch, rarity: Rarity) -> View:
    """The item ready to be compared."""
    terms, split = sketch.terms, sketch.title
    weights = rarity.weigh(terms, sketch.language)
    title = sum(weights.values())
    if split < len(terms):
        for term in terms[split:]:
            weights[term] *= TEXT_WEIGHT
        title = sum(weights[term] for term in terms[:split])
    norm = math.sqrt(sum(w * w for w in weights.values())) or 1.0
    begins, said = {term >> 16 for term in terms}, frozenset(terms[:split])
    kinds = 0
    for concept in _EVENTS & said:
        kinds |= _KINDS[concept]
    concepts = len(_CONCEPTS.intersection(terms))
    return View(sketch, weights, norm, title or 1.0, said, begins, concepts, kinds, _placed(sketch.places, sketch.towns))


def features(one: View, other: View) -> list[float]:
    """The comparison in the order of FEATURES; all zero or more."""
    a, b = one.weights, other.weights
    shared = _shared(one, other)
    least = [min(a[t], b[t]) for t in shared]
    least.sort(reverse=True)
    soft_a, soft_b = _cover(one, other).soft, _cover(other, one).soft
    mine, theirs = one.sketch, other.sketch
    country, country_gap, _, area_gap = _places(mine.places, theirs.places)
    return [
        max(soft_a, soft_b),
        min(soft_a, soft_b),
        *[*least[:3], 0.0, 0.0, 0.0][:3],
        math.log1p(sum(min(a[t], b[t]) / (max(a[t], b[t]) or 1.0) for t in shared)),
        math.log1p(min(_lost(one, b), _lost(other, a))),
        *_numbers(mine.numbers, theirs.numbers),
        country,
        country_gap,
        area_gap,
        *_concepts(one, other, shared),
        math.log1p(_beyond(one, other, shared)),
        float(bool(one.kinds and other.kinds and not one.kinds & other.kinds)),
        float(mine.language != theirs.language and bool(mine.language and theirs.language)),
        math.log1p(min(mine.title, theirs.title)),
        alike(mine.meaning, theirs.meaning),
    ]


def closer_features(one: View, other: View) -> list[float]:
    """What two headlines alone are compared by beyond that, in the order of CLOSER."""
    a, b = one.weights, other.weights
    shared = _shared(one, other)
    here, there = _cover(one, other), _cover(other, one)
    sizes = len(one.sketch.terms) + len(other.sketch.terms)
    both = [n for n in one.sketch.numbers if n in other.sketch.numbers]
    return [
        sum(a[t] * b[t] for t in shared) / (one.norm * other.norm),
        max(here.held, there.held),
        min(here.held, there.held),
        2.0 * len(shared) / sizes if sizes else 0.0,
        max(here.lost, there.lost),
        min(here.lost, there.lost),
        math.log1p(sum(a[t] for t in shared & one.sketch.names | shared & other.sketch.names)),
        min(20.0, sum(math.log2(2 + n.value) for n in both)),
        _places(one.sketch.places, other.sketch.places)[2],
    ]


def is_template(one: View, other: View) -> bool:
    """Whether two headlines say the same but for a number that counts nothing known (Gate 1, Gate 2), or but for the place.

    One other word may differ on each side: "Gate 1 of the north dock", "Gate 2 of the south dock".
    """
    differ = one.said ^ other.said
    if len(differ & one.said) <= 1 and len(differ & other.said) <= 1:
        mine, theirs = ({n.value for n in view.sketch.numbers if n.role == "n"} for view in (one, other))
        if mine - theirs and theirs - mine:
            return True
    if not differ:
        return False
    _, country_gap, _, area_gap = _places(one.sketch.places, other.sketch.places)
    if not country_gap and not area_gap:
        return False
    named = {term for view in (one, other) for code in view.sketch.places for term in place_terms(code)}
    left = differ - named
    return len(left & one.said) <= 1 and len(left & other.said) <= 1


def is_another(item: View, story: Sequence[View]) -> bool:
    """Whether an item tells of another kind of event than all that is kept of a story, or of one of its kind that happened elsewhere."""
    kinds = reduce(or_, (view.kinds for view in story), 0)
    if not item.kinds or not kinds:
        return False
    if not item.kinds & kinds:
        return True
    if not item.kinds & kinds & _LOCAL:
        return False
    places = [code for view in story for code in view.sketch.places]
    _, country_gap, _, area_gap = _places(item.sketch.places, places)
    return bool(country_gap or area_gap)


def is_thin(one: View, other: View) -> bool:
    """Whether two items in different languages share a country or a kind of event at most: no name, number, area or word of their own."""
    mine, theirs = one.sketch, other.sketch
    if not (mine.language and theirs.language) or mine.language == theirs.language:
        return False
    places = {term for sketch in (mine, theirs) for code in sketch.places for term in place_terms(code)}
    begins = ({term >> 16 for term in view.weights.keys() - _CONCEPTS - places} for view in (one, other))
    own_words = set.intersection(*begins)  # Zelensky begins as Зеленский does
    areas = {code for code in mine.places if len(code) > 2} & set(theirs.places)
    return not (own_words or areas or set(mine.numbers) & set(theirs.numbers))


def _shared(one: View, other: View) -> set[int]:
    """The terms both have, at least one of them in its headline: words below both headlines are the outlets' manner."""
    shared = one.weights.keys() & other.weights.keys()
    sides = one.sketch, other.sketch
    if all(sketch.title == len(sketch.terms) for sketch in sides):
        return shared
    return shared & (one.said | other.said)


def _beyond(one: View, other: View, shared: set[int]) -> float:
    """The weight of what both say beyond where it is, and that it was said; of words that begin alike where there is nothing else."""
    if more := shared.difference(one.placed, other.placed):
        a, b = one.weights, other.weights
        return sum(min(a[term], b[term]) for term in more)
    placed = one.placed | other.placed
    mine, theirs = ({term >> 16: weight for term, weight in view.weights.items() if term not in placed} for view in (one, other))
    return _ALIKE * sum(min(mine[begin], theirs[begin]) for begin in mine.keys() & theirs.keys())


@lru_cache(maxsize=16384)
def _placed(places: tuple[str, ...], towns: frozenset[int]) -> frozenset[int]:
    return _SAID.union(towns, *map(place_terms, places))


class _Cover(NamedTuple):
    """The share of a title's weight that the other has, the same with words that begin alike, and the rarest word it has not."""

    held: float
    soft: float
    lost: float


def _cover(view: View, other: View) -> _Cover:
    held = near = lost = 0.0
    weights, theirs, begins = view.weights, other.weights, other.begins
    for term in view.sketch.terms[: view.sketch.title]:
        weight = weights[term]
        if term in theirs:
            held += min(weight, 2.0 * theirs[term])  # less when only the text has it
        elif term >> 16 in begins:
            near += weight
        elif weight > lost:
            lost = weight
    whole = view.title + _SHRINK
    return _Cover(held / whole, (held + _ALIKE * near) / whole, lost)


def _lost(view: View, other: Mapping[int, float]) -> float:
    return sum(view.weights[t] for t in view.sketch.names if t not in other)


def _concepts(one: View, other: View, shared: set[int]) -> tuple[float, float]:
    both = shared & _CONCEPTS
    return sum(min(one.weights[t], other.weights[t]) for t in both), float(max(0, min(one.concepts, other.concepts) - len(both)))


def _numbers(mine: Sequence[Number], theirs: Sequence[Number]) -> tuple[float, float, float, float]:
    """Values in common; and how far apart: tolls, magnitudes, others."""
    if not mine or not theirs:
        return 0.0, 0.0, 0.0, 0.0
    both = [n for n in mine if n in theirs]
    value = sum(math.log2(2 + v) for v in {n.value for n in mine} & {n.value for n in theirs})
    toll = magnitude = other = 0.0
    for role in {n.role for n in mine} & {n.role for n in theirs} - {n.role for n in both}:
        pairs = [(n.value, m.value) for n in mine if n.role == role for m in theirs if m.role == role]
        if role == "q":
            magnitude = min(2.0, min(abs(x - y) for x, y in pairs))
        elif role in "kh":
            toll = max(toll, min(_gap(x, y) for x, y in pairs))
        else:
            other = max(other, min(_gap(x, y) for x, y in pairs))
    return min(value, 20.0), toll, magnitude, other


def _gap(one: float, other: float) -> float:
    """How many doublings apart, at most 4."""
    return min(4.0, abs(math.log2((1 + abs(one)) / (1 + abs(other)))))


def _places(mine: Sequence[str], theirs: Sequence[str]) -> tuple[float, float, float, float]:
    """Shared countries, none shared, shared areas within, none shared though both name one in the same country."""
    if not mine or not theirs:
        return 0.0, 0.0, 0.0, 0.0
    a, b = {code[:2] for code in mine}, {code[:2] for code in theirs}
    both = a & b
    if not both:
        return 0.0, 1.0, 0.0, 0.0
    inner_a = {c for c in mine if len(c) > 2 and c[:2] in both}
    inner_b = {c for c in theirs if len(c) > 2 and c[:2] in both}
    country = 2.0 * len(both) / (len(a) + len(b))
    if not inner_a or not inner_b:
        return country, 0.0, 0.0, 0.0
    return country, 0.0, float(min(2, len(inner_a & inner_b))), float(not inner_a & inner_b)
