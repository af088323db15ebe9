"""Which lanes are claimed: those that find a place, urgent ones first, and of one subscriber no more than of another.

A lane that would exceed a rate limit is not claimed: the store, which holds the buckets, offers it again when its turn comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from alerts.errors import ConfigError
from alerts.models import Channel
from alerts.pipeline.tools import Tools
from alerts.ports import DueLane, Lane, LaneAsk, Places

_LOOK = 100  # lanes looked at in one go
_MOST_LOOKS = 20  # so deep is looked when none of those before finds a place


def claim(tools: Tools) -> list[Lane]:
    """The lanes that are to be sent now, leased to this worker."""
    settings = tools.settings.deliver
    lease_s = 2 * settings.timeout_s + 10
    return tools.state.claim_lanes(tools.owner, _choose(tools), batch=settings.batch, lease_s=lease_s)


def _choose(tools: Tools) -> list[LaneAsk]:
    places, asks = tools.notifier.places(), list[LaneAsk]()
    for look in range(_MOST_LOOKS):
        due = tools.state.due_lanes(limit=_LOOK, skip=look * _LOOK)
        asks += _placed(tools, _fair(due), places)
        if asks or places.is_full or sum(not lane.is_urgent for lane in due) < _LOOK:
            break
    return asks


def _fair(lanes: Sequence[DueLane]) -> list[DueLane]:
    """The urgent lanes, then one of each subscriber, then a second one of each, and so on."""
    turn: Counter[str] = Counter()
    ranked: list[tuple[int, int, DueLane]] = []
    for place, lane in enumerate(lanes):
        turn[lane.channel.subscriber_id] += not lane.is_urgent
        ranked.append((0 if lane.is_urgent else turn[lane.channel.subscriber_id], place, lane))
    return [lane for _, _, lane in sorted(ranked, key=lambda row: row[:2])]


def _placed(tools: Tools, lanes: Iterable[DueLane], places: Places) -> Iterable[LaneAsk]:
    """Those that find a place, with their rate limits; what cannot be sent needs none."""
    for lane in lanes:
        if places.is_full and not lane.is_urgent:
            return  # the urgent ones come first
        url = url_of(tools, lane.channel)
        if not url:
            yield LaneAsk(lane.channel)
        elif places.take(url, is_urgent=lane.is_urgent):
            yield LaneAsk(lane.channel, tools.governor.buckets(url))


def url_of(tools: Tools, channel: Channel) -> str:
    """The channel's URL in the clear; '' when the channel is off or cannot be opened."""
    try:
        return tools.keys.unseal(channel.url) if channel.is_enabled else ""
    except ConfigError:
        return ""
