"""Other spellings of a word, and its stems."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.text.normalise import fold
from alerts.text.stems import stems
from alerts.text.variants import variants


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
