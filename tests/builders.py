"""Models for tests: a builder each, with what a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.models import (
    Alert,
    Bell,
    Change,
    ChangeKind,
    Channel,
    Delivery,
    Item,
    PollState,
    Rule,
    Source,
    Story,
    Tagged,
)
from alerts.ports import PollCommit, SiftCommit
from alerts.text.fingerprint import content_id

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_source(source_id: str = "harbour", **fields: Any) -> Source:
    """A feed of an invented outlet."""
    return Source(**{"source_id": source_id, "url": f"https://{source_id}.example/feed.xml", "name": source_id.title(), **fields})


def an_item(number: int = 1, **fields: Any) -> Item:
    """An item; its number makes guid, link and headline."""
    base = {
        "source_id": "harbour",
        "guid": f"guid-{number}",
        "url": f"https://harbour.example/news/{number}",
        "title": f"Harbour gate {number} closes after collision",
        "text": f"The gate number {number} was closed.",
    }
    return Item(**{**base, **fields})


def a_change(number: int = 1, *, kind: ChangeKind = ChangeKind.NEW, **fields: Any) -> Change:
    """A change of an item as the poll commits it."""
    item = fields.pop("item", None) or an_item(number)
    base = {"kind": kind, "item_id": content_id("item", item.source_id, str(number)), "item": item, "polled_at": NOW, "found_at": NOW}
    return Change(**{**base, **fields})


def a_tagged(number: int = 1, **fields: Any) -> Tagged:
    """A tagged item."""
    return Tagged(**{"change": a_change(number), "language": "en", **fields})


def a_story(number: int = 1, **fields: Any) -> Story:
    """A story with one item."""
    item_id = a_change(number).item_id
    base = {
        "story_id": content_id("story", item_id),
        "headline": an_item(number).title,
        "item_ids": (item_id,),
        "source_ids": ("harbour",),
        "first_at": NOW,
        "last_at": NOW,
    }
    return Story(**{**base, **fields})


def a_bell(number: int = 1, *, queries: tuple[str, ...] = ("q1",), **fields: Any) -> Bell:
    """A bell for one item."""
    tagged = fields.pop("tagged", None) or a_tagged(number)
    story = a_story(number)
    base = {
        "bell_id": content_id("bell", story.story_id),
        "story_id": story.story_id,
        "occasion": "first",
        "query_ids": queries,
        "rules_version": 1,
        "tagged": tagged,
        "source_name": "Harbour",
        "source_ids": ("harbour",),
        "item_ids": story.item_ids,
        "rung_at": NOW,
    }
    return Bell(**{**base, **fields})


def a_rule(rule_id: str = "gates", **fields: Any) -> Rule:
    """A rule of `me`."""
    return Rule(**{"rule_id": rule_id, "query": "gate", "name": rule_id.title(), **fields})


def a_channel(channel_id: str = "desk", **fields: Any) -> Channel:
    """A channel of `me`; its URL is not sealed."""
    return Channel(**{"channel_id": channel_id, "url": "console:", **fields})


def an_alert(bell: Bell, subscriber_id: str = "me", **fields: Any) -> Alert:
    """The alert of a bell to one subscriber."""
    base = {
        "alert_id": content_id("alert", subscriber_id, bell.story_id, bell.occasion),
        "subscriber_id": subscriber_id,
        "story_id": bell.story_id,
        "occasion": bell.occasion,
        "bell_ids": (bell.bell_id,),
        "rule_ids": ("gates",),
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=1),
    }
    return Alert(**{**base, **fields})


def a_delivery(alert: Alert, channel_id: str = "desk", **fields: Any) -> Delivery:
    """The delivery of an alert to one channel."""
    base = {
        "delivery_id": content_id("delivery", alert.subscriber_id, alert.story_id, alert.occasion, channel_id),
        "alert_id": alert.alert_id,
        "subscriber_id": alert.subscriber_id,
        "channel_id": channel_id,
        "created_at": NOW,
    }
    return Delivery(**{**base, **fields})


def a_poll_commit(source_id: str = "harbour", **fields: Any) -> PollCommit:
    """A commit of a first poll."""
    base = {"source_id": source_id, "request_id": "r1", "owner": "poller", "state": PollState(), "due_at": NOW}
    return PollCommit(**{**base, **fields})


def a_sift_commit(entry_id: str, fence: int, number: int = 1, *, bells: tuple[Bell, ...] = (), **fields: Any) -> SiftCommit:
    """A commit of one sifted item."""
    base = {"entry_id": entry_id, "fence": fence, "tagged": a_tagged(number), "story": a_story(number), "bells": bells, "stage": "test"}
    return SiftCommit(**{**base, **fields})
