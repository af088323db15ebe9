"""What an alert says: complete, harmless, and never too long to be sent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.plaintext import Unit, cut, neutral, safe_link, width
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
    *bells: Bell,
    url: str = HOOK,
    names: tuple[str, ...] = ("Gates",),
    is_repeat: bool = False,
    occasion: str = "first",
    **more: Any,
) -> Rendered:
    alert = an_alert(bells[0], occasion=occasion)
    return render(bells, alert, a_delivery(alert, is_repeat=is_repeat), rule_names=names, url=url, **more)


def test_an_alert_says_what_who_where_how_urgent_and_why() -> None:
    message = rendered(bell_of())
    assert message.title == "Harbour gate 1 closes after collision"
    assert message.body.splitlines() == [
        "The gate number 1 was closed.",
        "Source: Harbour (unconfirmed: one origin)",
        "Where: Netherlands, Belgium",
        "When: 1 Mar 12:00 UTC (first seen)",
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


def test_the_time_is_told_in_the_subscribers_zone() -> None:
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert "When: 2 Jul 01:30 EEST" in rendered(bell_of(published_at=at), zone="Asia/Beirut").body
    assert "When: 1 Jul 22:30 UTC" in rendered(bell_of(published_at=at), zone="Mars/Olympus").body


def test_the_words_that_matched_are_told_once_each() -> None:
    message = rendered(bell_of(), names=("Gates", "Harbour"), matched=("Gate", "collision", "gate"))
    assert 'Why: rules Gates, Harbour ("Gate", "collision")' in message.body
    assert message.payload["matched"] == ["Gate", "collision", "gate"]


def test_a_region_says_what_it_was_recognised_by_where_that_is_another_word() -> None:
    title = "Dutch harbour closes; Belgium waits"
    regions = (
        RegionEvidence(code="NL", name="Netherlands", kind="country", span=(0, 5)),
        RegionEvidence(code="BE", name="Belgium", kind="country", span=(22, 29)),
        RegionEvidence(code="DE", name="Germany", kind="country", why="home of the source"),
    )
    bell = bell_of(title=title)
    message = rendered(replace(bell, tagged=replace(bell.tagged, regions=regions)))
    assert 'Where: Netherlands ("Dutch"), Belgium, Germany (home of the source)' in message.body


@pytest.mark.parametrize(
    ("occasion", "line"),
    [
        ("escalation:urgency:1", "New: the urgency rose to 1"),
        ("escalation:sources:3", "New: 3 independent sources report it now"),
        ("escalation:region:BE", "New: it reached Belgium"),
        ("escalation:number:8", "New: the number grew to 8"),
        ("escalation:rule:x", "New: another rule of yours matches it now"),
        ("correction", "New: this corrects what was told before"),
        ("all_clear", "New: the danger is over, by this report"),
    ],
)
def test_what_is_new_is_told_first(occasion: str, line: str) -> None:
    assert rendered(bell_of(bell={"occasion": occasion}), occasion=occasion).body.splitlines()[0] == line


@pytest.mark.parametrize("occasion", ["first", "update:2", "escalation:unheard:of"])
def test_nothing_is_new_where_nothing_is_known_to_be(occasion: str) -> None:
    assert "New:" not in rendered(bell_of(bell={"occasion": occasion}), occasion=occasion).body


@pytest.mark.parametrize(
    ("occasion", "title"),
    [
        ("digest:wake:1", "2 alerts while it was quiet"),
        ("digest:planned:1", "2 alerts in your digest"),
        ("digest:away:1", "2 alerts while you were away"),
    ],
)
def test_a_digest_says_why_it_is_one(occasion: str, title: str) -> None:
    assert rendered(bell_of(1), bell_of(2), occasion=occasion).title == title


def test_right_to_left_text_within_our_words_is_held_together() -> None:
    correction = {"occasion": "correction", "source_name": "صوت المرفأ"}
    message = rendered(bell_of(title=ARABIC, bell=correction), occasion="correction", names=("قاعدة",), url="tgram://x")
    assert message.title == f"Correction: \u2068{ARABIC}\u2069"
    assert "Source: \u2068صوت المرفأ\u2069 (unconfirmed" in message.body
    assert "rule \u2068قاعدة\u2069" in message.body
    plain = rendered(bell_of(title=ARABIC, bell=correction), occasion="correction", url="console:")
    assert "\u2068" not in plain.title + plain.body


def test_right_to_left_text_stays_whole() -> None:
    message = rendered(bell_of(title=ARABIC, text="نص الخبر می‌شود"))
    assert message.title == ARABIC
    assert message.body.startswith("نص الخبر می‌شود")


@pytest.mark.parametrize("template", ["", "{title}\n{summary} {link}\n{summary}"])
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_no_message_is_longer_than_its_service_takes(scheme: str, template: str) -> None:
    service = SCHEMES[scheme]
    bell = bell_of(title="Gate " * 300, text="word " * 800 + "🚢" * 500, url="https://harbour.example/" + "a" * 250)
    for bells, occasion in (((bell,), "first"), (tuple(bell for _ in range(200)), "digest:1")):
        names = tuple(f"rule {n}" for n in range(40))
        message = rendered(*bells, url=f"{scheme}://x", names=names, is_repeat=True, occasion=occasion, template=template)
        unit = service.unit
        assert 0 < width(message.title, unit) <= (service.title or 200)
        assert width(message.body, unit) + (0 if service.title else width(message.title, unit) + 2) <= service.body


def test_the_link_and_the_repeat_mark_outlive_the_summary() -> None:
    body = rendered(bell_of(text="word " * 700), url="twilio://x", is_repeat=True).body
    assert "https://harbour.example/news/1" in body
    assert "Possible repeat" in body


def test_a_digest_ranks_by_urgency_and_counts_what_it_leaves_out() -> None:
    bells = [bell_of(n, urgency=5 - n % 3) for n in range(1, 60)]
    message = rendered(*bells, url="discord://x", occasion="digest:4")
    assert message.title == "59 alerts while you were away"
    assert message.body.startswith("- Harbour gate 2 closes after collision (Harbour, 1 Mar 12:00 UTC)\n  https://harbour.example/news/2\n")
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
    assert cut("عاجل عاجل", 12, Unit.BYTES) == "عاجل…"


@given(text=st.text(max_size=200), limit=st.integers(0, 80))
def test_a_cut_by_bytes_keeps_the_limit(text: str, limit: int) -> None:
    assert len(cut(text, limit, Unit.BYTES).encode("utf-8", "replace")) <= limit or cut(text, limit, Unit.BYTES) == text
