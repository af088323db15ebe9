"""Which deliveries are sent, held, told in a digest or dropped, and why; and when a failed one is tried again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery.followup import AT_ONCE, carries_first, loudest, nearest
from alerts.delivery.mutes import audible
from alerts.delivery.policy import Action, Case, Decision, decide, decide_replay, retry_at
from alerts.models import Alert, Bell, Channel, DeliveryStatus, RegionEvidence, Tagged
from alerts.ports import FirstTold, Ring, Wishes
from alerts.preferences import Budget, BudgetSpan, DigestTime, Mute, MuteKind, Preferences, QuietMode, QuietWindow, Rhythm
from tests.builders import NOW, a_bell, a_change, a_channel, a_tagged, an_alert

RETRIES = (0.0, 5.0, 30.0, 120.0)
LATE = NOW + timedelta(days=1)


def decided(bells: Sequence[Bell], alert: Alert, channel: Channel, now: datetime = NOW, **fields: Any) -> Decision:
    return decide(Case(bells=bells, alert=alert, channel=channel, **fields), now=now)


def caught_up(number: int = 1) -> Tagged:
    return a_tagged(number, change=a_change(number, is_catch_up=True))


def test_a_due_delivery_is_sent() -> None:
    bell = a_bell()
    assert decided([bell], an_alert(bell), a_channel()).action is Action.SEND


def test_a_channel_that_is_off_drops_and_says_why() -> None:
    bell = a_bell()
    decision = decided([bell], an_alert(bell), a_channel(is_enabled=False, error="chat not found"))
    assert (decision.action, decision.reason) == (Action.DROP, "the channel is switched off: chat not found")


def test_an_alert_expires_at_its_very_moment() -> None:
    bell = a_bell()
    alert = an_alert(bell)
    assert decided([bell], alert, a_channel(), alert.expires_at).action is Action.EXPIRE
    assert decided([bell], alert, a_channel(), alert.expires_at - timedelta(seconds=1)).action is Action.SEND


def test_what_was_found_after_a_downtime_goes_into_a_digest() -> None:
    bell = a_bell(tagged=caught_up())
    assert decided([bell], an_alert(bell), a_channel()).action is Action.DIGEST


def test_a_digest_of_missed_items_is_itself_sent() -> None:
    bell = a_bell(tagged=caught_up())
    assert decided([bell], an_alert(bell, occasion="digest:away:1"), a_channel()).action is Action.SEND


@pytest.mark.parametrize(("attempts", "planned_s"), [(0, 0), (1, 5), (2, 30), (3, 120), (4, 120), (99, 120)])
def test_retries_follow_the_schedule_and_its_last_one_repeats(attempts: int, planned_s: float) -> None:
    due_at = retry_at(attempts, None, RETRIES, Random(1), now=NOW, expires_at=LATE)
    assert due_at is not None
    assert 0.8 * planned_s <= (due_at - NOW).total_seconds() <= 1.2 * planned_s


def test_retries_of_many_deliveries_are_spread() -> None:
    random = Random(1)
    assert len({retry_at(2, None, RETRIES, random, now=NOW, expires_at=LATE) for _ in range(50)}) == 50


def test_a_delivery_that_could_only_be_late_is_given_up() -> None:
    assert retry_at(3, None, RETRIES, Random(1), now=NOW, expires_at=NOW + timedelta(seconds=90)) is None
    assert retry_at(1, None, (), Random(1), now=NOW, expires_at=LATE) is None


@given(wait=st.floats(0, 80_000), attempts=st.integers(-1, 50), seed=st.integers(0, 100))
def test_a_service_that_asks_for_a_wait_is_never_asked_sooner(wait: float, attempts: int, seed: int) -> None:
    due_at = retry_at(attempts, wait, RETRIES, Random(seed), now=NOW, expires_at=NOW + timedelta(days=2))
    assert due_at is not None
    assert due_at >= NOW + timedelta(seconds=wait) - timedelta(microseconds=1)


# ---------------------------------------------------------------- what subscribers asked for

NIGHT = datetime(2026, 6, 10, 23, 30, tzinfo=UTC)
WAKES = datetime(2026, 6, 11, 7, 0, tzinfo=UTC)
QUIET = (QuietWindow(start=1320, end=420),)


def of_urgency(urgency: int, occasion: str = "first", **fields: Any) -> Bell:
    tagged = a_tagged(urgency=urgency, change=a_change(is_catch_up=fields.pop("is_catch_up", False)), **fields)
    return a_bell(tagged=tagged, occasion=occasion, rung_at=NIGHT)


def at_night(bell: Bell, mode: QuietMode = QuietMode.CRITICAL_ONLY, *, mutes: Sequence[Mute] = (), **fields: Any) -> Decision:
    """What is decided at 23:30 with quiet hours from 22:00 to 07:00 UTC."""
    wanted = {k: fields.pop(k) for k in ("critical", "budgets", "digests") if k in fields}
    preferences = Preferences(quiet=fields.pop("quiet", QUIET), quiet_mode=mode, **wanted)
    alert = an_alert(bell, expires_at=NIGHT + timedelta(days=1), occasion=fields.pop("alert_occasion", bell.occasion))
    return decided([bell], alert, a_channel(), NIGHT, wishes=Wishes(preferences, tuple(mutes)), **fields)


@dataclass(frozen=True)
class Rule:
    """What one rule of the policy says."""

    name: str
    bell: Bell
    action: Action
    reason: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    mode: QuietMode = QuietMode.CRITICAL_ONLY


SNOOZE = Mute(kind=MuteKind.ALL, until_at=NIGHT + timedelta(hours=1))
TOLD = FirstTold("first", True, DeliveryStatus.SENT)
ALL, BATCH = QuietMode.SILENCE_ALL, QuietMode.BATCH_ON_WAKE
DAILY = (DigestTime(rhythm=Rhythm.DAILY, minute=450),)
ONE_AN_HOUR = (Budget(span=BudgetSpan.HOUR, most=1),)
RANG = (Ring(NIGHT - timedelta(minutes=10), 5, "other"),)
AWAKE: Mapping[str, Any] = {"quiet": ()}
IN_DIGEST = FirstTold("first", True, DeliveryStatus.HELD, WAKES, "me:desk:planned")
DIGESTED = FirstTold("first", True, DeliveryStatus.DIGESTED)
UNTOLD = FirstTold("first", True, DeliveryStatus.DROPPED)
RULES = [
    Rule("quiet hours hold", of_urgency(3), Action.HOLD, "quiet hours (critical_only) until Thu 11 Jun 07:00 UTC"),
    Rule("what is critical rings in the mode for it", of_urgency(1), Action.SEND, "urgency 1 is critical and rings in quiet hours"),
    Rule("what is critical is the subscriber's own choice", of_urgency(2), Action.SEND, "urgency 2 is critical", {"critical": 2}),
    Rule("nothing is critical to whoever says so", of_urgency(1), Action.HOLD, "quiet hours", {"critical": 0}),
    Rule("silence_all means all", of_urgency(1), Action.HOLD, "quiet hours (silence_all)", mode=ALL),
    Rule("batch_on_wake tells all in one digest", of_urgency(1), Action.DIGEST, "told in one digest then", mode=BATCH),
    Rule("a snooze holds what is critical too", of_urgency(1), Action.DIGEST, "snoozed until Thu 11 Jun 00:30 UTC", {"mutes": [SNOOZE]}),
    Rule("a planned digest takes the rest", of_urgency(3), Action.DIGEST, "in the digest of Thu 11 Jun 07:30", {"digests": DAILY}),
    Rule("what is critical waits for no digest", of_urgency(1), Action.SEND, "critical", {"digests": DAILY}),
    Rule("a digest waits for the morning", of_urgency(3), Action.HOLD, "quiet hours", {"alert_occasion": "digest:planned:1"}),
    Rule("a digest with something critical does not", of_urgency(1), Action.SEND, "critical", {"alert_occasion": "digest:away:1"}),
    Rule("a digest goes into no digest", of_urgency(3), Action.HOLD, "quiet hours", {"alert_occasion": "digest:wake:1"}, BATCH),
    Rule("a warning of ours obeys quiet hours", of_urgency(3, "operator:disk"), Action.HOLD, "quiet hours", {"digests": DAILY}),
    Rule(
        "what is over the budget is told in a digest",
        of_urgency(3),
        Action.DIGEST,
        "the budget of 1 in an hour is used up: told in a digest at Thu 11 Jun 00:20 UTC",
        {**AWAKE, "budgets": ONE_AN_HOUR, "rings": RANG},
    ),
    Rule("no budget stops what is critical", of_urgency(1), Action.SEND, "due", {**AWAKE, "budgets": ONE_AN_HOUR, "rings": RANG}),
    Rule(
        "no budget stops a digest",
        of_urgency(5),
        Action.SEND,
        "due",
        {**AWAKE, "budgets": ONE_AN_HOUR, "rings": RANG, "alert_occasion": "digest:overflow:1"},
    ),
    Rule("what was missed is gathered at once, at any hour", of_urgency(3, is_catch_up=True), Action.DIGEST, "found after a downtime"),
    Rule("an escalation rings whoever was told", of_urgency(2, "escalation:urgency:2"), Action.SEND, "due", {**AWAKE, "first": TOLD}),
    Rule("another rule rings at once what waits for a digest", of_urgency(1, AT_ONCE), Action.SEND, "another", {"first": IN_DIGEST}),
    Rule("and what a digest told", of_urgency(3, AT_ONCE), Action.SEND, "another rule", {**AWAKE, "first": DIGESTED}),
    Rule("but not when it would wait too", of_urgency(3, AT_ONCE), Action.DROP, "no sooner than it is told", {"first": IN_DIGEST}),
    Rule("nor by another digest", of_urgency(3, AT_ONCE), Action.DROP, "no sooner", {**AWAKE, "digests": DAILY, "first": DIGESTED}),
    Rule("nor when the story rang", of_urgency(1, AT_ONCE), Action.DROP, "rang on this channel before", {**AWAKE, "first": TOLD}),
    Rule("what was not told at all is told", of_urgency(3, AT_ONCE), Action.SEND, "due", {**AWAKE, "first": UNTOLD}),
    Rule("in its time", of_urgency(3, AT_ONCE), Action.HOLD, "quiet hours", {"first": UNTOLD}),
    Rule("an escalation to critical rings at night", of_urgency(1, "escalation:urgency:1"), Action.SEND, "critical", {"first": TOLD}),
    Rule("another escalation waits", of_urgency(3, "escalation:deaths:9"), Action.HOLD, "quiet hours", {"first": TOLD}),
    Rule("nobody hears the end of what was not told", of_urgency(3, "all_clear"), Action.DROP, "was not told to this subscriber", AWAKE),
    Rule(
        "nobody hears a correction of what was dropped",
        of_urgency(3, "correction"),
        Action.DROP,
        "first alert was dropped",
        {**AWAKE, "first": FirstTold("first", True, DeliveryStatus.DROPPED)},
    ),
    Rule(
        "who could not be reached hears what follows",
        of_urgency(3, "escalation:deaths:9"),
        Action.SEND,
        "due",
        {**AWAKE, "first": FirstTold("first", True, DeliveryStatus.DEAD)},
    ),
    Rule(
        "an update changes in silence what was told, at night too",
        of_urgency(1, "update:1"),
        Action.UPDATE,
        "without a sound",
        {"first": TOLD, "can_update": True, "mutes": [SNOOZE]},
    ),
    Rule("an update is dropped where nothing can be changed", of_urgency(1, "update:1"), Action.DROP, "cannot change", {"first": TOLD}),
    Rule("an update is dropped where nothing was told", of_urgency(1, "update:1"), Action.DROP, "not told the story", {"can_update": True}),
    Rule(
        "an update of what waits waits as well",
        of_urgency(1, "update:1"),
        Action.HOLD,
        "what it updates waits",
        {"first": FirstTold("first", True, DeliveryStatus.HELD, WAKES), "can_update": True},
    ),
    Rule(
        "an update of what is told in a digest is dropped",
        of_urgency(1, "update:1"),
        Action.DROP,
        "told in a digest",
        {"first": FirstTold("first", True, DeliveryStatus.HELD, WAKES, "me:desk:planned"), "can_update": True},
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_policy_says(rule: Rule) -> None:
    decision = at_night(rule.bell, rule.mode, **rule.fields)
    assert decision.action is rule.action
    assert rule.reason in decision.reason


def test_what_is_held_comes_when_silence_ends_the_most_urgent_first() -> None:
    urgent, other = (at_night(of_urgency(n)).due_at for n in (2, 5))
    assert urgent
    assert other
    assert WAKES < urgent < other < WAKES + timedelta(seconds=1)


def test_a_digest_whose_time_has_come_when_it_is_frozen_knows_the_next_one() -> None:
    decision = at_night(of_urgency(3), digests=DAILY)
    assert (decision.due_at, decision.later_at) == (WAKES + timedelta(minutes=30), WAKES + timedelta(days=1, minutes=30))


def test_a_replay_is_sent_whatever_the_hour_but_not_to_a_channel_that_is_off() -> None:
    bell = of_urgency(3)
    alert, quiet = an_alert(bell, expires_at=LATE + timedelta(days=365)), Wishes(Preferences(quiet=QUIET))
    case = Case(bells=[bell], alert=alert, channel=a_channel(), wishes=quiet)
    assert decide_replay(case, now=NIGHT).action is Action.SEND
    assert decide_replay(replace(case, channel=a_channel(is_enabled=False)), now=NIGHT).action is Action.DROP


# ---------------------------------------------------------------- mutes


def in_places(*places: tuple[str, str, str], countries: tuple[str, ...] = ()) -> Bell:
    regions = tuple(RegionEvidence(code=code, name=name, kind=kind) for code, name, kind in places)
    return a_bell(tagged=a_tagged(regions=regions, countries=countries))


def muted(bell: Bell, *, now: datetime = NOW, rules: tuple[str, ...] = ("gates",), **fields: Any) -> bool:
    mute = Mute(until_at=NOW + timedelta(hours=4), **fields)
    decision = decided([bell], an_alert(bell, rule_ids=rules), a_channel(), now, wishes=Wishes(mutes=(mute,)))
    return decision.action is Action.DROP and "is muted until" in decision.reason


def test_a_muted_story_is_silent_until_the_mute_ends() -> None:
    bell = a_bell()
    assert muted(bell, kind=MuteKind.STORY, target=bell.story_id)
    assert not muted(bell, kind=MuteKind.STORY, target=bell.story_id, now=NOW + timedelta(hours=4))
    assert not muted(bell, kind=MuteKind.STORY, target="another")


def test_a_muted_rule_silences_what_no_other_rule_asked_for() -> None:
    assert muted(a_bell(), kind=MuteKind.RULE, target="gates")
    assert not muted(a_bell(), kind=MuteKind.RULE, target="gates", rules=("gates", "ferries"))


LEBANON: Mapping[str, Any] = {"kind": MuteKind.REGION, "target": "LB", "codes": ("LB",)}
TYRE, HAIFA = ("LB-JA", "Tyre", "city"), ("IL-HA", "Haifa", "city")


def test_a_muted_region_silences_what_happens_nowhere_else() -> None:
    assert muted(in_places(TYRE, countries=("LB",)), **LEBANON)
    assert muted(in_places(countries=("LB",)), **LEBANON)
    assert not muted(in_places(TYRE, HAIFA, countries=("LB", "IL")), **LEBANON)
    assert not muted(in_places(TYRE, countries=("LB", "SY")), **LEBANON)
    assert not muted(in_places(), **LEBANON)


def test_a_muted_part_of_a_country_says_nothing_of_the_rest() -> None:
    south: dict[str, Any] = {"kind": MuteKind.REGION, "target": "LB-JA", "codes": ("LB-JA",), "places": ("Tyre",)}
    assert muted(in_places(TYRE, ("LB", "Lebanon", "country"), countries=("LB",)), **south)
    assert not muted(in_places(("LB", "Lebanon", "country"), countries=("LB",)), **south)


def test_a_digest_leaves_out_what_was_muted_since() -> None:
    bells = [a_bell(1), a_bell(2)]
    mute = Mute(kind=MuteKind.STORY, target=bells[0].story_id, until_at=LATE)
    assert audible(bells, [mute], NOW) == (bells[1],)
    case = Case(bells=(), alert=an_alert(bells[0], occasion="digest:wake:1"), channel=a_channel())
    assert decide(case, now=NOW).action is Action.DROP


# ---------------------------------------------------------------- what was told along


@pytest.mark.parametrize(
    ("first", "is_carried"),
    [
        (FirstTold("first", True, DeliveryStatus.HELD, WAKES), True),
        (FirstTold("first", True, DeliveryStatus.HELD, WAKES, "me:desk:wake"), True),
        (FirstTold("first", True, DeliveryStatus.HELD, WAKES, is_carried=True), False),
        (FirstTold("first", True, DeliveryStatus.SENT), False),
        (FirstTold("first", True, DeliveryStatus.SENDING), False),
    ],
)
def test_an_escalation_tells_a_first_alert_along_that_still_waits(first: FirstTold, is_carried: bool) -> None:
    bell = of_urgency(1, "escalation:urgency:1")
    assert carries_first(an_alert(bell), first) is is_carried
    assert not carries_first(an_alert(of_urgency(1, "update:1")), first)


def test_of_several_first_alerts_of_kin_the_one_that_told_counts() -> None:
    told, dropped, unknown = FirstTold("a", True, DeliveryStatus.SENT), FirstTold("b", True, DeliveryStatus.DROPPED), FirstTold("c")
    assert nearest([unknown, dropped, told]) is told
    assert nearest([unknown, dropped]) is dropped
    elsewhere = FirstTold("d", True)
    assert nearest([unknown, elsewhere]) is elsewhere


def test_of_all_that_told_a_story_the_one_that_rang_counts_then_what_waits() -> None:
    unknown = FirstTold("x")
    assert loudest([DIGESTED, IN_DIGEST, TOLD, UNTOLD, unknown]) is TOLD
    assert loudest([DIGESTED, IN_DIGEST, unknown]) is IN_DIGEST
    assert loudest([unknown, UNTOLD, DIGESTED]) is DIGESTED
    assert loudest([]) == FirstTold()
