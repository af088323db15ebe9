"""The form for people who do not type queries, and named lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import ConfigError, QueryError
from alerts.rules.form import Form, to_form, to_query
from alerts.rules.lists import Lists
from alerts.rules.match import Document, evaluate
from alerts.rules.query import check_query, normal_form
from tests.command import tocsin
from tests.test_rules import AREAS, a_document

FULL = Form(
    all_of=("fire", "at sea"),
    any_of=("ferry", "tank*"),
    none_of=("drill", "all clear"),
    regions=("LB", "Saudi Arabia"),
    sources=("harbour-north", "beacon"),
)


def test_a_form_becomes_a_query_people_can_read() -> None:
    expected = (
        '"fire" "at sea" ("ferry" OR "tank"*) (region:"LB" OR region:"Saudi Arabia") '
        '(source:"harbour-north" OR source:"beacon") -"drill" -"all clear"'
    )
    assert expected == to_query(FULL)


@pytest.mark.parametrize(
    "form",
    [
        FULL,
        Form(),
        Form(all_of=("fire",)),
        Form(any_of=("fire", "storm")),
        Form(none_of=("fire",)),
        Form(regions=("LB",)),
        Form(sources=("beacon",), any_of=("a1", "b1")),
    ],
)
def test_a_form_comes_back_from_its_query(form: Form) -> None:
    assert form == to_form(to_query(form))


def test_words_that_are_excluded_in_one_bracket_are_none_of() -> None:
    assert to_form("fire -(drill OR film)") == Form(all_of=("fire",), none_of=("drill", "film"))


@given(st.lists(st.sampled_from(("fire", "at sea", "東京", "tank*", "müller")), max_size=3, unique=True))
def test_any_words_come_back(entries: list[str]) -> None:
    form = Form(all_of=tuple(entries), none_of=("drill",))
    assert form == to_form(to_query(form))


@pytest.mark.parametrize(
    "query",
    [
        "title:fire", "(a1 b1) OR c1", "a1 (b1 OR c1) (d1 OR e1)", "~fire", "=Fire", "near:33,35,5km", '"a1 b1"~3', "@weather", "-(a1 b1)",
        "urgency:1",
    ],
)
def test_a_query_no_form_can_say_has_none(query: str) -> None:
    assert to_form(query) is None


def test_the_command_says_the_query_of_a_form_and_the_form_of_a_query() -> None:
    query = tocsin("rules", "form", "--any", "air strike", "--any", "drone*", "--none", "drill", "--region", "LB").out.strip()
    assert '("air strike" OR "drone"*) region:"LB" -"drill"' == query
    (row,) = tocsin("rules", "form", query, "--json").rows()
    assert (query, ["air strike", "drone*"], ["drill"], ["LB"]) == (row["query"], row["any_of"], row["none_of"], row["regions"])


def test_an_entry_of_nothing_is_an_error() -> None:
    with pytest.raises(QueryError, match="no letters or digits"):
        to_query(Form(all_of=("?!",)))


# ---------------------------------------------------------------- lists


def lists_of(tmp_path: Path, text: str) -> Lists:
    path = tmp_path / "lists.toml"
    path.write_text(text, encoding="utf-8")
    return Lists.load(path)


def test_a_list_matches_any_of_its_words_in_any_capitals(tmp_path: Path) -> None:
    lists = lists_of(tmp_path, '[list.Water]\nnote = "floods"\nany = ["flood", "high water", "tsunam*", "=FLASH", "~overflow"]')
    for title in ("Flood", "High water mark", "Tsunamis", "FLASH", "River overflows"):
        assert evaluate("@water -drill", a_document(title), AREAS, lists=lists) is True
    for title in ("flash", "waters high", "Flooded"):
        assert evaluate("@water", a_document(title), AREAS, lists=lists) is False


def test_lists_with_one_name_are_one_query() -> None:
    assert normal_form("@Water fire") == normal_form("fire @water")


def test_a_missing_file_has_no_lists(tmp_path: Path) -> None:
    assert Lists() == Lists.load(tmp_path / "lists.toml")


def test_a_list_nobody_knows_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    lists = lists_of(tmp_path, '[list.water]\nany = ["flood"]')
    with pytest.raises(QueryError, match='column 6: no list is called "@watre"; did you mean @water'):
        check_query("fire @watre", None, lists)
    with pytest.raises(QueryError, match="has none yet"):
        evaluate("@water", Document.of(a_document("x").tagged), AREAS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[lists.a]\nany = ["x"]', "lists: unknown key"),
        ('[list]\na = ["x"]', r"must hold tables \[list.NAME\]"),
        ('[list.a]\nwords = ["x"]', "list.a.words: unknown key; known are note, any"),
        ("[list.a]\nany = []", "a list of 1 to 200"),
        ("[list.a]\nany = [1]", "a list of 1 to 200"),
        ('[list.a]\nany = ["?"]', "no letters or digits"),
        ('[list.a]\nany = ["title:fire*"]', "each entry is one word or phrase"),
        ('[list.a]\nnote = 1\nany = ["x"]', "note: must be a text"),
    ],
)
def test_a_wrong_list_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        lists_of(tmp_path, text)


def test_the_lists_that_are_shipped_load() -> None:
    lists = Lists.load(Path(__file__).parent.parent / "config" / "lists.toml")
    assert {"quake", "militias", "airstrike"} <= set(lists.options)
    assert evaluate("@airstrike region:LB", a_document("غارة على لبنان", tags={"countries": ("LB",)}), AREAS, lists=lists)
