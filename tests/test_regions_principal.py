"""The one province a text plays in, and what makes a name the scene of a text or not."""

from __future__ import annotations

import json

import pytest

from alerts.regions.gazetteer import load_gazetteer
from alerts.regions.tagger import Tagger

TAGGER = Tagger.load()


def principal(text: str, language: str | None = "en", home: str | None = None) -> str:
    return TAGGER.principal(TAGGER.tag(text, language=language, home=home), text, language=language)


def places(text: str, language: str | None = "en") -> list[str]:
    return [evidence.code for evidence in TAGGER.tag(text, language=language, home=None)]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Mill burns down in Basra\nSmoke drifts towards Maysan.", "en", "IQ-BA"),
        ("حريق في سوق بالبصرة وميسان", "ar", "IQ-BA"),
        ("Parliament of Iraq votes on the water law", "en", "IQ-BG"),
        ("وزارة الزراعة العراقية تعلن خطة القمح", "ar", "IQ-BG"),
        ("Kenyan lawmakers reject the ferry bill", "en", "KE-30"),
        ("Kenyan runners win again", "en", ""),
        ("Ferry runs aground", "en", ""),
        ("Ships wait in the Red Sea\nThe port of Aden is closed.", "en", "YE-AD"),
    ],
)
def test_it_is_the_first_province_of_the_leading_country_or_the_seat_of_its_institutions(text: str, language: str, expected: str) -> None:
    assert expected == principal(text, language)


def test_a_ministry_in_a_text_about_two_countries_says_nothing_about_the_first() -> None:
    assert principal("Kenya and Uganda count their storks\nThe ministry was surprised.") == ""
    assert principal("Kenya counts its storks\nThe ministry was surprised.") == "KE-30"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("أسوة ببغداد.. مجلس البصرة يطالب بجسر جديد", "IQ-BA"),  # "as Baghdad does"
        ("بعثة للحج تصل إلى جدة", "SA-02"),  # "for the Hajj" is not Lahij
        ("الأراضي الرطبة في العراق", ""),  # wetlands are not Rutba
        ("حريق فيمحافظة ميسان", "IQ-MA"),  # a feed that lost a space
    ],
)
def test_arabic_words_that_only_look_like_places_or_like_no_scene(text: str, expected: str) -> None:
    assert principal(text, "ar") == expected


def test_the_home_of_the_source_is_enough_for_its_institutions() -> None:
    assert principal("Parliament votes on the water law", home="KE") == "KE-30"


def test_every_capital_is_a_province_of_its_country() -> None:
    gazetteer = load_gazetteer()
    assert len(gazetteer.capitals) > 150
    assert all(code.startswith(f"{country}-") and code in gazetteer.codes for country, code in gazetteer.capitals.items())
    assert [gazetteer.capitals[code] for code in ("LB", "UA", "FR", "JP")] == ["LB-BA", "UA-30", "FR-75C", "JP-13"]


def test_towns_of_one_country_stand_in_the_order_of_the_text_where_they_are_on_a_par() -> None:
    assert places("Floods in Sidon and Tyre")[0] == "LB-JA"
    assert principal("Floods in Tripoli and Baalbek, Lebanon") == "LB-AS"


def test_a_road_between_two_towns_is_in_neither_where_the_text_says_where() -> None:
    text = "Bus overturns on the road Baghdad - Basra\nIt happened in Amarah, police said."
    assert places(text) == ["IQ-MA"]


def test_a_capital_that_is_only_named_may_be_the_government() -> None:
    assert principal("Baghdad owes us the dam, council of Basra says") == "IQ-BA"
    assert principal("Explosion in Baghdad, council of Basra says") == "IQ-BG"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sheffield score late in the second half against Dortmund", []),
        ("Sheffield mill burns down in the second half of May", ["GB-SHF"]),
        ("She was taken to the Royal Alexandria Hospital by bus", []),
        ("Ferry stuck in Sinai", ["EG"]),
        ("Storm over Kyushu and Shikoku", ["JP", "JP"]),
        ("PNG sends a ship", ["PG"]),
        ("St. Kitts and Nevis votes", ["KN"]),
        ("Landslide in Himachal", ["IN-HP"]),
        ("Marseilles: 30-40% of ferries late", ["FR-13"]),
        ("Marseilles 3-1 up", []),
        ("The 7:49 from Radlett was late again", ["GB-HRT"]),
    ],
)
def test_teams_foundations_and_natural_regions(text: str, expected: list[str]) -> None:
    assert expected == places(text)


def test_a_town_said_to_lie_in_a_province_is_the_one_there_and_so_it_is_again() -> None:
    found = TAGGER.tag("Fire in Springfield in Illinois\nSpringfield has closed the bridge.", language="en", home=None)
    assert [evidence.code for evidence in found] == ["US-IL", "US-IL"]
    assert places("حريق في الإسكندرية في محافظة بابل\nالإسكندرية تغلق الجسر", "ar") == ["IQ-BB", "IQ-BB"]


def test_the_command_line_tells_the_province_beside_the_places(tmp_path, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    from alerts.cli.main import app

    monkeypatch.setenv("TOCSIN_DATA_DIR", str(tmp_path))
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": "1", "text": "Fire in Tyre and in Sidon"}) + "\n" + json.dumps({"id": "2", "text": "Fire"}) + "\n")
    app(["regions", "tag", str(rows)], standalone_mode=False)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["admin1"], {region["code"] for region in first["regions"]}) == (["LB-JA"], {"LB-JA"})
    assert second["admin1"] == []
