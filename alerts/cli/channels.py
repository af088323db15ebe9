"""`tocsin channels ...`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alerts.cli import show
from alerts.cli.context import AnySubscriber, Json, Subscriber, lazy, open_service

if TYPE_CHECKING:
    from alerts.models import Channel, Receipt
    from alerts.ports import Breaker

app = typer.Typer(no_args_is_help=True, help="Where people are told: Apprise URLs, webhook+https://, console:")
ChannelId = Annotated[str, typer.Argument(help="A channel of `tocsin channels list`.")]


@app.command()
def add(
    channel_id: Annotated[str, typer.Argument(help="A short name, e.g. phone.")],
    url: Annotated[str, typer.Argument(help="For instance ntfys://host/topic, tgram://token/chat, webhook+https://host/path")],
    name: Annotated[str, typer.Option(help="What it is called in warnings.")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="Also tell it the service's own warnings.")] = False,
    subscriber: Subscriber = "me",
    template: Annotated[str, typer.Option(help="Your own words: {headline}, {regions|default:nowhere} ...; see docs/delivery.md.")] = "",
) -> None:
    """Add a channel, or replace the one with this id; its URL is kept encrypted."""
    with open_service() as service:
        channel = service.add_channel(
            url,
            channel_id=channel_id,
            subscriber_id=subscriber,
            name=name,
            is_operator=operator,
            template=template.replace("\\n", "\n"),
        )
    show.say(f"added {channel.channel_id}: {channel.url}; try it: tocsin channels test {channel.channel_id}")


@app.command(name="list")
def list_(as_json: Json = False, subscriber: AnySubscriber = None) -> None:
    """Channels, URLs masked, and how they are."""
    with open_service() as service:
        channels, breakers = service.channels(subscriber), service.breakers()
    if as_json:
        show.json_lines({**show.plain(c), "breaker": breakers.get(c.channel_id)} for c in channels)
        return
    rows = [
        (c.channel_id, c.subscriber_id, "yes" if c.is_operator else "", c.url, _state(c, breakers.get(c.channel_id))) for c in channels
    ]
    show.table(("channel", "subscriber", "operator", "url", "is"), rows, empty="no channels yet: tocsin channels add ID URL")


def _state(channel: Channel, breaker: Breaker | None) -> str:
    """On, off and why, or failing: how often in a row, since when, when it is tried again."""
    if not channel.is_enabled:
        return f"off: {channel.error}" if channel.error else "off"
    if breaker is None:
        return "on"
    times = "once" if breaker.failures == 1 else f"{breaker.failures} times since {show.printable(breaker.since)}"
    again = f", tried again {show.printable(breaker.until)}" if breaker.until else ""
    return f"failing {times}{again}: {breaker.detail}"


@app.command()
def test(channel_id: ChannelId) -> None:
    """Send a test message now; exit code 1 when it is not accepted."""
    with open_service() as service:
        receipt = service.test_channel(channel_id)
    _tell(receipt)


def _tell(receipt: Receipt) -> None:
    """What came of a test, and how to mend it when it was not accepted. Raises: Exit."""
    show.say(f"{receipt.status.value} {receipt.detail}".strip())
    if receipt.status == "accepted":
        return
    how = lazy("alerts.delivery.codes").MEND.get(receipt.code)
    if how:
        show.say(f"to mend it, {how}")
    raise typer.Exit(1)


@app.command()
def enable(
    channel_id: ChannelId,
    untested: Annotated[bool, typer.Option("--untested", help="Without a test message.")] = False,
) -> None:
    """Switch a channel on when it accepts a test message; exit code 1 when it does not."""
    with open_service() as service:
        if untested:
            service.enable_channel(channel_id, is_enabled=True)
        else:
            _tell(service.mend_channel(channel_id))
    show.say(f"enabled {channel_id}; what it missed is sent by: tocsin deliveries replay --channel {channel_id}")


@app.command()
def disable(channel_id: ChannelId) -> None:
    """Switch a channel off; what is pending for it is dropped when it comes up."""
    with open_service() as service:
        service.enable_channel(channel_id, is_enabled=False)
    show.say(f"disabled {channel_id}")


@app.command()
def remove(channel_id: ChannelId) -> None:
    """Remove a channel and drop its pending deliveries."""
    with open_service() as service:
        dropped = service.remove_channel(channel_id)
    show.say(f"removed {channel_id}, dropped {dropped} pending deliveries")


@app.command(name="rotate-keys")
def rotate_keys() -> None:
    """Make a new key and encrypt every channel's URL with it."""
    with open_service() as service:
        sealed = service.rotate_keys()
    show.say(f"encrypted {sealed} channels with a new key")
