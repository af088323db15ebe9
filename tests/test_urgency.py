"""Markers of urgency: in front of a headline or in brackets, never inside a phrase."""

from __future__ import annotations

import pytest

from alerts.models import SourceKind
from alerts.stories.urgency import strip_markers, urgency_of


@pytest.mark.parametrize(
    ("title", "rest"),
    [
        ("BREAKING: Fire at the harbour", "Fire at the harbour"),
        ("Breaking news: Fire at the harbour", "Fire at the harbour"),
        ("BREAKING Fire at the harbour", "Fire at the harbour"),
        ("[BREAKING] Fire at the harbour", "Fire at the harbour"),
        ("Fire at the harbour (BREAKING)", "Fire at the harbour"),
        ("URGENT - Harbour closed", "Harbour closed"),
        ("🔴 #عاجل | حريق في المرفأ", "حريق في المرفأ"),
        ("عاجل حريق في المرفأ", "حريق في المرفأ"),
        ("СРОЧНО: пожар в порту", "пожар в порту"),
        ("【速報】港で火災", "港で火災"),
        ("速報 港で火災", "港で火災"),
        ("突发：港口火灾", "港口火灾"),
        ("[속보] 항구 화재", "항구 화재"),
        ("Eilmeldung – Brand im Hafen", "Brand im Hafen"),
        ("DERNIÈRE MINUTE. Incendie au port", "Incendie au port"),
        ("ÚLTIMA HORA | Incendio en el puerto", "Incendio en el puerto"),
        ("ULTIM'ORA: incendio nel porto", "incendio nel porto"),
        ("Son dakika: limanda yangın", "limanda yangın"),
        ("PILNE! Pożar w porcie", "Pożar w porcie"),
        ("BREAKING: BREAKING: Fire", "Fire"),
    ],
)
def test_a_marker_in_front_or_in_brackets_is_urgent_and_cut_off(title: str, rest: str) -> None:
    level, why = urgency_of(title)
    assert (1, rest) == (level, strip_markers(title))
    assert why.startswith("marked ")


@pytest.mark.parametrize(
    "title",
    [
        "Breaking Bad actor opens a harbour bar",
        "BREAKING BAD ACTOR OPENS A BAR",
        "Breaking the ice: how the harbour stays open",
        "Urgent care clinics close early",
        "Flash flood warning for the valley",
        "Council calls breaking of the dam urgent",
        "Fire [URGENT] at the harbour",
        "Record-breaking crowd at the harbour",
        "速報値を発表",
        "緊急事態宣言を解除",
        "BREAKING NEWS",
        "",
    ],
)
def test_the_same_words_inside_a_phrase_are_not_urgent(title: str) -> None:
    assert ((5, ""), title) == (urgency_of(title), strip_markers(title))


def test_a_ticker_line_is_urgent_by_itself() -> None:
    assert (2, "a line of a breaking ticker") == urgency_of("Fire at the harbour", kind=SourceKind.TICKER)
    assert 1 == urgency_of("URGENT: Fire at the harbour", kind=SourceKind.TICKER)[0]


def test_just_in_is_less_than_breaking() -> None:
    assert 2 == urgency_of("JUST IN: Harbour reopens")[0]
