"""The deliverer's part of the store: bells, and the alerts and deliveries that they become; lanes are in lanes.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from alerts.models import Alert, Bell, Delivery, Rule
from alerts.ports import Expansion, Fanout, Outcome
from alerts.state.codec import ALERT, BELL, DELIVERY
from alerts.state.lanes import LaneKeeper, pages_of
from alerts.state.scripts import Arg
from alerts.state.sift import load_rule


class DeliverKeeper(LaneKeeper):
    """Implements `ports.DeliverStore`."""

    def next_fanouts(self, limit: int) -> list[Fanout]:
        """Bells not yet expanded, oldest first."""
        ids = self._call("ZRANGE", self._keys("fanouts"), 0, limit - 1)
        rows = self._calls([("HMGET", self._keys("bell", i.decode()), "json", "cursor") for i in ids]) if ids else []
        gone = [i for i, (data, _) in zip(ids, rows, strict=True) if data is None]
        if gone:  # past its keep time
            self._call("ZREM", self._keys("fanouts"), *gone)
        return [Fanout(BELL.load(data), cursor.decode()) for data, cursor in rows if data is not None]

    def rules_of_query(self, query_id: str, *, after: str, limit: int) -> tuple[list[Rule], str]:
        """Rules with this query in the order of their ids, after that id; and the id to go on after ('' = no more)."""
        low = f"({after}" if after else "-"
        ids = self._call("ZRANGEBYLEX", self._keys("query", query_id), low, "+", "LIMIT", 0, limit)
        rows = self._call("HMGET", self._keys("rules"), *ids) if ids else []
        # One that was removed in between makes the page shorter, not the last.
        return [load_rule(row) for row in rows if row], ids[-1].decode() if len(ids) == limit else ""

    def start_cooldowns(self, bell_id: str, cooldowns: Mapping[str, float]) -> frozenset[str]:
        """Which of these rules may ring: those that no other bell rang within their seconds. Asking again changes nothing."""
        rules = list(cooldowns)
        started = [("SET", self._keys("cooling", r), bell_id, "NX", "EX", max(1, round(cooldowns[r]))) for r in rules]
        held = self._calls([*started, *(("GET", self._keys("cooling", r)) for r in rules)])[len(rules) :] if rules else []
        return frozenset(r for r, bell in zip(rules, held, strict=True) if bell == bell_id.encode())

    def commit_expansions(self, expansions: Sequence[Expansion]) -> list[Outcome]:
        """Write chunks of alerts and deliveries and move their cursors, all in one round trip of short calls."""
        if not expansions:
            return []
        calls = [self._parts(e) for e in expansions]
        answers = iter(self._run_many("commit_expansion", [part for parts in calls for part in parts]))
        return [Outcome([next(answers) for _ in parts][-1].decode()) for parts in calls]

    def _parts(self, expansion: Expansion) -> list[list[Arg]]:
        """The calls that write a chunk, none of them long: first its alerts, then what tells them, and the cursor with the last."""
        alerts = [_alert_arguments(alert) for alert in expansion.alerts]
        deliveries = [_delivery_arguments(delivery) for delivery in expansion.deliveries]
        pages = [*((page, ()) for page in pages_of(alerts)), *(((), page) for page in pages_of(deliveries))] or [((), ())]
        still = expansion.expected_cursor
        cursors = [*[still] * (len(pages) - 1), expansion.cursor]
        return [
            [expansion.bell_id, still, cursor, self._keep_s, int(expansion.is_urgent), *_counted(told), *_counted(telling)]
            for cursor, (told, telling) in zip(cursors, pages, strict=True)
        ]

    def put_bell(self, bell: Bell) -> bool:
        """Keep a bell that is expanded by its maker; False when it is there already."""
        key = self._keys("bell", bell.bell_id)
        made, *_ = self._calls(
            [("HSETNX", key, "json", BELL.dump(bell)), ("HSETNX", key, "cursor", "0:"), ("EXPIRE", key, self._keep_s)]
        )
        return bool(made)

    def now(self) -> datetime:
        """The store's own time."""
        seconds, micros = self._call("TIME")
        return datetime.fromtimestamp(int(seconds) + int(micros) / 1e6, UTC)


def _alert_arguments(alert: Alert) -> list[Arg]:
    return [alert.alert_id, alert.subscriber_id, ALERT.dump(replace(alert, rule_ids=())), len(alert.rule_ids), *alert.rule_ids]


def _delivery_arguments(delivery: Delivery) -> list[Arg]:
    return [delivery.delivery_id, delivery.alert_id, delivery.channel_id, DELIVERY.dump(delivery)]


def _counted(rows: Sequence[Sequence[Arg]]) -> list[Arg]:
    return [len(rows), *(argument for row in rows for argument in row)]
