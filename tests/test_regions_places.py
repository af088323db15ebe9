"""The gazetteer's own names, places and inflections: what is written out when it is compiled."""

from __future__ import annotations

from collections import defaultdict

import pytest

from alerts.regions.build_cldr import bare, read_subdivision_names
from alerts.regions.build_districts import districts
from alerts.regions.endings import dictionary_forms
from alerts.regions.gazetteer import load_gazetteer
from alerts.regions.inflect import adjectives, of_province
from alerts.regions.own import OWN_PLACES, SUBDIVISIONS, read_places
from alerts.regions.shapes import distance_km
from alerts.regions.spellings import spellings
from alerts.regions.tagger import Tagger, countries_of
from alerts.text.tokens import words

TAGGER = Tagger.load()
WORLD = load_gazetteer()


def codes(text: str, language: str) -> list[str]:
    return [e.code for e in TAGGER.tag(text, language=language, home=None)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("ru", "Белорусов эвакуируют с парома", "BY"),
        ("ru", "Пожар на ростовском складе", "RU-ROS"),
        ("uk", "Українців рятують з порома", "UA"),
        ("bg", "Иракски ферибот аварира", "IQ"),
        ("sr", "Мађарски брод потонуо", "HU"),
        ("hr", "Irački brod potonuo", "IQ"),
        ("sl", "Tanzanijskega kapitana so rešili", "TZ"),
        ("cs", "Loď z Pakistánu narazila do molu, pákistánský kapitán mlčí", "PK"),
        ("sk", "Grécky trajekt stojí v prístave", "GR"),
        ("pl", "Zatonął prom, libański kapitan uratowany", "LB"),
        ("hu", "Elsüllyedt egy svájci hajó", "CH"),
        ("fi", "Libanonilaiset kalastajat pelastettiin", "LB"),
        ("ro", "Un feribot grecesc și un pescar ucrainean", "UA"),
        ("el", "Βυθίστηκε τουρκικό πλοίο", "TR"),
        ("lt", "Nuskendo graikų keltas", "GR"),
        ("lv", "Nogrima grieķu prāmis", "GR"),
        ("sv", "Grekisk färja gick på grund", "GR"),
        ("da", "Græsk færge gik på grund", "GR"),
        ("tr", "Yunan feribotu battı", "GR"),
        ("hi", "ईरानी नौका डूबी", "IR"),
        ("bn", "ইরানি ফেরি ডুবেছে", "IR"),
        ("fa", "کشتی آمریکایی غرق شد", "US"),
        ("ur", "امریکی جہاز ڈوب گیا", "US"),
        ("he", "ספינה אמריקאית טבעה", "US"),
        ("zh", "俄乌谈判再次推迟", "UA"),
        ("es", "Ferry sinks in a storm off Sweden", "SE"),
    ],
)
def test_people_and_adjectives_of_a_country_are_known_in_the_forms_of_their_language(language: str, text: str, expected: str) -> None:
    assert expected in codes(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("bn", "আসামি গ্রেপ্তার"),  # the accused, not of Assam
        ("bn", "হামের টিকা শুরু"),  # of measles, not of Hama
        ("hi", "हवाई यात्रा महंगी हुई"),  # by air, not Hawaii
        ("bn", "লাতিন আমেরিকায় বন্যা"),
        ("ar", "صباح اليوم يبدأ السباق"),  # morning, not Sabah
        ("en", "Salman opens the regatta"),
    ],
)
def test_everyday_words_that_provinces_and_villages_are_called_are_no_places(language: str, text: str) -> None:
    assert "US" not in codes(text, language)
    assert not [code for code in codes(text, language) if "-" in code]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Boats search the lake near Masisi", "CD-NK"),
        ("en", "Road to Rutshuru closed by floods, DR Congo says", "CD-NK"),
        ("ar", "حريق في قضاء تكريت شمالي العراق", "IQ-SD"),
        ("en", "Bus falls into a ravine in Deir Qanoun, Lebanon", "LB-JA"),
        ("en", "Bus falls into a ravine in Dayr Qanun, Lebanon", "LB-JA"),
        ("en", "Fire in a bakery of Kafarkila, Lebanon", "LB-NA"),
        ("ar", "حريق في مخبز في بلدة جبشيت جنوب لبنان", "LB-NA"),
        ("en", "Market of Barsalogho reopens, Burkina Faso says", "BF-SMT"),
        ("en", "Flood at Qoryooley in Somalia", "SO-SH"),
    ],
)
def test_districts_and_villages_of_conflict_zones_are_found(language: str, text: str, expected: str) -> None:
    assert expected in codes(text, language)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("hi", "कैलिफ़ोर्निया में बाढ़", "US-CA"),
        ("zh", "巴伐利亚发生洪水", "DE-BY"),
        ("es", "Incendio en Cataluña", "ES-CT"),
        ("uk", "Повінь у Баварії", "DE-BY"),
        ("fa", "سیل در هرمزگان", "IR-22"),
    ],
)
def test_provinces_are_known_by_their_names_in_many_languages(language: str, text: str, expected: str) -> None:
    assert expected in codes(text, language)


def test_the_press_spells_an_arabic_name_in_more_than_one_way() -> None:
    found = {" ".join(form) for form in spellings(words("Kafr Kila"))}
    assert {"kfar kila", "kfarkila"} <= found
    assert ("khiam",) in set(spellings(words("Al Khiyam")))
    assert [] == list(spellings(("tyre",)))


def test_adjectives_are_made_of_the_name_of_a_country() -> None:
    assert {"ирански", "иранските", "иранци"} <= set(adjectives("Иран", "bg"))
    assert "ruský" in set(adjectives("Rusko", "cs"))
    assert "orosz" in set(adjectives("Oroszország", "hu"))
    assert [] == list(adjectives("Nový Zéland", "cs"))


def test_a_russian_province_has_an_adjective() -> None:
    assert "ростовского" in set(of_province("Ростовская область"))
    assert [] == list(of_province("Rostov Oblast"))


def test_a_subdivision_loses_the_word_that_says_what_kind_it_is() -> None:
    assert "Semnano" == bare("Semnano provincija")
    assert "سمنان" == bare("استان سمنان")
    assert "拜仁" == bare("拜仁州")
    assert "Goma" == bare("Goma")


def test_a_district_is_called_with_and_without_its_kind() -> None:
    row = ["Masisi Territory", "", "CD.11.1", "1", "", "Territoire de Masisi", "2", "1", ""]
    (place,) = districts([row], ["CD-NK"], {0: [25_000, -1.4, 28.8]})
    assert ("Masisi", "district", "CD-NK", 44) == (place.name, place.kind, place.code, place.size)
    assert {"Masisi", "Masisi Territory", "Territoire de Masisi"} == set(place.names)


@pytest.mark.parametrize(
    ("language", "word", "form"),
    [("ru", "винницеи", "винница"), ("tr", "suriyelilerle", "suriyeli"), ("ur", "عراقيوں", "عراق"), ("bn", "ঢাকায়ও", "ঢাকা")],
)
def test_an_ending_is_undone(language: str, word: str, form: str) -> None:
    assert form in set(dictionary_forms(word, language))


def test_every_subdivision_with_names_in_other_languages_is_in_the_gazetteer() -> None:
    assert set(read_subdivision_names(SUBDIVISIONS.read_text(encoding="utf-8"))) <= set(WORLD.codes)


def test_our_own_places_lie_near_other_places_of_their_country() -> None:
    """Coordinates from memory: 250 km and the next country is where a slip of a digit leads."""
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for lat, lon, code in WORLD.points():
        points[code[:2]].append((lat, lon))
    far = [
        place.name
        for place in read_places(OWN_PLACES.read_text(encoding="utf-8"))
        if place.kind in ("city", "district")
        and sum(distance_km(place.lat, place.lon, lat, lon) < 250 for lat, lon in points[place.code[:2]]) < 2
    ]
    assert [] == far


def test_our_own_places_have_codes_that_exist() -> None:
    assert {place.code for place in read_places(OWN_PLACES.read_text(encoding="utf-8"))} <= set(WORLD.codes)


def test_a_country_named_in_bengali_with_an_ending_is_found() -> None:
    assert ("CD",) == countries_of(TAGGER.tag("কঙ্গোতে ফেরি ডুবেছে", language="bn", home=None))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("zh", "俄乌停火谈判破裂", ("RU", "UA")),
        ("zh", "乌俄谈判", ("UA", "RU")),
        ("zh", "中美元首会谈", ("CN", "US")),
        ("zh", "其中美国代表缺席", ("US",)),
        ("zh", "中美洲洪水", ()),
        ("zh", "集中法律资源", ()),
        ("ja", "日米首脳会談", ("JP", "US")),
        ("ko", "미중 정상 통화", ("US", "CN")),
    ],
)
def test_two_countries_in_two_characters_are_both_told(language: str, text: str, expected: tuple[str, ...]) -> None:
    assert expected == countries_of(TAGGER.tag(text, language=language, home=None))
