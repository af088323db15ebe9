"""What an alert says: the words a person reads, and the fields a machine reads.

Text is plain. The headline is the title; the body says, line by line, what the item says, who reports it and whether it
is confirmed, where, how urgent, why this rang, and the link. When a service takes less, the least important lines go
first; a message is never too long to be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.delivery.plaintext import cut, neutral, safe_link, width
from alerts.delivery.services import SCHEMES, scheme_of
from alerts.models import Alert, Bell, Delivery

_LONGEST_SUMMARY = 600
_LONGEST_LINK = 1500  # longer ones are for machines
_MOST_NAMES = 8
_DEFAULT = SCHEMES["webhook+https"]
_URGENCY = {1: "flash", 2: "very urgent", 3: "urgent", 4: "raised", 5: "normal"}  # IPTC: 1 is highest
_OCCASIONS = {"escalation": "Update", "correction": "Correction", "all_clear": "All clear", "operator": "Tocsin warns"}
_REPEAT = "Possible repeat: an earlier attempt may have arrived."


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to be put into an envelope; `payload` holds JSON types only."""

    title: str
    body: str
    link: str
    payload: dict[str, object]


def render(bells: Sequence[Bell], alert: Alert, delivery: Delivery, *, rule_names: Sequence[str], url: str) -> Rendered:
    """The message of one delivery, at most as long as the channel's service takes.

    Args:
        bells: What is told; more than one in a digest.
        alert: Names the occasion and the rules.
        delivery: Its id is the key, and it may be a repeat.
        rule_names: As a person named them.
        url: The channel's URL, for its limits alone.
    """
    if len(bells) > 1 or alert.occasion.startswith("digest:"):
        return render_digest(bells, alert, delivery, rule_names=rule_names, url=url)
    bell = bells[0]
    item = bell.tagged.change.item
    service = SCHEMES.get(scheme_of(url), _DEFAULT)
    title = _title(bell, service.title or 200)
    link = safe_link(item.url)
    lines = [
        _Line(neutral(cut(item.text, _LONGEST_SUMMARY)), 6) if item.text and item.text != item.title else None,
        *_context(bell, rule_names),
        _Line(_REPEAT, 1) if delivery.is_repeat else None,
        _Line(link, 0) if link and len(link) <= _LONGEST_LINK else None,
    ]
    budget = service.body - (width(title) + 2 if not service.title else 0)
    body = _fit([line for line in lines if line], budget)
    payload = {**_head(alert, delivery, rule_names), "kind": _kind(bell.occasion), **_fields(bell)}
    return Rendered(title, body, link, payload)


def render_digest(bells: Sequence[Bell], alert: Alert, delivery: Delivery, *, rule_names: Sequence[str], url: str) -> Rendered:
    """One message for many: the most urgent first; what does not fit is counted."""
    service = SCHEMES.get(scheme_of(url), _DEFAULT)
    title = "1 alert while you were away" if len(bells) == 1 else f"{len(bells)} alerts while you were away"
    ranked = sorted(bells, key=lambda bell: (bell.tagged.urgency, bell.rung_at))
    budget = service.body - width(title) - 2 - (width(_REPEAT) + 1 if delivery.is_repeat else 0)
    body = _listed([_entry(bell) for bell in ranked], budget)
    payload = {
        **_head(alert, delivery, rule_names),
        "kind": "digest",
        "title": title,
        "urgency": ranked[0].tagged.urgency,
        "items": [_fields(bell) for bell in ranked],
    }
    return Rendered(title, f"{body}\n{_REPEAT}" if delivery.is_repeat else body, "", payload)


# ---------------------------------------------------------------- words


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the body; rank 0 is the last to go."""

    text: str
    rank: int


def _title(bell: Bell, limit: int) -> str:
    word = _OCCASIONS.get(bell.occasion.partition(":")[0], "")
    headline = neutral(bell.tagged.change.item.title) or "(no headline)"
    return cut(f"{word}: {headline}" if word else headline, limit)


def _context(bell: Bell, rule_names: Sequence[str]) -> list[_Line | None]:
    """Who, where, how urgent, why; nothing of it for a warning of our own."""
    if bell.occasion.startswith("operator:"):
        return []
    tagged = bell.tagged
    regions = _some([region.name for region in tagged.regions] or list(tagged.countries))
    urgency = f"{tagged.urgency} ({_URGENCY.get(tagged.urgency, 'low')}{_because(tagged.urgency_why)})"
    return [
        _Line(f"Source: {neutral(bell.source_name or tagged.change.item.source_id)} ({_confirmed(bell)})", 2),
        _Line(f"Where: {regions}", 3) if regions else None,
        _Line(f"Urgency: {urgency}", 5),
        _Line(f"Why: {'rule' if len(rule_names) == 1 else 'rules'} {_some(rule_names)}", 4) if rule_names else None,
    ]


def _because(why: str) -> str:
    return f": {neutral(cut(why, 80))}" if why else ""


def _confirmed(bell: Bell) -> str:
    origins = len(set(bell.source_ids))
    return f"{origins} independent origins" if origins > 1 else "unconfirmed: one origin"


def _some(names: Sequence[str]) -> str:
    """The first names, each once, and how many more there are."""
    unique = [neutral(cut(name, 80)) for name in dict.fromkeys(names) if name]
    more = len(unique) - _MOST_NAMES
    return ", ".join(unique[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _entry(bell: Bell) -> list[str]:
    """The lines of one alert in a digest."""
    source = neutral(cut(bell.source_name or bell.tagged.change.item.source_id, 80))
    link = safe_link(bell.tagged.change.item.url)
    first = f"- {_title(bell, 200)} ({source}, {bell.rung_at:%d %b %H:%M} UTC)"
    return [first, f"  {link}"] if link and len(link) <= 300 else [first]


def _listed(entries: Sequence[list[str]], budget: int) -> str:
    """As many entries as fit, and a last line that counts the others."""
    lines: list[str] = []
    left = budget - 40  # room for the last line
    for number, entry in enumerate(entries):
        needed = sum(width(line) + 1 for line in entry)
        if needed > left:
            return cut("\n".join([*lines, f"... and {len(entries) - number} more: `tocsin alerts list`"]), budget)
        left -= needed
        lines.extend(entry)
    return "\n".join(lines)


def _fit(lines: Sequence[_Line], budget: int) -> str:
    """The lines in their order, without those that do not fit; the least important one that is cut is the summary."""
    kept: dict[int, str] = {}
    left = budget
    for place, line in sorted(enumerate(lines), key=lambda pair: pair[1].rank):
        text = cut(line.text, left) if line.rank else line.text  # half a link leads nowhere
        if not text or width(text) > left:
            continue
        kept[place] = text
        left -= width(text) + 1
    return "\n".join(kept[place] for place in sorted(kept))


# ---------------------------------------------------------------- fields


def _kind(occasion: str) -> str:
    return "warning" if occasion.startswith("operator:") else "alert"


def _head(alert: Alert, delivery: Delivery, rule_names: Sequence[str]) -> dict[str, object]:
    return {
        "alert": alert.alert_id,
        "delivery": delivery.delivery_id,
        "subscriber": alert.subscriber_id,
        "story": alert.story_id,
        "occasion": alert.occasion,
        "rules": list(alert.rule_ids),
        "rule_names": list(rule_names),
        "is_repeat": delivery.is_repeat,
    }


def _fields(bell: Bell) -> dict[str, Any]:
    """What is known of the item that rang, as JSON types; texts as published."""
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
        "published_at": _iso(item.published_at),
        "found_at": _iso(change.found_at),
        "rung_at": _iso(bell.rung_at),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
