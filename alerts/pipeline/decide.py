"""decide: what becomes of claimed deliveries before anything is rendered. Policy decides; this fetches what it hangs on.

    lanes -> facts, a round trip (or three, when there are stories that go on) -> wishes, one more when they are not known
          or changed -> rings, one more when somebody has a budget -> policy.decide for each
          -> settle what is not sent -> release what is

All lanes of a claim are decided at once, so the number of deliveries does not change the number of round trips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerts.delivery import followup, mutes
from alerts.delivery.policy import Action, Case, Decision, decide, decide_replay, is_digest
from alerts.models import Channel, Delivery, DeliveryStatus
from alerts.pipeline.tools import Tools
from alerts.ports import Facts, FirstIds, FirstTold, Lane, Parcel, Place, Release, Ring, Settlement, Wishes
from alerts.text.fingerprint import content_id

_STATUS = {
    Action.HOLD: DeliveryStatus.HELD,
    Action.DIGEST: DeliveryStatus.HELD,
    Action.DROP: DeliveryStatus.DROPPED,
    Action.EXPIRE: DeliveryStatus.EXPIRED,
    Action.TOLD: DeliveryStatus.SENT,
}
_PLAIN = "due"
_NO_FIRST = FirstTold()


def _as_told(channel: Channel) -> bool:
    """What the channel says of itself."""
    return channel.can_update


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery to be sent now; `updates` names the delivery whose message it changes in place ('' = it rings)."""

    parcel: Parcel
    updates: str = ""


@dataclass
class _Round:
    """What one round of decisions found out and leads to."""

    facts: Facts
    now: datetime
    rings: dict[Place, list[Ring]] = field(default_factory=dict)  # those of this round included
    firsts: dict[str, FirstTold] = field(default_factory=dict)  # delivery id -> what this round made of it
    stale: set[str] = field(default_factory=set)  # delivery ids of updates of which this round has a newer one
    settlements: list[Settlement] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)


class Decider:
    """Decides about claimed deliveries; remembers what subscribers asked for until somebody changes it.

    Args:
        tools: Store, ledger and settings.
        can_update: Whether a channel can change in place what it was told.
    """

    def __init__(self, tools: Tools, *, can_update: Callable[[Channel], bool] = _as_told) -> None:
        self._tools = tools
        self._can_update = can_update
        self._wishes: dict[str, Wishes] = {}
        self._zones: dict[str, str] = {}
        self._version = ""

    def ready(self, lanes: Sequence[Lane], now: datetime) -> list[list[Ready]]:
        """What of each lane is to be sent now, in its order; everything else is settled in the store. `now` is UTC."""
        if not lanes:
            return []
        self._tools.ledger.refresh()
        parcels = [[_as_known(self._tools, parcel, now) for parcel in lane.parcels] for lane in lanes]
        facts = self._tools.state.facts((), _firsts(parcels))
        self._learn({p.delivery.subscriber_id for row in parcels for p in row}, facts.version)
        this = _Round(facts, now, self._rings(parcels))
        found = [self._lane(this, lane.channel, row) for lane, row in zip(lanes, parcels, strict=True)]
        self._tools.state.settle(self._tools.owner, this.settlements)
        self._tools.state.release(self._tools.owner, this.releases)
        return found

    @property
    def zones(self) -> dict[str, str]:
        """subscriber id -> the zone of their clock, of those who were decided about; IANA names."""
        return self._zones

    def _learn(self, subscriber_ids: set[str], version: str) -> None:
        if version != self._version:
            self._wishes, self._version = {}, version
        found = self._tools.state.wishes(subscriber_ids - self._wishes.keys())
        self._wishes |= found
        self._zones |= {subscriber_id: wishes.preferences.zone for subscriber_id, wishes in found.items()}

    def _rings(self, parcels: Iterable[Sequence[Parcel]]) -> dict[Place, list[Ring]]:
        """What rang lately where somebody has a budget; most have none, and nobody is asked then."""
        counted = [place for place in _places(parcels) if self._wishes[place.subscriber_id].preferences.budgets]
        facts = self._tools.state.facts(counted, ()) if counted else None
        return {place: list(rings) for place, rings in facts.rings.items()} if facts else {}

    def _lane(self, this: _Round, channel: Channel, parcels: Sequence[Parcel]) -> list[Ready]:
        """A story's first alert is decided before what follows it, whatever is due first."""
        this.stale |= _stale(parcels)
        in_order = sorted(parcels, key=lambda parcel: followup.follows(parcel.alert))
        return [ready for parcel in in_order if (ready := self._one(this, channel, parcel))]

    def _one(self, this: _Round, channel: Channel, parcel: Parcel) -> Ready | None:
        case = self._case(this, channel, parcel)
        decision = self._decide(this, case, parcel)
        carries = case.first.delivery_id if followup.carries_first(parcel.alert, case.first) else ""
        if decision.action in (Action.SEND, Action.UPDATE):
            told = parcel if case.bells is parcel.bells else replace(parcel, bells=tuple(case.bells))
            return _release(this, told, case, decision, carries)
        delivery = _decided(parcel.delivery, decision, this.now)
        if decision.action not in (Action.HOLD, Action.DIGEST):
            carries = ""
        this.settlements.append(Settlement(delivery=delivery, later_at=decision.later_at, carries=carries))
        this.firsts[delivery.delivery_id] = FirstTold(
            delivery.delivery_id, True, delivery.status, delivery.due_at, delivery.digest
        )
        return None

    def _case(self, this: _Round, channel: Channel, parcel: Parcel) -> Case:
        wishes = self._wishes[parcel.delivery.subscriber_id]
        delivery = parcel.delivery
        rings = this.rings.get(_place(delivery), ()) if wishes.preferences.budgets else ()
        return Case(
            bells=mutes.audible(parcel.bells, wishes.mutes, this.now) if is_digest(parcel.alert) else parcel.bells,
            alert=parcel.alert,
            channel=channel,
            wishes=wishes,
            rings=[ring for ring in rings if ring.delivery_id != delivery.delivery_id],
            first=_first_of(this, parcel) if followup.follows(parcel.alert) else _NO_FIRST,
            can_update=self._can_update(channel),
            away_s=self._tools.settings.deliver.digest_s,
        )

    def _decide(self, this: _Round, case: Case, parcel: Parcel) -> Decision:
        """What policy says, unless the ledger knows that it was told."""
        if parcel.delivery.is_replay:
            return decide_replay(case, now=this.now)
        if parcel.delivery.delivery_id in this.stale:
            return Decision(Action.DROP, "a newer update of the story says more")
        return _told_before(self._tools, parcel) or decide(case, now=this.now)


def _stale(parcels: Sequence[Parcel]) -> set[str]:
    """The updates of a lane that a newer one makes superfluous."""
    updates = [parcel for parcel in parcels if followup.is_update(parcel.alert)]
    newest = {p.alert.story_id: p.delivery.delivery_id for p in sorted(updates, key=lambda p: p.alert.created_at)}
    return {p.delivery.delivery_id for p in updates} - set(newest.values())


def _first_of(this: _Round, parcel: Parcel) -> FirstTold:
    """How the story's first alert stands, or that of a story that is kin; what this round made of it included."""
    found = [this.firsts.get(ids.delivery_id) or this.facts.firsts[ids] for ids in _first_ids(parcel)]
    if followup.is_at_once(parcel.alert):
        return followup.loudest([told for told in found if told.delivery_id != parcel.delivery.delivery_id])
    return followup.nearest(found)


def _told_before(tools: Tools, parcel: Parcel) -> Decision | None:
    """What the ledger says was accepted is not sent again; nor is a story that it says was told, nor what may have arrived."""
    delivery = parcel.delivery
    if tools.ledger.outcome(delivery.delivery_id) == "accepted":
        return Decision(Action.TOLD, "the ledger of this host says it was accepted before")
    if delivery.is_repeat and not parcel.is_resent:
        return Decision(Action.DROP, "it may have arrived, and its rule says not to send it again then")
    if parcel.alert.occasion != "first":
        return None
    items = tuple(i for bell in parcel.bells for i in bell.item_ids)
    told = tools.ledger.was_told(delivery.subscriber_id, delivery.channel_id, items)
    return Decision(Action.TOLD, f"the ledger of this host says {told} told this story before") if told else None


def _release(this: _Round, parcel: Parcel, case: Case, decision: Decision, carries: str) -> Ready:
    """Send it now. Its ring is counted where there are budgets; an update makes no sound."""
    delivery, reason = parcel.delivery, decision.reason if decision.reason != _PLAIN else ""
    if delivery.policy != reason:
        delivery = replace(delivery, policy=reason)
    is_counted = bool(case.wishes.preferences.budgets) and decision.action is Action.SEND
    if is_counted or delivery.policy or carries:
        urgency = max(1, min(9, case.urgency)) if is_counted else 0
        this.releases.append(Release(delivery=delivery, urgency=urgency, carries=carries))
    if is_counted:
        this.rings.setdefault(_place(delivery), []).append(Ring(this.now, case.urgency, delivery.delivery_id))
    updates = case.first.delivery_id if decision.action is Action.UPDATE else ""
    return Ready(parcel if delivery is parcel.delivery else replace(parcel, delivery=delivery), updates)


def _decided(delivery: Delivery, decision: Decision, now: datetime) -> Delivery:
    """A delivery that is not sent now; no attempt was made. While it is held its time-to-live stands still."""
    held_s = (decision.due_at - now).total_seconds() if decision.action is Action.HOLD and decision.due_at else 0.0
    return replace(
        delivery,
        status=_STATUS[decision.action],
        attempts=delivery.attempts - 1,
        reason=decision.reason,
        due_at=decision.due_at,
        digest=f"{delivery.subscriber_id}:{delivery.channel_id}:{decision.digest.value}" if decision.digest else "",
        paused_s=delivery.paused_s + held_s,
        sent_at=now if decision.action is Action.TOLD else None,
    )


def _as_known(tools: Tools, parcel: Parcel, now: datetime) -> Parcel:
    """The parcel with what only this host knows, and with the time-to-live it has left.

    The time it was held does not count; a person who sends it again gives it a new one.
    """
    delivery, alert = parcel.delivery, parcel.alert
    expires_at = alert.expires_at + timedelta(seconds=delivery.paused_s)
    if delivery.is_replay and delivery.attempts <= len(tools.settings.deliver.retries_s):  # once through the list, whatever its age
        expires_at = max(expires_at, now + timedelta(seconds=tools.settings.deliver.ttl_s))
    if not delivery.reason and tools.ledger.outcome(delivery.delivery_id) == "intended":  # the store forgot that it was being sent
        delivery = replace(delivery, is_repeat=True)
    if delivery is parcel.delivery and expires_at == alert.expires_at:
        return parcel
    return replace(parcel, delivery=delivery, alert=replace(alert, expires_at=expires_at))


def _place(delivery: Delivery) -> Place:
    return Place(delivery.subscriber_id, delivery.channel_id)


def _places(parcels: Iterable[Sequence[Parcel]]) -> list[Place]:
    return list(dict.fromkeys(_place(p.delivery) for row in parcels for p in row))


def _firsts(parcels: Iterable[Sequence[Parcel]]) -> list[FirstIds]:
    following = [parcel for row in parcels for parcel in row if followup.follows(parcel.alert)]
    return list(dict.fromkeys(ids for parcel in following for ids in _first_ids(parcel)))


def _first_ids(parcel: Parcel) -> list[FirstIds]:
    """The first alert of a story and of those that are kin to it: it may have told the subscriber by another name.

    For what is to ring at once, whatever rang of the story before.
    """
    subscriber, channel_id, story_id = parcel.alert.subscriber_id, parcel.delivery.channel_id, parcel.alert.story_id
    named = [(story, "first") for story in (story_id, *(kin for bell in parcel.bells for kin in bell.kin_ids))]
    if followup.is_at_once(parcel.alert):
        named += [(story_id, occasion) for bell in parcel.bells for occasion in bell.rung]
    return [
        FirstIds(content_id("alert", subscriber, *name), content_id("delivery", subscriber, *name, channel_id))
        for name in dict.fromkeys(named)
    ]
