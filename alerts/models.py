"""The nouns of Tocsin: frozen values without I/O, in the order the data meets them.

Source -> Page -> Item -> Change -> Story -> Rule, Match -> Alert -> Channel -> Delivery.
Times are aware UTC datetimes (`..._at`) or seconds (`..._s`); ids are content hashes or a person's own slugs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from alerts.deliveries import Attempt as Attempt
from alerts.deliveries import Delivery as Delivery
from alerts.deliveries import DeliveryStatus as DeliveryStatus
from alerts.deliveries import Envelope as Envelope
from alerts.deliveries import Receipt as Receipt
from alerts.deliveries import ReceiptStatus as ReceiptStatus
from alerts.preferences import NO_PREFERENCES, Preferences
from alerts.story import Story as Story


class SourceKind(StrEnum):
    """How the bytes of a source become items."""

    FEED = "feed"  # RSS, RDF, Atom, JSON Feed
    TICKER = "ticker"  # an HTML page with breaking lines, found by CSS selectors
    JSON = "json"  # a JSON endpoint, read by jmespath


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectors:
    """Where in a page the parts of an item stand: CSS for tickers, jmespath for JSON.

    All but `item` are relative to the item; an empty one falls back to the item itself (text) or to nothing.
    `canary` must match on every healthy page: it tells an empty banner from a page that changed its build.
    """

    item: str
    text: str = ""
    link: str = ""
    time: str = ""
    guid: str = ""
    canary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A feed, ticker page or JSON endpoint that is polled."""

    source_id: str
    url: str
    kind: SourceKind = SourceKind.FEED
    name: str = ""
    language: str | None = None  # BCP 47 primary tag of the outlet
    region: str | None = None  # ISO 3166-1 alpha-2 home of the outlet: weak evidence
    tags: tuple[str, ...] = ()
    floor_s: float = 60.0  # shortest interval between two polls
    ceiling_s: float = 3600.0  # longest
    line_ttl_s: float = 86400.0  # a ticker line that is back after this rings again
    selectors: Selectors | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_paused: bool = False


class PageStatus(StrEnum):
    """What one fetch found; a failure is an outcome, not an exception."""

    CHANGED = "changed"  # a complete body that differs from the last one
    UNCHANGED = "unchanged"  # 200, same body hash
    NOT_MODIFIED = "not_modified"  # 304
    GONE = "gone"  # 410: the publisher took it down for good
    FAILED = "failed"  # see error


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The answer of a source to one poll."""

    source_id: str
    status: PageStatus
    fetched_at: datetime
    body: bytes = b""  # decoded; at most settings.http.max_body_bytes
    body_hash: str = ""
    http_status: int = 0  # 0 when no answer came
    url: str = ""  # after redirects
    moved_to: str | None = None  # set when every hop was permanent (301, 308)
    etag: str | None = None
    last_modified: str | None = None
    content_type: str = ""
    max_age_s: float | None = None
    retry_after_s: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One headline as its source published it; what later stages learn about it is in `Tagged`."""

    source_id: str
    guid: str = ""  # as published; empty when the source gives none
    url: str = ""
    title: str
    text: str = ""  # summary as plain text, at most 4,000 characters
    published_at: datetime | None = None
    author: str = ""
    topics: tuple[str, ...] = ()
    language: str | None = None  # the feed's own tag


class Mark(NamedTuple):
    """What is remembered of one item of one source; 39 bytes packed.

    Hashes are ints (item 64 bit, the others 48; 0 = absent). `item` never changes while the item is known, so that
    an edit keeps the id the item was found under.
    """

    item: int
    guid: int
    url: int
    title: int
    fingerprint: int
    first_seen_s: int  # Unix seconds
    last_seen_h: int  # Unix hours, low 16 bits are stored
    is_present: bool  # on the page at the last poll


class ChangeKind(StrEnum):
    """What the diff found."""

    NEW = "new"
    EDITED = "edited"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One item that a poll found new, edited or returned; what the stream `items` carries."""

    kind: ChangeKind
    item_id: str
    item: Item
    polled_at: datetime  # the poll's clock (history time in a replay)
    found_at: datetime  # the real clock
    is_catch_up: bool = False  # found after lost state or downtime: told in one digest, not one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class PollState:
    """What a source's polls have taught us; written whole by the poll commit."""

    revision: int = 0
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str = ""
    parser: str = ""  # version of parser and selectors that the validators belong to
    is_baselined: bool = False
    interval_s: float = 0.0
    failures: int = 0  # in a row
    error: str = ""
    http_status: int = 0
    moved_to: str | None = None
    is_gone: bool = False
    polled_at: datetime | None = None
    ok_at: datetime | None = None
    changed_at: datetime | None = None
    item_at: datetime | None = None  # when the last new item was found
    rhythm_s: float = 0.0  # usual seconds between polls that bring something new; 0 = not learned
    gaps: int = 0  # polls whose oldest item was newer than all we knew
    fast_votes: int = 0  # -1 the fast parser disagreed; 3 it is trusted
    lines: tuple[str, ...] = ()  # a ticker's current lines, for edits in place
    next_due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLease:
    """A source that this worker may poll now."""

    source: Source
    state: PollState
    due_at: datetime
    is_catch_up: bool = False  # its first poll after a downtime of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionEvidence:
    """One place found in a text, and why it counts."""

    code: str  # ISO 3166-1 alpha-2, ISO 3166-2, or an id of our own
    name: str
    kind: str  # country | subdivision | city | area
    lat: float | None = None
    lon: float | None = None
    span: tuple[int, int] = (0, 0)  # characters of title + newline + text; (0, 0) = from the source's home
    why: str = ""
    score: float = 1.0  # 0 to 1

    @property
    def country(self) -> str:
        """ISO 3166-1 alpha-2; empty for seas and straits (code XZ), which are in none."""
        return "" if self.code == "XZ" else self.code[:2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """An item with what the tag stage found out: the input of stories and rules."""

    change: Change
    language: str | None = None
    urgency: int = 5  # IPTC: 1 is highest
    urgency_why: str = ""
    countries: tuple[str, ...] = ()  # most relevant first
    regions: tuple[RegionEvidence, ...] = ()
    tags: tuple[str, ...] = ()  # of the source
    nature: str = "event"  # event | update | correction | all_clear | explainer | opinion | ...: see stories.nature
    nature_why: str = ""
    phase: tuple[str, str] | None = None  # (topic, phase), such as (custody, released)
    tolls: tuple[tuple[str, int], ...] = ()  # (role, number), such as (dead, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A query one subscriber asked to be told about, and where."""

    rule_id: str
    subscriber_id: str = "me"
    query: str
    name: str = ""
    note: str = ""  # for people: why the rule is as it is
    channel_ids: tuple[str, ...] = ()  # empty = every channel of the subscriber
    is_unknown_in: bool = False  # what a region test answers for an item without a known region
    is_enabled: bool = True
    cooldown_s: float = 0.0  # after it rang, the rule stays silent for this long
    expires_at: datetime | None = None  # from then on it rings no more
    on_ambiguous: str = "resend"  # when nobody knows whether a message arrived: resend (marked as a possible repeat) | drop
    matches: tuple[str, ...] = ()  # headlines that its author says it matches
    misses: tuple[str, ...] = ()  # and does not match


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """One part of a query and its answer on one item."""

    text: str
    is_true: bool | None  # None = unknown
    span: tuple[int, int] | None = None  # characters of title + newline + text
    why: str = ""
    stage: str = ""  # who answered: words | region | language | urgency | everything


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """One fan-out record: these queries matched, this is to be told. Kept until its alerts expire.

    It is a snapshot: what is rendered is what was true when the bell rang.
    """

    bell_id: str
    story_id: str
    occasion: str  # first | escalation:<kind>:<value> | correction | all_clear | update:<n> | operator:<kind>
    query_ids: tuple[str, ...]
    rules_version: int
    tagged: Tagged
    source_name: str = ""
    source_ids: tuple[str, ...] = ()
    item_ids: tuple[str, ...] = ()
    why: str = ""  # why the story rings again
    sibling_id: str = ""  # the other bell that the same item rang: whom one of them tells, the other does not
    kin_ids: tuple[str, ...] = ()  # of the story
    rung: tuple[str, ...] = ()  # of a later `first`: the occasions on which the story rang before
    rung_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person, or a desk, that is told."""

    subscriber_id: str
    name: str = ""
    preferences: Preferences = NO_PREFERENCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where a subscriber is told; the URL holds secrets and is encrypted at rest."""

    channel_id: str
    subscriber_id: str = "me"
    url: str
    name: str = ""
    is_enabled: bool = True
    is_operator: bool = False  # also gets the service's own warnings
    can_update: bool = False  # its service lets us change what was sent: it gets silent updates of stories
    template: str = ""  # the subscriber's own words for an alert; empty = ours
    error: str = ""  # why it was disabled


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What one subscriber is told about one story on one occasion."""

    alert_id: str
    subscriber_id: str
    story_id: str
    occasion: str  # as the bell's, escalation:mode:now, or digest:<kind>:<n>
    bell_ids: tuple[str, ...]  # what it tells; more than one in a digest
    rule_ids: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
