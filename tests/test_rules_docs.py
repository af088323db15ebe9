"""Every example of docs/rules.md does what the document says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.errors import QueryError
from alerts.regions.areas import AreaIndex
from alerts.rules.grammar import parse
from alerts.rules.lists import Lists
from alerts.rules.load import KEYS, read_rules
from alerts.rules.match import evaluate
from alerts.rules.nodes import FIELDS
from alerts.rules.query import normal_form
from tests.test_rules import AREAS, a_document

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
LISTS = Lists.load(ROOT / "config" / "lists.toml")


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the table under a heading."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    for line in re.findall(r"^\| (`.*) \|$", section, re.M):
        yield [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\) \| ?", line)]


def query_of(cell: str) -> str:
    """The query of a cell in backticks."""
    return cell.strip("`")


@pytest.mark.parametrize("cells", [*rows("Words"), *rows("Every script")], ids=lambda cells: cells[0])
def test_each_query_is_true_of_one_text_and_not_of_the_other(cells: list[str]) -> None:
    query, match, *miss = cells
    assert evaluate(query_of(query), a_document(match), AREAS, lists=LISTS) is True
    assert not miss or not miss[0] or evaluate(query_of(query), a_document(miss[0]), AREAS, lists=LISTS) is False


@pytest.mark.parametrize("cells", list(rows("Fields")), ids=lambda cells: cells[0])
def test_each_field_of_the_document_parses(cells: list[str]) -> None:
    form = normal_form(query_of(cells[0]))
    assert form == normal_form(form)


def test_every_field_is_in_the_document() -> None:
    shown = {query_of(cells[0]).partition(":")[0] for cells in rows("Fields")}
    assert set(FIELDS) == shown


@pytest.mark.parametrize("cells", list(rows("When a query is wrong")), ids=lambda cells: cells[0])
def test_each_error_reads_as_the_document_says(cells: list[str]) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query_of(cells[0]))
    assert cells[1] == str(caught.value)


def test_the_rule_of_the_document_loads_and_names_every_key(tmp_path: Path) -> None:
    text = re.sub(r"^    ", "", DOCUMENT.split("\n## Rules in a file\n")[1].split("\n`tocsin apply")[0], flags=re.M)
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    (rule,) = read_rules(path, AreaIndex.load(), LISTS)
    assert (1800.0, 2026) == (rule.cooldown_s, rule.expires_at and rule.expires_at.year)
    assert set(KEYS) == set(tomllib.loads(text)["rule"][0])
