"""What people keep in the store: sources, rules, channels, subscribers; and a look at what became of everything."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from alerts.errors import NotFoundError, StateError
from alerts.models import Alert, Bell, Channel, Delivery, DeliveryStatus, PollState, Rule, Source, Subscriber, Tagged
from alerts.state.base import as_hash
from alerts.state.codec import CHANNEL, POLL_STATE, SOURCE, STORED_RULE, SUBSCRIBER, TAGGED, StoredRule
from alerts.state.lanes import load_alert
from alerts.state.policy import PolicyKeeper
from alerts.state.sift import load_rule

_PAGE = 200
_ARCHIVE_PAGE = 2000  # entries read at once, about 2 MB


class Registry(PolicyKeeper):
    """Implements `ports.RegistryStore`."""

    def put_source(self, source: Source) -> bool:
        """Add or replace a source; False when nothing changed."""
        answer = self._run("put_source", source.source_id, SOURCE.dump(source), int(source.is_paused))
        return bool(answer == b"done")

    def remove_source(self, source_id: str) -> None:
        """Forget a source and all it has taught us. Raises: NotFoundError."""
        if self._run("remove_source", source_id) == b"missing":
            raise NotFoundError(f"no source {source_id!r}; `tocsin sources list` shows them")

    def sources(self) -> list[tuple[Source, PollState]]:
        """All sources with their poll state, in the order of their ids."""
        rows = sorted(self._hash("sources").items())
        states = self._calls([("HGET", self._keys("poll", i.decode()), "json") for i, _ in rows]) if rows else []
        return [(SOURCE.load(row), _state(state)) for (_, row), state in zip(rows, states, strict=True)]

    def source(self, source_id: str) -> tuple[Source, PollState]:
        """One source. Raises: NotFoundError."""
        row, state = self._calls(
            [("HGET", self._keys("sources"), source_id), ("HGET", self._keys("poll", source_id), "json")]
        )
        if row is None:
            raise NotFoundError(f"no source {source_id!r}; `tocsin sources list` shows them")
        return SOURCE.load(row), _state(state)

    def put_rules(self, rules: Sequence[tuple[Rule, str]]) -> None:
        """Add or replace rules, each with its query id."""
        if rules:
            self._run_many("put_rule", [_rule_arguments(rule, query_id) for rule, query_id in rules])

    def remove_rule(self, rule_id: str) -> int:
        """Remove a rule and drop the pending deliveries only it asked for; how many."""
        if self._run("put_rule", rule_id, "", "") == b"missing":
            raise NotFoundError(f"no rule {rule_id!r}; `tocsin rules list` shows them")
        return self.drop_pending_of_rule(rule_id)

    def rule_changed_at(self, rule_id: str) -> datetime | None:
        """When a rule was last added, changed, paused or removed; None when nobody knows it."""
        version = self._call("ZSCORE", self._keys("rules:log"), rule_id)
        return datetime.fromtimestamp(float(version) / 1e6, UTC) if version else None

    def drop_pending_of_rule(self, rule_id: str) -> int:
        """Drop the pending deliveries that no rule which is still on asked for; how many."""
        pending = self.all_waiting()
        alerts = self.alerts_by_id({d.alert_id for d in pending})
        mine = {i: a for i, a in alerts.items() if rule_id in a.rule_ids}
        live = self._live({r for a in mine.values() for r in a.rule_ids})
        idle = {i for i, alert in mine.items() if live.isdisjoint(alert.rule_ids)}
        return self.drop_waiting([d for d in pending if d.alert_id in idle], f"the rule {rule_id} was removed or paused")

    def _live(self, rule_ids: Collection[str]) -> set[str]:
        """Those of the rules that are there and on."""
        rows = self._call("HMGET", self._keys("rules"), *sorted(rule_ids)) if rule_ids else []
        return {rule.rule_id for rule in (load_rule(row) for row in rows if row) if rule.is_enabled}

    def _pending(self, channel_id: str) -> list[Delivery]:
        ids = [i.decode() for i in self._call("ZRANGE", self._keys("lane", channel_id), 0, -1)]
        return self.deliveries_by_id(ids)

    def rules(self) -> list[Rule]:
        """All rules in the order of their ids."""
        return [load_rule(row) for _, row in sorted(self._hash("rules").items())]

    def applied(self, name: str) -> str:
        """The fingerprint a configuration file had when it was last applied; '' when it never was."""
        held = self._call("HGET", self._keys("applied"), name)
        return held.decode() if held else ""

    def note_applied(self, name: str, fingerprint: str) -> None:
        """Keep that fingerprint."""
        self._call("HSET", self._keys("applied"), name, fingerprint)

    def put_channel(self, channel: Channel) -> None:
        """Add or replace a channel; its URL must be sealed."""
        self._run("put_channel", channel.channel_id, CHANNEL.dump(channel), uuid.uuid4().hex)

    def remove_channel(self, channel_id: str) -> int:
        """Remove a channel and drop its pending deliveries; how many."""
        dropped = self.drop_waiting(self._pending(channel_id), f"the channel {channel_id} was removed")
        if not self._run("put_channel", channel_id, "", uuid.uuid4().hex):
            raise NotFoundError(f"no channel {channel_id!r}; `tocsin channels list` shows them")
        return dropped

    def channels(self) -> list[Channel]:
        """All channels in the order of their ids, URLs sealed."""
        return list(self.channel_book().channels)

    def put_subscriber(self, subscriber: Subscriber) -> None:
        """Add or replace a subscriber."""
        self._call("HSET", self._keys("subscribers"), subscriber.subscriber_id, SUBSCRIBER.dump(subscriber))
        self.note_wishes_changed()

    def subscribers(self) -> list[Subscriber]:
        """All subscribers in the order of their ids."""
        return [SUBSCRIBER.load(row) for _, row in sorted(self._hash("subscribers").items())]

    def archived(self, *, limit: int, before: str = "") -> list[tuple[Tagged, str, str]]:
        """(item, story id, stage) of what was sifted, newest first."""
        high = f"({before}" if before else "+"
        entries = self._call("XREVRANGE", self._keys("archive"), high, "-", "COUNT", limit)
        return [_archived(as_hash(fields)) for _, fields in entries]

    def scan_archive(self, since: datetime) -> Iterator[tuple[bytes, str]]:
        """(JSON of the item, story id) of what was sifted since then, oldest first; most are looked at without decoding."""
        low = f"{int(since.timestamp() * 1000)}"
        while entries := self._call("XRANGE", self._keys("archive"), low, "+", "COUNT", _ARCHIVE_PAGE):
            for _, fields in entries:
                row = as_hash(fields)
                yield row[b"j"], row[b"s"].decode()
            low = f"({entries[-1][0].decode()}"

    def archived_item(self, item_id: str) -> tuple[Tagged, str, str] | None:
        """(item, story id, stage), or None when it is not in the archive."""
        entry_id = self._call("HGET", self._keys("archive:ids"), item_id)
        found = self._call("XRANGE", self._keys("archive"), entry_id, entry_id) if entry_id else []
        return _archived(as_hash(found[0][1])) if found else None

    def alerts(self, *, subscriber_id: str, limit: int) -> list[tuple[Alert, Bell]]:
        """Alerts of a subscriber, newest first."""
        ids = [i.decode() for i in self._call("ZREVRANGE", self._keys("alerts", subscriber_id), 0, max(limit - 1, 0))]
        found = self.alerts_by_id(ids)
        bells = self.bells_by_id({b for a in found.values() for b in a.bell_ids[:1]})
        return [(found[i], bells[found[i].bell_ids[0]]) for i in ids if i in found and found[i].bell_ids[0] in bells]

    def alert(self, alert_id: str) -> tuple[Alert, Bell, list[Delivery]]:
        """One alert with its deliveries. Raises: NotFoundError."""
        row = self._hash("alert", alert_id)
        if not row:
            raise NotFoundError(f"no alert {alert_id!r}; `tocsin alerts list` shows them")
        alert = load_alert(row)
        bells = self.bells_by_id(alert.bell_ids[:1])
        if not bells:
            raise NotFoundError(f"what alert {alert_id} told is past its keep time")
        ids = sorted(i.decode() for i in self._call("SMEMBERS", self._keys("delivered", alert_id)))
        return alert, bells[alert.bell_ids[0]], self.deliveries_by_id(ids)

    def deliveries(self, *, status: str, limit: int, channel_id: str = "", since: datetime | None = None) -> list[Delivery]:
        """Deliveries in that status ('' = any), to that channel ('' = any), made since then; newest first."""
        found: list[Delivery] = []
        for page in self._delivery_pages(since.timestamp() if since else 0.0):
            found += [d for d in page if status in ("", d.status) and channel_id in ("", d.channel_id)]
            if len(found) >= limit:
                break
        return found[:limit]

    def _delivery_pages(self, since_s: float) -> Iterator[list[Delivery]]:
        start = 0
        while ids := self._call("ZREVRANGEBYSCORE", self._keys("deliveries"), "+inf", since_s, "LIMIT", start, _PAGE):
            yield self.deliveries_by_id([i.decode() for i in ids])
            start += _PAGE

    def delivery(self, delivery_id: str) -> Delivery:
        """One delivery. Raises: NotFoundError."""
        found = self.deliveries_by_id([delivery_id])
        if not found:
            raise _no_delivery(delivery_id)
        return found[0]

    def replay_delivery(self, delivery_id: str) -> None:
        """Make a delivery that has ended pending again. Raises: NotFoundError, StateError."""
        self._move(delivery_id, "pending", "replayed by hand", "it has not ended yet")

    def drop_delivery(self, delivery_id: str, reason: str) -> None:
        """Take a pending delivery back. Raises: NotFoundError, StateError when it is not pending."""
        self._move(delivery_id, "dropped", reason, "only what is pending can be dropped")

    def _move(self, delivery_id: str, to: str, reason: str, refusal: str) -> None:
        answer = self._run("move_delivery", delivery_id, to, reason, self._keep_s).decode()
        if answer == "missing":
            raise _no_delivery(delivery_id)
        if answer != "done":
            raise StateError(f"delivery {delivery_id} is {DeliveryStatus(answer).value}: {refusal}")

    def dead_items(self) -> list[tuple[str, str, str]]:
        """(entry id, item id, reason) of items that could not be sifted."""
        rows: list[tuple[str, dict[str, Any]]] = [(i.decode(), json.loads(r)) for i, r in self._hash("items:dead").items()]
        return sorted((entry, row["item_id"], row["reason"]) for entry, row in rows)

    def replay_item(self, entry_id: str) -> None:
        """Put a dead item back on the queue. Raises: NotFoundError."""
        if self._run("replay_item", entry_id) == b"missing":
            raise NotFoundError(f"no dead item {entry_id!r}; `tocsin status` counts them")


def _no_delivery(delivery_id: str) -> NotFoundError:
    return NotFoundError(f"no delivery {delivery_id!r}; `tocsin deliveries list` shows them")


def _state(data: bytes | None) -> PollState:
    return POLL_STATE.load(data) if data else PollState()


def _rule_arguments(rule: Rule, query_id: str) -> tuple[str, str, str]:
    return rule.rule_id, STORED_RULE.dump(StoredRule(rule=rule, query_id=query_id)).decode(), query_id


def _archived(fields: dict[bytes, bytes]) -> tuple[Tagged, str, str]:
    return TAGGED.load(fields[b"j"]), fields[b"s"].decode(), fields[b"w"].decode()
