"""The machine-readable edges keep their contract: JSON Lines in and out, unknown fields pass, the past only."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.text.language import language_of
from tests.command import desk, done
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path) -> Iterator[None]:
    """No store is needed: a URL that nobody answers at shows that none is asked."""
    with desk(tmp_path / "data", "redis://127.0.0.1:1/0"):
        yield


def lines(*rows: dict[str, Any]) -> str:
    """The rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def file_of(folder: Path, name: str, text: str) -> str:
    """A file with this text."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


EDGES: dict[str, dict[str, Any]] = {
    "regions tag": {"id": "1", "text": "Ferry aground off Tripoli, Lebanon", "lang": "en", "note": {"kept": [1, None]}},
    "stories group": {"id": 7, "title": "Ferry aground", "source": "harbour", "time": "2026-03-01T12:00:00Z", "note": "kept"},
    "stories same": {"id": "1", "a": "Ferry runs aground", "b": "Bridge closes", "a_time": "2026-03-01", "note": 1.5},
}


@pytest.mark.parametrize("edge", EDGES)
def test_unknown_fields_pass_through(edge: str) -> None:
    row = EDGES[edge]
    answer = done(*edge.split(), stdin=lines(row)).rows()[0]
    assert row.items() <= answer.items()


@pytest.mark.parametrize("edge", EDGES)
def test_a_file_a_dash_and_stdin_give_the_same(edge: str, tmp_path: Path) -> None:
    text = lines(EDGES[edge])
    from_stdin = done(*edge.split(), stdin=text).out
    assert from_stdin == done(*edge.split(), file_of(tmp_path, "rows.jsonl", "\ufeff" + text)).out
    assert from_stdin == done(*edge.split(), "-", stdin=text.replace("\n", "\r\n\n")).out


@pytest.mark.parametrize("edge", EDGES)
def test_nothing_in_is_nothing_out(edge: str) -> None:
    assert "" == done(*edge.split()).out


# ---------------------------------------------------------------- regions


def tagged(text: str, **fields: Any) -> dict[str, Any]:
    """What `regions tag` says of a text."""
    return done("regions", "tag", stdin=lines({"id": "1", "text": text, **fields})).rows()[0]


def test_countries_come_most_relevant_first_each_once() -> None:
    answer = tagged("Syria strikes: Syrian minister flies to Damascus\nTalks in Jordan had ended before.", lang="en")
    assert ["SY", "JO"] == answer["countries"]
    scores = [region["score"] for region in answer["regions"]]
    assert scores == sorted(scores, reverse=True)
    assert {"code", "name", "kind", "lat", "lon", "span", "why", "score"} == set(answer["regions"][0])


def test_the_span_is_where_the_name_stands() -> None:
    text = "Fähre läuft vor dem Libanon auf Grund"
    region = tagged(text, lang="de-AT")["regions"][0]
    assert "Libanon" == text[slice(*region["span"])]


def test_the_home_of_the_source_counts_only_when_the_text_names_nothing() -> None:
    assert ["LB"] == tagged("Ferry runs aground", source_region="lb")["countries"]
    assert ["JP"] == tagged("Earthquake in Japan", source_region="LB")["countries"]


def test_a_text_is_read_in_the_language_of_its_letters_as_in_the_service() -> None:
    text = "زلزال يضرب لبنان"
    assert "ar" == language_of(text, "en", is_guessing=False)
    assert tagged(text, lang="ar")["countries"] == tagged(text, lang="en")["countries"] == ["LB"]


# ---------------------------------------------------------------- stories


def item(number: int, title: str, minute: int, **fields: Any) -> dict[str, Any]:
    """An item for `stories group`."""
    return {"id": number, "title": title, "source": f"s{number}", "time": f"2026-03-01T12:{minute:02d}:00Z", **fields}


def stories_of(*rows: dict[str, Any]) -> list[str]:
    """The story ids of the items."""
    return [row["story"] for row in done("stories", "group", stdin=lines(*rows)).rows()]


def test_equal_headlines_are_one_story_and_others_are_not() -> None:
    one, other, again = stories_of(
        item(1, "BREAKING: Ferry runs aground off the north coast", 0),
        item(2, "Museum reopens after two years of repairs", 1),
        item(3, "Ferry runs aground off the north coast", 2),
    )
    assert one == again
    assert one != other


def test_an_answer_uses_the_past_only() -> None:
    titles = ("Ferry runs aground off the coast", "Bridge closes for a week of repairs") * 3
    rows = [item(n, title, n) for n, title in enumerate(titles)]
    whole = stories_of(*rows)
    assert [stories_of(*rows[:count]) for count in (1, 3)] == [whole[:1], whole[:3]]


def test_items_without_an_id_are_different_items() -> None:
    titles = ("Ferry runs aground off the coast", "Museum reopens after repairs")
    rows = [{**item(n, title, n), "id": None} for n, title in enumerate(titles)]
    assert 2 == len(set(stories_of(*rows)))


def test_the_time_may_be_unix_seconds() -> None:
    title = "Ferry runs aground off the coast"
    assert 1 == len(set(stories_of(item(1, title, 0), {**item(2, title, 1), "time": 1772366460})))


def test_same_says_how_alike_two_headlines_are() -> None:
    rows = done(
        "stories",
        "same",
        stdin=lines(
            {"id": 1, "a": "URGENT: Ferry runs aground", "b": "Ferry runs aground"},
            {"id": 2, "a": "Ferry runs aground", "b": "Snow"},
        ),
    ).rows()
    assert [(1, True, 1.0), (2, False, 0.0)] == [(row["id"], row["same"], row["score"]) for row in rows]


# ---------------------------------------------------------------- rules

RULES = lines(
    {"id": "ferries", "query": "ferry AND region:LB"},
    {"id": "calm", "query": "ferry NOT aground"},
    {"id": "snow", "query": "snow OR urgency:1 OR lang:fi"},
    {"id": "anywhere", "query": "region:JP OR rescue"},
)
NEWS = {
    "id": "n1",
    "title": "Ferry aground off Beirut",
    "text": "The ferry had 40 aboard.",
    "lang": "en",
    "url": "https://a.example/1",
    "desk": "night",
}


def match(folder: Path, *options: str, rules: str = RULES, name: str = "rules.jsonl", news: dict[str, Any] = NEWS) -> dict[str, Any]:
    """What `rules match` says of one item."""
    return done("rules", "match", "--rules", file_of(folder, name, rules), *options, stdin=lines(news)).rows()[0]


def test_the_rules_that_match_are_added_to_the_item(tmp_path: Path) -> None:
    assert {**NEWS, "rules": ["ferries"]} == match(tmp_path)


def test_the_rules_of_the_configuration_are_taken_when_none_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file_of(tmp_path, "rules.toml", '[[rule]]\nid = "mine"\nquery = "ferry"\n')
    shutil.copy(ROOT / "config" / "regions.toml", tmp_path)
    monkeypatch.setenv("TOCSIN_CONFIG_DIR", str(tmp_path))
    assert ["mine"] == done("rules", "match", stdin=lines(NEWS)).rows()[0]["rules"]


def test_rules_may_be_toml_as_in_the_configuration(tmp_path: Path) -> None:
    rules = {"b": 'query = "ferry"', "a": 'query = "FERRY"', "c": 'query = "region:JP"\nunknown = "in"'}
    toml = "".join(f'[[rule]]\nid = "{rule_id}"\n{rest}\n' for rule_id, rest in rules.items())
    assert ["a", "b"] == match(tmp_path, rules=toml, name="rules.toml")["rules"]
    nowhere = {"id": "2", "title": "Snow"}
    assert ["c"] == match(tmp_path, rules=toml, name="rules.toml", news=nowhere)["rules"]


def test_a_rule_that_matches_is_explained_operand_by_operand(tmp_path: Path) -> None:
    explained = match(tmp_path, "--explain")["explain"]["ferries"]
    headline = NEWS["title"]
    assert [("words", "ferry", True), ("region", "region:LB", True)] == [(e["stage"], e["operand"], e["answer"]) for e in explained]
    assert ["Ferry", "Beirut"] == [headline[slice(*e["span"])] for e in explained]


@pytest.mark.parametrize(
    ("rule", "stage", "operand", "answer"),
    [
        pytest.param("calm", "words", "aground", True, id="what NOT forbids is there"),
        pytest.param("snow", "words", "snow", False, id="the first of several that would do"),
        pytest.param("anywhere", "region", "region:JP", False, id="a region that is another"),
    ],
)
def test_a_rule_that_does_not_match_shows_what_is_in_its_way(rule: str, stage: str, operand: str, answer: bool, tmp_path: Path) -> None:
    explained = match(tmp_path, "--explain")["explain"][rule]
    assert [(stage, operand, answer)] == [(e["stage"], e["operand"], e["answer"]) for e in explained]


def test_a_region_that_is_not_known_is_neither_yes_nor_no(tmp_path: Path) -> None:
    explained = match(tmp_path, "--explain", news={"id": 1, "title": "Ferry late"})["explain"]["ferries"]
    assert [("region:LB", None)] == [(e["operand"], e["answer"]) for e in explained]


# ---------------------------------------------------------------- sources parse

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour Post</title>
<item><guid>h1</guid><title>Ferry aground &amp; safe</title><link>/news/1</link><pubDate>Sun, 01 Mar 2026 12:00:00 GMT</pubDate></item>
<item><guid>h2</guid><title>Gate closes</title><link>https://harbour.example/news/2</link></item></channel></rss>"""
TICKER = '<html><body><ul id="now"><li>Ferry aground <a href="/1">more</a></li></ul></body></html>'
JSON = '{"lines": [{"headline": "Ferry aground", "n": 17, "at": 1772366400}], "ok": true}'


def parse(folder: Path, name: str, body: str, *options: str) -> list[dict[str, Any]]:
    """The items of a saved page."""
    return done("sources", "parse", file_of(folder, name, body), "--base-url", "https://harbour.example/feed", *options).rows()


def test_a_saved_feed_is_its_items(tmp_path: Path) -> None:
    first, second = parse(tmp_path, "feed.xml", FEED)
    assert ("h1", "Ferry aground & safe", "https://harbour.example/news/1") == (first["guid"], first["title"], first["url"])
    assert "2026-03-01T12:00:00Z" == first["published_at"]
    assert ("h2", None) == (second["guid"], second["published_at"])


def test_a_saved_ticker_is_its_lines(tmp_path: Path) -> None:
    options = ("--kind", "ticker", "--item", "#now li", "--link", "a@href", "--canary", "#now")
    assert [("Ferry aground more", "https://harbour.example/1")] == [
        (line["title"], line["url"]) for line in parse(tmp_path, "page.html", TICKER, *options)
    ]


def test_a_saved_json_answer_is_its_lines(tmp_path: Path) -> None:
    options = ("--kind", "json", "--item", "lines", "--text", "headline", "--guid", "n", "--time", "at", "--canary", "ok")
    assert [("Ferry aground", "17", "2026-03-01T12:00:00Z")] == [
        (line["title"], line["guid"], line["published_at"]) for line in parse(tmp_path, "lines.json", JSON, *options)
    ]


def test_an_empty_banner_is_no_line_and_no_error(tmp_path: Path) -> None:
    assert [] == parse(tmp_path, "page.html", '<ul id="now"></ul>', "--kind", "ticker", "--item", "#now li", "--canary", "#now")
