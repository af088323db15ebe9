"""[[source]] tables: every key is checked, and every error names file, place, key and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import ConfigError
from alerts.models import Selectors, Source, SourceKind
from alerts.sources.load import source_of, sources_of, table_of

FILE = Path("sources.toml")
GOOD = {"id": "harbour", "url": "https://harbour.example/feed.xml"}


def load(**fields: Any) -> Source:
    """The source of a table that is good but for these fields."""
    return source_of({**GOOD, **fields}, where="sources.toml: source 1 (harbour)")


def test_a_table_with_id_and_url_is_a_feed() -> None:
    assert load() == Source(source_id="harbour", url="https://harbour.example/feed.xml")


def test_every_key_arrives_where_it_belongs() -> None:
    source = load(
        kind="ticker",
        name="Harbour",
        language="PT",
        region="BR",
        tags=["port"],
        floor_s=30,
        ceiling_s=60,
        line_ttl_s=600,
        selectors={"item": "li", "canary": "ul"},
        headers={"X-Key": "1"},
        paused=True,
    )
    assert (source.kind, source.language, source.region, source.is_paused) == (SourceKind.TICKER, "pt", "BR", True)
    assert source.selectors == Selectors(item="li", canary="ul")
    assert (source.floor_s, source.ceiling_s, source.line_ttl_s) == (30, 60, 600)
    assert (source.headers, source.tags, source.name) == ({"X-Key": "1"}, ("port",), "Harbour")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"id": "Harbour News"}, "id: string should match pattern"),
        ({"id": ""}, "id: string should match pattern"),
        ({"id": "x" * 65}, "id: string should match pattern"),
        ({"url": "ftp://harbour.example/"}, "is no http or https URL"),
        ({"url": "javascript:alert(1)"}, "is no http or https URL"),
        ({"url": "harbour.example"}, "is no http or https URL"),
        ({"url": "https://harbour.example/\nfeed"}, "is no http or https URL"),
        ({"url": "https://user:secret@harbour.example/"}, "do not belong into the URL"),
        ({"url": 7}, "url: input should be a valid string"),
        ({"url": "https://harbour.example/" + "x" * 2000}, "at most 2000 characters"),
        ({"kind": "rss"}, "kind: input should be 'feed', 'ticker' or 'json'"),
        ({"kind": "ticker"}, "a ticker needs at least selectors.item"),
        ({"kind": "json"}, "a json needs at least selectors.item"),
        ({"selectors": {"itm": "li"}}, "selectors.item: field required"),
        ({"selectors": {"item": "li", "links": "a"}}, "selectors.links: unknown key"),
        ({"region": "Brazil"}, "region: string should match pattern"),
        ({"language": "Portuguese"}, "language: string should match pattern"),
        ({"floor_s": 0}, "floor_s: input should be greater than or equal to 1"),
        ({"floor_s": float("nan")}, "floor_s"),
        ({"floor_s": 120, "ceiling_s": 60}, "ceiling_s: 60 is under floor_s (120)"),
        ({"headers": {"X-Key": "a\r\nHost: b"}}, "headers"),
        ({"headers": {"X Key": "1"}}, "headers"),
        ({"paused": "perhaps"}, "paused: input should be a valid boolean"),
        ({"interval": 60}, "interval: unknown key; known are id, url"),
    ],
)
def test_a_bad_field_is_named_with_what_is_allowed(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as problem:
        load(**fields)
    assert str(problem.value).startswith("sources.toml: source 1 (harbour): ")
    assert complaint in str(problem.value)


def test_all_problems_of_a_table_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as problem:
        load(kind="rss", region="Brazil")
    assert len(str(problem.value).splitlines()) == 2


def test_a_missing_id_is_named_with_the_number_of_the_table() -> None:
    with pytest.raises(ConfigError, match=r"sources.toml: source 2 \(no id\): id: field required"):
        sources_of([GOOD, {"url": "https://quay.example/"}], path=FILE)


def test_an_id_used_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="'harbour' is used twice"):
        sources_of([GOOD, GOOD], path=FILE)


@pytest.mark.parametrize("tables", [GOOD, [1], "text", None, 3.5])
def test_anything_but_tables_is_refused(tables: Any) -> None:
    with pytest.raises(ConfigError, match=r"must be tables \[\[source\]\]"):
        sources_of(tables, path=FILE)


def test_no_tables_are_no_sources() -> None:
    assert sources_of([], path=FILE) == ()


def test_a_source_written_out_reads_in_as_itself() -> None:
    source = load(kind="json", selectors={"item": "items[]", "text": "title"}, tags=["a", "b"], headers={"X-Key": "1"}, paused=True)
    assert source_of(table_of(source), where="here") == source


def test_a_written_table_leaves_out_what_is_at_its_default() -> None:
    assert table_of(load()) == GOOD


@given(
    st.dictionaries(
        st.sampled_from(["id", "url", "kind", "tags", "selectors", "headers", "floor_s"]), st.none() | st.text() | st.integers()
    )
)
def test_nonsense_is_a_config_error_or_a_source(fields: dict[str, Any]) -> None:
    complaint = "sources.toml"
    try:
        load(**fields)
    except ConfigError as error:
        complaint = str(error)
    assert "sources.toml" in complaint
