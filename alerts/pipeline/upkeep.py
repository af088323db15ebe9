"""sweep and warn: what was left unfinished is kicked again, and the operator hears of what a person must mend."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from alerts.models import (
    Alert,
    Bell,
    Change,
    ChangeKind,
    Channel,
    Delivery,
    Item,
    Tagged,
)
from alerts.pipeline.canary import look_after_canary
from alerts.pipeline.health import give_sign_of_life
from alerts.pipeline.tools import Tools
from alerts.ports import Expansion
from alerts.sources.cadence import is_blind
from alerts.text.fingerprint import content_id

OPERATOR = "operator"
_LOOK_EVERY_S = 60.0
_FULL = 0.9  # of the store's memory: the archive is shed from here on


class Sweeper:
    """What the sweep remembers between two runs: how the store's clock stood to ours."""

    def __init__(self) -> None:
        self._offset: float | None = None  # store's time less the monotonic clock

    def jump_s(self, store_now: datetime, limit_s: float) -> float:
        """Seconds the store's clock jumped since the last call, 0 below the limit."""
        offset = store_now.timestamp() - time.monotonic()
        before, self._offset = self._offset, offset
        jumped = 0.0 if before is None else offset - before
        return jumped if abs(jumped) > limit_s else 0.0


def sweep(tools: Tools, sweeper: Sweeper) -> dict[str, int]:
    """Free what expired, freeze digests, trim, kick every queue that has work; counts by what was done."""
    jumped = sweeper.jump_s(tools.state.now(), tools.settings.watch.clock_jump_s)
    if jumped:
        tools.state.shift_due(jumped)
        warn(tools, "clock", "store", f"The clock of the store's host jumped by {jumped:.0f} s; due times were moved with it.")
    done = tools.state.sweep()
    done["digests"] = tools.state.freeze_digests()
    for queue, waiting in tools.state.waiting().items():
        if waiting:
            tools.wake_up(queue)
    if tools.state.claim_turn("look", _LOOK_EVERY_S):
        _look(tools)
    look_after_canary(tools)
    give_sign_of_life(tools)
    return done


def _look(tools: Tools) -> None:
    """Tell the operator about sources gone blind, room running short, and workers that had to be restarted."""
    now = tools.clock()
    for source, state in tools.state.sources():
        reason = "" if source.is_paused else is_blind(source, state, now)
        if reason:
            warn(tools, "source_blind", source.source_id, f"The source {source.name or source.source_id} is blind: {reason}")
    free_mb = shutil.disk_usage(tools.settings.data_dir).free // 1_000_000
    if free_mb < tools.settings.watch.disk_free_mb:
        warn(tools, "disk", "data", f"Only {free_mb} MB are free where Tocsin keeps its data: make room.")
    _look_at_store(tools)


def _look_at_store(tools: Tools) -> None:
    info = tools.state.info()
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if limit and used > _FULL * limit:
        shed = tools.state.shed_archive()
        text = f"The store uses {used // 1_000_000} of {limit // 1_000_000} MB; {shed} items of the archive were shed."
        warn(tools, "memory", "store", f"{text} Raise watch.memory_mb, or keep fewer sources.")
    restarts = tools.state.counters().get("worker_restarts", 0)
    known = int(tools.state.applied("worker_restarts") or 0)
    if restarts != known:
        tools.state.note_applied("worker_restarts", str(restarts))
        if restarts > known:
            warn(tools, "worker", "restarts", f"Workers were restarted {restarts - known} times; `tocsin doctor` says how they are.")


def warn(tools: Tools, kind: str, subject: str, text: str) -> bool:
    """Tell the operator's channels, once an hour for one kind and subject; False when told before or nobody listens."""
    return tell(tools, [c for c in tools.state.channels() if c.is_operator and c.is_enabled], kind, subject, text)


def tell(tools: Tools, channels: Sequence[Channel], kind: str, subject: str, text: str) -> bool:
    """Tell these channels something of our own, as `warn` does."""
    now = datetime.now(UTC)
    story_id = content_id("operator", kind, subject, now.strftime("%Y%m%d%H"))
    bell = _warning(story_id, kind, text, now)
    if not channels or not tools.state.put_bell(bell):
        return False
    alert_of = {c.subscriber_id: _alert(c.subscriber_id, bell, now) for c in channels}
    deliveries = [
        Delivery(
            delivery_id=content_id("delivery", c.subscriber_id, story_id, bell.occasion, c.channel_id),
            alert_id=alert_of[c.subscriber_id].alert_id,
            subscriber_id=c.subscriber_id,
            channel_id=c.channel_id,
            created_at=now,
        )
        for c in channels
    ]
    whole = Expansion(
        bell_id=bell.bell_id, expected_cursor="0:", cursor="", alerts=list(alert_of.values()), deliveries=deliveries
    )
    tools.state.commit_expansions([whole])
    tools.wake_up("deliver")
    return True


def _alert(subscriber_id: str, bell: Bell, now: datetime) -> Alert:
    return Alert(
        alert_id=content_id("alert", subscriber_id, bell.story_id, bell.occasion),
        subscriber_id=subscriber_id,
        story_id=bell.story_id,
        occasion=bell.occasion,
        bell_ids=(bell.bell_id,),
        rule_ids=(OPERATOR,),
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


def _warning(story_id: str, kind: str, text: str, now: datetime) -> Bell:
    item = Item(source_id="tocsin", title=text)
    change = Change(kind=ChangeKind.NEW, item_id=story_id, item=item, polled_at=now, found_at=now)
    return Bell(
        bell_id=content_id("bell", story_id),
        story_id=story_id,
        occasion=f"operator:{kind}",
        query_ids=(),
        rules_version=0,
        tagged=Tagged(change=change, urgency=3),
        source_name="Tocsin",
        source_ids=("tocsin",),
        item_ids=(story_id,),
        rung_at=now,
    )
