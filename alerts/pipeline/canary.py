"""The canary: an item of our own goes the real way, from sift to a channel, again and again; somebody hears when it does not arrive.

    plant (stream `items`) -> sift: tag, story, match by a rule of its own -> expand -> deliver -> accepted: seen

It is looked after with every sweep, by whichever worker sweeps. The alarm does not go the way that is being tested: the
worker that misses the canary sends it by itself, straight to another channel, until that accepts it.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from alerts.errors import ConfigError, NotFoundError
from alerts.models import Change, ChangeKind, Envelope, Item, ReceiptStatus, Rule
from alerts.pipeline.tools import Tools
from alerts.ports import Canary
from alerts.rules.query import query_id
from alerts.text.fingerprint import content_id

CANARY = "tocsin-canary"  # its source, its rule and its subscriber: nobody else has items, rules or alerts of that name
_QUERY = f"source:{CANARY}"
_LETTERS = str.maketrans("0123456789", "ghijklmnop")  # its headline is of words, not of numbers
_ALARM_EVERY_S = 60.0  # an alarm that was not accepted is tried again
_log = structlog.get_logger("canary")


def start_canary(tools: Tools, canary: Canary) -> None:
    """Send canaries from now on; the first one with the next sweep."""
    name = f"canary: Tocsin works from end to end; the next one comes in {canary.every_s / 60:.0f} min"
    rule = Rule(rule_id=CANARY, subscriber_id=CANARY, query=_QUERY, name=name, channel_ids=(canary.channel_id,))
    tools.state.put_rules([(rule, query_id(rule.query, rule.is_unknown_in))])
    tools.state.put_canary(None)  # what is known of an earlier one
    tools.state.put_canary(canary)


def end_canary(tools: Tools) -> None:
    """Send no more canaries."""
    tools.state.put_canary(None)
    with suppress(NotFoundError):
        tools.state.remove_rule(CANARY)


def look_after_canary(tools: Tools) -> None:
    """Plant one when it is time; raise the alarm when the last one was not accepted in time."""
    canary = tools.state.canary()
    if canary is None:
        return
    now = tools.state.now()
    if canary.planted_at and canary.seen != canary.item_id:
        _miss(tools, canary, now)
    elif canary.alarmed and canary.seen:
        _call_off(tools, canary)
    is_due = canary.planted_at is None or now >= canary.planted_at + timedelta(seconds=canary.every_s)
    if is_due and tools.state.claim_turn("canary", canary.every_s / 2):
        _plant(tools, canary, now)


def _plant(tools: Tools, canary: Canary, now: datetime) -> None:
    """Put one on the queue of items; it shares no word with any other, so that it joins no story. Its rule says what it is."""
    name = uuid.uuid4().hex.translate(_LETTERS)
    item = Item(
        source_id=CANARY,
        guid=name,
        title=f"{name[:11]} {name[11:22]}",
        published_at=now,
    )
    change = Change(kind=ChangeKind.NEW, item_id=content_id("item", CANARY, name), item=item, polled_at=tools.clock(), found_at=now)
    tools.state.put_canary(replace(canary, item_id=change.item_id, planted_at=now))
    tools.state.plant(change)
    tools.wake_up("sift")


def _miss(tools: Tools, canary: Canary, now: datetime) -> None:
    """Raise the alarm once for a canary that is not accepted in time."""
    assert canary.planted_at
    is_late = now >= canary.planted_at + timedelta(seconds=canary.within_s)
    if not is_late or canary.alarmed == canary.item_id or not tools.state.claim_turn("canary-alarm", _ALARM_EVERY_S):
        return
    text = (
        f"The canary of {canary.planted_at:%H:%M:%S} UTC was not accepted by the channel {canary.channel_id} "
        f"within {canary.within_s:.0f} s: alerts may not arrive either. `tocsin doctor` says more."
    )
    if _send(tools, canary, "Tocsin: the canary did not arrive", text):
        tools.state.note_canary(alarmed=canary.item_id)


def _call_off(tools: Tools, canary: Canary) -> None:
    """Say that canaries arrive again after an alarm."""
    text = f"Canaries are accepted by the channel {canary.channel_id} again."
    if tools.state.claim_turn("canary-alarm", _ALARM_EVERY_S) and _send(tools, canary, "Tocsin: the canary arrives again", text):
        tools.state.note_canary(alarmed="")


def _send(tools: Tools, canary: Canary, title: str, body: str) -> bool:
    """Whether the alarm channel accepted it, past all queues."""
    channel = tools.state.channel_book().by_id.get(canary.alarm_id)
    try:
        url = tools.keys.unseal(channel.url) if channel else ""
    except ConfigError as error:
        _log.error("alarm not sent", channel_id=canary.alarm_id, error=str(error))
        return False
    key = content_id("canary", canary.item_id, title)
    payload = {"kind": "warning", "channel": canary.channel_id}
    envelope = Envelope(delivery_id=key, channel_id=canary.alarm_id, url=url, title=title, body=body, urgency=1, payload=payload)
    receipt = tools.notifier.send(envelope)
    _log.warning("canary", phrase=title, alarm=receipt.status.value, detail=receipt.detail)
    return receipt.status is ReceiptStatus.ACCEPTED
