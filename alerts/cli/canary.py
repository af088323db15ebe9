"""`tocsin canary`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alerts.cli import show
from alerts.cli.context import open_service
from alerts.errors import ConfigError
from alerts.text.durations import duration, seconds_of

if TYPE_CHECKING:
    from alerts.ports import Canary


def canary(
    channel: Annotated[str, typer.Option("--channel", metavar="CHANNEL", help="Where it is to arrive.")] = "",
    every: Annotated[str, typer.Option("--every", metavar="TIME", help="How often: 15m, 1h, 1d.")] = "15m",
    alarm: Annotated[str, typer.Option("--alarm", metavar="CHANNEL", help="Another channel, which is told when it does not.")] = "",
    within: Annotated[str, typer.Option("--within", metavar="TIME", help="It is missed when it was not accepted by then.")] = "2m",
    off: Annotated[bool, typer.Option("--off", help="Send no more.")] = False,
) -> None:
    """Send an item of our own the whole way every now and then, and raise an alarm when it does not arrive; without options, how it is."""
    if bool(channel) != bool(alarm):
        raise ConfigError("name both: tocsin canary --channel CHANNEL --alarm ANOTHER")
    with open_service() as service:
        if off:
            service.end_canary()
        elif channel:
            service.start_canary(channel, alarm, every_s=_seconds("--every", every), within_s=_seconds("--within", within))
        held = service.canary()
    if held is None:
        show.say("there is no canary: tocsin canary --channel CHANNEL --alarm ANOTHER")
    else:
        show.fields(_rows(held))


def _rows(held: Canary) -> list[tuple[str, object]]:
    last = "accepted" if held.seen == held.item_id else "not accepted yet"
    return [
        ("to", held.channel_id),
        ("every", duration(held.every_s)),
        ("alarm to", f"{held.alarm_id}, when it is not accepted within {duration(held.within_s)}"),
        ("last one", f"{show.printable(held.planted_at)} {last}" if held.planted_at else "the first one comes within seconds"),
        ("alarm", "raised: the last one did not arrive" if held.alarmed else ""),
    ]


def _seconds(option: str, text: str) -> float:
    seconds = seconds_of(text)
    if seconds is None:
        raise ConfigError(f"{option}: {text!r} is no length of time; write 15m, 1h or 1d")
    return seconds
