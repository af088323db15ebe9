"""Files a person keeps: apply a TOML file to the store, export the store as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alerts.delivery.written import KEYS as PREFERENCE_KEYS
from alerts.delivery.written import preferences_table, read_preferences
from alerts.errors import ConfigError, NotFoundError
from alerts.models import Channel, Rule
from alerts.preferences import NO_PREFERENCES
from alerts.rules.load import rules_of
from alerts.service.people import PeopleDesk
from alerts.service.rules import check_person
from alerts.settings import read_file, read_toml
from alerts.sources.load import sources_of, table_of
from alerts.text.fingerprint import body_hash

_TABLES = ("source", "rule", "channel", "subscriber")
_CHANNEL_KEYS = ("id", "url", "subscriber", "name", "operator", "template")
_SUBSCRIBER_KEYS = ("id", "name", *PREFERENCE_KEYS)


@dataclass
class Applied:
    """What applying a file changed; ids as `kind/id`."""

    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


class FileDesk(PeopleDesk):
    """apply and export."""

    def apply(self, path: Path) -> Applied:
        """Bring the store to what a TOML file says; applying it again changes nothing.

        The tables are [[subscriber]], [[channel]], [[source]] and [[rule]]. What the file does not name stays.
        Everything is checked before anything is written.

        Raises:
            ConfigError, QueryError: Names file, table, key, what is wrong and what is allowed.
        """
        tables = read_toml(path)
        for name in tables:
            if name not in _TABLES:
                raise ConfigError(f"{path}: {name}: unknown table; known are {', '.join(f'[[{t}]]' for t in _TABLES)}")
        sources = sources_of(tables.get("source", []), path=path)
        rules = rules_of(tables.get("rule", []), path=path, areas=self.load_areas(), lists=self.lists)
        people = _rows(tables, "subscriber", _SUBSCRIBER_KEYS, ("id",), path)
        channels = _rows(tables, "channel", _CHANNEL_KEYS, ("id", "url"), path)
        self._check_people_rows(people, path)
        self._check_channel_rows(channels, [p["id"] for p in people], path)
        self._check_rules(rules, {c["id"]: c.get("subscriber", "me") for c in channels}, [p["id"] for p in people], path)
        applied = Applied()
        for row in people:
            self._apply_subscriber(row, applied)
        for row in channels:
            self._apply_channel(row, applied)
        for source in sources:
            _note(applied, self.tools.state.put_source(source), f"source/{source.source_id}")
        self._apply_rules(rules, applied)
        return applied

    def apply_if_changed(self, path: Path) -> Applied:
        """Apply a file unless it is as it was when it was last applied this way: what people changed since stays.

        Raises:
            ConfigError, QueryError: As `apply`.
        """
        fingerprint = body_hash(read_file(path))
        if self.tools.state.applied(path.name) == fingerprint:
            return Applied()
        applied = self.apply(path)
        self.tools.state.note_applied(path.name, fingerprint)
        return applied

    def _check_people_rows(self, people: list[dict[str, Any]], path: Path) -> None:
        for row in people:
            with _in(f"{path}: subscriber {row['id']}"):
                check_person(row["id"], row.get("name", ""))
                read_preferences("preferences", row, NO_PREFERENCES)

    def _check_channel_rows(self, channels: list[dict[str, Any]], people: list[str], path: Path) -> None:
        """Whether every channel that is not as it stands in the store could be added."""
        known = {*people, *(s.subscriber_id for s in self.subscribers())}
        for row in channels:
            with _in(f"{path}: channel {row['id']}"):
                if row.get("subscriber", "me") not in known:
                    raise NotFoundError(f"subscriber: nobody is {row['subscriber']!r}")
                if self._is_changed(row):
                    self.check_channel(row["id"], row["url"], row.get("name", ""))

    def _check_rules(self, rules: tuple[Rule, ...], channels: Mapping[str, str], people: list[str], path: Path) -> None:
        """Whether every channel (id -> subscriber) and subscriber that rules name is there, and belongs to them."""
        known = {c.channel_id: c.subscriber_id for c in self.tools.state.channels()} | dict(channels)
        subscribers = {s.subscriber_id for s in self.subscribers()} | set(people)
        for rule in rules:
            for channel_id in rule.channel_ids:
                if channel_id not in known:
                    raise NotFoundError(f"{path}: rule {rule.rule_id}: channels: no channel {channel_id!r}")
                if known[channel_id] != rule.subscriber_id:
                    raise ConfigError(f"{path}: rule {rule.rule_id}: channels: {channel_id} belongs to {known[channel_id]}")
            if rule.subscriber_id not in subscribers:
                raise NotFoundError(f"{path}: rule {rule.rule_id}: subscriber: nobody is {rule.subscriber_id!r}")
        with _in(f"{path}: rule"):
            self.check_room(rules, self.tools.state.rules())

    def _apply_subscriber(self, row: Mapping[str, Any], applied: Applied) -> None:
        before = {s.subscriber_id: s for s in self.subscribers()}.get(row["id"])
        if before is None or before.name != (row.get("name") or row["id"]):
            self.add_subscriber(row["id"], row.get("name", ""))
        after = self.set_preferences(row["id"], row)
        _note(applied, after != before, f"subscriber/{row['id']}")

    def _is_changed(self, row: Mapping[str, Any]) -> bool:
        """Whether the store holds no such channel, or another one under its id."""
        before = {c.channel_id: c for c in self.tools.state.channels()}.get(row["id"])
        if before is None:
            return True
        held = (self.tools.keys.unseal(before.url), before.subscriber_id, before.name, before.is_operator, before.template)
        wanted = (row.get("subscriber", "me"), row.get("name", ""), row.get("operator", False), row.get("template", ""))
        return held != (row["url"], *wanted)

    def _apply_channel(self, row: Mapping[str, Any], applied: Applied) -> None:
        is_changed = self._is_changed(row)
        if is_changed:
            self.add_channel(
                row["url"],
                channel_id=row["id"],
                subscriber_id=row.get("subscriber", "me"),
                name=row.get("name", ""),
                is_operator=row.get("operator", False),
                template=row.get("template", ""),
            )
        _note(applied, is_changed, f"channel/{row['id']}")

    def _apply_rules(self, rules: tuple[Rule, ...], applied: Applied) -> None:
        before = {r.rule_id: r for r in self.tools.state.rules()}
        fresh = [r for r in rules if before.get(r.rule_id) != r]
        if fresh:
            self.put_rules(fresh)
        for rule in rules:
            _note(applied, rule in fresh, f"rule/{rule.rule_id}")

    def export(self) -> dict[str, list[dict[str, Any]]]:
        """Tables that `apply` understands. Channel URLs are secrets: they are masked, and to be filled in by hand."""
        return {
            "subscriber": [
                {"id": s.subscriber_id, "name": s.name, **preferences_table(s.preferences)} for s in self.subscribers()
            ],
            "channel": [channel_table(channel) for channel in self.channels()],
            "source": [table_of(view.source) for view in self.sources()],
            "rule": [rule_table(rule) for rule in self.rules()],
        }


def channel_table(channel: Channel) -> dict[str, Any]:
    """The [[channel]] table of a channel; a template stands in it where there is one."""
    head = {"id": channel.channel_id, "url": channel.url, "subscriber": channel.subscriber_id, "name": channel.name}
    return {**head, "operator": channel.is_operator, **({"template": channel.template} if channel.template else {})}


def rule_table(rule: Rule) -> dict[str, Any]:
    """The [[rule]] table of a rule; keys at their default are left out."""
    table: dict[str, Any] = {
        "id": rule.rule_id,
        "query": rule.query,
        "name": rule.name,
        "subscriber": "" if rule.subscriber_id == "me" else rule.subscriber_id,
        "channels": list(rule.channel_ids),
        "unknown": "in" if rule.is_unknown_in else "",
        "enabled": False if not rule.is_enabled else None,
        "note": rule.note,
        "cooldown": rule.cooldown_s,
        "expires": rule.expires_at.isoformat() if rule.expires_at else "",
        "on_ambiguous": "" if rule.on_ambiguous == "resend" else rule.on_ambiguous,
        "matches": list(rule.matches),
        "misses": list(rule.misses),
    }
    return {key: value for key, value in table.items() if value is False or value}


def _rows(tables: Mapping[str, Any], name: str, known: tuple[str, ...], needed: tuple[str, ...], path: Path) -> list[dict[str, Any]]:
    rows = tables.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise ConfigError(f"{path}: {name}: must be tables [[{name}]]")
    for number, row in enumerate(rows, 1):
        where = f"{path}: {name} {number} ({row.get('id', 'no id')})"
        for key, value in row.items():
            if key not in known:
                raise ConfigError(f"{where}: {key}: unknown key; known are {', '.join(known)}")
            if key not in PREFERENCE_KEYS and not isinstance(value, bool if key == "operator" else str):
                raise ConfigError(f"{where}: {key}: must be {'true or false' if key == 'operator' else 'a text'}, not {value!r}")
        for key in needed:
            if not row.get(key):
                raise ConfigError(f"{where}: {key}: is missing")
    ids = [row["id"] for row in rows]
    twice = next((i for i in ids if ids.count(i) > 1), None)
    if twice is not None:
        raise ConfigError(f"{path}: {name}: id {twice!r} is used twice")
    return rows


@contextmanager
def _in(place: str) -> Iterator[None]:
    """Puts the place in front of what is wrong there."""
    try:
        yield
    except (ConfigError, NotFoundError) as error:
        raise type(error)(f"{place}: {error}") from error


def _note(applied: Applied, is_changed: bool, what: str) -> None:
    (applied.changed if is_changed else applied.unchanged).append(what)
