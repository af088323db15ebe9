"""An alert as fields that a machine reads: JSON types only, texts as published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from alerts.models import Alert, Bell, Delivery


def kind_of(occasion: str) -> str:
    """alert, digest or warning."""
    return {"operator": "warning", "digest": "digest"}.get(occasion.partition(":")[0], "alert")


def head_of(alert: Alert, delivery: Delivery, rule_names: Sequence[str], matched: Sequence[str] = ()) -> dict[str, object]:
    """What is told, to whom, and why."""
    return {
        "alert": alert.alert_id,
        "delivery": delivery.delivery_id,
        "subscriber": alert.subscriber_id,
        "story": alert.story_id,
        "occasion": alert.occasion,
        "rules": list(alert.rule_ids),
        "rule_names": list(rule_names),
        "matched": list(matched),
        "is_repeat": delivery.is_repeat,
    }


def fields_of(bell: Bell) -> dict[str, Any]:
    """What is known of the item that rang."""
    tagged, change = bell.tagged, bell.tagged.change
    item = change.item
    return {
        "item": change.item_id,
        "story": bell.story_id,
        "source": item.source_id,
        "source_name": bell.source_name,
        "origins": list(bell.source_ids),
        "is_confirmed": len(set(bell.source_ids)) > 1,
        "guid": item.guid,
        "url": item.url,
        "title": item.title,
        "text": item.text,
        "language": tagged.language,
        "countries": list(tagged.countries),
        "regions": [{"code": r.code, "name": r.name, "kind": r.kind, "why": r.why} for r in tagged.regions],
        "urgency": tagged.urgency,
        "urgency_why": tagged.urgency_why,
        "published_at": _iso(item.published_at),
        "found_at": _iso(change.found_at),
        "rung_at": _iso(bell.rung_at),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
