"""Other spellings of a word, and its stems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.stories.sketch import sketch_of
from alerts.text.normalise import fold
from alerts.text.stems import stems
from alerts.text.variants import variants
from tests.builders import a_change, a_tagged, an_item


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Müller", ("mueller",)),
        ("Mu\u0308ller", ("mueller",)),
        ("MÖLLN", ("moelln",)),
        ("Århus", ("aarhus",)),
        ("Tromsø", ("tromsoe",)),
        ("ærø", ("aeroe",)),
        ("ہوائی", ("هوايي",)),
        ("mueller", ()),
        ("Ёлка", ()),
        ("東京", ()),
    ],
)
def test_a_word_has_the_spellings_that_readers_take_for_it(word: str, expected: tuple[str, ...]) -> None:
    assert expected == variants(word)


@given(st.text(max_size=12))
def test_no_spelling_is_the_folded_word_itself(word: str) -> None:
    assert fold(word) not in variants(word)


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("strike", "Striking", "en"),
        ("strike", "strikes", None),
        ("attaque", "attaqués", "fr"),
        ("Angriff", "Angriffe", "de"),
        ("удар", "ударами", "ru"),
        ("ataque", "ataques", "es"),
    ],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str, language: str | None) -> None:
    assert stems(one, language) & stems(other, language)


def test_a_language_without_an_algorithm_has_the_word_itself() -> None:
    assert {"東京"} == stems("東京", "ja")
    assert {"fires"} == stems("Fires", "xx")


@pytest.mark.parametrize(("word", "language"), [("έως", "el"), ("ιού", "el")])
def test_a_word_of_which_its_algorithm_leaves_nothing_keeps_itself(word: str, language: str) -> None:
    assert stems(word, language) == {fold(word)}


def test_a_headline_with_such_a_word_is_sketched_like_any_other() -> None:
    sketched = sketch_of(a_tagged(language="el", change=a_change(item=an_item(title="Κλειστό το λιμάνι έως αύριο"))), 0)
    assert sketched.terms
