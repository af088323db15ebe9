"""`tocsin rules ...` and `tocsin subscribers ...`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alerts.cli import edges, show
from alerts.cli.context import AnySubscriber, Json, Subscriber, file_or_stdin, lazy, open_service
from alerts.models import Operand

app = typer.Typer(no_args_is_help=True, help="What people want to be told about.")
people = typer.Typer(no_args_is_help=True, help="Who is told; `me` is always there.")
RuleId = Annotated[str, typer.Argument(help="A rule of `tocsin rules list`.")]


@app.command()
def add(
    query: Annotated[str, typer.Argument(help="For instance: (strike OR explosion) AND region:LB")],
    rule_id: Annotated[str, typer.Option("--id", help="A short name; made from name or query if left out.")] = "",
    name: Annotated[str, typer.Option(help="What alerts call it.")] = "",
    channel: Annotated[list[str] | None, typer.Option("--channel", help="Only this channel; may be repeated.")] = None,
    unknown_in: Annotated[bool, typer.Option("--unknown-in", help="Also ring when an item's region is not known.")] = False,
    note: Annotated[str, typer.Option(help="For people: why it is as it is.")] = "",
    cooldown: Annotated[str, typer.Option(help="Silent for so long after it rang: 30m, 2h, or seconds.")] = "",
    expires: Annotated[str, typer.Option(help="Rings no more from then on: 2026-12-31T18:00Z.")] = "",
    on_ambiguous: Annotated[str, typer.Option(help="When nobody knows whether a message arrived: resend or drop.")] = "resend",
    subscriber: Subscriber = "me",
) -> None:
    """Add a rule, or replace the one with this id; in force within a second."""
    with open_service() as service:
        rule = service.add_rule(
            query,
            rule_id=rule_id,
            name=name,
            subscriber_id=subscriber,
            channel_ids=channel or (),
            is_unknown_in=unknown_in,
            note=note,
            cooldown=cooldown or 0,
            expires=expires,
            on_ambiguous=on_ambiguous,
        )
    show.say(f"added {rule.rule_id}: {rule.query}")


@app.command(name="list")
def list_(as_json: Json = False, subscriber: AnySubscriber = None) -> None:
    """Rules with their queries."""
    with open_service() as service:
        rules = service.rules(subscriber)
    if as_json:
        show.json_lines(rules)
        return
    rows = [(r.rule_id, r.subscriber_id, "on" if r.is_enabled else "paused", r.channel_ids or "all", r.query) for r in rules]
    show.table(("rule", "subscriber", "is", "channels", "query"), rows, empty="no rules yet: tocsin rules add QUERY")


@app.command()
def test(
    query: Annotated[str, typer.Argument(help="As for `tocsin rules add`.")],
    text: Annotated[str, typer.Option("--text", help="A headline; further lines are the text.")],
    language: Annotated[str | None, typer.Option("--lang", help="Its language.")] = None,
    home: Annotated[str | None, typer.Option("--home", help="Home country of the outlet.")] = None,
    as_json: Json = False,
) -> None:
    """What a query says of a text, operand by operand; exit code 1 when it does not match."""
    with open_service() as service:
        trial = service.test_rule(query, text, language=language, home=home)
    if as_json:
        show.json_lines([trial])
    else:
        show.say({True: "matches", False: "does not match", None: "unknown: it hangs on a region, and the text names none"}[trial.is_match])
        show.say("")
        show_operands(trial.operands)
        show.say("")
        show.fields([("language", trial.tagged.language), ("countries", trial.tagged.countries), ("urgency", trial.tagged.urgency)])
    if not trial.is_match:
        raise typer.Exit(1)


@app.command()
def preview(
    query: Annotated[str, typer.Argument(help="As for `tocsin rules add`.")],
    days: Annotated[float, typer.Option(help="How far to go back.")] = 7.0,
    unknown_in: Annotated[bool, typer.Option("--unknown-in", help="Also ring when an item's region is not known.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, max=1_000, help="How many to show at most.")] = 20,
    as_json: Json = False,
) -> None:
    """What a query would have rung for, had it been a rule all along; warns of a flood and of silence."""
    with open_service() as service:
        found = service.preview_rule(query, days=days, is_unknown_in=unknown_in)
    if as_json:
        show.json_lines([{**show.plain(found), "rings": [show.plain(r) for r in found.rings[:limit]], "summary": found.summary}])
        return
    show.say(f"{found.summary}; {found.reach}" if found.reach else found.summary)
    rows = [(r.at.isoformat(timespec="minutes"), r.tagged.change.item.source_id, r.tagged.change.item.title) for r in found.rings[:limit]]
    show.table(("at", "source", "headline"), rows, empty="")
    if found.count > len(rows) > 0:
        show.say(f"the newest {len(rows)} of {found.count}; --limit shows more, up to 1,000")
    if found.warning:
        show.say(f"warning: {found.warning}")


@app.command()
def form(
    query: Annotated[str, typer.Argument(help="To be shown as a form; leave it out to have the query of a form.")] = "",
    all_of: Annotated[list[str] | None, typer.Option("--all", help="A word or phrase that must be there; may be repeated.")] = None,
    any_of: Annotated[list[str] | None, typer.Option("--any", help="One of these words or phrases must be there.")] = None,
    none_of: Annotated[list[str] | None, typer.Option("--none", help="A word or phrase that must be absent.")] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="It happens in one of these.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="One of these sources tells it.")] = None,
    as_json: Json = False,
) -> None:
    """The query of a form for those who do not type queries, or the form of a query."""
    given = [tuple(some or ()) for some in (all_of, any_of, none_of, region, source)]
    if bool(query) is any(given):
        raise typer.BadParameter("give either a query, or what its form holds: --all, --any, --none, --region, --source")
    with open_service() as service:
        if query:
            filled = service.form_of(query)
        else:
            filled = lazy("alerts.rules.form").Form(**dict(zip(_FORM, given, strict=True)))
            query = service.query_of(filled)
    if as_json:
        show.json_lines([{"query": query, **show.plain(filled)}])
    elif any(given):
        show.say(query)
    else:
        show.fields([(name.replace("_", " "), getattr(filled, name)) for name in _FORM])


_FORM = ("all_of", "any_of", "none_of", "regions", "sources")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A file of rules with `matches` and `misses`.")],
    as_json: Json = False,
) -> None:
    """Whether the rules of a file match and miss what they say; exit code 1 when one does not."""
    with open_service() as service:
        found = service.check_rules(file)
    wrong = [c for c in found if not c.is_ok]
    if as_json:
        rows = [{"rule": c.test.rule.rule_id, "text": c.test.text, "expected": c.test.is_match, "ok": c.is_ok} for c in found]
        show.json_lines(rows)
    else:
        for checked in wrong:
            show.say(f"{checked.test.rule.rule_id}: should {'match' if checked.test.is_match else 'miss'}: {checked.test.text}")
            show_operands(checked.trial.operands)
        show.say(f"{len(found) - len(wrong)} of {len(found)} tests passed")
    if wrong:
        raise typer.Exit(1)


@app.command()
def match(
    file: edges.InFile = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help='TOML, or JSON Lines of {"id", "query"}; rules.toml of the configuration if left out.')
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Add what each rule found: stage, operand, answer, span.")] = False,
) -> None:
    """Which rules match which items: JSON Lines in, JSON Lines out."""
    path = file_or_stdin(rules) if rules else lazy("alerts.settings").config_dir() / "rules.toml"
    show.json_lines(edges.match_rules(file, path, is_explained=explain))


@app.command()
def pause(rule_id: RuleId) -> None:
    """Ring no more by this rule; pending deliveries of it are dropped."""
    with open_service() as service:
        dropped = service.pause_rule(rule_id, is_paused=True)
    show.say(f"paused {rule_id}, dropped {dropped} pending deliveries")


@app.command()
def resume(rule_id: RuleId) -> None:
    """Ring by this rule again."""
    with open_service() as service:
        service.pause_rule(rule_id, is_paused=False)
    show.say(f"resumed {rule_id}")


@app.command()
def remove(rule_id: RuleId) -> None:
    """Remove a rule; pending deliveries that only it asked for are dropped."""
    with open_service() as service:
        dropped = service.remove_rule(rule_id)
    show.say(f"removed {rule_id}, dropped {dropped} pending deliveries")


def show_operands(operands: tuple[Operand, ...]) -> None:
    """Each operand with its answer and where it matched."""
    words = {True: "yes", False: "no", None: "unknown"}
    rows = [(words[o.is_true], f"{o.span[0]}-{o.span[1]}" if o.span else "", o.text, o.why) for o in operands]
    show.table(("answer", "at", "operand", "why"), rows, empty="")


@people.command(name="add")
def add_subscriber(
    subscriber_id: Annotated[str, typer.Argument(help="A short name, e.g. night-desk.")],
    name: Annotated[str, typer.Option(help="How they are called.")] = "",
) -> None:
    """Add a subscriber, or rename one."""
    with open_service() as service:
        added = service.add_subscriber(subscriber_id, name)
    show.say(f"added {added.subscriber_id}")


@people.command(name="list")
def list_subscribers(as_json: Json = False) -> None:
    """All subscribers."""
    with open_service() as service:
        rows = service.subscribers()
    if as_json:
        show.json_lines(rows)
    else:
        show.table(("subscriber", "name"), [(s.subscriber_id, s.name) for s in rows], empty="")

