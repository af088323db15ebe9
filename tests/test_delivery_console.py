"""The console channel: one line an alert."""

from __future__ import annotations

import io
import json
from typing import TextIO, cast

from alerts.delivery.console import ConsoleSender
from alerts.models import Envelope, ReceiptStatus


def an_envelope(url: str = "console:") -> Envelope:
    return Envelope(
        delivery_id="delivery-1",
        channel_id="screen",
        url=url,
        title="Gate closed عاجل",
        body="Source: Harbour\n\nhttps://harbour.example/1",
        payload={"kind": "alert", "urgency": 2},
    )


def test_an_alert_is_a_headline_and_what_belongs_to_it_indented() -> None:
    stream = io.StringIO()
    receipt = ConsoleSender(stream).send(an_envelope(), timeout_s=1)
    assert receipt.status is ReceiptStatus.ACCEPTED
    assert stream.getvalue().endswith("  Gate closed عاجل\n          Source: Harbour\n          https://harbour.example/1\n")


def test_json_lines_carry_the_fields() -> None:
    stream = io.StringIO()
    ConsoleSender(stream).send(an_envelope("console:json"), timeout_s=1)
    record = json.loads(stream.getvalue())
    assert (record["kind"], record["urgency"], record["delivery"]) == ("alert", 2, "delivery-1")


def test_a_terminal_without_unicode_still_gets_the_line() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    assert ConsoleSender(stream).send(an_envelope(), timeout_s=1).status is ReceiptStatus.ACCEPTED
    assert raw.getvalue().endswith(b"Gate closed ????\n          Source: Harbour\n          https://harbour.example/1\n")


class LogInDisguise:
    """What some frameworks put in place of sys.stdout: it takes lines, and that is all it does."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, text: str) -> int:
        self.lines.append(text)
        return len(text)

    def flush(self) -> None:
        pass


def test_a_stream_without_an_encoding_still_gets_the_line() -> None:
    stream = LogInDisguise()
    assert ConsoleSender(cast(TextIO, stream)).send(an_envelope(), timeout_s=1).status is ReceiptStatus.ACCEPTED
    assert "Gate closed عاجل" in stream.lines[0]


def test_a_closed_stream_is_a_receipt() -> None:
    stream = io.StringIO()
    stream.close()
    assert ConsoleSender(stream).send(an_envelope(), timeout_s=1).status is ReceiptStatus.TRANSIENT
