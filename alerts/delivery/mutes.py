"""Mutes: what a subscriber does not want to hear of for a time, and the snooze that holds everything back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from alerts.models import Alert, Bell, Tagged
from alerts.preferences import Mute, MuteKind


def muted_by(alert: Alert, bells: Sequence[Bell], mutes: Iterable[Mute], now: datetime) -> Mute | None:
    """The mute that silences an alert; None when it may be told.

    A rule silences an alert that no other rule asked for. A region silences what happens nowhere else: an alert that also
    names another place is told, and so is one whose place nobody knows.
    """
    live = (mute for mute in mutes if now < mute.until_at)
    return next((mute for mute in live if _silences(mute, alert, bells)), None)


def snoozed_until(mutes: Iterable[Mute], now: datetime) -> datetime | None:
    """When the snooze of this moment ends; None when there is none."""
    return max((mute.until_at for mute in mutes if mute.kind is MuteKind.ALL and now < mute.until_at), default=None)


def audible(bells: Sequence[Bell], mutes: Iterable[Mute], now: datetime) -> tuple[Bell, ...]:
    """What of a digest may still be told: a story or region may have been muted since it was put together."""
    live = [mute for mute in mutes if now < mute.until_at and mute.kind in (MuteKind.STORY, MuteKind.REGION)]
    return tuple(bell for bell in bells if not any(_silences_bell(mute, bell) for mute in live))


def _silences_bell(mute: Mute, bell: Bell) -> bool:
    return bell.story_id == mute.target if mute.kind is MuteKind.STORY else _is_within(bell.tagged, mute)


def _silences(mute: Mute, alert: Alert, bells: Sequence[Bell]) -> bool:
    match mute.kind:
        case MuteKind.STORY:
            return alert.story_id == mute.target
        case MuteKind.RULE:
            return set(alert.rule_ids) == {mute.target}
        case MuteKind.REGION:
            return bool(bells) and all(_is_within(bell.tagged, mute) for bell in bells)
        case MuteKind.ALL:
            return False


def _is_within(tagged: Tagged, mute: Mute) -> bool:
    """Whether all the places of an item are in a muted region; a country counts only when no place in it is named."""
    finer = {region.code[:2] for region in tagged.regions if region.kind != "country"}
    spots = [(r.code, r.name) for r in tagged.regions if r.kind != "country" or r.code[:2] not in finer]
    spots += [(code, "") for code in tagged.countries if code not in {r.code[:2] for r in tagged.regions}]
    inside = [code[:2] in mute.codes or code in mute.codes or name in mute.places for code, name in spots]
    return bool(inside) and all(inside)
