"""What is known of an alert, each thing in a few words: harmless, in the reader's zone, right-to-left text held together.

Text that is put into a line of ours is isolated where it reads from right to left, so that neither turns the other round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.delivery.plaintext import cut, isolated, neutral
from alerts.models import Bell, RegionEvidence

_MOST_NAMES = 8
_LONGEST_NAME = 80
_URGENCY = {1: "flash", 2: "very urgent", 3: "urgent", 4: "raised", 5: "normal"}  # IPTC: 1 is highest
_OCCASIONS = {
    "update": "Update",
    "escalation": "Update",
    "correction": "Correction",
    "all_clear": "All clear",
    "operator": "Tocsin warns",
}
_NEWS = {  # what an escalation brings, by its kind
    "urgency": "the urgency rose to {}",
    "region": "it reached {}",
    "sources": "{} independent sources report it now",
    "number": "the number grew to {}",
    "rule": "another rule of yours matches it now",
}
_PLAIN_NEWS = {"correction": "this corrects what was told before", "all_clear": "the danger is over, by this report"}


@dataclass(frozen=True, slots=True)
class Wording:
    """An alert in words.

    Args:
        bell: What rang.
        rule_names: As a person named them.
        matched: The words of the item that the rules asked for, as published.
        zone: IANA name; an unknown one counts as UTC.
        isolates: The channel shows isolates as nothing.
    """

    bell: Bell
    rule_names: Sequence[str] = ()
    matched: Sequence[str] = ()
    zone: str = "UTC"
    isolates: bool = True

    @property
    def occasion(self) -> str:
        """Update, Correction, All clear, Tocsin warns; empty when the story begins."""
        return _OCCASIONS.get(self.bell.occasion.partition(":")[0], "")

    @property
    def headline(self) -> str:
        """As published."""
        return neutral(self.bell.tagged.change.item.title) or "(no headline)"

    @property
    def title(self) -> str:
        """The headline, with the occasion before it."""
        return f"{self.occasion}: {self._inside(self.headline)}" if self.occasion else self.headline

    @property
    def news(self) -> str:
        """What an escalation, a correction or an all-clear brings; else empty."""
        kind, _, rest = self.bell.occasion.partition(":")
        if kind != "escalation":
            return _PLAIN_NEWS.get(kind, "")
        what, _, value = rest.partition(":")
        name = next((r.name for r in self.bell.tagged.regions if r.code == value), value) if what == "region" else value
        return _NEWS.get(what, "").format(self._inside(neutral(cut(name, _LONGEST_NAME))))

    @property
    def summary(self) -> str:
        """What the item says beyond its headline."""
        item = self.bell.tagged.change.item
        return neutral(cut(item.text, 600)) if item.text != item.title else ""

    @property
    def source(self) -> str:
        """Who reports it."""
        return self._inside(neutral(cut(self.bell.source_name or self.bell.tagged.change.item.source_id, _LONGEST_NAME)))

    @property
    def confirmed(self) -> str:
        """How many independent sources there are."""
        origins = len(set(self.bell.source_ids))
        return f"{origins} independent origins" if origins > 1 else "unconfirmed: one origin"

    @property
    def regions(self) -> str:
        """Where, each with the words it was recognised by."""
        tagged = self.bell.tagged
        places = [self._place(region) for region in tagged.regions] or [neutral(code) for code in tagged.countries]
        return some(places)

    @property
    def urgency(self) -> str:
        """2 (very urgent: marked "BREAKING")."""
        tagged = self.bell.tagged
        why = f": {self._inside(neutral(cut(tagged.urgency_why, _LONGEST_NAME)))}" if tagged.urgency_why else ""
        return f"{tagged.urgency} ({_URGENCY.get(tagged.urgency, 'low')}{why})"

    @property
    def when(self) -> str:
        """When it was published, or first seen where the source does not say."""
        change = self.bell.tagged.change
        at = change.item.published_at
        return moment(at, self.zone) if at else f"{moment(change.found_at, self.zone)} (first seen)"

    @property
    def rules(self) -> str:
        """The names of the rules that rang."""
        return some([self._inside(neutral(cut(name, _LONGEST_NAME))) for name in self.rule_names if name])

    @property
    def words(self) -> str:
        """The words that the rules found."""
        found: dict[str, str] = {}
        for word in self.matched:
            found.setdefault(word.casefold(), f'"{self._inside(neutral(cut(word, _LONGEST_NAME)))}"' if word.strip() else "")
        return some(list(found.values()))

    @property
    def why(self) -> str:
        """Why this rang: rules, and their words."""
        if not self.rules:
            return ""
        rule = "rule" if len(set(self.rule_names)) == 1 else "rules"
        return f"{rule} {self.rules}{f' ({self.words})' if self.words else ''}"

    def _place(self, region: RegionEvidence) -> str:
        """A place; with the words that named it, where they say it otherwise."""
        item = self.bell.tagged.change.item
        said = f"{item.title}\n{item.text}"[slice(*region.span)]
        name = self._inside(neutral(cut(region.name, _LONGEST_NAME)))
        if region.span == (0, 0):
            return f"{name} (home of the source)" if region.why == "home of the source" else name
        if not said.strip() or said.casefold() == region.name.casefold():
            return name
        return f'{name} ("{self._inside(neutral(cut(said, _LONGEST_NAME)))}")'

    def _inside(self, text: str) -> str:
        return isolated(text) if self.isolates else text


def some(names: Sequence[str]) -> str:
    """The first names, each once, and how many more there are."""
    unique = list(dict.fromkeys(name for name in names if name))
    more = len(unique) - _MOST_NAMES
    return ", ".join(unique[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def moment(at: datetime, zone: str) -> str:
    """1 Mar 13:00 CET."""
    there = at.astimezone(_zone(zone))
    return f"{there.day} {there:%b %H:%M} {there.tzname() or zone}"


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
