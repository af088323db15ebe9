"""A year of alerts for one subscriber, on a clock of its own: what happens, a model of the store, and who checks the outcome.

The deciding is the service's own (`alerts.pipeline.decide`), and so is the store when a real one is handed in; what is
checked here is computed in other ways: silence by reading the wall clock, digests by counting, budgets by looking back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from alerts.delivery.mutes import muted_by
from alerts.delivery.policy import retry_at
from alerts.delivery.written import is_endless
from alerts.models import Alert, Bell, Change, ChangeKind, Channel, Delivery, DeliveryStatus, Item, Tagged
from alerts.pipeline.decide import Decider, Ready
from alerts.pipeline.tools import Tools
from alerts.ports import Facts, FirstIds, FirstTold, Lane, Outcome, Parcel, Place, Release, Ring, Settlement, Wishes
from alerts.preferences import Budget, BudgetSpan, DigestTime, Mute, MuteKind, Preferences, QuietMode, QuietWindow, Rhythm
from alerts.settings import DeliverSettings
from alerts.state.digests import digest_delivery, read_name
from alerts.text.fingerprint import content_id

ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "Asia/Kolkata", "Pacific/Apia",
    "Asia/Gaza", "Africa/Casablanca", "America/Havana", "Atlantic/Azores", "UTC",
)  # fmt: skip
START = datetime(2026, 1, 1, tzinfo=UTC)
CHANNEL = "desk"
_BATCH = 10
_DELIVER = DeliverSettings()
_KINDS = ("story", "noise")  # the two rules of a subscriber


# ---------------------------------------------------------------- what happens


@dataclass(frozen=True, slots=True)
class Arrival:
    """An alert that a rule of the subscriber asked for."""

    at: datetime
    story: int
    occasion: str
    urgency: int
    rule: str
    is_catch_up: bool = False


@dataclass(frozen=True, slots=True)
class Muting:
    """The subscriber mutes or snoozes."""

    at: datetime
    mute: Mute


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that happens to one subscriber, in the order of time."""

    subscriber_id: str
    preferences: Preferences
    can_update: bool
    arrivals: tuple[Arrival, ...]
    mutings: tuple[Muting, ...]
    downtimes: tuple[tuple[datetime, datetime], ...]


def scenario(seed: int, *, days: int = 365, start: datetime = START) -> Scenario:
    """A random subscriber and what happens in so many days."""
    random = Random(seed)
    end = start + timedelta(days=days)
    downtimes = tuple(_downtimes(random, start, end))
    return Scenario(
        subscriber_id=f"s{seed}",
        preferences=_preferences(random),
        can_update=random.random() < 0.5,
        arrivals=tuple(_arrivals(random, start, end, downtimes)),
        mutings=tuple(_mutings(random, start, end, downtimes)),
        downtimes=downtimes,
    )


def _preferences(random: Random) -> Preferences:
    windows = [_window(random) for _ in range(random.choice((0, 1, 1, 1, 2)))]
    while is_endless(windows):  # which nobody can ask for
        windows.pop()
    budgets = [Budget(span=BudgetSpan.HOUR, most=random.randint(0, 3), urgency=random.choice((1, 1, 4)))] * random.randint(0, 1)
    budgets += [Budget(span=BudgetSpan.DAY, most=random.randint(1, 6), urgency=random.choice((1, 3)))] * random.randint(0, 1)
    return Preferences(
        zone=random.choice(ZONES),
        quiet=tuple(windows),
        quiet_mode=random.choice(list(QuietMode)),
        critical=random.choice((0, 1, 1, 1, 2)),
        budgets=tuple(budgets),
        digests=tuple(_digest(random) for _ in range(random.choice((0, 0, 1, 2)))),
    )


def _window(random: Random) -> QuietWindow:
    """Hours of silence, often around the hour in which clocks jump."""
    start = random.choice((1320, 60, 90, 120, 150, 0, random.randrange(1440)))
    length = random.choice((60, 240, 540, 600, 1380))
    days = tuple(sorted(random.sample(range(7), random.choice((7, 7, 5, 2)))))
    end = (start + length) % 1440 or 1440
    return QuietWindow(start=start, end=end, days=days)


def _digest(random: Random) -> DigestTime:
    minute = random.choice((450, 1080, 120, 150, 30, random.randrange(1440)))
    return DigestTime(rhythm=random.choice(list(Rhythm)), minute=minute, weekday=random.randrange(7))


def _downtimes(random: Random, start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    for _ in range((end - start).days // 90):
        since = start + timedelta(seconds=random.randrange(int((end - start).total_seconds())))
        yield since, since + timedelta(minutes=random.randint(31, 720))


def _arrivals(random: Random, start: datetime, end: datetime, downtimes: Sequence[tuple[datetime, datetime]]) -> Iterable[Arrival]:
    made: list[Arrival] = []
    at, story = start, 0
    while True:
        at += timedelta(milliseconds=int(random.expovariate(1 / random.choice((300, 3600, 10 * 3600, 20 * 3600))) * 1000))
        if at >= end:
            break
        rule, urgency = random.choice(_KINDS), random.choice((1, 2, 3, 4, 4, 5, 5, 5, 5))
        earlier = [a for a in made[-20:] if a.occasion == "first"]
        if earlier and random.random() < 0.2:
            first = random.choice(earlier)
            number = len(made)
            occasion = random.choice((f"update:{number}", f"escalation:urgency:{number}", f"escalation:deaths:{number}"))
            if not occasion.startswith("update:"):
                urgency = min(urgency, first.urgency)
            made.append(Arrival(at, first.story, occasion, urgency, first.rule))
        else:
            story += 1
            made.append(Arrival(at, story, "first", urgency, rule))
    return sorted((_found(a, downtimes) for a in made), key=lambda a: a.at)


def _found(arrival: Arrival, downtimes: Sequence[tuple[datetime, datetime]]) -> Arrival:
    """What came while the service was down is found when it is back."""
    until = max((until for since, until in downtimes if since <= arrival.at < until), default=None)
    return _found(replace(arrival, at=until, is_catch_up=True), downtimes) if until else arrival


def _mutings(random: Random, start: datetime, end: datetime, downtimes: Sequence[tuple[datetime, datetime]]) -> Iterable[Muting]:
    made = []
    for _ in range((end - start).days // 12):
        at = start + timedelta(seconds=random.randrange(int((end - start).total_seconds())))
        until = at + timedelta(minutes=random.randint(10, 1500))
        if any(since <= at < to for since, to in downtimes):
            continue
        kind = random.choice((MuteKind.RULE, MuteKind.ALL))
        made.append(Muting(at, Mute(kind=kind, target="noise" if kind is MuteKind.RULE else "", until_at=until)))
    return sorted(made, key=lambda m: m.at)


def bell_of(who: Scenario, arrival: Arrival) -> Bell:
    """The bell that an arrival rings."""
    story_id, now = story_of(who, arrival), arrival.at
    item = Item(source_id="wire", title=f"Headline {arrival.story}")
    item_id = content_id("item", who.subscriber_id, str(arrival.story), arrival.occasion)
    change = Change(kind=ChangeKind.NEW, item_id=item_id, item=item, polled_at=now, found_at=now, is_catch_up=arrival.is_catch_up)
    return Bell(
        bell_id=content_id("bell", story_id, arrival.occasion),
        story_id=story_id,
        occasion=arrival.occasion,
        query_ids=(),
        rules_version=1,
        tagged=Tagged(change=change, urgency=arrival.urgency),
        item_ids=(item_id,),
        rung_at=now,
    )


def story_of(who: Scenario, arrival: Arrival) -> str:
    """The id of an arrival's story."""
    return content_id("story", who.subscriber_id, str(arrival.story))


def alert_of(who: Scenario, arrival: Arrival, bell: Bell) -> Alert:
    """The alert of a bell."""
    return Alert(
        alert_id=content_id("alert", who.subscriber_id, bell.story_id, bell.occasion),
        subscriber_id=who.subscriber_id,
        story_id=bell.story_id,
        occasion=bell.occasion,
        bell_ids=(bell.bell_id,),
        rule_ids=(arrival.rule,),
        created_at=arrival.at,
        expires_at=arrival.at + timedelta(days=1),
    )


def delivery_id_of(who: Scenario, arrival: Arrival) -> str:
    """The id of an arrival's delivery."""
    return content_id("delivery", who.subscriber_id, story_of(who, arrival), arrival.occasion, CHANNEL)


# ---------------------------------------------------------------- a model of the store


class World(Protocol):
    """A store on a clock of its own, as far as the simulation needs it."""

    now_at: datetime

    def add(self, bell: Bell, alert: Alert, delivery: Delivery) -> None: ...
    def claim(self, batch: int) -> list[Lane]: ...
    def accept(self, delivery: Delivery) -> None: ...
    def retry(self, delivery: Delivery, due_at: datetime) -> None: ...
    def give_back(self) -> None: ...
    def freeze_digests(self) -> int: ...
    def next_due(self) -> datetime | None: ...
    def put_mute(self, subscriber_id: str, mute: Mute) -> None: ...
    def waiting_of(self, subscriber_id: str) -> list[Delivery]: ...
    def drop_waiting(self, deliveries: Sequence[Delivery], reason: str) -> int: ...
    def alerts_by_id(self, alert_ids: Iterable[str]) -> dict[str, Alert]: ...
    def bells_by_id(self, bell_ids: Iterable[str]) -> dict[str, Bell]: ...
    def everything(self) -> list[Delivery]: ...


@dataclass
class ModelStore:
    """What alerts/state promises of one channel, in plain Python."""

    preferences: Preferences
    now_at: datetime = START
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    bells: dict[str, Bell] = field(default_factory=dict)
    lane: dict[str, datetime] = field(default_factory=dict)
    digests: dict[str, datetime] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    carried: dict[str, str] = field(default_factory=dict)
    rings: dict[str, Ring] = field(default_factory=dict)
    mutes: dict[str, Mute] = field(default_factory=dict)
    changes: int = 0

    def add(self, bell: Bell, alert: Alert, delivery: Delivery) -> None:
        self.bells[bell.bell_id], self.alerts[alert.alert_id] = bell, alert
        self.deliveries[delivery.delivery_id], self.lane[delivery.delivery_id] = delivery, self.now_at

    def claim(self, batch: int) -> list[Lane]:
        due = sorted((at, i) for i, at in self.lane.items() if at <= self.now_at)[:batch]
        for _, i in due:
            self.deliveries[i] = replace(
                self.deliveries[i], status=DeliveryStatus.SENDING, attempts=self.deliveries[i].attempts + 1
            )
        parcels = tuple(self._parcel(self.deliveries[i]) for _, i in due)
        return [Lane(Channel(channel_id=CHANNEL, url=""), parcels)] if parcels else []

    def _parcel(self, delivery: Delivery) -> Parcel:
        alert = self.alerts[delivery.alert_id]
        return Parcel(delivery, alert, tuple(self.bells[b] for b in alert.bell_ids))

    def accept(self, delivery: Delivery) -> None:
        self.deliveries[delivery.delivery_id] = replace(delivery, status=DeliveryStatus.SENT, sent_at=self.now_at)
        del self.lane[delivery.delivery_id]

    def retry(self, delivery: Delivery, due_at: datetime) -> None:
        self.deliveries[delivery.delivery_id] = replace(delivery, status=DeliveryStatus.RETRY, due_at=due_at)
        self.lane[delivery.delivery_id] = due_at

    def give_back(self) -> None: ...

    def next_due(self) -> datetime | None:
        return min((*self.lane.values(), *self.digests.values()), default=None)

    def everything(self) -> list[Delivery]:
        return list(self.deliveries.values())

    def facts(self, places: Sequence[Place], firsts: Sequence[FirstIds]) -> Facts:
        recent = [r for r in self.rings.values() if r.at > self.now_at - timedelta(days=1)]
        self.rings = {r.delivery_id: r for r in recent}
        return Facts(str(self.changes), {p: tuple(recent) for p in places}, {f: self._first(f) for f in firsts})

    def _first(self, ids: FirstIds) -> FirstTold:
        carried = self.carried.get(ids.delivery_id, "")
        held = self.deliveries.get(carried or ids.delivery_id)
        if held is None:
            return FirstTold(ids.delivery_id, ids.alert_id in self.alerts)
        return FirstTold(held.delivery_id, ids.alert_id in self.alerts, held.status, held.due_at, held.digest, bool(carried))

    def wishes(self, subscriber_ids: Iterable[str]) -> dict[str, Wishes]:
        return {i: Wishes(self.preferences, tuple(self.mutes.values())) for i in subscriber_ids}

    def settle(self, _owner: str, settlements: Sequence[Settlement]) -> list[Outcome]:
        for settlement in settlements:
            delivery = settlement.delivery
            del self.lane[delivery.delivery_id]
            if delivery.digest:
                due = cast(datetime, delivery.due_at)
                if delivery.digest not in self.digests and due <= self.now_at:
                    due = settlement.later_at or due
                self.digests[delivery.digest] = min(due, self.digests.get(delivery.digest, due))
                self.members.setdefault(delivery.digest, []).append(delivery.delivery_id)
            elif delivery.status is DeliveryStatus.HELD:
                self.lane[delivery.delivery_id] = cast(datetime, delivery.due_at)
            self.deliveries[delivery.delivery_id] = replace(delivery, policy=delivery.reason)
            self._carry(settlement.carries, delivery.delivery_id)
        return [Outcome.DONE] * len(settlements)

    def release(self, _owner: str, releases: Sequence[Release]) -> list[Outcome]:
        for release in releases:
            i = release.delivery.delivery_id
            if release.urgency:
                self.rings[i] = Ring(self.now_at, release.urgency, i)
            self._carry(release.carries, i)
        return [Outcome.DONE] * len(releases)

    def _carry(self, first: str, by: str) -> None:
        if first and self.deliveries[first].status is DeliveryStatus.HELD:
            self._take_out(first, DeliveryStatus.DIGESTED, f"told by {by}")
            self.carried[first] = by

    def _take_out(self, delivery_id: str, status: DeliveryStatus, reason: str) -> None:
        held = self.deliveries[delivery_id]
        self.lane.pop(delivery_id, None)
        if held.digest:
            self.members[held.digest].remove(delivery_id)
        self.deliveries[delivery_id] = replace(held, status=status, reason=reason)

    def freeze_digests(self) -> int:
        due = [name for name, at in self.digests.items() if at <= self.now_at]
        for name in due:
            members = self.members.pop(name, [])
            del self.digests[name]
            if not members:
                continue
            alerts = [self.alerts[self.deliveries[m].alert_id] for m in members]
            alert, delivery = digest_delivery(read_name(name), members, alerts, self.now_at)
            for member in members:
                reason = f"told in the digest {delivery.delivery_id}"
                self.deliveries[member] = replace(self.deliveries[member], status=DeliveryStatus.DIGESTED, reason=reason)
            self.alerts[alert.alert_id] = alert
            self.deliveries[delivery.delivery_id], self.lane[delivery.delivery_id] = delivery, self.now_at
        return len(due)

    def put_mute(self, _subscriber_id: str, mute: Mute) -> None:
        self.mutes = {i: m for i, m in self.mutes.items() if m.until_at > self.now_at} | {mute.mute_id: mute}
        self.changes += 1

    def waiting_of(self, _subscriber_id: str) -> list[Delivery]:
        return [self.deliveries[i] for i in (*self.lane, *(m for row in self.members.values() for m in row))]

    def drop_waiting(self, deliveries: Sequence[Delivery], reason: str) -> int:
        for delivery in deliveries:
            self._take_out(delivery.delivery_id, DeliveryStatus.DROPPED, reason)
        return len(deliveries)

    def alerts_by_id(self, alert_ids: Iterable[str]) -> dict[str, Alert]:
        return {i: self.alerts[i] for i in alert_ids}

    def bells_by_id(self, bell_ids: Iterable[str]) -> dict[str, Bell]:
        return {i: self.bells[i] for i in bell_ids}


class _NoLedger:
    """A host that remembers nothing."""

    def refresh(self) -> None: ...

    def outcome(self, _delivery_id: str) -> str:
        return ""

    def was_told(self, *_: object) -> None:
        return None


# ---------------------------------------------------------------- the run


@dataclass(frozen=True, slots=True)
class Told:
    """What reached the subscriber; `updates` is not empty for a silent change in place."""

    at: datetime
    parcel: Parcel
    updates: str

    @property
    def urgency(self) -> int:
        return min(bell.tagged.urgency for bell in self.parcel.bells)

    @property
    def is_digest(self) -> bool:
        return self.parcel.alert.occasion.startswith("digest:")


@dataclass
class Run:
    """What came of a scenario."""

    who: Scenario
    told: list[Told]
    deliveries: Mapping[str, Delivery]
    decisions: int


def run(who: Scenario, world: World, *, seed: int = 0, failing: float = 0.02) -> Run:
    """Let everything happen, to the last thing due; one send in fifty fails for now."""
    random, told, decisions = Random(seed), list[Told](), 0
    tools = cast(Tools, SimpleNamespace(state=world, ledger=_NoLedger(), owner="w", settings=SimpleNamespace(deliver=_DELIVER)))
    decider = Decider(tools, can_update=lambda _channel: who.can_update)
    for at, event in _events(who):
        decisions += _run_until(world, decider, who, at, told, random, failing)
        world.now_at = max(world.now_at, at)
        if isinstance(event, Muting):
            _mute(world, who, event.mute)
        else:
            _arrive(world, who, event)
    decisions += _run_until(world, decider, who, None, told, random, failing)
    return Run(who, told, {d.delivery_id: d for d in world.everything()}, decisions)


def _events(who: Scenario) -> list[tuple[datetime, Arrival | Muting]]:
    events: list[tuple[datetime, Arrival | Muting]] = [(a.at, a) for a in who.arrivals]
    events += [(m.at, m) for m in who.mutings]
    return sorted(events, key=lambda pair: pair[0])


def _arrive(world: World, who: Scenario, arrival: Arrival) -> None:
    bell = bell_of(who, arrival)
    alert = alert_of(who, arrival, bell)
    delivery = Delivery(
        delivery_id=delivery_id_of(who, arrival), alert_id=alert.alert_id, subscriber_id=who.subscriber_id, channel_id=CHANNEL
    )
    world.add(bell, alert, delivery)


def _mute(world: World, who: Scenario, mute: Mute) -> None:
    world.put_mute(who.subscriber_id, mute)
    waiting = world.waiting_of(who.subscriber_id)
    alerts = world.alerts_by_id({d.alert_id for d in waiting})
    bells = world.bells_by_id({b for a in alerts.values() for b in a.bell_ids})
    told = {i: [bells[b] for b in a.bell_ids] for i, a in alerts.items()}
    world.drop_waiting([d for d in waiting if muted_by(alerts[d.alert_id], told[d.alert_id], [mute], world.now_at)], "muted")


def _run_until(
    world: World, decider: Decider, who: Scenario, end: datetime | None, told: list[Told], random: Random, failing: float
) -> int:
    """Whatever is due before then; nothing moves while the service is down."""
    decided = 0
    while (due := world.next_due()) is not None:
        at = max(due, world.now_at)
        at = max((until for since, until in who.downtimes if since <= at < until), default=at)
        if end is not None and at >= end:
            break
        world.now_at = at
        world.freeze_digests()
        while lanes := world.claim(_BATCH):
            decided += sum(len(lane.parcels) for lane in lanes)
            for ready in decider.ready(lanes, world.now_at)[0]:
                _send(world, ready, told, random, failing)
            world.give_back()
    return decided


def _send(world: World, ready: Ready, told: list[Told], random: Random, failing: float) -> None:
    delivery, parcel = ready.parcel.delivery, ready.parcel
    if random.random() < failing:
        expires_at, attempts = parcel.alert.expires_at, delivery.attempts
        due_at = retry_at(attempts, None, _DELIVER.retries_s, random, now=world.now_at, expires_at=expires_at)
        assert due_at, "a send fails now and then, not for a day"
        world.retry(delivery, due_at.replace(microsecond=due_at.microsecond // 1000 * 1000))
        return
    told.append(Told(world.now_at, parcel, ready.updates))
    world.accept(delivery)


# ---------------------------------------------------------------- what must hold


def problems(run: Run) -> list[str]:
    """Everything that went wrong: lost, doubled, rung in silence, over budget, late in a digest."""
    return [*_lost_or_doubled(run), *_rung_in_silence(run), *_over_budget(run), *_digests_wrong(run), *_updates_wrong(run)]


def _lost_or_doubled(run: Run) -> Iterable[str]:
    told: dict[str, int] = {}
    for one in run.told:
        for bell in one.parcel.bells:
            told[bell.bell_id] = told.get(bell.bell_id, 0) + 1
    for arrival in run.who.arrivals:
        delivery = run.deliveries[delivery_id_of(run.who, arrival)]
        digest = run.deliveries.get(delivery.reason.removeprefix("told in the digest "))
        if digest and digest.status is DeliveryStatus.DROPPED and "muted" in digest.reason:
            continue
        times, is_carried = told.get(bell_of(run.who, arrival).bell_id, 0), delivery.reason.startswith("told by ")
        if times > 1:
            yield f"doubled: {arrival} told {times} times"
        if is_carried and (times or run.deliveries[delivery.reason.removeprefix("told by ")].status not in _ENDS):
            yield f"carried, but not told by another one: {arrival}"
        if not times and not is_carried and delivery.status is not DeliveryStatus.DROPPED:
            yield f"lost: {arrival} is {delivery.status} {delivery.reason}"
        if delivery.status is DeliveryStatus.DROPPED and not _may_be_dropped(run, arrival, delivery):
            yield f"dropped for nothing: {arrival} {delivery.reason}"


_ENDS = (DeliveryStatus.SENT, DeliveryStatus.DIGESTED, DeliveryStatus.DROPPED)


def _may_be_dropped(run: Run, arrival: Arrival, delivery: Delivery) -> bool:
    if arrival.occasion.startswith("update:"):
        return True
    is_muted = any(m.mute.kind is MuteKind.RULE and arrival.rule == m.mute.target for m in run.who.mutings)
    return is_muted and ("muted" in delivery.reason or "first alert was dropped" in delivery.reason)


def _rung_in_silence(run: Run) -> Iterable[str]:
    preferences = run.who.preferences
    for one in run.told:
        if one.updates:
            continue
        is_pierced = preferences.quiet_mode is QuietMode.CRITICAL_ONLY and one.urgency <= preferences.critical
        if is_wall_quiet(preferences, one.at) and not is_pierced:
            yield f"rang in quiet hours: {one.at} {preferences.zone} {one.parcel.alert.occasion}"
        for muting in run.who.mutings:
            is_live = muting.at < one.at < muting.mute.until_at and not _is_replaced(run, muting, one.at)
            if is_live and muting.mute.kind is MuteKind.ALL:
                yield f"rang in a snooze: {one.at}"
            if is_live and muting.mute.kind is MuteKind.RULE and not one.is_digest and one.parcel.alert.rule_ids == ("noise",):
                yield f"a muted rule rang: {one.at}"


def _is_replaced(run: Run, muting: Muting, at: datetime) -> bool:
    """Whether a later mute of the same thing took its place before then."""
    return any(m.mute.mute_id == muting.mute.mute_id and muting.at < m.at <= at for m in run.who.mutings)


def is_wall_quiet(preferences: Preferences, at: datetime) -> bool:
    """Whether the wall clock shows a quiet time, read as a person would."""
    there = at.astimezone(ZoneInfo(preferences.zone))
    minute, today = there.hour * 60 + there.minute, there.weekday()
    for window in preferences.quiet:
        is_overnight = window.end <= window.start
        if today in window.days and window.start <= minute < (1440 if is_overnight else window.end):
            return True
        if is_overnight and (today - 1) % 7 in window.days and minute < window.end:
            return True
    return False


def _over_budget(run: Run) -> Iterable[str]:
    preferences, rung = run.who.preferences, [one for one in run.told if not one.updates]
    spans = {BudgetSpan.HOUR: timedelta(hours=1), BudgetSpan.DAY: timedelta(days=1)}
    for number, one in enumerate(rung):
        if one.is_digest or one.urgency <= preferences.critical:
            continue
        for budget in (b for b in preferences.budgets if b.urgency <= one.urgency):
            since = one.at - spans[budget.span]
            before = sum(r.at > since and r.urgency >= budget.urgency for r in rung[max(0, number - 60) : number])
            if before >= budget.most:
                yield f"over budget: {one.at} {budget} after {before}"


def _digests_wrong(run: Run) -> Iterable[str]:
    """Each alert for a planned digest is frozen into the first that comes after it."""
    frozen = {d.delivery_id: run.deliveries[d.reason.removeprefix("told in the digest ")] for d in run.deliveries.values() if d.digest.endswith(":planned") and d.status is DeliveryStatus.DIGESTED and d.reason.startswith("told in the digest ")}  # noqa: E501
    slots = _slots(run) if frozen else []
    place = 0
    for arrival in run.who.arrivals:
        digest = frozen.get(delivery_id_of(run.who, arrival))
        if digest is None or arrival.is_catch_up or digest.created_at is None:
            continue
        while slots[place] <= arrival.at:
            place += 1
        due = max((until for since, until in run.who.downtimes if since <= slots[place] < until), default=slots[place])
        if digest.created_at != due and run.deliveries[delivery_id_of(run.who, arrival)].attempts == 0:
            yield f"in the wrong digest: {arrival} is told {digest.created_at}, not {due}"


def _slots(run: Run) -> list[datetime]:
    """Every digest time of the year: the first minute of a day at which the wall clock shows it, or is past it."""
    preferences, zone = run.who.preferences, ZoneInfo(run.who.preferences.zone)
    found: set[datetime] = set()
    first, last = run.who.arrivals[0].at - timedelta(days=8), run.who.arrivals[-1].at + timedelta(days=9)
    for wanted in preferences.digests:
        if wanted.rhythm is Rhythm.HOURLY:
            found |= set(_full_hours(zone, first, last))
            continue
        day = first.date()
        while day <= last.date():
            if wanted.rhythm is Rhythm.DAILY or day.weekday() == wanted.weekday:
                shown = datetime(day.year, day.month, day.day, wanted.minute // 60, wanted.minute % 60)  # noqa: DTZ001
                at = shown.replace(tzinfo=zone).astimezone(UTC)
                found.add(at if at.astimezone(zone).replace(tzinfo=None) == shown else _after_gap(zone, at))
            day += timedelta(days=1)
    return sorted(found)


def _after_gap(zone: ZoneInfo, at: datetime) -> datetime:
    """The minute at which the clocks jump over that time."""
    at = at.replace(second=0)
    while (at - timedelta(minutes=1)).astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset():
        at -= timedelta(minutes=1)
    return at


def _full_hours(zone: ZoneInfo, first: datetime, last: datetime) -> Iterable[datetime]:
    at = first.replace(minute=0, second=0, microsecond=0)
    while at <= last:
        there = at.astimezone(zone)
        at += timedelta(minutes=(60 - there.minute))
        if at.astimezone(zone).minute == 0:
            yield at


def _updates_wrong(run: Run) -> Iterable[str]:
    told: set[str] = set()
    for one in run.told:
        if not one.updates:
            told.add(one.parcel.delivery.delivery_id)
            if one.parcel.alert.occasion.startswith("update:"):
                yield f"an update rang: {one.at}"
        elif one.updates not in told:
            yield f"an update of what was not told: {one.at}"


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """How much happened."""
    told = [one for run in runs for one in run.told]
    return {
        "subscribers": len(runs),
        "alerts": sum(len(run.who.arrivals) for run in runs),
        "decisions": sum(run.decisions for run in runs),
        "rang alone": sum(not one.updates and not one.is_digest for one in told),
        "digests": sum(one.is_digest for one in told),
        "told in digests": sum(len(one.parcel.bells) for one in told if one.is_digest),
        "silent updates": sum(bool(one.updates) for one in told),
        "dropped": sum(d.status is DeliveryStatus.DROPPED for run in runs for d in run.deliveries.values()),
    }
