"""Rate limits: bursts pass, what follows waits its turn, and no bucket slows another."""

from __future__ import annotations

import pytest

from alerts.delivery.governor import LIMITS, Governor, Limit
from alerts.delivery.services import SCHEMES

CHAT = "tgram://1:token/100"
OTHER_CHAT = "tgram://1:token/200"


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def governor(*limits: Limit) -> tuple[Governor, Clock]:
    clock = Clock()
    return Governor({"tgram": limits}, monotonic=clock), clock


def test_a_burst_passes_and_then_sends_are_spaced() -> None:
    made, _ = governor(Limit("url", 1, 3))
    assert [made.wait_s(CHAT) for _ in range(5)] == [0, 0, 0, 1, 2]


def test_tokens_grow_back_up_to_the_burst() -> None:
    made, clock = governor(Limit("url", 1, 2))
    assert [made.wait_s(CHAT) for _ in range(2)] == [0, 0]
    clock.now = 100
    assert [made.wait_s(CHAT) for _ in range(3)] == [0, 0, 1]


def test_one_chat_does_not_slow_another() -> None:
    made, _ = governor(Limit("url", 1, 1))
    assert [made.wait_s(CHAT), made.wait_s(CHAT), made.wait_s(OTHER_CHAT)] == [0, 1, 0]


def test_the_bot_limit_holds_over_all_its_chats() -> None:
    made, _ = governor(Limit("host", 10, 1), Limit("url", 1, 1))
    assert [made.wait_s(CHAT), made.wait_s(OTHER_CHAT)] == [0, pytest.approx(0.1)]
    assert made.wait_s("tgram://2:token/100") == 0


def test_a_wait_that_is_too_long_is_told_and_not_counted() -> None:
    made, clock = governor(Limit("url", 0.1, 1))
    assert made.wait_s(CHAT, within_s=5) == 0
    assert [made.wait_s(CHAT, within_s=5) for _ in range(3)] == [10, 10, 10]
    clock.now = 10
    assert made.wait_s(CHAT, within_s=5) == 0


def test_services_without_a_published_limit_never_wait() -> None:
    made = Governor()
    urls = ("json://hooks.example/", "webhook+https://hooks.example/", "console:", "ntfy://ntfy.example/topic", "nonsense", "json://[")
    assert [made.wait_s(url) for url in urls for _ in range(200)] == [0] * 1200


def test_the_public_ntfy_server_is_one_bucket_for_all_topics() -> None:
    clock = Clock()
    made = Governor(monotonic=clock)
    assert [made.wait_s(f"ntfy://topic{n}") for n in range(60)] == [0] * 60
    assert made.wait_s("ntfys://ntfy.sh/other") == pytest.approx(5)


def test_every_limit_belongs_to_a_service_of_the_table() -> None:
    assert LIMITS.keys() - {service.key for service in SCHEMES.values()} == {"ntfy.sh"}
