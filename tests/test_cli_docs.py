"""docs/cli.md keeps step with the commands: each has its section, with every option and an example that could be typed."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer

from alerts.cli.main import app
from tests.command import commands
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = {match[1]: match[2] for match in re.finditer(r"^### `tocsin ([a-z -]+)`\n(.*?)(?=^##|\Z)", TEXT, re.M | re.S)}


def command_of(name: str) -> Any:
    """The command behind a name."""
    found: Any = typer.main.get_command(app)
    for part in name.split():
        found = found.commands[part]
    return found


def options_of(name: str) -> set[str]:
    """Every option of a command, and its arguments in capitals."""
    given = [p for p in command_of(name).params if p.name != "help"]
    return {o for p in given for o in (p.opts if p.param_type_name == "option" else [p.name.upper()])}


def test_every_command_has_its_section_and_no_other_has_one() -> None:
    assert commands() == sorted(SECTIONS)


@pytest.mark.parametrize("name", commands())
def test_a_section_says_what_the_command_does_and_names_every_option(name: str) -> None:
    text = SECTIONS[name]
    assert command_of(name).help.strip().rstrip(".") in text
    rows = re.findall(r"^\| (`.*?) \|", text, re.M)
    assert options_of(name) == {word for row in rows for word in re.findall(r"`(.+?)`", row)}


@pytest.mark.parametrize("name", commands())
def test_a_section_has_an_example_with_options_that_exist(name: str) -> None:
    example = re.search(rf"^    .*?(tocsin {name}\b.*)$", SECTIONS[name], re.M)
    assert example, "an indented line that calls the command"
    given = shlex.split(example[1].partition(" > ")[0])
    assert {word for word in given if word.startswith("-") and word != "-"} <= options_of(name)
