"""What a place does in its text: the scene, named in passing, a part of another name, told apart by what stands around it."""

from __future__ import annotations

import pytest

from alerts.models import RegionEvidence
from alerts.regions.line import Line
from alerts.regions.tagger import Tagger, countries_of
from alerts.text.tokens import cut, tokens

TAGGER = Tagger.load()


def tagged(text: str, language: str = "en", home: str | None = None) -> tuple[RegionEvidence, ...]:
    return TAGGER.tag(text, language=language, home=home)


def codes(text: str, language: str = "en") -> list[str]:
    return [e.code for e in tagged(text, language)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("حريق في سوق البصرة يوقف القطار المتجه إلى كربلاء", ["IQ-BA"]),
        ("غرق صياد من أهالي النجف قرب مدينة الكوت", ["IQ-WA"]),
        ("بعد الموصل.. أمطار غزيرة في ديالى", ["IQ-DI"]),
        ("النجف تفتتح سوقها\nافتتح السوق في النجف. وحضر الحفل وفد من جامعة البصرة.", ["IQ-NA"]),
    ],
    ids=["where the train goes", "where a person comes from", "what went before", "who came in a later sentence"],
)
def test_a_province_named_in_passing_is_left_out(text: str, expected: list[str]) -> None:
    assert expected == codes(text, "ar")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("ar", "افتتاح جسر في البصرة وذي قار", ["IQ-BA", "IQ-DQ"]),
        ("ar", "قطار يصل إلى كربلاء", ["IQ-KA"]),
        ("en", "Power cut in Tripoli and Sidon, Lebanon", ["LB-AS", "LB-JA"]),
    ],
    ids=["joined by and", "a goal that is the only place", "joined in English"],
)
def test_places_of_one_rank_all_count(language: str, text: str, expected: list[str]) -> None:
    assert expected == [code for code in codes(text, language) if "-" in code]


@pytest.mark.parametrize(
    ("language", "text", "first"),
    [
        ("en", "Minister leaves Cyprus for talks in Lebanon", "LB"),
        ("en", "Ferry from Greece sinks near Cyprus\nThe Greek owner spoke.", "CY"),
        ("ar", "البصرة.. معرض للزوارق الإيطالية", "IQ"),
        ("en", "BEIRUT (Harbour Wire) - A Danish envoy opened a school", "LB"),
    ],
)
def test_the_country_where_it_happens_comes_first(language: str, text: str, first: str) -> None:
    assert first == countries_of(tagged(text, language))[0]


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Dover council weighs a levy\nThe sheriff told the school district that the bridge is closed.", "US"),
        ("Dover council weighs a levy\nCouncillors said that magistrates had closed the bridge.", "GB"),
        ("Windsor bridge to close\nThe county commissioners asked the state police to help.", "US"),
    ],
)
def test_a_namesake_lies_where_the_offices_of_the_text_are(text: str, country: str) -> None:
    assert (country,) == countries_of(tagged(text))


@pytest.mark.parametrize(
    "text",
    [
        "A lorry overturned at 14 Dover Road",
        "Rovers lose to Ipswich 3-1",
        "A cheer for Mayor John Houston, who opened a bridge. Houston said it was late.",
        "Militants seized a post in Wadi al Qasab",
        "Elections in the Eastern Province",
        "Hurricane Florence loses strength over the sea",
        "The jury heard of a singer known as Montana",
        "Rain in Nyanza province",
    ],
    ids=[
        "a street",
        "a team",
        "a person twice",
        "a longer Arabic name",
        "a name of many countries",
        "a storm",
        "an alias",
        "a town is no province",
    ],
)
def test_what_is_part_of_another_name_is_no_place(text: str) -> None:
    assert [] == codes(text)


def test_a_street_that_comes_first_is_no_place() -> None:
    assert [] == codes("Desfile en la Avenida de la Libertad", "es")


@pytest.mark.parametrize(
    "text",
    ["وصول القائم بالأعمال", 'توقف الباخرة "طرابلس"', "أعلن نشأت المنصوري موعد المعرض", "معرض يضم أطباء بارزين"],
    ids=["a diplomat", "a ship", "a family", "an everyday word"],
)
def test_arabic_words_that_only_look_like_places_are_none(text: str) -> None:
    assert [] == codes(text, "ar")


def test_a_general_name_counts_beside_its_country() -> None:
    assert "LK-5" in codes("Elections in the Eastern Province of Sri Lanka")


@pytest.mark.parametrize(
    ("text", "country", "code"),
    [
        ("On 3 May, gunmen raided the village of Gidan Goga (Maradun LGA, Zamfara)", "NG", "NG-ZA"),
        ("Mortars hit Hays (Hays district, Al Hudaydah governorate)", "YE", "YE-HU"),
        ("Protesters rallied in Valencia (Carabobo)", "VE", "VE-G"),
        ("Fishermen of Boston (Lincolnshire) strike", "GB", "GB-LIN"),
        ("Militias clashed in Debre Tabor town (Amhara)", "ET", "ET-AM"),
    ],
)
def test_a_village_lies_in_the_district_in_brackets(text: str, country: str, code: str) -> None:
    assert (country,) == countries_of(tagged(text))
    assert code in codes(text)


@pytest.mark.parametrize(("text", "code"), [("مباحثات في طرابلس اللبنانية", "LB-AS"), ("مباحثات في طرابلس الليبية", "LY-TB")])
def test_the_adjective_behind_an_arabic_town_tells_namesakes_apart(text: str, code: str) -> None:
    assert code in codes(text, "ar")


@pytest.mark.parametrize("text", ["Flood in Balbriggan", "Balbriggan is without water", "Fire at the Balbriggan General Hospital"])
def test_a_village_of_a_name_of_its_own_needs_no_country(text: str) -> None:
    assert ["IE-L"] == codes(text)


@pytest.mark.parametrize(("tag", "country"), [("#PrayForGaza", "PS"), ("#SupportLebanon", "LB"), ("#SouthSudanPeace", "SS")])
def test_a_place_is_found_at_both_ends_of_a_hashtag(tag: str, country: str) -> None:
    assert (country,) == countries_of(tagged(f"{tag} rally today"))


@pytest.mark.parametrize(
    "text",
    [
        "U.S. envoy: 3,000 tents “for Tyre” — no more",
        "Straße nach Zürich, 12.500 Menschen",
        "غارة على ﷺ بلدة، ١٬٢٣٤",
        "ﬁre in 北京 ½ done",
        "...",
        "",
    ],
)
def test_a_line_is_cut_into_the_words_that_tokens_finds(text: str) -> None:
    found, (words, written, gaps), line = tokens(text), cut(text), Line(text)
    assert [token.text for token in found] == words
    assert text == "".join(gap + word for gap, word in zip(gaps, [*written, ""], strict=True))
    assert [token.start for token, word in zip(found, written, strict=True) if word] == [
        start for start, word in zip(line.starts, written, strict=False) if word
    ]
