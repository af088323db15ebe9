"""A simulated year: nothing is lost, nothing doubled, nothing rings in silence, every digest is complete.

The whole size, 1,000 subscribers, is bench/policy_year.py. Here fewer people live through a year on a model of the store,
and some of them through two months with a change of the clocks in the real one, which has to do the very same.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import redis

from alerts.models import Alert, Bell, Channel, Delivery, DeliveryStatus, Subscriber
from alerts.ports import Expansion, Lane, Verdict
from alerts.state.redis import RedisState
from alerts.state.scripts import Scripts
from bench._policy_world import CHANNEL, START, ModelStore, Run, Scenario, World, problems, run, scenario, summary
from tests.harness import claim_all, give_back

YEARS = 12
SPRING = datetime(2026, 3, 1, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 1, tzinfo=UTC)


class ClockedScripts(Scripts):
    """The real scripts, but the time is what stands in a key."""

    def _body(self, name: str) -> tuple[str, str]:
        body, _ = super()._body(name)
        body = body.replace("redis.call('TIME')", "{redis.call('GET', prefix .. 'clock'), '0'}")
        return body, hashlib.sha1(body.encode(), usedforsecurity=False).hexdigest()


class ClockedState(RedisState):
    """The real store on a clock that a test sets."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._scripts = ClockedScripts(client, self.prefix)
        self.now_at = START

    @property
    def now_at(self) -> datetime:
        """What the clock shows."""
        return self._now_at

    @now_at.setter
    def now_at(self, at: datetime) -> None:
        self._now_at = at
        self._call("SET", self._keys("clock"), f"{at.timestamp():.6f}")

    def now(self) -> datetime:
        return self._now_at

    def add(self, bell: Bell, alert: Alert, delivery: Delivery) -> None:
        self.put_bell(bell)
        self.commit_expansions(
            [Expansion(bell_id=bell.bell_id, expected_cursor="0:", cursor="", alerts=[alert], deliveries=[delivery])]
        )

    def claim(self, batch: int) -> list[Lane]:
        return claim_all(self, "w", batch=batch)

    def accept(self, delivery: Delivery) -> None:
        self.record("w", [Verdict(delivery=_as(delivery, DeliveryStatus.SENT, self.now_at))])

    def retry(self, delivery: Delivery, due_at: datetime) -> None:
        self.record("w", [Verdict(delivery=_as(delivery, DeliveryStatus.RETRY, due_at))])

    def give_back(self) -> None:
        give_back(self, "w", CHANNEL)

    def next_due(self) -> datetime | None:
        waiting = self.deliveries_by_id([i.decode() for i in self._call("ZRANGE", self._keys("lane", CHANNEL), 0, -1)])
        dues = [d.due_at for d in waiting if d.due_at]
        digest = self._call("ZRANGE", self._keys("digests"), 0, 0, "WITHSCORES")
        if digest:
            dues.append(datetime.fromtimestamp(float(digest[0][1] if isinstance(digest[0], list) else digest[1]), UTC))
        return min(dues, default=None)

    def everything(self) -> list[Delivery]:
        return self.deliveries(status="", limit=1_000_000)


def _as(delivery: Delivery, status: DeliveryStatus, at: datetime) -> Delivery:
    return replace(delivery, status=status, due_at=at, sent_at=at if status is DeliveryStatus.SENT else None)


def live(who: Scenario, world: World) -> Run:
    return run(who, world, seed=7)


def heard(one: Run) -> list[tuple[str, str, str]]:
    return [(f"{t.at:%m-%d %H:%M:%S.%f}", t.parcel.delivery.delivery_id, t.updates) for t in one.told]


def test_in_a_simulated_year_nothing_is_lost_doubled_or_rung_in_silence_and_every_digest_is_complete() -> None:
    runs = [live(who, ModelStore(who.preferences)) for who in map(scenario, range(1000, 1000 + YEARS))]
    assert [problem for one in runs for problem in problems(one)] == []
    counts = summary(runs)
    assert counts["alerts"] > YEARS * 800
    assert min(counts.values()) > 0, "each thing happened"


def test_who_checks_the_year_sees_what_is_wrong() -> None:
    """The checks are no formality: a policy that forgets quiet hours, a message lost or told twice, are seen."""
    who = next(s for s in map(scenario, range(100)) if s.preferences.quiet and not s.preferences.digests)
    found = live(who, ModelStore(type(who.preferences)()))
    assert problems(Run(who, found.told[1:], found.deliveries, 0)) != []
    assert problems(Run(who, [*found.told, found.told[0]], found.deliveries, 0)) != []
    assert any("quiet hours" in problem for problem in problems(found))


@pytest.mark.parametrize("start", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("seed", range(5))
def test_the_real_store_does_what_its_model_does(seed: int, start: datetime, valkey_url: str) -> None:
    who = scenario(seed * 17 + 3, days=45, start=start)
    with redis.Redis.from_url(valkey_url) as client:
        store = ClockedState(client)
        store.prepare()
        store.put_channel(Channel(channel_id=CHANNEL, url=""))
        store.put_subscriber(Subscriber(subscriber_id=who.subscriber_id, preferences=who.preferences))
        real = live(who, store)
    assert problems(real) == []
    assert heard(real) == heard(live(who, ModelStore(who.preferences)))
