"""What people ask of the store: sources, rules, channels, subscribers, and a look at what became of everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from alerts.models import Alert, Bell, Channel, Delivery, PollState, Rule, Source, Subscriber, Tagged


class RegistryStore(Protocol):
    """Sources, rules, channels, subscribers, and a look at everything."""

    def put_source(self, source: Source) -> bool:
        """Add or replace a source; False when nothing changed. A new one is due at once."""
        ...

    def remove_source(self, source_id: str) -> None:
        """Forget a source and all it has taught us. Raises: NotFoundError."""
        ...

    def sources(self) -> list[tuple[Source, PollState]]:
        """All sources with their poll state, in the order of their ids."""
        ...

    def source(self, source_id: str) -> tuple[Source, PollState]:
        """One source. Raises: NotFoundError."""
        ...

    def put_rules(self, rules: Sequence[tuple[Rule, str]]) -> None:
        """Add or replace rules, each with its query id; in force with the next sift batch."""
        ...

    def remove_rule(self, rule_id: str) -> int:
        """Remove a rule and drop its pending deliveries; how many. Raises: NotFoundError."""
        ...

    def rule_changed_at(self, rule_id: str) -> datetime | None:
        """When a rule was last added, changed, paused or removed; None when nobody knows it."""
        ...

    def drop_pending_of_rule(self, rule_id: str) -> int:
        """Drop the pending deliveries that no rule which is still on asked for; how many."""
        ...

    def alerts_by_id(self, alert_ids: Iterable[str]) -> dict[str, Alert]:
        """alert id -> alert with its rule ids, of those that still exist."""
        ...

    def deliveries_by_id(self, delivery_ids: Sequence[str]) -> list[Delivery]:
        """Deliveries in the order of the ids, without those that do not exist."""
        ...

    def bells_by_id(self, bell_ids: Iterable[str]) -> dict[str, Bell]:
        """bell id -> bell, of those that still exist."""
        ...

    def applied(self, name: str) -> str:
        """The fingerprint a configuration file had when it was last applied; '' when it never was."""
        ...

    def note_applied(self, name: str, fingerprint: str) -> None:
        """Keep that fingerprint."""
        ...

    def rules(self) -> list[Rule]:
        """All rules in the order of their ids."""
        ...

    def put_channel(self, channel: Channel) -> None:
        """Add or replace a channel; its URL must be sealed."""
        ...

    def remove_channel(self, channel_id: str) -> int:
        """Remove a channel and drop its pending deliveries; how many. Raises: NotFoundError."""
        ...

    def channels(self) -> list[Channel]:
        """All channels in the order of their ids, URLs sealed."""
        ...

    def put_subscriber(self, subscriber: Subscriber) -> None:
        """Add or replace a subscriber."""
        ...

    def subscribers(self) -> list[Subscriber]:
        """All subscribers in the order of their ids."""
        ...

    def archived(self, *, limit: int, before: str = "") -> list[tuple[Tagged, str, str]]:
        """(item, story id, stage) of what was sifted, newest first."""
        ...

    def scan_archive(self, since: datetime) -> Iterator[tuple[bytes, str]]:
        """(JSON of the item, story id) of what was sifted since then, oldest first; most are looked at without decoding."""
        ...

    def archived_item(self, item_id: str) -> tuple[Tagged, str, str] | None:
        """(item, story id, stage), or None when it is no longer (or not yet) in the archive."""
        ...

    def alerts(self, *, subscriber_id: str, limit: int) -> list[tuple[Alert, Bell]]:
        """Alerts of a subscriber, newest first."""
        ...

    def alert(self, alert_id: str) -> tuple[Alert, Bell, list[Delivery]]:
        """One alert with its deliveries. Raises: NotFoundError."""
        ...

    def deliveries(self, *, status: str, limit: int, channel_id: str = "", since: datetime | None = None) -> list[Delivery]:
        """Deliveries in that status ('' = any), to that channel ('' = any), made since then; newest first."""
        ...

    def delivery(self, delivery_id: str) -> Delivery:
        """One delivery. Raises: NotFoundError."""
        ...

    def replay_delivery(self, delivery_id: str) -> None:
        """Make a dead, expired, dropped or sent delivery pending again. Raises: NotFoundError."""
        ...

    def drop_delivery(self, delivery_id: str, reason: str) -> None:
        """Take a pending delivery back. Raises: NotFoundError, StateError when it is not pending."""
        ...

    def dead_items(self) -> list[tuple[str, str, str]]:
        """(entry id, item id, reason) of items that could not be sifted."""
        ...

    def replay_item(self, entry_id: str) -> None:
        """Put a dead item back on the queue. Raises: NotFoundError."""
        ...
