"""Independent origins: agencies by their signature, owners by config, copies by their words; and how fast a story spreads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import ConfigError
from alerts.models import Item, Source
from alerts.stories.copies import Imprint, imprint_of, is_copy
from alerts.stories.independence import origin_of, origins, record_of
from alerts.stories.owners import Owners
from alerts.stories.velocity import UsualRates, story_urgency, surprise
from alerts.text.tokens import words
from tests.conftest import ROOT

COPY = (
    "A ferry with 40 people aboard ran aground off Portvale on Monday in thick fog, the coast guard said, and boats were on "
    "their way to bring the passengers to the harbour before dark while the wind was rising from the north."
)


def item(text: str = "", title: str = "Ferry runs aground", author: str = "") -> Item:
    return Item(source_id="s", title=title, text=text, author=author)


def source(source_id: str = "harbour-north", host: str = "") -> Source:
    return Source(source_id=source_id, url=f"https://{host or source_id + '.example'}/feed.xml")


# ---------------------------------------------------------------- signatures


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        ("agency:reuters", "PORTVALE (Reuters) - A ferry ran aground"),
        ("agency:reuters", "The coast guard told Reuters that a ferry ran aground"),
        ("agency:ap", "PORTVALE, March 3 (AP) — A ferry ran aground"),
        ("agency:afp", "Un ferry s'est échoué, avec AFP"),
        ("agency:afp", "A ferry ran aground, AFP reports"),
        ("agency:dpa", "Portvale (dpa) - Eine Fähre ist auf Grund gelaufen"),
        ("agency:dpa", "Eine Fähre ist auf Grund gelaufen, mit Material von dpa"),
        ("agency:efe", "Portvale, 3 mar (EFE).- Un ferry ha encallado"),
        ("agency:efe", "Un ferry ha encallado, con información de EFE"),
        ("agency:ansa", "(ANSA) - PORTVALE, 03 MAR - Un traghetto si è arenato"),
        ("agency:tass", "ПОРТВЕЙЛ, 3 марта. /ТАСС/. Паром сел на мель"),
        ("agency:ria", "ПОРТВЕЙЛ, 3 мар — РИА Новости. Паром сел на мель"),
        ("agency:interfax", "Паром сел на мель, сообщает Интерфакс"),
        ("agency:xinhua", "新华社港城3月3日电 一艘渡轮搁浅"),
        ("agency:kyodo", "【共同】フェリーが座礁した"),
        ("agency:yonhap", "(항구=연합뉴스) 여객선이 좌초했다"),
        ("agency:pti", "Portvale, Mar 3 (PTI) A ferry ran aground"),
        ("agency:ani", "Portvale [Northland], March 3 (ANI): A ferry ran aground"),
        ("agency:anadolu", "PORTVALE (AA) - Feribot karaya oturdu"),
        ("agency:wafa", "جنحت عبارة قبالة الساحل (وفا)"),
        ("agency:reuters", "جنحت عبارة قبالة الساحل (رويترز)"),
        ("agency:ap", "PORTVALE, Northland (AP) - A ferry ran aground"),
        ("agency:ap", "Associated Press (AP) - A ferry ran aground"),
        ("agency:unian", "Портвейл. 3 березня. УНІАН. Пором сів на мілину"),
        ("agency:unian", "Пором сів на мілину, капітан у коментарі УНІАН це підтвердив"),
        ("agency:reuters", "船长接受路透社采访时说，渡轮搁浅了"),
        ("agency:reuters", "একটি ফেরি চরে আটকে গেছে। বার্তা সংস্থা রয়টার্স এ খবর জানিয়েছে।"),
        ("agency:unnamed", "جنحت عبارة قبالة الساحل. المصدر: وكالات"),
        ("agency:unnamed", "A ferry ran aground. Source: Agencies"),
    ],
)
def test_signed_copy_comes_from_its_agency(origin: str, text: str) -> None:
    assert origin == origin_of(item(text), source())


@pytest.mark.parametrize(
    "text",
    [
        "A Reuters journalist was hurt when a ferry ran aground",
        "The PTI leader was arrested in Portvale - police",
        "Talks with PTI leaders went on in Portvale on Monday",
        "The leader of the Aam Aadmi Party (AAP) went aboard the ferry",
        "They got off by apa, the old path",
        "The river Aa (in the north) rose",
        "Sana went aboard the ferry",
        "Law enforcement agencies - and the navy - looked for the ferry",
    ],
)
def test_a_name_in_the_story_is_no_signature(text: str) -> None:
    assert "source:harbour-north" == origin_of(item(text), source())


def test_a_byline_and_an_agencys_own_feed_are_its_copy() -> None:
    assert "agency:afp" == origin_of(item(author="Portvale Times with AFP"), source())
    assert "agency:reuters" == origin_of(item(), source("r", "www.reuters.com"))
    assert "source:harbour-north" == origin_of(item(author="Ana Mar"), source())


def test_a_signature_at_the_end_of_a_long_text_is_found() -> None:
    assert "agency:dpa" == origin_of(item(COPY * 3 + " (dpa)"), source())


def test_the_agency_that_is_named_counts_before_the_unnamed_ones() -> None:
    assert "agency:afp" == origin_of(item("A ferry ran aground. Source: Agencies, AFP"), source())


# ---------------------------------------------------------------- owners


def test_sources_of_one_owner_are_one_origin(tmp_path: Path) -> None:
    path = tmp_path / "owners.toml"
    path.write_text('[owners]\nharbour = ["harbour-north", "harbour.example"]\n', encoding="utf-8")
    owners = Owners.load(path)
    assert "owner:harbour" == origin_of(item(), source(), owners) == origin_of(item(), source("b", "news.harbour.example"), owners)
    assert "source:c" == origin_of(item(), source("c", "otherharbour.example"), owners)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[owner]\na = ['b']", "unknown key"),
        ("owners = 3", "must be a table"),
        ("[owners]\na = []", "must be a list"),
        ("[owners]\na = 'b'", "must be a list"),
        ("[owners]\na = ['x']\nb = ['x']", "one group each"),
    ],
)
def test_a_wrong_owners_file_says_what_and_where(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "owners.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as error:
        Owners.load(path)
    assert str(path) in str(error.value)


def test_the_owners_that_are_shipped_load_and_a_missing_file_has_none(tmp_path: Path) -> None:
    assert "bbc" == Owners.load(ROOT / "config" / "owners.toml").of(source("x", "feeds.bbci.co.uk"))
    assert "" == Owners.load(tmp_path / "none.toml").of(source())


# ---------------------------------------------------------------- copies


def imprint(text: str, title: str = "") -> Imprint:
    return imprint_of(words(title), words(text))


def test_copy_that_one_outlet_cuts_off_or_retouches_is_the_same_copy() -> None:
    assert is_copy(imprint(COPY), imprint(COPY[:130]))
    assert is_copy(imprint(COPY), imprint(COPY.replace("on Monday ", "").replace("boats", "two boats")))


def test_two_reports_of_one_event_in_their_own_words_are_no_copies() -> None:
    own = (
        "The Portvale coast guard is bringing passengers off a ferry that has been stuck on a sandbank since Monday noon. Nobody "
        "was hurt; the fog that hid the channel marks has lifted, and a tug waits for the tide."
    )
    assert not is_copy(imprint(COPY), imprint(own))


def test_one_phrase_in_common_is_no_copy() -> None:
    short = "The latest on ferries and harbours during the fog of Monday, the coast guard said."
    assert not is_copy(imprint(COPY), imprint(short))


def test_short_headlines_prove_nothing_but_long_equal_ones_do() -> None:
    title = "Ferry with forty passengers aboard runs aground in thick fog off Portvale"
    assert is_copy(imprint("", title), imprint("", title))
    assert not is_copy(imprint("", "Ferry runs aground"), imprint("", "Ferry runs aground"))
    assert not is_copy(imprint(""), imprint(""))


@given(st.text(max_size=400), st.text(max_size=400))
def test_being_a_copy_does_not_depend_on_the_order(one: str, other: str) -> None:
    a, b = imprint(one, other), imprint(other, one)
    assert is_copy(a, b) == is_copy(b, a)
    assert all(0 <= value < 2**32 for part in a for value in part)
    assert len(a.title) <= 24
    assert len(a.text) <= 24


# ---------------------------------------------------------------- origins of a story


def test_a_story_counts_each_origin_once_and_says_what_was_folded() -> None:
    owners = Owners({"harbour-north": "harbour", "harbour-south": "harbour"})
    rows = [
        ("1", item("PORTVALE (Reuters) - A ferry ran aground"), "a"),
        ("2", item("A ferry is stuck off Portvale, officials told Reuters"), "b"),
        ("3", item(COPY), "harbour-north"),
        ("4", item("The fog came at noon."), "harbour-south"),
        ("5", item(COPY), "c"),
        ("6", item("The harbour master saw it."), "d"),
        ("7", item("The harbour master saw it, too."), "d"),
    ]
    found = origins(record_of(item_id, one, source(name), owners) for item_id, one, name in rows)
    assert ["agency:reuters", "owner:harbour", "source:d"] == [one.origin for one in found]
    assert ["1", "3", "6"] == [one.item_id for one in found]
    assert (("2", "copy of reuters"),) == found[0].folded
    assert (("4", "of the same owner, harbour"), ("5", "the same words as harbour-north")) == found[1].folded
    assert (("7", "the same source"),) == found[2].folded


def test_no_records_no_origins() -> None:
    assert () == origins([])


@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=50))
def test_any_item_has_one_origin(text: str, title: str, author: str) -> None:
    record = record_of("1", item(text, title, author), source())
    assert record.origin == origin_of(item(text, title, author), source())
    [only] = origins([record, record._replace(item_id="2")])
    assert ("1", "2") == (only.item_id, only.folded[0][0])


# ---------------------------------------------------------------- velocity


def rates() -> UsualRates:
    """A quiet region and a busy one."""
    quiet = [(("QQ",), 1, 0.0)] * 60
    busy = [(("BB",), 8, 1800.0)] * 60
    return UsualRates.of([*quiet, *busy])


def test_the_same_burst_is_everyday_in_a_busy_region_and_rare_in_a_quiet_one() -> None:
    burst = [minute * 60.0 for minute in (0, 1, 2, 4, 5)]
    usual = rates()
    assert surprise(burst, usual.rate(["QQ"]))[0] > 4 > surprise(burst, usual.rate(["BB"]))[0]


def test_a_story_that_spreads_unusually_fast_is_raised_and_says_why() -> None:
    burst = [minute * 60.0 for minute in (0, 1, 2, 4, 5)]
    level, why = story_urgency([(4, "a fire"), (5, "")], burst, rates().rate(["QQ"]))
    assert 3 == level
    assert why.startswith("a fire; 5 independent origins in 5 min, usual is one in ")


@pytest.mark.parametrize(
    ("items", "times", "is_news"),
    [
        ([(4, "a fire")], [0.0, 60.0], True),  # two origins may be an accident
        ([(4, "a fire")], [0.0, 7200.0, 14400.0], True),  # slow
        ([(4, "a fire")], [0.0, 30.0, 60.0, 90.0, 99.0], False),  # explainers spread too
        ([(4, "a fire")], [], True),
    ],
)
def test_a_story_is_as_urgent_as_its_most_urgent_item_otherwise(items: list[tuple[int, str]], times: list[float], is_news: bool) -> None:
    assert (4, "a fire") == story_urgency(items, times, rates().rate(["QQ"]), is_news=is_news)
    assert (5, "") == story_urgency([])


def test_velocity_alone_never_makes_a_flash() -> None:
    burst = [float(second) for second in range(40)]
    assert 3 == story_urgency([(5, "")], burst, rates().rate(["QQ"]))[0]
    assert 2 == story_urgency([(3, "x")], burst, rates().rate(["QQ"]))[0]
    assert 1 == story_urgency([(1, "x")], burst, rates().rate(["QQ"]))[0]


def test_an_unknown_region_has_the_rate_of_the_world_and_regions_are_bounded() -> None:
    usual = rates()
    assert usual.rate(["ZZ"]) == usual.rate() > 0
    assert UsualRates().rate() > 0
    for number in range(1000):
        usual.learn([f"R{number}"], 2, 60.0)
    assert len(usual.seen) <= 400


@given(st.lists(st.floats(0, 1e6), max_size=60), st.floats(1e-6, 100.0))
def test_surprise_is_a_number_and_the_same_shifted_in_time(times: list[float], usual: float) -> None:
    times = sorted(round(time) * 1.0 for time in times)
    unusual, burst, minutes = surprise(times, usual)
    assert unusual >= 0
    assert burst <= len(times)
    assert minutes <= 30
    assert (unusual, burst, minutes) == surprise([time + 3600 for time in times], usual)
