"""Commands without a service: the embedded store runs as long as the command, and never beside another one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from alerts.cli.store import reachable
from alerts.errors import ConfigError, StateError
from alerts.settings import Settings
from alerts.state import server
from alerts.up import own_store
from tests.command import desk, done, tocsin
from tests.test_cli_main import start, wait_for


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Settings]:
    """Somebody without a running service; the settings of their commands."""
    try:
        server.find_binary()
    except ConfigError as error:
        pytest.skip(str(error))
    with desk(tmp_path / "data", ""):
        yield Settings(data_dir=tmp_path / "data")


def is_free(settings: Settings) -> bool:
    """Whether no store runs there, neither a service's nor a command's."""
    place = server.socket_path(settings)
    with server.held(settings.data_dir):
        return not any(server.answers(place.with_name(name)) for name in (place.name, "command.sock"))


def test_what_one_command_writes_the_next_one_reads(alone: Settings) -> None:
    done("rules", "add", "quake AND region:JP", "--id", "japan")
    assert ["japan"] == [row["rule_id"] for row in done("rules", "list", "--json").rows()]
    assert is_free(alone)


def test_the_store_is_stopped_after_an_error_too(alone: Settings) -> None:
    assert 2 == tocsin("rules", "remove", "nobody").code
    assert is_free(alone)


def test_a_command_uses_the_store_of_the_running_service(alone: Settings) -> None:
    with own_store(alone):
        done("rules", "add", "quake", "--id", "one")
        with reachable(alone) as settings:
            assert settings is alone
        assert server.answers(server.socket_path(alone))
    assert ["one"] == [row["rule_id"] for row in done("rules", "list", "--json").rows()]


def test_a_store_of_ones_own_is_not_touched_when_a_redis_url_is_set(alone: Settings) -> None:
    settings = alone.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    with reachable(settings) as same:
        assert same is settings
    assert not (alone.data_dir / "store").exists()


def test_a_service_whose_store_does_not_answer_is_named(alone: Settings) -> None:
    with server.held(alone.data_dir), pytest.raises(StateError, match=rf"process {os.getpid()}.*{alone.data_dir}"), ExitStack() as stack:
        stack.enter_context(reachable(alone, wait_s=0.1))


def test_two_commands_at_once_both_succeed(alone: Settings) -> None:
    processes = [start("rules", "add", "quake", "--id", f"r{n}") for n in (1, 2)]
    for process in processes:
        _, err = process.communicate(timeout=60)
        assert (0, b"") == (process.returncode, err)
    assert ["r1", "r2"] == [row["rule_id"] for row in done("rules", "list", "--json").rows()]


def test_ctrl_c_stops_the_store_of_a_command(alone: Settings, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    process = start("apply", "-f", str(pipe))
    with pipe.open("wb"):  # opens when the command reads: its store runs by then
        place = server.socket_path(alone).with_name("command.sock")
        wait_for(lambda: server.answers(place))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (130, b"") == (process.returncode, err)
    assert is_free(alone)


def test_the_doctor_treats_a_store_that_does_not_answer(alone: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_REDIS_URL", f"unix://{alone.data_dir}/nothing.sock?db=0")
    ended = tocsin("doctor")
    assert (1, "") == (ended.code, ended.err)
    assert "WRONG  store" in ended.out
    assert "-> start Tocsin with `tocsin up`, or correct redis_url" in ended.out
