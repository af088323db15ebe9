"""Urgency: markers in front of a headline, never inside a phrase; words of harm by their object, scale and context."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.models import SourceKind
from alerts.stories.nature import Nature, nature_of
from alerts.stories.urgency import strip_markers, urgency_of


def judged(title: str, text: str = "", language: str | None = None) -> tuple[int, str]:
    """Level and reason of a headline, its nature looked at first, as the tag stage does."""
    return urgency_of(title, text, language=language, nature=nature_of(title, language=language).nature)


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
        "Flash point of the season",
        "Council calls breaking of the dam urgent",
        "Ferry [URGENT] at the harbour",
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
    assert (2, "a line of a breaking ticker") == urgency_of("Ferry delayed at the harbour", kind=SourceKind.TICKER)
    assert 1 == urgency_of("URGENT: Fire at the harbour", kind=SourceKind.TICKER)[0]


def test_just_in_is_less_than_breaking() -> None:
    assert 2 == urgency_of("JUST IN: Harbour reopens")[0]


# ---------------------------------------------------------------- words of harm


@pytest.mark.parametrize(
    ("level", "language", "title"),
    [
        (2, "en", "Explosion at harbour kills 12, injures dozens"),
        (2, "de", "Zwölf Tote bei Zugunglück im Nordtal"),
        (2, "fr", "Explosion au port : au moins 12 morts"),
        (2, "es", "Explosión en el puerto deja 12 muertos"),
        (2, "pt", "Explosão no porto deixa 12 mortos"),
        (2, "it", "Esplosione al porto, 12 morti"),
        (2, "nl", "Explosie in haven: 12 doden"),
        (2, "pl", "Wybuch w porcie, 12 osób nie żyje"),
        (2, "tr", "Limanda patlama: 12 ölü"),
        (2, "id", "Ledakan di pelabuhan tewaskan 12 orang"),
        (2, "ru", "При взрыве в порту погибли 12 человек"),
        (2, "uk", "Унаслідок вибуху в порту загинули 12 людей"),
        (2, "ar", "مقتل 12 شخصا في انفجار بالمرفأ"),
        (2, "fa", "انفجار در بندر ۱۲ کشته برجای گذاشت"),
        (2, "he", "פיצוץ בנמל: 12 הרוגים"),
        (2, "hi", "बंदरगाह पर विस्फोट में 12 लोगों की मौत"),
        (2, "bn", "বন্দরে বিস্ফোরণে নিহত ১২"),
        (2, "zh", "港口爆炸造成12人死亡"),
        (2, "ja", "港で爆発、12人死亡"),
        (2, "ko", "항구 폭발로 12명 숨져"),
    ],
)
def test_twelve_dead_in_an_explosion_are_very_urgent_in_every_big_language(level: int, language: str, title: str) -> None:
    assert level == judged(title, language=language)[0]


@pytest.mark.parametrize(
    ("level", "title"),
    [
        (1, "7.8-magnitude earthquake strikes the northern islands"),
        (2, "Magnitude 6.4 earthquake hits Portvale"),
        (3, "Earthquake felt in Portvale"),
        (3, "Magnitude 4.8 quake shakes Portvale"),
        (4, "Magnitude 2.9 quake near Portvale"),
        (1, "Ferry capsizes with 140 dead"),
        (3, "Bus plunges into gorge, four dead"),
        (4, "Man killed in crash near Portvale"),
        (2, "President resigns after weeks of protest"),
        (2, "Coup attempt in Northland"),
        (4, "Minister resigns over harbour contract"),
    ],
)
def test_the_scale_of_harm_makes_the_level(level: int, title: str) -> None:
    assert level == judged(title, language="en")[0]


@pytest.mark.parametrize(
    "title",
    [
        "Market crash course for beginners",
        "Bombshell report divides the council",
        "Explosive growth in harbour trade",
        "Price war between the ferry lines",
        "Killer recipe for plum cake",
        "Shooting star seen over Portvale",
        "Council kills bill on harbour fees",
        "Bill killed in committee",
        "Landslide victory for the mayor",
        "Heart attack risk falls with walking",
        "New film about a massacre opens in Portvale",
        "Shares explode as investors cheer",
        "Preiskrieg der Fährlinien",
        "Erdrutschsieg für die Bürgermeisterin",
        "Ciberataque al puerto",
        "Взрыв цен на билеты",
    ],
)
def test_a_metaphor_is_no_harm(title: str) -> None:
    assert 5 == judged(title)[0]


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Five years since the ferry disaster that killed 43", "retrospective"),
        ("On this day: the explosion that shook Portvale", "retrospective"),
        ("Zehn Jahre nach dem Zugunglück mit 12 Toten", "retrospective"),
        ("What we know about the explosion in Portvale", "explainer"),
        ("Opinion: The explosion at the harbour changes everything", "opinion"),
        ("Mass evacuation drill after mock explosion in Portvale", "a drill"),
        ("Simulacro de terremoto en el puerto", "a drill"),
    ],
)
def test_a_look_back_a_view_or_a_drill_is_normal_and_says_so(title: str, reason: str) -> None:
    level, why = judged(title)
    assert 5 == level
    assert reason in why


@pytest.mark.parametrize(
    "title",
    [
        "Court sentences two over harbour explosion",
        "Ministers condemn attack on ferry gunmen",
        "Explosion averted at harbour depot",
        "More than 40,000 killed since the war began",
        "Inquiry into the 1986 ferry explosion opens",
    ],
)
def test_courts_reactions_chances_and_totals_are_raised_at_most(title: str) -> None:
    assert judged(title, language="en")[0] >= 4


def test_the_lede_raises_a_headline_by_one_level_at_most() -> None:
    assert 3 == judged("Explosion in Portvale", language="en")[0]
    assert 2 == judged("Explosion in Portvale", "At least 130 people were killed when a depot blew up.", "en")[0]
    assert 5 == judged("Council meets in Portvale", "At least 130 people were killed when a depot blew up.", "en")[0]


def test_the_reason_names_the_word_and_the_numbers() -> None:
    assert 'an explosion ("Explosion"), 12 dead, 3 injured' == judged("Explosion kills 12, injures three", language="en")[1]
    assert 'marked "BREAKING"; an explosion ("Explosion"), 3 dead' == judged("BREAKING: Explosion kills three", language="en")[1]


def test_german_articles_are_no_deaths() -> None:
    assert (5, "") == urgency_of("Die Fähre und die Menschen im Hafen", language="de")


@given(st.text(max_size=200), st.text(max_size=300), st.sampled_from([None, "en", "de", "ar", "he", "ko", "zh", "xx"]))
def test_any_text_has_a_level_and_the_same_one_again(title: str, text: str, language: str | None) -> None:
    for nature in Nature:
        first = urgency_of(title, text, language=language, nature=nature)
        assert first == urgency_of(title, text, language=language, nature=nature)
        assert 1 <= first[0] <= 5
        assert isinstance(first[1], str)


@pytest.mark.parametrize(
    ("language", "title", "level"),
    [
        ("en", "Massive fire at historic market in Portvale", 4),
        ("en", "Fire engulfs large market in Portvale, one killed", 4),
        ("en", "Market killer: shares die slowly", 5),
        ("en", "A series of bombings in Portvale injures 3", 3),
        ("de", "Eine Serie von Angriffen in Hafenstadt: 4 Tote", 3),
        ("en", "Thousands evacuated in Portvale over two WWII bombs", 3),
        ("en", "Flood deaths rise to 174 in Westland", 1),
        ("en", "Toll rises to 30 in Portvale fire", 2),
        ("de", "Opferzahl steigt auf 30 nach Beben in Westland", 2),
        ("en", "Bridge toll rises to $8", 5),
        ("tr", "Piyasalarda deprem etkisi", 5),
    ],
)
def test_words_of_trade_shows_and_old_wars_do_not_hide_harm_that_happens_now(language: str, title: str, level: int) -> None:
    assert judged(title, language=language)[0] == level


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Five years since the ferry disaster that killed 43"),
        ("de", "Fünf Jahre nach dem Fährunglück mit 43 Toten"),
        ("fr", "Cinq ans après le naufrage qui a fait 43 morts"),
        ("es", "Cinco años después del naufragio que dejó 43 muertos"),
        ("it", "Cinque anni dopo il naufragio che uccise 43 persone"),
        ("pt", "Cinco anos depois do naufrágio que matou 43"),
        ("ru", "Пять лет спустя после крушения парома, где погибли 43"),
        ("uk", "П'ять років після аварії порома, загинули 43"),
        ("pl", "Pięć lat po katastrofie promu, zginęły 43 osoby"),
        ("nl", "Vijf jaar na de scheepsramp met 43 doden"),
        ("sv", "Fem år efter färjeolyckan då 43 dog"),
        ("id", "Lima tahun setelah kapal tenggelam yang menewaskan 43 orang"),
        ("ar", "خمس سنوات على غرق العبارة ومقتل 43"),
        ("fa", "پنج سال پس از غرق شدن کشتی و مرگ ۴۳ نفر"),
        ("hi", "नाव हादसे के पांच साल पूरे, 43 की मौत हुई थी"),
        ("zh", "渡轮沉没五周年 43人遇难"),
        ("ja", "フェリー沈没5周年 43人死亡"),
        ("ko", "여객선 침몰 5주년 43명 사망"),
    ],
)
def test_a_look_back_is_known_in_every_big_language(language: str, title: str) -> None:
    assert (nature_of(title, language=language).nature, judged(title, language=language)[0]) == (Nature.RETROSPECTIVE, 5)
