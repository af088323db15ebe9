"""Queries: what they mean, what is wrong with them, and that the index answers as a plain loop would."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import ConfigError, NotFoundError, QueryError
from alerts.models import RegionEvidence, Rule, Tagged
from alerts.rules.explain import explain, matched_words
from alerts.rules.grammar import parse
from alerts.rules.index import RuleIndex
from alerts.rules.lists import Lists
from alerts.rules.load import read_rules
from alerts.rules.match import Document, evaluate
from alerts.rules.nodes import Words
from alerts.rules.query import check_query, normal_form, query_id
from alerts.text.tokens import words
from tests.builders import a_change, a_tagged, an_item


class Map:
    """Areas of two countries and a group."""

    areas = {"lb": {"LB"}, "cy": {"CY"}, "levant": {"LB", "CY"}, "south": {"CY"}, "south levant": {"LB"}, "near:1,2,3km": {"LB"}}

    def test(self, area: str, /, countries: Sequence[str], regions: Sequence[RegionEvidence]) -> bool | None:
        known = {*countries, *(region.country for region in regions)}
        return bool(self.areas[area.casefold()] & known) if known else None

    def countries_in(self, name: str, /) -> frozenset[str]:
        if name.casefold() not in self.areas:
            raise NotFoundError(f'no region is called "{name}"')
        return frozenset(self.areas[name.casefold()])


AREAS = Map()
LISTS = Lists({"weather": (Words(("tsunami",)), Words(("storm", "harbour")))})


def a_document(title: str = "", text: str = "", *, tags: dict[str, Any] | None = None, **fields: Any) -> Document:
    item = an_item(1, title=title, text=text, **fields)
    return Document.of(Tagged(change=a_change(1, item=item), **{"language": "en", **(tags or {})}))


def answer(query: str, document: Document, *, is_unknown_in: bool = False) -> bool | None:
    return evaluate(parse(query), document, AREAS, is_unknown_in, LISTS)


@pytest.mark.parametrize(
    ("query", "title", "expected"),
    [
        ("harbour", "Fire at the Harbour", True),
        ("fire harbour", "Fire at the harbour", True),
        ("fire AND storm", "Fire at the harbour", False),
        ("storm OR fire", "Fire at the harbour", True),
        ("fire -harbour", "Fire at the harbour", False),
        ("fire NOT storm", "Fire at the harbour", True),
        ("storm OR fire ferry", "Fire at the harbour", False),
        ("(storm OR fire) harbour", "Fire at the harbour", True),
        ('"the harbour"', "Fire at the harbour", True),
        ('"harbour the"', "Fire at the harbour", False),
        ("harb*", "Fire at the harbour", True),
        ('"at the harb"*', "Fire at the harbour", True),
        ("*", "", True),
        ("assad", "The ambassador speaks", False),
        ("ai", "Training begins", False),
        ("hts", "Rights group speaks", False),
        ("port", "Passport airport", False),
        ("israel", "Israel's harbour", True),
        ("un", "U.N. envoy at the harbour", True),
        ("f-16", "An F-16 lands", True),
        ("strasse", "Brand in der Straße", True),
        ("لبنان", "حريق في لُبنان", True),
        ("港", "東京港で火災", True),
        ("東京", "東京港で火災", True),
        ("東港", "東京港で火災", False),
        ("京港", "東京、港で火災", False),
        ("ミサイル", "弾道ミサイル発射", True),
        ("กรุงเทพ", "ไฟไหม้ในกรุงเทพฯ", True),
        ("북한", "북한이 미사일 발사", True),
        ("한이", "북한이 미사일 발사", False),
        ("דוצ", "דוברצהל", False),
    ],
)
def test_words_are_whole_words_in_every_script(query: str, title: str, expected: bool) -> None:
    assert expected is answer(query, a_document(title))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title:fire", True),
        ("title:ferry", False),
        ("text:ferry", True),
        ("fire ferry", True),
        ('"harbour ferry"', False),
        ("source:harbour", True),
        ("source:harbour-north", True),
        ("source:beacon", False),
        ("source:harb*", True),
        ("topic:shipping", True),
        ('topic:"shipping weather"', False),
        ("url:news/1", True),
        ("url:harbour.example", True),
        ("url:new", False),
        ("lang:en", True),
        ("lang:en-GB", True),
        ("lang:ar", False),
        ("urgency:2", True),
        ("urgency:<=2", True),
        ("urgency:>2", False),
        ("urgency:1-3", True),
        ("TITLE: fire", True),
    ],
)
def test_fields_look_only_at_their_own_part(query: str, expected: bool) -> None:
    document = a_document(
        "Fire at the harbour", "Ferry delayed", source_id="harbour-north", topics=("Shipping", "Weather"), tags={"urgency": 2}
    )
    assert expected is answer(query, document)


@pytest.mark.parametrize(
    ("query", "countries", "expected"),
    [
        ("region:LB", ("LB",), True),
        ("region:Levant", ("CY",), True),
        ("region:LB", ("CY",), False),
        ("region:LB", (), None),
        ("NOT region:LB", (), None),
        ("NOT region:LB", ("CY",), True),
        ("fire region:LB", (), None),
        ("storm region:LB", (), False),
        ("fire OR region:LB", (), True),
        ("storm OR region:LB", (), None),
    ],
)
def test_an_item_without_a_region_is_unknown_unless_the_words_decide(query: str, countries: tuple[str, ...], expected: bool | None) -> None:
    document = a_document("Fire", tags={"countries": countries})
    assert expected is answer(query, document)
    assert (True if expected is None else expected) is answer(query, document, is_unknown_in=True)


@pytest.mark.parametrize(
    ("query", "column", "message"),
    [
        ("", 1, "the query is empty; write * to match everything"),
        ("fire and storm", 6, '"and" in small letters is a word; write AND'),
        ("fire Or storm", 6, '"Or" is a word; write OR'),
        ("fire OR", 8, 'the query ends here, but a word, a "phrase", a field or a bracket was expected'),
        ("'fire storm'", 1, 'phrases stand in double quotes; write "fire storm"'),
        ("fire ()", 6, "these brackets are empty"),
        ("headline:fire", 1, "did you mean title:?"),
        ("fire & storm", 6, 'found "&" alone; write AND'),
        ("fire | storm", 6, "write OR"),
        ("fi?e", 1, "there is no ? for any letter; write fi*"),
        ("/fire", 1, "this expression is never closed"),
        ('"fire storm"~', 13, 'with a number after a phrase ("fire storm"~3)'),
        ("urgency<=2", 1, "a colon is missing after the field; write urgency:<=2"),
        ("fire region=LB", 6, "write region:LB"),
        ("lang:ar,fr", 6, "for any of them write (lang:ar OR lang:fr)"),
        ("AND fire", 1, "an operand is missing beside AND"),
        ('fire "at the', 6, "this quote is never closed"),
        ("fire (storm", 6, "this bracket is never closed"),
        ("fire)", 5, "closes nothing"),
        ("titel:fire", 1, 'no field "titel:"; did you mean title:?'),
        ("fire xyz:storm", 6, "fields are title:, text:"),
        ("title:", 7, "the query ends here"),
        ("fire - storm", 6, "directly before the word"),
        ("mis*ile", 4, "only stand at the end"),
        ("fire m*", 6, "would match nearly everything"),
        ("fire ???", 6, "no letters or digits"),
        ("urgency:9", 9, "number from 1 (highest) to 5"),
        ("urgency:>5", 9, "true of nothing"),
        ("lang:klingon", 6, "is no language"),
        ("lang:Arabic", 6, "write lang:ar"),
        ("lang:jp", 6, "write lang:ja"),
        ("region:!", 8, "name a region after region:"),
        ("x" * 2001, 2001, "a query may have 2000"),
        (" ".join(f"w{n}" for n in range(101)), 1, "101 operands"),
        ("(" * 21 + "fire" + ")" * 21, 21, "more than 20 brackets"),
        ("region:(LB OR CY)", 1, "write (region:A OR region:B)"),
        ("title:(fire region:LB)", 20, 'takes words, phrases and expressions, not "region:LB"'),
        ("titel:(fire storm)", 1, "did you mean title:?"),
        ("fire~2", 1, "no ~ and ^ after a word; write ~fire"),
        ("fire^4", 1, "no ~ and ^ after a word"),
        ('"fire"~3', 1, "so many others (0 to 50)"),
        ('"fire storm"~51', 1, "so many others (0 to 50)"),
        ("~fire*", 1, "exclude each other"),
        ("title:-fire", 1, "write the - before the field: -title:fire"),
        ("fire /(a/", 6, "no regular expression of RE2: missing )"),
        ("/(?=a)b/", 1, "no look-around"),
        ("/" + "a" * 201 + "/", 1, "may have 200"),
        ("near:33.27,35.20", 6, "such as near:33.27,35.20,50km"),
        ("near:95,35,50km", 6, "latitude goes from -90 to 90"),
        ("sources:many", 9, "write for instance sources:>=2"),
        ("sources:<1", 9, "true of nothing"),
        ("age:30m", 5, "write < or > and a time"),
        ("story:old", 7, "write story:new or story:update"),
        ("@ ", 1, "directly before the name of a list"),
        ("@a.b", 1, "is no list"),
        ("# nothing but a comment", 1, "the query is empty"),
    ],
)
def test_a_wrong_query_says_where_and_what_to_write(query: str, column: int, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert column == caught.value.column
    assert message in str(caught.value)


def test_a_region_nobody_knows_is_an_error_at_its_column() -> None:
    with pytest.raises(QueryError, match="column 13: no region is called"):
        check_query("fire region:Lemuria", AREAS)
    check_query("fire region:Levant", AREAS)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("fire region:LB,CY", r'column 13: no region is called "LB,CY"; for any of them write \(region:LB OR region:CY\)'),
        ("region:South Levant", 'column 8: this asks for the region "South" and the word "Levant"; write region:"South Levant"'),
    ],
)
def test_slips_in_names_of_regions_say_what_to_write(query: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        check_query(query, AREAS)
    check_query('region:South "Levant" OR region:"South Levant" OR region:LB fire OR region:near:1,2,3km', AREAS)


@pytest.mark.parametrize("query", ["region:LB -(fire OR drill)", "region:LB || region:CY", "region:LB && fire", "region:LB !fire"])
def test_a_sign_after_a_region_is_no_part_of_its_name(query: str) -> None:
    check_query(query, AREAS)


@pytest.mark.parametrize(
    "others",
    [
        ("fire storm", "storm AND fire", "(Storm) FIRE", "fire storm fire", "“fire” storm"),
        ("a1 OR (b1 OR c1)", "c1 OR b1 OR a1"),
        ("NOT NOT fire", "fire", "(fire OR Fire)"),
        ("((a1 b1) OR (b1 a1)) c1", "a1 b1 c1"),
        ("urgency:<=2", "urgency:1-2", "urgency:<3"),
        ('region:"US & Canada"', 'region:"us canada"'),
    ],
)
def test_queries_that_mean_the_same_share_an_id(others: tuple[str, ...]) -> None:
    assert 1 == len({query_id(query, False) for query in others})


def test_another_meaning_is_another_id() -> None:
    queries = ["fire storm", '"fire storm"', "fire OR storm", "fire*", "title:fire", "fire -storm", "東京", '"東 京"']
    assert len(queries) + 1 == len({query_id("fire storm", True), *(query_id(query, False) for query in queries)})


def test_a_query_that_does_not_parse_still_has_an_id() -> None:
    assert query_id("fire (", False) != query_id("fire ((", False)


# ---------------------------------------------------------------- the index against a plain loop

_WORDS = ("fire", "storm", "firewall", "harbour", "東京", "京港", "북한", "f-16", "u.s.", "mis", "müller", "mueller", "muller", "ほ*")
OPERANDS = st.one_of(
    st.sampled_from(_WORDS),
    st.sampled_from(
        ("fire*", "harb*", '"fire storm"', "title:fire", "text:storm", "source:harbour", "source:har*", "topic:storm", "url:news")
    ),
    st.sampled_from(("region:LB", "region:Levant", "lang:en", "lang:ja", "urgency:<=2", "urgency:5", "*")),
    st.sampled_from(("~fires", "~storming", "=Fire", "=müller", '="東京"', '"fire storm"~1', '"storm fire fire"~4')),
    st.sampled_from(("/f.re/", "title:/^st/")),
    st.sampled_from(("@weather", "author:ada", "tag:world", "sources:>=2", "age:<30m", "story:new", '"東京"*', "title:(fire OR storm)")),
)
QUERIES = st.recursive(
    OPERANDS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' OR '.join(parts)})"),
        inner.map(lambda part: f"(NOT {part})"),
    ),
    max_leaves=6,
)
_TEXT_WORDS = (*_WORDS, "東京港", "북한이", "U.S.", "missile", "harbours", ".", "Müller", "Mueller", "FIRES", "stormed", "Fire", "tsunami")
_TEXTS = st.lists(st.sampled_from(_TEXT_WORDS), max_size=6).map(" ".join)
DOCUMENTS = st.builds(
    lambda title, text, source, topics, countries, language, urgency: a_document(
        title, text, source_id=source, topics=topics, tags={"countries": countries, "language": language, "urgency": urgency}
    ),
    _TEXTS,
    _TEXTS,
    st.sampled_from(("harbour", "harbour-north", "beacon")),
    st.sampled_from(((), ("storm",), ("fire", "storm"))),
    st.sampled_from(((), ("LB",), ("CY",), ("FR",), ("FR", "LB"))),
    st.sampled_from((None, "en", "ja")),
    st.integers(1, 5),
)


@given(st.lists(st.tuples(QUERIES, st.booleans()), min_size=1, max_size=8), st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_the_index_matches_what_a_plain_loop_matches(queries: list[tuple[str, bool]], documents: list[Document]) -> None:
    index = RuleIndex(AREAS, LISTS)
    for number, (query, is_unknown_in) in enumerate(queries):
        index.put(f"{number}", query, is_unknown_in)
    for document in documents:
        expected = {f"{n}" for n, (query, unknown) in enumerate(queries) if answer(query, document, is_unknown_in=unknown) is True}
        assert expected == set(index.match(document))


@given(QUERIES, DOCUMENTS)
def test_the_normal_form_means_the_same_and_is_its_own_normal_form(query: str, document: Document) -> None:
    form = normal_form(query)
    assert form == normal_form(form)
    assert answer(query, document) is answer(form, document)


@given(st.text(max_size=60) | st.text(alphabet='ab" ()*-:ANDOR=~@#/1\\.,<ü東\n', max_size=40))
def test_any_text_parses_or_gives_a_query_error_within_it(text: str) -> None:
    form, column = form_or_column(text)
    assert 1 <= column <= len(text) + 1
    assert form == (normal_form(form) if form else "")


def form_or_column(query: str) -> tuple[str, int]:
    """The normal form, or "" and the column of the error."""
    try:
        return normal_form(query), 1
    except QueryError as error:
        return "", error.column


def test_a_query_that_was_removed_or_replaced_no_longer_matches() -> None:
    index = RuleIndex(AREAS)
    index.put("q", "fire")
    index.put("q", "storm*")
    assert ((), ("q",)) == (index.match(a_document("Fire")), index.match(a_document("Storms")))
    index.remove("q")
    index.remove("q")
    assert ((), 0) == (index.match(a_document("Storms")), len(index))


@pytest.mark.parametrize(
    ("query", "error"), [("fire (", QueryError), ("region:Lemuria", NotFoundError), ("-region:Lemuria", NotFoundError)]
)
def test_a_query_that_cannot_be_put_leaves_the_index_as_it_was(query: str, error: type[Exception]) -> None:
    index = RuleIndex(AREAS)
    index.put("q", "fire")
    with pytest.raises(error):
        index.put("q", query)
    assert ("q",) == index.match(a_document("Fire"))


# ---------------------------------------------------------------- explain


def test_each_operand_is_explained_with_its_span() -> None:
    evidence = RegionEvidence(code="LB", name="Lebanon", kind="country", span=(15, 22), why='"Lebanon" names Lebanon')
    document = a_document(
        "Fire at sea in Lebanon",
        "Ferry delayed",
        tags={"countries": ("LB",), "regions": (evidence,), "urgency": 1, "urgency_why": "marked"},
    )
    found = explain(parse("fire ferry -storm region:LB lang:en urgency:1 source:harbour"), document, AREAS)
    assert [("fire", True, (0, 4)), ("ferry", True, (23, 28)), ("storm", False, None)] == [(o.text, o.is_true, o.span) for o in found[:3]]
    assert ["the language is en", "the urgency is 1 (marked)", "in the source id"] == [o.why for o in found[4:]]
    assert ("region:LB", True, (15, 22), '"Lebanon" names Lebanon') == (found[3].text, found[3].is_true, found[3].span, found[3].why)


def test_an_unknown_region_is_explained_as_unknown() -> None:
    (operand,) = explain("region:LB", a_document("Fire"), AREAS)
    assert (None, "the item has no known region") == (operand.is_true, operand.why)


# ---------------------------------------------------------------- files


def test_rules_are_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(
        '[[rule]]\nid = "f"\nquery = "fire"\n[[rule]]\nid = "s"\nname = "Storms"\nquery = "storm region:LB"\n'
        'subscriber = "desk"\nchannels = ["phone"]\nenabled = false\nunknown = "in"\n'
    )
    plain = Rule(rule_id="f", query="fire")
    full = Rule(
        rule_id="s",
        query="storm region:LB",
        name="Storms",
        subscriber_id="desk",
        channel_ids=("phone",),
        is_unknown_in=True,
        is_enabled=False,
    )
    assert (plain, full) == read_rules(path, AREAS)


def test_rules_are_read_from_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "rules.jsonl"
    path.write_text('{"id": "f", "query": "fire"}\n\n{"id": "s", "query": "storm", "unknown": "in"}\n')
    rule = Rule(rule_id="f", query="fire")
    assert (rule, replace(rule, rule_id="s", query="storm", is_unknown_in=True)) == read_rules(path)


def test_an_empty_file_has_no_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text("")
    assert () == read_rules(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.toml", '[[rule]]\nid = "f"\nqeury = "fire"', r"r\.toml: rule 1: qeury: unknown key; did you mean query\?"),
        ("r.toml", '[[rule]]\nid = "f"', "rule 1: query: missing"),
        ("r.toml", '[[rule]]\nid = 1\nquery = "fire"', "rule 1: id: must be a text, not 1"),
        ("r.toml", '[[rule]]\nid = ""\nquery = "fire"', "rule 1: id: must be 1 to 100 printable characters"),
        ("r.toml", '[[rule]]\nid = "f"\nquery = "fire ("', "rule 1: query: column 6: this bracket is never closed"),
        ("r.toml", '[[rule]]\nid = "f"\nquery = "region:Lemuria"', "rule 1: query: column 8: no region"),
        ("r.toml", '[[rule]]\nid = "f"\nquery = "fire"\nunknown = "yes"', 'unknown: must be "in" or "out"'),
        ("r.toml", '[[rule]]\nid = "f"\nquery = "fire"\nchannels = "phone"', "channels: must be a list"),
        ("r.toml", '[[rule]]\nid = "f"\nquery = "fire"\n[[rule]]\nid = "f"\nquery = "storm"', "rule 2: id: 'f' is used by an earlier"),
        ("r.toml", '[rule]\nid = "f"', r"must be tables \[\[rule\]\]"),
        ("r.toml", "[[rules]]", "rules: unknown key"),
        ("r.toml", "[[rule", "not TOML"),
        ("r.jsonl", '{"id": "f", "query": "fire"}\n{"id": ', r"r\.jsonl:2: not JSON"),
        ("r.jsonl", "[1]", r"r\.jsonl:1: must be an object"),
        ("r.jsonl", '{"id": "f", "query": "fire", "quary": 1}', r"r\.jsonl:1: quary: unknown key"),
        ("r.jsonl", "[" * 100_000, r"r\.jsonl:1: not JSON"),
    ],
)
def test_a_wrong_rules_file_is_refused_with_place_and_key(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_rules(path, AREAS)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.jsonl", tmp_path, tmp_path / "bad.jsonl"):
        with pytest.raises(ConfigError, match=path.name):
            read_rules(path)


# ---------------------------------------------------------------- real headlines


def test_the_index_matches_what_a_plain_loop_matches_on_real_headlines(shared_data: Path) -> None:
    paths = sorted((shared_data / "stories" / "streams").glob("*.dev.jsonl"))
    titles = [title for path in paths for title in _titles(path, 150)]
    assert titles, "the streams hold no headlines"
    rng = Random(4)
    index, queries = RuleIndex(AREAS, LISTS), [_query_from(rng, titles) for _ in range(400)]
    for number, query in enumerate(queries):
        index.put(f"{number}", query)
    for title in titles:
        document = a_document(title, tags={"countries": rng.choice(((), ("LB",), ("FR",)))})
        expected = {f"{n}" for n, query in enumerate(queries) if answer(query, document) is True}
        assert expected == set(index.match(document)) == set(index.match_story(document).query_ids)


def _titles(path: Path, most: int) -> list[str]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)["title"] for line in islice(lines, most)]


def _query_from(rng: Random, titles: Sequence[str]) -> str:
    """A query of words, a phrase, a beginning or a stem that stand in some headline."""
    found = list(dict.fromkeys(w for w in words(rng.choice(titles)) if len(w) > 2 and w not in ("and", "not"))) or ["fire"]
    one, two = rng.choice(found), rng.choice(found)
    forms = (f"{one} {two}", f'"{one} {two}"', f"{one}* -{two}", f"~{one}", f"{one} OR {two}", f'"{one} {two}x"~3', f"{one} region:LB")
    return rng.choice(forms).replace(f"{two}x", two if two != one else "fire")


def test_the_words_a_query_asked_for_are_told_as_published() -> None:
    item = an_item(1, title="Ferries collide off Dover", text="Two FERRIES and a tug.")
    document = Document(a_tagged(1, change=a_change(1, item=item)))
    assert matched_words("(ferries OR ship) AND dover NOT (plane OR NOT tug)", document) == ("Ferries", "Dover", "tug")
    assert matched_words("region:GB", document) == ()
