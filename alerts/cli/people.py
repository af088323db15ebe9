"""`tocsin subscribers set|show`, `tocsin mute ...` and `tocsin snooze`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alerts.cli import show
from alerts.cli.context import Json, Subscriber, lazy, open_service
from alerts.preferences import Mute, MuteKind

if TYPE_CHECKING:
    from alerts.service.people import Muted

mute = typer.Typer(no_args_is_help=True, help="What somebody does not want to hear of for a time.")
SubscriberId = Annotated[str, typer.Argument(help="A subscriber of `tocsin subscribers list`.")]
Span = Annotated[str, typer.Option("--for", help="How long: 30m, 4h, 7d.")]


def set_subscriber(
    subscriber_id: SubscriberId = "me",
    zone: Annotated[str | None, typer.Option(help="Time zone, e.g. Europe/Berlin.")] = None,
    quiet: Annotated[
        list[str] | None, typer.Option("--quiet", help='Quiet hours: "22:00-07:00" or "sat,sun 00:00-09:30"; may be repeated; off.')
    ] = None,
    quiet_mode: Annotated[str | None, typer.Option("--quiet-mode", help="silence_all, critical_only or batch_on_wake.")] = None,
    critical: Annotated[int | None, typer.Option(help="Urgency up to which an alert is critical: 1 to 5, 0 = none is.")] = None,
    budget_hour: Annotated[
        list[str] | None, typer.Option("--budget-hour", help="Alerts an hour: 10, or 4:3 (3 of urgency 4 and below); off.")
    ] = None,
    budget_day: Annotated[list[str] | None, typer.Option("--budget-day", help="Alerts a day, written in the same way; off.")] = None,
    digest: Annotated[
        list[str] | None, typer.Option("--digest", help='hourly, daily@07:30 or "weekly@mon 07:30"; may be repeated; off.')
    ] = None,
) -> None:
    """When and how often somebody is rung: what is given is changed, the rest stays."""
    given: dict[str, Any] = {
        "zone": zone,
        "quiet": quiet,
        "quiet_mode": quiet_mode,
        "critical": critical,
        "budget_hour": budget_hour,
        "budget_day": budget_day,
        "digest": digest,
    }
    table = {key: value for key, value in given.items() if value not in (None, [])}
    with open_service() as service:
        after = service.set_preferences(subscriber_id, table)
    show.say(f"set {', '.join(table) or 'nothing'} of {after.subscriber_id}")


def show_subscriber(subscriber_id: SubscriberId = "me", as_json: Json = False) -> None:
    """One subscriber: preferences, and what is muted."""
    with open_service() as service:
        person = service.subscriber(subscriber_id)
        mutes = service.mutes(subscriber_id)
    table = lazy("alerts.delivery.written").preferences_table(person.preferences)
    if as_json:
        show.json_lines([{"id": person.subscriber_id, "name": person.name, **table, "mutes": mutes}])
        return
    show.fields([("subscriber", person.subscriber_id), ("name", person.name), ("zone", person.preferences.zone), *_rest(table)])
    for one in mutes:
        show.say(_until(one))


def _rest(table: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(key.replace("_", " "), value) for key, value in table.items() if key != "zone"]


@mute.command()
def story(
    story_id: Annotated[str, typer.Argument(help="A story, or an alert of `tocsin alerts list` about it.")],
    span: Span = "24h",
    subscriber: Subscriber = "me",
) -> None:
    """Tell nothing of a story for a time; what waits is dropped."""
    _mute(MuteKind.STORY, story_id, span, subscriber)


@mute.command()
def rule(
    rule_id: Annotated[str, typer.Argument(help="A rule of `tocsin rules list`.")],
    span: Span = "24h",
    subscriber: Subscriber = "me",
) -> None:
    """Tell nothing that only this rule asks for, for a time; what waits is dropped."""
    _mute(MuteKind.RULE, rule_id, span, subscriber)


@mute.command()
def region(
    region_id: Annotated[str, typer.Argument(metavar="REGION", help="A country, subdivision, city or group, as in rules.")],
    span: Span = "24h",
    subscriber: Subscriber = "me",
) -> None:
    """Tell nothing that happens only there, for a time; what waits is dropped."""
    _mute(MuteKind.REGION, region_id, span, subscriber)


def _mute(kind: MuteKind, target: str, span: str, subscriber_id: str) -> None:
    with open_service() as service:
        muted: Muted = service.mute(kind, target, span=span, subscriber_id=subscriber_id)
    show.say(f"muted {_until(muted.mute)}, dropped {muted.dropped} pending deliveries")


@mute.command(name="list")
def list_mutes(as_json: Json = False, subscriber: Subscriber = "me") -> None:
    """What is muted or snoozed now."""
    with open_service() as service:
        rows = service.mutes(subscriber)
    if as_json:
        show.json_lines({"mute_id": m.mute_id, **show.plain(m)} for m in rows)
        return
    show.table(("mute", "until"), [(m.mute_id, m.until_at) for m in rows], empty="nothing is muted")


@mute.command(name="remove")
def remove_mute(
    mute_id: Annotated[str, typer.Argument(help="A mute of `tocsin mute list`.")],
    subscriber: Subscriber = "me",
) -> None:
    """End a mute now."""
    with open_service() as service:
        service.unmute(mute_id, subscriber_id=subscriber)
    show.say(f"removed {mute_id}")


def snooze(
    span: Annotated[str, typer.Argument(metavar="TIME", help="How long: 30m, 2h; off ends it.")],
    subscriber: Subscriber = "me",
) -> None:
    """Ring nothing for a time; what came is told in one digest then."""
    with open_service() as service:
        mute = service.snooze(span, subscriber_id=subscriber)
    show.say(f"snoozed until {show.printable(mute.until_at)}" if mute else "snoozing has ended")


def _until(mute: Mute) -> str:
    return f"{mute.mute_id} until {show.printable(mute.until_at)}"
