"""What an alert says: complete, harmless, and never too long to be sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.plaintext import cut, neutral, safe_link, width
from alerts.delivery.render import Rendered, render
from alerts.delivery.services import SCHEMES
from alerts.models import Bell, RegionEvidence
from tests.builders import a_bell, a_change, a_delivery, a_tagged, an_alert, an_item

ARABIC = "عاجل: إغلاق بوابة الميناء بعد تصادم سفينتين صباح اليوم"
HOOK = "webhook+https://hooks.example/"


def bell_of(number: int = 1, *, urgency: int = 3, bell: dict[str, Any] | None = None, **item: Any) -> Bell:
    tagged = a_tagged(
        number,
        change=a_change(number, item=an_item(number, **item)),
        urgency=urgency,
        urgency_why="URGENT in the headline",
        countries=("NL", "BE"),
        regions=tuple(RegionEvidence(code=code, name=name, kind="country") for code, name in (("NL", "Netherlands"), ("BE", "Belgium"))),
    )
    return a_bell(number, tagged=tagged, **(bell or {}))


def rendered(
    *bells: Bell, url: str = HOOK, names: tuple[str, ...] = ("Gates",), is_repeat: bool = False, occasion: str = "first"
) -> Rendered:
    alert = an_alert(bells[0], occasion=occasion)
    return render(bells, alert, a_delivery(alert, is_repeat=is_repeat), rule_names=names, url=url)


def test_an_alert_says_what_who_where_how_urgent_and_why() -> None:
    message = rendered(bell_of())
    assert message.title == "Harbour gate 1 closes after collision"
    assert message.body.splitlines() == [
        "The gate number 1 was closed.",
        "Source: Harbour (unconfirmed: one origin)",
        "Where: Netherlands, Belgium",
        "Urgency: 3 (urgent: URGENT in the headline)",
        "Why: rule Gates",
        "https://harbour.example/news/1",
    ]


def test_two_independent_origins_are_no_longer_unconfirmed() -> None:
    body = rendered(bell_of(bell={"source_ids": ("harbour", "quayside")})).body
    assert "(2 independent origins)" in body
    assert "unconfirmed" not in body


def test_a_possible_repeat_is_marked() -> None:
    assert "Possible repeat" in rendered(bell_of(), is_repeat=True).body
    assert rendered(bell_of(), is_repeat=True).payload["is_repeat"] is True
    assert "repeat" not in rendered(bell_of()).body


@pytest.mark.parametrize(
    ("occasion", "start"),
    [
        ("correction", "Correction: "),
        ("all_clear", "All clear: "),
        ("escalation:urgency:1", "Update: "),
        ("operator:disk", "Tocsin warns: "),
    ],
)
def test_the_occasion_stands_before_the_headline(occasion: str, start: str) -> None:
    assert rendered(bell_of(bell={"occasion": occasion}), occasion=occasion).title == f"{start}Harbour gate 1 closes after collision"


def test_a_warning_of_our_own_has_no_source_region_or_rule() -> None:
    message = rendered(bell_of(bell={"occasion": "operator:disk"}, text="", url=""), occasion="operator:disk")
    assert message.body == ""
    assert message.payload["kind"] == "warning"


def test_machines_get_every_field_as_published() -> None:
    bell = bell_of(title="Gate <closed> @everyone")
    payload = rendered(bell).payload
    assert json.loads(json.dumps(payload)) == payload
    assert {"alert", "delivery", "story", "occasion", "rules", "source", "guid", "url", "title", "text"} <= payload.keys()
    assert (payload["title"], payload["countries"], payload["urgency"]) == ("Gate <closed> @everyone", ["NL", "BE"], 3)
    assert payload["found_at"] == "2026-03-01T12:00:00+00:00"
    assert payload["published_at"] is None


@pytest.mark.parametrize(
    "ping", ["@everyone", "@here", "@desk_chief", "<!channel>", "<@U123>", "<#C123>", "<@&55>", "<!subteam^S1>", "a@everyone"]
)
def test_nothing_in_a_headline_pings(ping: str) -> None:
    message = rendered(bell_of(title=f"Gate {ping} closed", text=f"{ping} again"), names=(ping,))
    assert ping not in message.title
    assert ping not in message.body


def test_a_harmless_angle_and_arithmetic_stay_as_they_are() -> None:
    assert neutral("2 < 3 and a -> b at 5 @ noon") == "2 < 3 and a -> b at 5 @ noon"


def test_control_characters_never_reach_a_terminal() -> None:
    assert neutral("Gate\x1b[31m red\x07\u202eback\u2028line\ud800") == "Gate [31m red back line"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x.example/ @everyone", "file:///etc/x", "https://x.example/\u202e", ""])
def test_a_link_that_is_none_is_left_out(link: str) -> None:
    assert safe_link(link) == ""


def test_a_link_cannot_ping() -> None:
    assert safe_link("https://x.example/@everyone/1") == "https://x.example/%40everyone/1"
    assert safe_link("https://x.example/@author/1") == "https://x.example/@author/1"


def test_right_to_left_text_stays_whole() -> None:
    message = rendered(bell_of(title=ARABIC, text="نص الخبر می‌شود"))
    assert message.title == ARABIC
    assert message.body.startswith("نص الخبر می‌شود")


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_no_message_is_longer_than_its_service_takes(scheme: str) -> None:
    service = SCHEMES[scheme]
    bell = bell_of(title="Gate " * 300, text="word " * 800 + "🚢" * 500, url="https://harbour.example/" + "a" * 250)
    for bells, occasion in (((bell,), "first"), (tuple(bell for _ in range(200)), "digest:1")):
        message = rendered(*bells, url=f"{scheme}://x", names=tuple(f"rule {n}" for n in range(40)), is_repeat=True, occasion=occasion)
        assert 0 < width(message.title) <= (service.title or 200)
        assert width(message.body) + (0 if service.title else width(message.title) + 2) <= service.body


def test_the_link_and_the_repeat_mark_outlive_the_summary() -> None:
    body = rendered(bell_of(text="word " * 700), url="twilio://x", is_repeat=True).body
    assert "https://harbour.example/news/1" in body
    assert "Possible repeat" in body


def test_a_digest_ranks_by_urgency_and_counts_what_it_leaves_out() -> None:
    bells = [bell_of(n, urgency=5 - n % 3) for n in range(1, 60)]
    message = rendered(*bells, url="discord://x", occasion="digest:4")
    assert message.title == "59 alerts while you were away"
    assert message.body.startswith("- Harbour gate 2 closes after collision (Harbour, 01 Mar 12:00 UTC)\n  https://harbour.example/news/2\n")
    listed = message.body.count("\n  https://")
    assert message.body.endswith(f"... and {59 - listed} more: `tocsin alerts list`")
    items = message.payload["items"]
    assert isinstance(items, list)
    assert len(items) == 59


def test_a_digest_of_one_is_still_a_digest() -> None:
    message = rendered(bell_of(), occasion="digest:1")
    assert (message.title, message.payload["kind"]) == ("1 alert while you were away", "digest")


@given(text=st.text(max_size=200), limit=st.integers(0, 80))
def test_a_cut_keeps_the_limit_and_the_beginning(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert width(short) <= limit
    assert text.startswith(short.removesuffix("…")) or short == text


def test_a_cut_is_at_the_end_of_a_word_and_never_inside_a_letter() -> None:
    assert cut("The harbour gate is closed", 18) == "The harbour gate…"
    assert cut("e\u0301" * 10, 6) == "e\u0301e\u0301…"
    assert cut("🚢🚢🚢🚢", 6) == "🚢🚢…"
