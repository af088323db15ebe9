"""Rate limits: which buckets a channel URL is counted in, and what the operator may set in their place."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from alerts.delivery.governor import LIMITS, Governor
from alerts.delivery.services import SCHEMES
from alerts.settings import DeliverSettings

CHAT = "tgram://1:token/100"


def names(url: str) -> list[str]:
    """The buckets of a URL under the published limits."""
    return [bucket.name for bucket in Governor().buckets(url)]


def test_a_chat_is_counted_for_itself_and_for_its_bot() -> None:
    bot, chat = names(CHAT)
    assert names("tgram://1:token/200")[0] == bot
    assert names("tgram://1:token/200")[1] != chat
    assert names("tgram://2:token/100")[0] != bot


def test_a_chat_is_the_same_whatever_its_options_are() -> None:
    assert names(f"{CHAT}?silent=yes") == names(CHAT)


@pytest.mark.parametrize("chat", ["-100", "-1001234567", "@newsroom"])
def test_a_group_is_counted_by_the_minute_as_well(chat: str) -> None:
    buckets = Governor().buckets(f"tgram://1:token/{chat}")
    assert len(buckets) == 3
    assert buckets[2].burst + 60 * buckets[2].per_s <= 20


def test_the_names_of_buckets_tell_no_secret() -> None:
    assert not any("token" in name for name in names(CHAT))


def test_services_without_a_published_limit_are_not_counted() -> None:
    urls = ("json://hooks.example/", "webhook+https://hooks.example/", "console:", "ntfy://ntfy.example/topic", "nonsense", "json://[")
    assert [names(url) for url in urls] == [[]] * len(urls)


def test_the_public_ntfy_server_is_one_bucket_for_all_topics() -> None:
    assert names("ntfy://topic") == names("ntfys://ntfy.sh/other") != []


def test_mail_is_counted_where_the_host_is_a_public_one() -> None:
    assert names("mailtos://me:secret@gmail.com") != names("mailtos://you:secret@gmail.com")
    assert names("mailtos://me:secret@mail.newsroom.example") == []


def test_every_limit_belongs_to_a_service_of_the_table() -> None:
    extra = {"ntfy.sh", "mailto:gmail", "mailto:outlook"}
    assert LIMITS.keys() - {service.key for service in SCHEMES.values()} == extra


def test_what_the_operator_sets_replaces_the_published_limits() -> None:
    settings = DeliverSettings.model_validate({"limits": {"tgram": [["host", 5, 1]], "webhook": [["chat", 0.5, 1]]}})
    governor = Governor(settings.limits)
    assert [(bucket.per_s, bucket.burst) for bucket in governor.buckets(CHAT)] == [(5, 1)]
    assert len(governor.buckets("webhook+https://hooks.example/a")) == 1


@pytest.mark.parametrize("limit", [["planet", 1, 1], ["host", 0, 1], ["host", 1, 0], ["host", 1]])
def test_a_limit_that_makes_no_sense_is_refused(limit: list[object]) -> None:
    with pytest.raises(ValidationError):
        DeliverSettings.model_validate({"limits": {"tgram": [limit]}})
