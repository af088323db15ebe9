"""The command tree of `tocsin`, visible whole, and how a command ends: exit code, one message on stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from alerts import __version__
from alerts.cli import alerts, canary, channels, edges, engine, people, places, rules, show, sources, stories
from alerts.errors import AlertsError, ConfigError, NotFoundError, QueryError

INTERRUPTED = 130  # what a shell says of a program that ended by Ctrl-C
_LONGEST = 2000  # characters of an error message

app = typer.Typer(
    name="tocsin", no_args_is_help=True, pretty_exceptions_enable=False, help="Breaking-news alerts by keyword and region."
)
app.add_typer(sources.app, name="sources")
app.add_typer(rules.app, name="rules")
app.add_typer(channels.app, name="channels")
rules.people.command(name="set")(people.set_subscriber)
rules.people.command(name="show")(people.show_subscriber)
app.add_typer(rules.people, name="subscribers")
app.add_typer(people.mute, name="mute")
app.add_typer(alerts.app, name="alerts")
app.add_typer(alerts.deliveries, name="deliveries")
edges.regions.command(name="show")(places.show_region)
edges.regions.command(name="search")(places.search_regions)
app.add_typer(edges.regions, name="regions")
edges.stories.command(name="list")(stories.list_stories)
edges.stories.command(name="show")(stories.show_story)
edges.stories.command(name="merge")(stories.merge_stories)
edges.stories.command(name="split")(stories.split_story)
app.add_typer(edges.stories, name="stories")
for _command in (
    engine.up,
    engine.demo,
    engine.status,
    engine.doctor,
    alerts.items,
    canary.canary,
    people.snooze,
    engine.apply,
    engine.export,
    engine.backup,
    engine.restore,
    engine.replay,
    engine.beat,
    engine.worker,
    engine.web,
):
    app.command()(_command)


def _version(is_asked: bool) -> None:
    if is_asked:
        show.say(f"tocsin {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The version, and nothing else.")] = False,
) -> None:
    """Breaking-news alerts by keyword and region: start with `tocsin up` or `tocsin demo`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code: 0 done, 1 it did not work, 2 the input was wrong, 130 interrupted.

    Args:
        argv: What follows `tocsin`; the process's own arguments by default.
    """
    show.use_utf8()
    try:
        code = _run(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader (`| head`) has seen enough
        show.no_more_output()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    try:
        _check_arguments(arguments)
        answer = app(arguments, prog_name="tocsin", standalone_mode=False)
        return answer if isinstance(answer, int) else 0
    except AlertsError as error:
        _tell(str(error))
        return 2 if isinstance(error, (ConfigError, QueryError, NotFoundError)) else 1
    except typer.TyperException as error:
        _tell(_usage(error))
        return error.exit_code
    except typer.Abort:
        return 1


def _check_arguments(arguments: Sequence[str]) -> None:
    for number, text in enumerate(arguments, 1):
        if "\0" in text:
            raise ConfigError(f"argument {number}: {text[:60]!r} holds a NUL character; remove it")
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise ConfigError(f"argument {number}: {text[:60]!r} is not UTF-8; write it in UTF-8")


def _usage(error: typer.TyperException) -> str:
    """What typer found wrong with the arguments, and where to look; '' when it has shown the help instead."""
    message = error.format_message().strip().rstrip(".")
    path = getattr(getattr(error, "ctx", None), "command_path", "tocsin")
    return f"{message}; `{path} --help` shows what is possible" if message else ""


def _tell(message: str) -> None:
    text = "".join(c if c.isprintable() or c == "\n" else "?" for c in message)
    if text:
        show.note(f"error: {text if len(text) <= _LONGEST else text[:_LONGEST] + '...'}")
