"""How a command starts and ends: help at once, its name, exit codes, Ctrl-C and a reader that has seen enough."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from alerts import __version__
from tests.command import commands, tocsin
from tests.conftest import ROOT

HEAVY = {"alerts.bootstrap", "alerts.service", "alerts.settings", "apprise", "celery", "feedparser", "kombu", "lark", "lxml"}
HEAVY |= {"pycurl", "pydantic", "redis", "selectolax", "structlog", "uvicorn"}


def start(*arguments: str, code: Sequence[str] = ("-m", "alerts.cli"), **environment: str) -> subprocess.Popen[bytes]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, *code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def wait_for(what: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_the_version_is_the_packages() -> None:
    ended = tocsin("--version")
    assert (0, f"tocsin {__version__}\n", "") == (ended.code, ended.out, ended.err)


@pytest.mark.parametrize("command", commands())
def test_every_command_explains_itself_under_its_own_name(command: str) -> None:
    ended = tocsin(*command.split(), "--help")
    assert (0, "") == (ended.code, ended.err)
    assert f"tocsin {command}" in ended.out


def test_without_a_command_the_help_is_shown() -> None:
    ended = tocsin()
    assert (2, "") == (ended.code, ended.err)
    assert "Usage: tocsin [OPTIONS] COMMAND" in ended.out


def test_help_loads_nothing_of_the_service() -> None:
    code = (
        "import sys, io, contextlib\nfrom alerts.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()): main(['--help'])\n"
        "import json; print(json.dumps(sorted(sys.modules)))"
    )
    process = start(code=("-c", code))
    out, _ = process.communicate(timeout=60)
    assert set() == HEAVY & set(json.loads(out))


def test_a_word_that_is_no_command_is_named() -> None:
    ended = tocsin("sorces", "list")
    assert (2, "") == (ended.code, ended.out)
    assert ended.err.startswith("error: No such command 'sorces'")


def test_the_module_is_the_command_and_finds_the_configuration_of_its_tree(tmp_path: Path) -> None:
    code = "import os, sys; os.chdir(sys.argv.pop()); from alerts.settings import config_dir; print(config_dir())"
    process = start(str(tmp_path), code=("-c", code))
    out, err = process.communicate(timeout=60)
    assert (0, b"") == (process.returncode, err)
    assert ROOT / "config" == Path(out.decode().strip())


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": 1, "a": "one headline", "b": "another headline"}\n' * 20_000, encoding="utf-8")
    with start("stories", "same", str(rows)) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().startswith(b'{"id": 1')
        process.stdout.close()
        assert b"" == process.stderr.read()
    assert process.returncode in (0, 1)


def test_ctrl_c_ends_a_command_with_130_and_without_a_word() -> None:
    with start("stories", "same") as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b'{"id": 1, "a": "x", "b": "x"}\n' * 300)  # more than is held back: it is at work once it answers
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (130, b"") == (process.returncode, err)


def test_output_is_utf8_whatever_the_locale() -> None:
    process = start("stories", "same", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    out, err = process.communicate('{"id": "\\ud800", "a": "زلزال", "b": "زلزال"}\n'.encode(), timeout=60)
    assert (0, b"") == (process.returncode, err)
    assert {"id": "\ud800", "a": "زلزال", "b": "زلزال", "same": True, "score": 1.0} == json.loads(out)
