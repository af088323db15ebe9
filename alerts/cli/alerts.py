"""`tocsin alerts ...`, `tocsin deliveries ...` and `tocsin items`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alerts.cli import show
from alerts.cli.context import Json, Limit, Subscriber, open_service
from alerts.cli.rules import show_operands
from alerts.errors import NotFoundError
from alerts.models import DeliveryStatus

if TYPE_CHECKING:
    from alerts.service.alerts import AlertView

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
    """One alert: what it told, and what became of its deliveries."""
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
            ("rules", view.alert.rule_ids),
            ("headline", item.title),
            ("link", item.url),
            ("source", view.bell.source_name),
            ("item", tagged.change.item_id),
            ("countries", tagged.countries),
            ("published", item.published_at),
            ("found", tagged.change.found_at),
            ("matched", view.bell.rung_at),
        ]
    )
    for delivery in view.deliveries:
        show.say("")
        show.fields(
            [
                ("delivery", delivery.delivery_id),
                ("channel", delivery.channel_id),
                ("is", f"{delivery.status.value} {delivery.reason}".strip()),
                ("attempts", delivery.attempts),
                ("due", delivery.due_at if not delivery.sent_at else None),
                ("accepted", delivery.sent_at),
            ]
        )
    if not view.deliveries:
        show.say("no channel to tell it to: tocsin channels add ID URL")


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


@deliveries.command(name="list")
def list_deliveries(
    as_json: Json = False,
    status: Annotated[DeliveryStatus | None, typer.Option("--status", help="Only those.")] = None,
    limit: Limit = 50,
) -> None:
    """Deliveries, newest first."""
    with open_service() as service:
        rows = service.deliveries(status=status.value if status else "", limit=limit)
    if as_json:
        show.json_lines(rows)
        return
    shown = [
        ((d.created_at, d.delivery_id, d.channel_id, d.status), (_what_came(d.attempts, d.reason), f"alert {d.alert_id}")) for d in rows
    ]
    show.records(shown, empty=f"no deliveries{f' are {status.value}' if status else ''}")


def _what_came(attempts: int, reason: str) -> str:
    tried = "not tried yet" if not attempts else f"{attempts} {'attempt' if attempts == 1 else 'attempts'}"
    return f"{tried}: {reason}" if reason else tried


DeliveryId = Annotated[str, typer.Argument(help="A delivery of `tocsin deliveries list`.")]


@deliveries.command()
def replay(delivery_id: DeliveryId) -> None:
    """Send a delivery that has ended (sent, dead, expired, dropped) once more."""
    with open_service() as service:
        service.replay_delivery(delivery_id)
    show.say(f"{delivery_id} is pending again")


@deliveries.command()
def drop(delivery_id: DeliveryId) -> None:
    """Take a pending delivery back."""
    with open_service() as service:
        service.drop_delivery(delivery_id)
    show.say(f"dropped {delivery_id}")
