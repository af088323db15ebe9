"""The language of a text by its tag, its letters, and at last by its words."""

from __future__ import annotations

import pytest

from alerts.text.language import language_of, primary_tag


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("en-US", "en"),
        ("pt_BR", "pt"),
        ("zh-Hans-CN", "zh"),
        ("iw", "he"),
        ("nb", "no"),
        ("und", None),
        ("x-default", None),
        ("", None),
        (None, None),
    ],
)
def test_a_declaration_gives_its_primary_tag(declared: str | None, expected: str | None) -> None:
    assert expected == primary_tag(declared)


def test_the_declared_language_is_believed_when_the_letters_allow_it() -> None:
    assert "sv" == language_of("Brand i hamnen", "sv-SE")
    assert "fa" == language_of("انفجار در بندر", "fa")


def test_a_declaration_that_the_letters_contradict_is_not_believed() -> None:
    assert "ar" == language_of("حريق في المرفأ القديم", "en-US")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("حريق كبير في المرفأ القديم", "ar"),
        ("آتش‌سوزی بزرگ در بندر قدیمی گزارش شد", "fa"),
        ("پرانی بندرگاہ میں آگ لگ گئی ہے", "ur"),
        ("שריפה בנמל הישן", "he"),
        ("Пожар в старом порту, объявлена тревога", "ru"),
        ("Пожежа в старому порту, її гасять", "uk"),
        ("Φωτιά στο παλιό λιμάνι", "el"),
        ("古い港で火災", "ja"),
        ("旧港口发生火灾", "zh"),
        ("옛 항구에서 화재", "ko"),
        ("ไฟไหม้ท่าเรือเก่า", "th"),
        ("पुराने बंदरगाह में आग", "hi"),
        ("পুরোনো বন্দরে আগুন", "bn"),
        ("ძველ პორტში ხანძარია", "ka"),
    ],
)
def test_the_script_and_its_telling_letters_decide_when_nothing_is_declared(text: str, expected: str) -> None:
    assert expected == language_of(text, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The fire in the old harbour was put out last night", "en"),
        ("Der Brand im alten Hafen wurde in der Nacht gelöscht", "de"),
        ("El incendio del puerto viejo fue apagado anoche", "es"),
    ],
)
def test_latin_letters_are_told_apart_by_their_words(text: str, expected: str) -> None:
    assert expected == language_of(text, None, allowed=("en", "de", "es", "fr"))


def test_too_few_letters_give_no_language() -> None:
    assert language_of("Harbour", None) is None
    assert language_of("12:30 — 🔴", None) is None
