"""What a person does to be told at the right time: preferences, mutes, snoozes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from alerts.delivery.mutes import muted_by
from alerts.delivery.policy import digest_due
from alerts.delivery.written import OFF, read_preferences, read_span
from alerts.errors import ConfigError, NotFoundError
from alerts.models import Subscriber
from alerts.ports import Wishes
from alerts.preferences import DigestKind, Mute, MuteKind
from alerts.service.alerts import AlertDesk

_MOST_MUTED_S = 366 * 86400.0
_MOST_SNOOZED_S = 14 * 86400.0
_STORIES = 2000  # alerts looked through for a story


@dataclass(frozen=True, slots=True)
class Muted:
    """A mute that was made, and how many deliveries were taken back."""

    mute: Mute
    dropped: int


class PeopleDesk(AlertDesk):
    """Preferences of subscribers."""

    def subscriber(self, subscriber_id: str) -> Subscriber:
        """One subscriber with the preferences. Raises: NotFoundError."""
        self.check_subscriber(subscriber_id)
        return next(s for s in self.subscribers() if s.subscriber_id == subscriber_id)

    def set_preferences(self, subscriber_id: str, table: Mapping[str, Any]) -> Subscriber:
        """Change what a subscriber prefers; what waits is decided again, at once.

        Args:
            table: As in a file: zone, quiet, quiet_mode, critical, budget_hour, budget_day, digest. What is not named stays.

        Raises:
            NotFoundError, ConfigError: Nobody has this id; or the key, what is wrong and the nearest that is right.
        """
        before = self.subscriber(subscriber_id)
        after = replace(before, preferences=read_preferences(f"subscriber {subscriber_id}", table, before.preferences))
        if after != before:
            self.tools.state.put_subscriber(after)
            self._reconsider(subscriber_id, is_budget_new=after.preferences.budgets != before.preferences.budgets)
        return after

    def mutes(self, subscriber_id: str = "me") -> list[Mute]:
        """What is muted or snoozed now, the first to end first. Raises: NotFoundError."""
        now = self.tools.state.now()
        return sorted((m for m in self._wishes(subscriber_id).mutes if m.until_at > now), key=lambda mute: mute.until_at)

    def mute(self, kind: MuteKind, target: str, *, span: str, subscriber_id: str = "me") -> Muted:
        """Tell a subscriber nothing of a story, rule or region for a time; what waits is dropped.

        Args:
            target: Story id, or id of an alert about it; rule id; name or code of a region.
            span: "4h", "30m", "7d".

        Raises:
            NotFoundError: Nobody knows the subscriber, story, rule or region.
            ConfigError: The span is none, or the region is a shape without a name.
        """
        self.check_subscriber(subscriber_id)
        until_at = self.tools.state.now() + timedelta(seconds=read_span("for", span, most_s=_MOST_MUTED_S))
        mute = Mute(kind=kind, target=target, until_at=until_at)
        match kind:
            case MuteKind.STORY:
                mute = replace(mute, target=self._story(subscriber_id, target))
            case MuteKind.RULE:
                self._check_own_rule(subscriber_id, target)
            case MuteKind.REGION:
                mute = self._region(mute)
            case MuteKind.ALL:
                raise ConfigError("everything is not muted but snoozed: `tocsin snooze 2h`")
        self.tools.state.put_mute(subscriber_id, mute)
        return Muted(mute, self._drop_muted(subscriber_id, mute))

    def unmute(self, mute_id: str, *, subscriber_id: str = "me") -> None:
        """End a mute or the snooze ("all"). Raises: NotFoundError."""
        self.check_subscriber(subscriber_id)
        self.tools.state.remove_mute(subscriber_id, mute_id)
        self._reconsider(subscriber_id)

    def snooze(self, span: str, *, subscriber_id: str = "me") -> Mute | None:
        """Hold everything back for a time; it is told in one digest then. None when "off" ended the snooze.

        Raises:
            NotFoundError, ConfigError: Nobody has this id; or the span is none.
        """
        self.check_subscriber(subscriber_id)
        if span == OFF:
            self.unmute(MuteKind.ALL.value, subscriber_id=subscriber_id)
            return None
        until_at = self.tools.state.now() + timedelta(seconds=read_span("snooze", span, most_s=_MOST_SNOOZED_S))
        mute = Mute(kind=MuteKind.ALL, until_at=until_at)
        self.tools.state.put_mute(subscriber_id, mute)
        self._reconsider(subscriber_id)
        return mute

    def _wishes(self, subscriber_id: str) -> Wishes:
        self.check_subscriber(subscriber_id)
        return self.tools.state.wishes([subscriber_id])[subscriber_id]

    def _story(self, subscriber_id: str, asked: str) -> str:
        """The story that an id, or the id of an alert, stands for."""
        told = self.tools.state.alerts(subscriber_id=subscriber_id, limit=_STORIES)
        found = next((alert.story_id for alert, _ in told if asked in (alert.alert_id, alert.story_id)), None)
        if found is None:
            raise NotFoundError(f"no story or alert {asked!r} of {subscriber_id}; `tocsin alerts list` shows the alerts")
        return found

    def _check_own_rule(self, subscriber_id: str, rule_id: str) -> None:
        owner = self.rule(rule_id).subscriber_id
        if owner != subscriber_id:
            raise ConfigError(f"rule {rule_id} belongs to {owner}; name whose it is: --subscriber {owner}")

    def _region(self, mute: Mute) -> Mute:
        """The mute with the codes and places that its region stands for: who delivers has no gazetteer."""
        area = self.load_areas().resolve(mute.target)
        codes, places = sorted(area.countries | area.codes), sorted(area.places)
        if not codes and not places:
            raise ConfigError(f"region {mute.target!r} is a shape; mute a country, subdivision, city or group of config/regions.toml")
        return replace(mute, target=area.code, codes=tuple(codes), places=tuple(places))

    def _drop_muted(self, subscriber_id: str, mute: Mute) -> int:
        waiting, now = self.tools.state.waiting_of(subscriber_id), self.tools.state.now()
        alerts = self.tools.state.alerts_by_id({d.alert_id for d in waiting})
        bells = self.tools.state.bells_by_id({b for a in alerts.values() for b in a.bell_ids})
        told = {i: [bells[b] for b in alert.bell_ids if b in bells] for i, alert in alerts.items()}
        dropped = [d for d in waiting if d.alert_id in alerts and muted_by(alerts[d.alert_id], told[d.alert_id], [mute], now)]
        return self.tools.state.drop_waiting(dropped, f"the {mute.kind.value} {mute.target} was muted")

    def _reconsider(self, subscriber_id: str, *, is_budget_new: bool = False) -> None:
        """Let what waits be decided again, by what the subscriber wants now."""
        now, wishes = self.tools.state.now(), self._wishes(subscriber_id)
        kinds = [DigestKind.PLANNED, DigestKind.WAKE, *([DigestKind.OVERFLOW] if is_budget_new else [])]
        self.tools.state.reconsider(subscriber_id, {kind: digest_due(kind, wishes, now) for kind in kinds})
        self.tools.wake_up("deliver")
