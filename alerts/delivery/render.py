"""What an alert says: the words a person reads, and the fields a machine reads.

Text is plain. The headline is the title; the body says, line by line, what is new, what the item says, who reports it and
whether it is confirmed, where, when, how urgent, why this rang, and the link. When a service takes less, the least
important lines go first; a message is never too long to be sent. A subscriber's own template takes the place of all this
where it makes a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.delivery.fields import fields_of, head_of, kind_of
from alerts.delivery.memo import Memo
from alerts.delivery.plaintext import Unit, cut, safe_link, width
from alerts.delivery.services import SCHEMES, Service, scheme_of
from alerts.delivery.template import FIELDS, parse_template
from alerts.delivery.wording import Wording, moment
from alerts.errors import ConfigError
from alerts.models import Alert, Bell, Delivery

_LONGEST_LINK = 1500  # longer ones are for machines
_LONGEST_TITLE = 200  # where the title is the first line of a body
_DEFAULT = SCHEMES["webhook+https"]
_DIGESTS = {"wake": "while it was quiet", "overflow": "more than you wanted one by one", "planned": "in your digest"}
_REPEAT = "Possible repeat: an earlier attempt may have arrived."


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to be put into an envelope; `payload` holds JSON types only."""

    title: str
    body: str
    link: str
    payload: dict[str, object]


def render(
    bells: Sequence[Bell],
    alert: Alert,
    delivery: Delivery,
    *,
    rule_names: Sequence[str],
    url: str,
    matched: Sequence[str] = (),
    zone: str = "UTC",
    template: str = "",
    memo: Memo | None = None,
) -> Rendered:
    """The message of one delivery, at most as long as the channel's service takes.

    Args:
        bells: What is told; more than one in a digest.
        alert: Names the occasion and the rules.
        delivery: Its id is the key, and it may be a repeat.
        rule_names: As a person named them.
        url: The channel's URL, for its limits alone.
        matched: The words of the item that the rules asked for, as published.
        zone: IANA name of the subscriber's zone.
        template: The subscriber's own words; empty = ours.
        memo: What was made for others of the same batch; a message is the same without.
    """
    memo = memo or Memo()
    if len(bells) > 1 or alert.occasion.startswith("digest:"):
        return render_digest(bells, alert, delivery, rule_names=rule_names, url=url, zone=zone)
    bell = bells[0]
    service = SCHEMES.get(scheme_of(url), _DEFAULT)
    names, found = tuple(rule_names), tuple(matched)
    wording = ("words", names, found, zone, template, service, delivery.is_repeat)
    words = Wording(bell, names, found, zone, service.isolates)
    title, body, link = memo.of(bell, wording, lambda: _words(words, service, template, delivery))
    fields = memo.of(bell, "fields", lambda: fields_of(bell))
    payload = {**head_of(alert, delivery, rule_names, matched), "kind": kind_of(bell.occasion), **fields}
    return Rendered(title, body, link, payload)


def render_digest(
    bells: Sequence[Bell], alert: Alert, delivery: Delivery, *, rule_names: Sequence[str], url: str, zone: str = "UTC"
) -> Rendered:
    """One message for many: the most urgent first; what does not fit is counted."""
    service = SCHEMES.get(scheme_of(url), _DEFAULT)
    kind = alert.occasion.split(":")[1] if alert.occasion.count(":") > 1 else ""
    title = f"{len(bells)} alert{'s' if len(bells) > 1 else ''} {_DIGESTS.get(kind, 'while you were away')}"
    ranked = sorted(bells, key=lambda bell: (bell.tagged.urgency, bell.rung_at))
    unit = service.unit
    budget = service.body - width(title, unit) - 2 - (width(_REPEAT, unit) + 1 if delivery.is_repeat else 0)
    body = _listed([_entry(bell, zone, service) for bell in ranked], budget, unit)
    payload = {
        **head_of(alert, delivery, rule_names),
        "kind": "digest",
        "title": title,
        "urgency": ranked[0].tagged.urgency,
        "items": [fields_of(bell) for bell in ranked],
    }
    return Rendered(title, f"{body}\n{_REPEAT}" if delivery.is_repeat else body, "", payload)


# ---------------------------------------------------------------- our words, and a person's own


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the body; rank 0 is the last to go."""

    text: str
    rank: int


def _words(words: Wording, service: Service, template: str, delivery: Delivery) -> tuple[str, str, str]:
    """Title, body and link; of the delivery only whether it may be a repeat."""
    link = safe_link(words.bell.tagged.change.item.url)
    link = link if len(link) <= _LONGEST_LINK else ""
    return *(_own(words, link, delivery, service, template) or _usual(words, link, delivery, service)), link


def _usual(words: Wording, link: str, delivery: Delivery, service: Service) -> tuple[str, str]:
    """Title and body."""
    title = cut(words.title, service.title or _LONGEST_TITLE, service.unit)
    lines = [
        *(_context(words) if kind_of(words.bell.occasion) == "alert" else [_Line(words.summary, 6)]),
        _Line(_REPEAT if delivery.is_repeat else "", 1),
        _Line(link, 0),
    ]
    return title, _fit([line for line in lines if line.text], _room(title, service), service.unit)


def _context(words: Wording) -> list[_Line]:
    """What is new, what it says, who, where, when, how urgent, why."""
    labelled = (("Where", words.regions, 3), ("When", words.when, 7), ("Urgency", words.urgency, 5), ("Why", words.why, 4))
    return [
        _Line(f"New: {words.news}" if words.news else "", 2),
        _Line(words.summary, 6),
        _Line(f"Source: {words.source} ({words.confirmed})", 2),
        *(_Line(f"{label}: {text}" if text else "", rank) for label, text, rank in labelled),
    ]


def _room(title: str, service: Service) -> int:
    return service.body - (width(title, service.unit) + 2 if not service.title else 0)


def _own(words: Wording, link: str, delivery: Delivery, service: Service, template: str) -> tuple[str, str] | None:
    """Title and body by the subscriber's template; None when there is none, or it makes nothing."""
    if not template.strip() or kind_of(words.bell.occasion) != "alert":
        return None
    given = {"link": link, "repeat": _REPEAT if delivery.is_repeat else ""}
    values = {name: given[name] if name in given else str(getattr(words, name)) for name in FIELDS}
    try:
        text = parse_template(template).fill(values)
    except ConfigError:  # one of a newer version: the alert goes out all the same
        return None
    first, _, rest = text.partition("\n")
    if not first.strip():
        return None
    title = cut(first, service.title or _LONGEST_TITLE, service.unit)
    repeat = f"\n{_REPEAT}" if delivery.is_repeat and _REPEAT not in text else ""
    body = cut(rest, _room(title, service) - width(repeat, service.unit), service.unit)
    return title, f"{body}{repeat}".strip("\n")


# ---------------------------------------------------------------- what fits


def _entry(bell: Bell, zone: str, service: Service) -> list[str]:
    """The lines of one alert in a digest."""
    words = Wording(bell, zone=zone, isolates=service.isolates)
    link = safe_link(bell.tagged.change.item.url)
    first = f"- {cut(words.title, 200)} ({words.source}, {moment(bell.rung_at, zone)})"
    return [first, f"  {link}"] if link and len(link) <= 300 else [first]


def _listed(entries: Sequence[list[str]], budget: int, unit: Unit) -> str:
    """As many entries as fit, and a last line that counts the others."""
    lines: list[str] = []
    left = budget - 40  # room for the last line
    for number, entry in enumerate(entries):
        needed = sum(width(line, unit) + 1 for line in entry)
        if needed > left:
            return cut("\n".join([*lines, f"... and {len(entries) - number} more: `tocsin alerts list`"]), budget, unit)
        left -= needed
        lines.extend(entry)
    return "\n".join(lines)


def _fit(lines: Sequence[_Line], budget: int, unit: Unit) -> str:
    """The lines in their order, without those that do not fit; the least important ones are cut or go first."""
    kept: dict[int, str] = {}
    left = budget
    for place, line in sorted(enumerate(lines), key=lambda pair: pair[1].rank):
        text = cut(line.text, left, unit) if line.rank else line.text  # half a link leads nowhere
        if not text or width(text, unit) > left:
            continue
        kept[place] = text
        left -= width(text, unit) + 1
    return "\n".join(kept[place] for place in sorted(kept))
