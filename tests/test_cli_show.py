"""What people see: tables whose ids can be copied, records, folded fields, no control characters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from alerts.cli import show
from alerts.models import DeliveryStatus

LONG_ID = "a-very-long-id-" + "x" * 49
Shown = Callable[..., list[str]]


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The lines that a call prints, without a terminal."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def lines(call: Callable[..., None], *arguments: Any, **options: Any) -> list[str]:
        call(*arguments, **options)
        return capsys.readouterr().out.splitlines()

    return lines


def test_only_the_last_column_of_a_table_is_folded(shown: Shown) -> None:
    found = shown(show.table, ("id", "when", "why"), [(LONG_ID, datetime(2026, 3, 1, tzinfo=UTC), "word " * 20)], empty="")
    assert found[0].split() == ["id", "when", "why"]
    assert found[1].startswith(f"{LONG_ID}  2026-03-01 00:00:00Z  word")
    assert len(found) > 2
    assert all(line == line.rstrip() for line in found)


def test_a_table_of_short_cells_fits_into_80_columns(shown: Shown) -> None:
    found = shown(show.table, ("id", "why"), [("one", "long words " * 30)], empty="")
    assert max(map(len, found)) <= 80


def test_an_empty_table_says_what_to_do(shown: Shown) -> None:
    assert ["nothing yet"] == shown(show.table, ("id",), [], empty="nothing yet")
    assert ["nothing yet"] == shown(show.records, [], empty="nothing yet")


def test_a_record_is_its_heads_and_its_lines_below(shown: Shown) -> None:
    records = [(("one", "", None, ("LB", "LY")), ("a headline " * 12, "", "why"))]
    first, second = ("a headline " * 6).strip() + " a headline", ("a headline " * 5).strip()
    assert ["one  LB, LY", f"    {first}", f"    {second}", "    why"] == shown(show.records, records, empty="")


def test_fields_are_aligned_folded_and_left_out_when_empty(shown: Shown) -> None:
    link = "https://a.example/" + "x" * 90
    found = shown(show.fields, [("name", "word " * 30), ("empty", ""), ("none", None), ("zero", 0), ("link", link)])
    words = ("word " * 15).strip()
    assert [f"name  {words}", f"      {words}", "zero  0", f"link  {link}"] == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("a\x1b[31m\x9bb\u202ec\nd", "a [31m b c d", id="control characters and turned text"),
        pytest.param(datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2026-02-28 23:00:00Z", id="time"),
        pytest.param(DeliveryStatus.DEAD, "dead", id="enum"),
        pytest.param(True, "yes", id="yes"),
        pytest.param(None, "", id="nothing"),
        pytest.param(("LB", ("a", None)), "LB, a, ", id="sequence"),
    ],
)
def test_a_value_is_one_line_without_control_characters(value: object, text: str) -> None:
    assert text == show.printable(value)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, ""), (0.25, "0.2 s"), (2, "2 s"), (90, "1.5 min"), (300, "5 min"), (5400, "1.5 h"), (172800, "2 d")]
)
def test_a_span_is_said_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    assert text == show.span(seconds)


def test_markup_in_third_party_text_is_shown_as_it_stands(shown: Shown) -> None:
    assert "    [bold]x[/bold] :smile: [link=https://a.example]y[/]" in shown(
        show.records, [(("h",), ("[bold]x[/bold] :smile: [link=https://a.example]y[/]",))], empty=""
    )


def test_json_keeps_every_letter_and_says_utc(shown: Shown) -> None:
    row = {"title": "زلزال", "at": datetime(2026, 3, 1, 12, tzinfo=UTC), "codes": frozenset({"LB"}), "is": DeliveryStatus.SENT}
    assert ['{"title": "زلزال", "at": "2026-03-01T12:00:00Z", "codes": ["LB"], "is": "sent"}'] == shown(show.json_lines, [row])
