"""Countries in texts with their evidence, and areas that rules may name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alerts.errors import ConfigError, NotFoundError
from alerts.models import RegionEvidence
from alerts.regions.areas import AreaIndex
from alerts.regions.gazetteer import PATH, TRIE_PATH, load_gazetteer
from alerts.regions.own import inputs, read_own, read_places
from alerts.regions.tagger import HOME_SCORE, Tagger, countries_of

ROOT = Path(__file__).parent.parent
SHARED = ROOT / "../shared/data/regions"
TAGGER = Tagger.load()
AREAS = AreaIndex.load(ROOT / "config" / "regions.toml")


def tagged(text: str, language: str | None = "en", home: str | None = None) -> tuple[RegionEvidence, ...]:
    return TAGGER.tag(text, language=language, home=home)


def codes(text: str, language: str | None = "en", home: str | None = None) -> list[str]:
    return list(countries_of(tagged(text, language, home)))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Ferry sinks off Lebanon", ["LB"]),
        ("de", "Fähre vor Griechenland gesunken", ["GR"]),
        ("fr", "Un ferry coule au large des Émirats arabes unis", ["AE"]),
        ("ar", "غرق عبارة قبالة لبنان", ["LB"]),
        ("ar", "اجتماع بلبنان وبالعراق", ["LB", "IQ"]),
        ("he", "מעבורת טבעה ביוון", ["GR"]),
        ("ru", "Паром затонул, Греция помогает", ["GR"]),
        ("zh", "希腊渡轮沉没", ["GR"]),
        ("ja", "ギリシャ沖でフェリー沈没", ["GR"]),
        ("th", "เรือจมนอกชายฝั่งกรีซ", ["GR"]),
        ("ko", "그리스 앞바다에서 여객선 침몰", ["GR"]),
        ("hi", "यूनान में नौका डूबी", ["GR"]),
        (None, "Ferry sinks off Lebanon", ["LB"]),
    ],
)
def test_a_country_is_found_by_its_name_in_the_language_of_the_text(language: str | None, text: str, expected: list[str]) -> None:
    assert expected == codes(text, language)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("US and UK close embassies in the DRC", ["US", "GB", "CD"]),
        ("U.S. envoy visits the U.A.E.", ["US", "AE"]),
        ("Beirut port to reopen", ["LB"]),
        ("Lebanese pilots strike", ["LB"]),
        ("Floods in Gaza", ["PS"]),
        ("Floods in Papua New Guinea", ["PG"]),
        ("Equatorial Guinea votes", ["GQ"]),
        ("Niger closes border to Nigeria", ["NE", "NG"]),
        ("Ferry sinks off N. Korea", ["KP"]),
    ],
)
def test_short_forms_people_cities_and_longer_names_are_known(text: str, expected: list[str]) -> None:
    assert sorted(expected) == sorted(codes(text))


@pytest.mark.parametrize(
    "text",
    [
        "Tell us what you saw",
        "TELL US WHAT YOU SAW",
        "How to carve a turkey",
        "Roast Turkey recipes for the holidays",
        "The actress wore Jordan Miller to the gala of her friends",
        "Michael Jordan buys a team",
        "Freighter drifts in the South China Sea",
        "Guinea pigs escape from a school",
        "Lebanonese is not a word",
        "Follow @rescue_UK for more",
        "",
    ],
)
def test_what_only_looks_like_a_country_is_none(text: str) -> None:
    assert [] == codes(text)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Drone hits car in Bint Jbeil", "LB-NA"),
        ("ar", "غارة على بلدة عيترون", "LB-NA"),
        ("ru", "Обстрел Харькова", "UA-63"),
        ("uk", "Вибухи у Києві", "UA-30"),
        ("pl", "Pożar w Warszawie", "PL-14"),
        ("tr", "Diyarbakır'da deprem", "TR-21"),
        ("fa", "زلزله در اصفهان", "IR-10"),
        ("hi", "दिल्ली में आग", "IN-DL"),
        ("bn", "চট্টগ্রামে আগুন", "BD-10"),
        ("he", "שריפה בחיפה", "IL-HA"),
        ("zh", "北京发生火灾", "CN-BJ"),
        ("ko", "서울에서 화재", "KR-11"),
        ("th", "ไฟไหม้ในกรุงเทพมหานคร", "TH-10"),
        ("en", "Fire at a mill in Lebanon, Pa.", "US-PA"),
        ("en", "WINNIPEG \u2014 Snow closes schools", "CA-MB"),
        ("en", "Attack in Nice kills three", "FR-06"),
        ("en", "Soldiers raid Bethlehem, Israeli army says", "PS-BTH"),
        ("ar", "حريق بذي قار", "IQ-DQ"),
    ],
)
def test_a_city_is_found_in_the_forms_of_its_language(language: str, text: str, expected: str) -> None:
    assert expected in [e.code for e in tagged(text, language)]


@pytest.mark.parametrize(
    "text",
    [
        "Nice weather for the regatta",
        "Jordan Bardella opens a museum",
        "Paris Hilton sells a house",
        "Chad Smith plays the drums again",
        "Giorgia waves to the crowd",
        "Washington Post buys a printer",
        "Reading is good for you in March",
        "Police search the Mobile app",
        "Of mice and men",
    ],
)
def test_people_papers_and_everyday_words_are_no_places(text: str) -> None:
    assert [] == [e.name for e in tagged(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Storm hits New England", "New England"),
        ("Storm hits New Mexico", "New Mexico"),
        ("Ships cross the Taiwan Strait", "Taiwan Strait"),
        ("Fighting in South Lebanon", "South Lebanon"),
        ("Fighting in the Gaza Strip", "Gaza Strip"),
    ],
)
def test_the_longer_name_wins(text: str, name: str) -> None:
    assert [name] == [e.name for e in tagged(text)]


def test_seas_belong_to_no_country() -> None:
    assert [] == codes("Ship seized in the Strait of Hormuz")


def test_the_outlet_behind_a_dash_is_no_place() -> None:
    assert ["GR"] == codes("Ferry runs aground off Greece in a storm - The Bombay Mirror")


def test_a_country_of_a_hashtag_is_found() -> None:
    assert ["SS"] == codes("#SouthSudanPeace talks resume")


def test_the_home_of_the_source_chooses_among_places_of_one_name() -> None:
    assert "US" in codes("Council of Mansfield meets", home="US")
    assert "GB" in codes("Council of Mansfield meets", home="GB")


def test_georgia_is_told_apart_by_what_stands_beside_it() -> None:
    assert ["GE"] == codes("Protest in Tbilisi as Georgia votes")
    assert ["US"] == codes("The Atlanta council in Georgia votes on a bridge")


def test_the_headline_counts_more_than_the_text_below_it() -> None:
    assert ["LB", "CY"] == codes("Ferry leaves Lebanon\nIt was bound for Cyprus.")


def test_evidence_says_where_and_why() -> None:
    text = "Ferry sinks\nThe port of Beirut was closed."
    (found,) = tagged(text)
    assert ("LB-BA", "Beirut", "city", "Beirut") == (found.code, found.name, found.kind, text[slice(*found.span)])
    assert found.why == '"Beirut" a city in Lebanon, after "of"'
    assert 0 < found.score < 1


def test_the_home_of_the_source_counts_only_when_nothing_else_is_found() -> None:
    (weak,) = tagged("Ferry sinks", home="CY")
    assert ("CY", "Cyprus", HOME_SCORE, (0, 0)) == (weak.code, weak.name, weak.score, weak.span)
    assert ["LB"] == codes("Ferry sinks off Lebanon", home="CY")


def test_the_committed_gazetteer_was_compiled_from_our_files() -> None:
    assert inputs() == load_gazetteer().inputs, "run `python -m alerts.regions.build`"
    assert PATH.stat().st_size + TRIE_PATH.stat().st_size < 15_000_000


@pytest.mark.parametrize("is_text", [False, True])
def test_a_gazetteer_that_is_none_is_refused(tmp_path: Path, is_text: bool) -> None:
    path = tmp_path / "places.bin"
    if is_text:
        path.write_bytes(b"not a gazetteer")
    with pytest.raises(ConfigError, match=r"places\.bin: .*python -m alerts\.regions\.build"):
        load_gazetteer(path, TRIE_PATH)


def test_a_bad_line_of_the_own_names_is_named() -> None:
    with pytest.raises(ConfigError, match=r"own_names\.txt:2: expected CODE KIND"):
        list(read_own("LB demonym Lebanese\nLB people Lebanese\n"))


@pytest.mark.parametrize("line", ["LB-NA city 33 Bint", "LB-NA hamlet 33 35 40 Bint Jbeil", "LB-NA city north 35 40 Bint Jbeil"])
def test_a_bad_line_of_the_own_places_is_named(line: str) -> None:
    with pytest.raises(ConfigError, match=r"own_places\.txt:1: expected CODE KIND LAT LON SIZE"):
        list(read_places(line))


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        ("LB", "LB", "country"),
        ("lebanon", "LB", "country"),
        ("UK", "GB", "country"),
        ("Türkiye", "TR", "country"),
        ("MENA", "MENA", "group"),
        ("sahel", "Sahel", "group"),
        ("Latin America", "LatinAmerica", "group"),
        ("asia pacific", "AsiaPacific", "group"),
        ("US & Canada", "NorthAmerica", "group"),
    ],
)
def test_an_area_goes_by_code_and_by_name(name: str, code: str, kind: str) -> None:
    area = AREAS.resolve(name)
    assert (code, kind) == (area.code, area.kind)


def test_a_group_contains_the_countries_of_its_groups() -> None:
    assert {"LB", "SA", "MA", "IR"} <= AREAS.resolve("MENA").countries
    assert "BR" not in AREAS.resolve("MENA").countries


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Leabnon", 'did you mean "Lebanon"'),
        ("near:33,35", "write near:LATITUDE,LONGITUDE,RADIUSkm"),
        ("near:99,35,5km", "latitude goes from -90 to 90"),
        ("Xyzzy", "use an ISO code"),
    ],
)
def test_an_unknown_area_says_what_would_do(name: str, hint: str) -> None:
    with pytest.raises(NotFoundError, match=f'no region is called "{name}"') as caught:
        AREAS.resolve(name)
    assert hint in str(caught.value)


def test_the_region_test_has_three_answers() -> None:
    area = AREAS.resolve("MENA")
    assert [True, False, None] == [AREAS.test(area, countries) for countries in (("FR", "LB"), ("FR",), ())]
    assert AREAS.test("LB", (), tagged("Lebanese pilots strike")) is True
    assert AREAS.test("nowhere", ("LB",)) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[group.A]\ncountrys = ["LB"]', r"group\.A\.countrys: unknown key; did you mean countries\?"),
        ('[group.A]\ncountries = ["XQ"]', r"group\.A\.countries: 'XQ' is no ISO 3166-1 code"),
        ('[group.A]\ncountries = "LB"', r"group\.A\.countries: must be a list of texts, not 'LB'"),
        ('[group.A]\ngroups = ["B"]', r"group\.A\.groups: 'B' is no group"),
        ('[group.A]\ngroups = ["B"]\n[group.B]\ngroups = ["A"]', "contains itself, by way of A -> B"),
        ('[groups.A]\ncountries = ["LB"]', "groups: unknown key"),
        ("group = 1", "must hold tables"),
        ("[group", "not TOML"),
    ],
)
def test_a_wrong_regions_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "regions.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        AreaIndex.load(path)


def test_real_texts_are_tagged_with_few_false_countries() -> None:
    path = SHARED / "geovirus.jsonl"
    if not path.is_file():
        pytest.skip(f"{SHARED.name}: the shared data is not on this machine")
    right = wrong = missed = 0
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        found = set(codes(f"{row['title']}\n{row['text']}", row["lang"])) - set(row["optional_countries"])
        gold = set(row["gold_countries"]) - set(row["optional_countries"])
        right, wrong, missed = right + len(found & gold), wrong + len(found - gold), missed + len(gold - found)
    assert right / (right + wrong) > 0.93
    assert right / (right + missed) > 0.93
