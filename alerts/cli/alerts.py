"""`tocsin alerts ...`, `tocsin deliveries ...` and `tocsin items`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alerts.cli import show
from alerts.cli.context import Json, Limit, Subscriber, lazy, open_service
from alerts.cli.rules import show_operands
from alerts.errors import ConfigError, NotFoundError
from alerts.models import Delivery, DeliveryStatus
from alerts.text.durations import seconds_of

if TYPE_CHECKING:
    from alerts.service.alerts import AlertView, Moment

app = typer.Typer(no_args_is_help=True, help="What was told, and why (not).")
deliveries = typer.Typer(no_args_is_help=True, help="Alerts on their way to channels.")


@app.command(name="list")
def list_(as_json: Json = False, subscriber: Subscriber = "me", limit: Limit = 50) -> None:
    """Alerts of a subscriber, newest first."""
    with open_service() as service:
        views = service.alerts(subscriber_id=subscriber, limit=limit)
    if as_json:
        show.json_lines({"alert": v.alert, "bell": v.bell} for v in views)
        return
    show.records(map(_record, views), empty="no alerts yet; `tocsin doctor` says whether something is missing")


def _record(view: AlertView) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    alert, bell = view.alert, view.bell
    told_by = f"{bell.source_name}; by {'rule' if len(alert.rule_ids) == 1 else 'rules'} {', '.join(alert.rule_ids)}"
    return (alert.created_at, alert.alert_id, alert.occasion), (bell.tagged.change.item.title, told_by)


@app.command("show")
def show_(alert_id: Annotated[str, typer.Argument(help="An alert of `tocsin alerts list`.")], as_json: Json = False) -> None:
    """One alert: what it told, and its way from the source to each channel."""
    with open_service() as service:
        view = service.alert(alert_id)
    if as_json:
        show.json_lines([view])
        return
    tagged = view.bell.tagged
    item = tagged.change.item
    show.fields(
        [
            ("alert", view.alert.alert_id),
            ("occasion", view.alert.occasion),
            ("story", view.alert.story_id),
            ("rules", view.alert.rule_ids),
            ("headline", item.title),
            ("link", item.url),
            ("source", view.bell.source_name),
            ("item", tagged.change.item_id),
            ("countries", tagged.countries),
            ("expires", view.alert.expires_at),
        ]
    )
    show.say("")
    _moments(lazy("alerts.service.alerts").timeline(view))
    for delivery in view.deliveries:
        show.say("")
        _delivery(delivery)
    if not view.deliveries:
        show.say("no channel to tell it to: tocsin channels add ID URL")


def _moments(moments: Iterable[Moment]) -> None:
    """What happened, a line each; times to the millisecond: seconds are what this is about."""
    rows = [(m.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z", m.what, m.channel_id, m.detail) for m in moments]
    show.table(("at", "what", "channel", "detail"), rows, empty="nothing has happened yet")


def _delivery(delivery: Delivery) -> None:
    show.fields(
        [
            ("delivery", delivery.delivery_id),
            ("channel", delivery.channel_id),
            ("is", f"{delivery.status.value} {delivery.reason}".strip()),
            ("policy", delivery.policy if delivery.policy != delivery.reason else ""),
            ("attempts", delivery.attempts),
            ("possible repeat", "yes" if delivery.is_repeat else ""),
            ("due", delivery.due_at if not delivery.sent_at else None),
            ("accepted", delivery.sent_at),
        ]
    )


@app.command()
def why(
    item_id: Annotated[str, typer.Argument(help="An item of `tocsin items`.")],
    rule_id: Annotated[str, typer.Argument(help="A rule of `tocsin rules list`.")],
    as_json: Json = False,
) -> None:
    """At which stage an item was, or was not, told to the subscriber of a rule (asks today's rule)."""
    with open_service() as service:
        answer = service.why(item_id, rule_id)
    if answer.tagged is None:
        raise NotFoundError(f"item {item_id!r}: {answer.reason}; `tocsin items` shows what is there")
    if as_json:
        show.json_lines([answer])
        return
    show.fields(
        [("item", answer.tagged.change.item.title), ("stage", answer.stage), ("reason", answer.reason), ("asked", answer.note)]
    )
    show.say("")
    show_operands(answer.operands)


def items(
    as_json: Json = False,
    limit: Limit = 50,
    dead: Annotated[bool, typer.Option("--dead", help="Those that could not be sifted and were given up.")] = False,
    retry: Annotated[str, typer.Option("--retry", metavar="ENTRY", help="Sift one of those again.")] = "",
) -> None:
    """What was sifted, newest first, and how far each item came."""
    with open_service() as service:
        if retry:
            service.retry_item(retry)
            show.say(f"{retry} is on the queue again")
            return
        given_up = service.dead_items()[:limit] if dead else []
        rows = [] if dead else service.items(limit=limit)
    if as_json:
        show.json_lines({"entry_id": e, "item_id": i, "reason": r} for e, i, r in given_up)
        show.json_lines({"item_id": t.change.item_id, "story_id": s, "stage": w, "tagged": t} for t, s, w in rows)
    elif dead:
        show.table(("entry", "item", "reason"), given_up, empty="no item was given up")
    else:
        shown = [((t.change.polled_at, t.change.item_id, t.change.kind, t.countries), (t.change.item.title, w)) for t, _, w in rows]
        show.records(shown, empty="nothing yet: the first poll of a source is its baseline")


Since = Annotated[str, typer.Option("--since", metavar="TIME", help="Of the last 30m, 2h or 7d only.")]
OfChannel = Annotated[str, typer.Option("--channel", metavar="CHANNEL", help="To this channel only.")]


@deliveries.command(name="list")
def list_deliveries(
    as_json: Json = False,
    status: Annotated[DeliveryStatus | None, typer.Option("--status", help="Only those.")] = None,
    channel: OfChannel = "",
    since: Since = "",
    limit: Limit = 50,
) -> None:
    """Deliveries, newest first."""
    with open_service() as service:
        rows = service.deliveries(status=status.value if status else "", channel_id=channel, since_s=_seconds(since), limit=limit)
    if as_json:
        show.json_lines(rows)
        return
    shown = [
        ((d.created_at, d.delivery_id, d.channel_id, d.status), (_what_came(d.attempts, d.reason), f"alert {d.alert_id}")) for d in rows
    ]
    show.records(shown, empty=f"no deliveries{f' are {status.value}' if status else ''}")


def _seconds(since: str) -> float:
    """The seconds of --since; 0 when it is not given. Raises: ConfigError."""
    seconds = seconds_of(since) if since else 0.0
    if seconds is None:
        raise ConfigError(f"--since: {since!r} is no length of time; write 30m, 2h or 7d")
    return seconds


def _what_came(attempts: int, reason: str) -> str:
    tried = "not tried yet" if not attempts else f"{attempts} {'attempt' if attempts == 1 else 'attempts'}"
    return f"{tried}: {reason}" if reason else tried


DeliveryId = Annotated[str, typer.Argument(help="A delivery of `tocsin deliveries list`.")]


@deliveries.command("show")
def show_delivery(delivery_id: DeliveryId, as_json: Json = False) -> None:
    """One delivery: what it tells, and every attempt with the service's words."""
    with open_service() as service:
        delivery, view = service.delivery(delivery_id)
    if as_json:
        show.json_lines([{"delivery": delivery, "alert": view.alert, "bell": view.bell}])
        return
    show.fields([("headline", view.bell.tagged.change.item.title), ("alert", view.alert.alert_id)])
    _delivery(delivery)
    show.say("")
    _moments(lazy("alerts.service.alerts").delivery_moments(delivery))


@deliveries.command()
def replay(
    delivery_id: Annotated[str, typer.Argument(help="A delivery of `tocsin deliveries list`.")] = "",
    channel: Annotated[str, typer.Option("--channel", metavar="CHANNEL", help="All that this channel missed, in its order.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="With --channel: how far back, 30m, 2h or 7d.")] = "24h",
) -> None:
    """Send deliveries that have ended (sent, dead, expired, dropped) once more."""
    if bool(delivery_id) == bool(channel):
        raise ConfigError("name either a delivery or a channel: tocsin deliveries replay ID, or --channel CHANNEL")
    with open_service() as service:
        if delivery_id:
            service.replay_delivery(delivery_id)
            show.say(f"{delivery_id} is pending again")
        else:
            number = service.replay_missed(channel, since_s=_seconds(since))
            show.say(f"{number} {'delivery is' if number == 1 else 'deliveries are'} pending again")


@deliveries.command()
def drop(delivery_id: DeliveryId) -> None:
    """Take a pending delivery back."""
    with open_service() as service:
        service.drop_delivery(delivery_id)
    show.say(f"dropped {delivery_id}")
