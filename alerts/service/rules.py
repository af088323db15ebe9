"""What a person does with rules and subscribers: add, list, test, pause, remove."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerts.errors import ConfigError, NotFoundError
from alerts.models import Change, ChangeKind, Item, Operand, Rule, Source, Subscriber, Tagged
from alerts.pipeline import CANARY
from alerts.rules.backtest import Preview, preview
from alerts.rules.explain import explain
from alerts.rules.form import Form, to_form, to_query
from alerts.rules.load import RuleTest, ambiguity_of, cooldown_of, expiry_of, read_tests
from alerts.rules.match import Document, evaluate
from alerts.rules.query import check_query, query_id
from alerts.service.desk import Desk, check_name
from alerts.sources.load import SLUG
from alerts.sources.opml import slug
from alerts.state.codec import TAGGED
from alerts.stories.tag import tag

_MAX_DAYS = 365
_MAX_NOTE = 2000


@dataclass(frozen=True, slots=True)
class Trial:
    """What a query says of a text: the answer, each operand's, and how the text was tagged."""

    is_match: bool | None
    operands: tuple[Operand, ...]
    tagged: Tagged


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one of a rule's own tests."""

    test: RuleTest
    trial: Trial
    is_ok: bool


class RuleDesk(Desk):
    """Rules and subscribers."""

    def add_rule(
        self,
        query: str,
        *,
        rule_id: str = "",
        name: str = "",
        subscriber_id: str = "me",
        channel_ids: Sequence[str] = (),
        is_unknown_in: bool = False,
        is_enabled: bool = True,
        note: str = "",
        cooldown: str | float = 0,
        expires: str = "",
        on_ambiguous: str = "resend",
    ) -> Rule:
        """Add a rule, or replace the one with its id; in force within a second.

        Args:
            cooldown: After it rang the rule stays silent for this long: "30m", or seconds.
            expires: ISO 8601 time from which it rings no more; empty = never.
            on_ambiguous: `resend` or `drop`, when nobody knows whether a message arrived.

        Raises:
            QueryError: The query does not parse; carries the column.
            ConfigError, NotFoundError: A bad id, or a channel or subscriber nobody knows; or too many rules.
        """
        check_query(query, self.load_areas(), self.lists)
        held = self.tools.state.rules()
        rule = Rule(
            rule_id=rule_id or _free_id(name or query, {r.rule_id for r in held}),
            subscriber_id=subscriber_id,
            query=query,
            name=name,
            channel_ids=tuple(channel_ids),
            is_unknown_in=is_unknown_in,
            is_enabled=is_enabled,
            note=check_note(note, f"rule {rule_id or name}"),
            cooldown_s=cooldown_of("rule", cooldown),
            expires_at=expiry_of("rule", expires),
            on_ambiguous=ambiguity_of("rule", on_ambiguous),
        )
        self._check(rule)
        self.check_room([rule], held)
        self.put_rules([rule])
        return rule

    def put_rules(self, rules: Sequence[Rule]) -> int:
        """Store rules that were checked; of those that are off, what is pending is dropped: how many deliveries."""
        self.tools.state.put_rules([(r, query_id(r.query, r.is_unknown_in)) for r in rules])
        self.tools.wake_up("sift")
        return sum(self.tools.state.drop_pending_of_rule(rule.rule_id) for rule in rules if not rule.is_enabled)

    def check_room(self, rules: Sequence[Rule], held: Sequence[Rule]) -> None:
        """Nothing, when there is room for these rules beside those held. Raises: ConfigError."""
        owners = {r.rule_id: r.subscriber_id for r in held} | {r.rule_id: r.subscriber_id for r in rules}
        limits = self.tools.settings.rules
        if len(owners) > max(limits.max_total, len(held)):
            raise ConfigError(f"{len(owners)} rules; there may be {limits.max_total} (setting rules.max_total): remove some first")
        counts = Counter(owners.values())
        before = Counter(r.subscriber_id for r in held)
        for subscriber_id in {r.subscriber_id for r in rules}:
            if counts[subscriber_id] > max(limits.max_per_subscriber, before[subscriber_id]):
                most = f"{limits.max_per_subscriber} (setting rules.max_per_subscriber)"
                raise ConfigError(f"{subscriber_id} would have {counts[subscriber_id]} rules; a subscriber may have {most}")

    def _check(self, rule: Rule) -> None:
        if not re.fullmatch(SLUG, rule.rule_id):
            raise ConfigError(f"rule id {rule.rule_id!r}: use up to 64 of a-z, 0-9, '-', '_' and '.'")
        check_name(rule.name, f"rule {rule.rule_id}")
        known = {c.channel_id: c for c in self.tools.state.channels()}
        for channel_id in rule.channel_ids:
            if channel_id not in known:
                raise NotFoundError(f"rule {rule.rule_id}: no channel {channel_id!r}; known are {', '.join(known) or 'none yet'}")
            if known[channel_id].subscriber_id != rule.subscriber_id:
                raise ConfigError(f"rule {rule.rule_id}: channel {channel_id} belongs to {known[channel_id].subscriber_id}")
        self.check_subscriber(rule.subscriber_id)

    def rules(self, subscriber_id: str | None = None) -> list[Rule]:
        """Rules in the order of their ids, of everybody or of one subscriber. Raises: NotFoundError."""
        if subscriber_id is not None:
            self.check_subscriber(subscriber_id)
        return [r for r in self.tools.state.rules() if subscriber_id in (None, r.subscriber_id) and r.rule_id != CANARY]

    def rule(self, rule_id: str) -> Rule:
        """One rule. Raises: NotFoundError."""
        for rule in self.tools.state.rules():
            if rule.rule_id == rule_id:
                return rule
        raise NotFoundError(f"no rule {rule_id!r}; `tocsin rules list` shows them")

    def pause_rule(self, rule_id: str, *, is_paused: bool) -> int:
        """Pause or resume a rule; how many pending deliveries were dropped. Raises: NotFoundError."""
        return self.put_rules([replace(self.rule(rule_id), is_enabled=not is_paused)])

    def remove_rule(self, rule_id: str) -> int:
        """Remove a rule and drop its pending deliveries; how many. Raises: NotFoundError."""
        return self.tools.state.remove_rule(rule_id)

    def test_rule(self, query: str, text: str, *, language: str | None = None, home: str | None = None) -> Trial:
        """What a query says of a text, as if it were a headline just found. Raises: QueryError, ConfigError."""
        check_query(query, self.load_areas(), self.lists)
        if not text.strip():
            raise ConfigError("text: is empty; give a headline to test the query on")
        if home and not re.fullmatch("[A-Z]{2}", home):
            raise ConfigError(f"home: {home[:60]!r} is no ISO 3166-1 code of two capital letters, such as LB")
        now = datetime.now(UTC)
        title, _, rest = text.partition("\n")
        item = Item(source_id="test", title=title, text=rest, language=language)
        change = Change(kind=ChangeKind.NEW, item_id="test", item=item, polled_at=now, found_at=now)
        return self.try_query(query, tag(change, Source(source_id="test", url="", region=home), self.load_tagger()))

    def form_of(self, query: str) -> Form:
        """What a query says as a form. Raises: QueryError, ConfigError when a form cannot say it."""
        check_query(query, self.load_areas(), self.lists)
        form = to_form(query)
        if form is None:
            raise ConfigError(f"query: no form can say {query[:60]!r}: it holds all of, any of, none of, regions and sources")
        return form

    def query_of(self, form: Form) -> str:
        """The query of a form. Raises: QueryError, when an entry says nothing or a region is not known."""
        query = to_query(form)
        check_query(query, self.load_areas(), self.lists)
        return query

    def try_query(self, query: str, tagged: Tagged, *, is_unknown_in: bool = False) -> Trial:
        """What a query says of a tagged item. Raises: QueryError."""
        document = Document.of(tagged)
        answer = evaluate(query, document, self.load_areas(), is_unknown_in, self.lists)
        return Trial(answer, explain(query, document, self.load_areas(), self.lists), tagged)

    def preview_rule(self, query: str, *, days: float = 7.0, is_unknown_in: bool = False) -> Preview:
        """What a query would have rung for in the last days, as far as the archive goes back.

        Raises:
            QueryError: It does not parse, or names a region or list nobody knows.
            ConfigError: Days out of range.
        """
        check_query(query, self.load_areas(), self.lists)
        if not 0 < days <= _MAX_DAYS:
            raise ConfigError(f"days: must be more than 0 and at most {_MAX_DAYS}, not {days:g}")
        until = self.tools.clock()
        return preview(
            query,
            self.tools.state.scan_archive(until - timedelta(days=days)),
            self.load_areas(),
            load=TAGGED.load,
            until=until,
            days=days,
            is_unknown_in=is_unknown_in,
            lists=self.lists,
        )

    def check_rules(self, path: Path) -> list[Checked]:
        """Whether each rule of a file matches and misses what its `matches` and `misses` say.

        Raises:
            ConfigError: The file, or a rule of it, is wrong.
        """
        tests = read_tests(path, self.load_areas(), self.lists)
        return [self._checked(test) for test in tests]

    def _checked(self, test: RuleTest) -> Checked:
        tagged = self.test_rule(test.rule.query, test.text).tagged
        trial = self.try_query(test.rule.query, tagged, is_unknown_in=test.rule.is_unknown_in)
        return Checked(test, trial, (trial.is_match is True) is test.is_match)

    def subscribers(self) -> list[Subscriber]:
        """All subscribers; `me` is always one."""
        known = {s.subscriber_id: s for s in self.tools.state.subscribers()}
        known.setdefault("me", Subscriber(subscriber_id="me", name="me"))
        return sorted(known.values(), key=lambda s: s.subscriber_id)

    def add_subscriber(self, subscriber_id: str, name: str = "") -> Subscriber:
        """Add or rename a subscriber. Raises: ConfigError."""
        check_person(subscriber_id, name)
        held = next((s for s in self.subscribers() if s.subscriber_id == subscriber_id), Subscriber(subscriber_id=subscriber_id))
        subscriber = replace(held, name=name or subscriber_id)
        self.tools.state.put_subscriber(subscriber)
        return subscriber

    def check_subscriber(self, subscriber_id: str) -> None:
        """Raises: NotFoundError when nobody has this id."""
        known = [s.subscriber_id for s in self.subscribers()]
        if subscriber_id not in known:
            raise NotFoundError(f"no subscriber {subscriber_id!r}; known are {', '.join(known)}; `tocsin subscribers add` makes one")


def _free_id(text: str, taken: Collection[str]) -> str:
    base = slug(text)[:40] or "rule"
    return next(i for i in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if i not in taken)


def check_note(note: str, what: str) -> str:
    """The note, when it can be kept. Raises: ConfigError."""
    if len(note) > _MAX_NOTE or not all(c.isprintable() or c == "\n" for c in note):
        raise ConfigError(f"note of {what}: use up to {_MAX_NOTE} characters without control characters")
    return note


def check_person(subscriber_id: str, name: str) -> None:
    """Nothing, when a subscriber may be called so. Raises: ConfigError."""
    if not re.fullmatch(SLUG, subscriber_id):
        raise ConfigError(f"subscriber id {subscriber_id!r}: use up to 64 of a-z, 0-9, '-', '_' and '.'")
    check_name(name, f"subscriber {subscriber_id}")
