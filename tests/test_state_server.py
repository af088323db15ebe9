"""The embedded store: the right binary, a private place, a configuration that loses nothing, clear refusals."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from alerts.errors import ConfigError, StateError
from alerts.settings import Settings
from alerts.state import server


def a_binary(folder: Path, name: str, prints: str) -> Path:
    """A program that answers --version so."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def installed() -> server.Binary:
    try:
        return server.find_binary()
    except ConfigError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


# ---------------------------------------------------------------- which binary


def test_the_binary_of_the_wheel_comes_before_those_on_path(tmp_path: Path, installed: server.Binary) -> None:
    other = a_binary(tmp_path, "redis-server", "Redis server v=7.4.1 sha=00000000")
    found = server.candidates(str(tmp_path))
    assert found[-1] == other
    assert installed.version >= server.OLDEST


def test_valkey_on_path_comes_before_redis_on_path(tmp_path: Path) -> None:
    second = a_binary(tmp_path, "redis-server", "Redis server v=7.4.1")
    first = a_binary(tmp_path, "valkey-server", "Valkey server v=8.1.0")
    assert server.candidates(str(tmp_path))[-2:] == [first, second]


@pytest.mark.parametrize(("says", "version"), [("Redis server v=7.0.15 sha=0 bits=64", (7, 0, 15)), ("Valkey server v=9.1.2", (9, 1, 2))])
def test_the_version_is_read_from_what_the_server_says(tmp_path: Path, says: str, version: tuple[int, ...]) -> None:
    assert server.check_version(a_binary(tmp_path, "a-server", says)) == version


def test_a_server_that_is_too_old_is_passed_over_for_the_next_one(tmp_path: Path) -> None:
    old = a_binary(tmp_path, "old", "Redis server v=6.2.14 sha=0")
    new = a_binary(tmp_path, "new", "Redis server v=7.2.0 sha=0")
    assert server.find_binary([old, new]) == server.Binary(new, (7, 2, 0))


def test_without_a_usable_server_the_error_says_why_not_and_what_to_install(tmp_path: Path) -> None:
    old = a_binary(tmp_path, "old", "Redis server v=6.2.14 sha=0")
    mute = a_binary(tmp_path, "mute", "hello")
    with pytest.raises(ConfigError) as caught:
        server.find_binary([old, mute, tmp_path / "absent"])
    for part in ("is version 6.2.14, 7.0 or newer", "does not say its version: hello", "No such file", "install", "TOCSIN_REDIS_URL"):
        assert part in str(caught.value)


def test_with_no_server_at_all_the_error_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match="no store server was found; install"):
        server.find_binary([])


# ---------------------------------------------------------------- where it listens


def test_one_setting_gives_every_url_dialect_of_the_embedded_store(tmp_path: Path) -> None:
    settings = Settings(data_dir=Path("/d"))
    assert server.redis_url(settings) == "unix:///d/valkey.sock?db=0"
    assert server.broker_url(settings) == "redis+socket:///d/valkey.sock?virtual_host=0"


@pytest.mark.parametrize(
    ("given", "broker"),
    [
        ("redis://store.example:6379/2", "redis://store.example:6379/2"),
        ("rediss://u:p@store.example/0", "rediss://u:p@store.example/0"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
    ],
)
def test_a_given_url_is_translated_for_the_broker(given: str, broker: str) -> None:
    settings = Settings(redis_url=given)
    assert (server.redis_url(settings), server.broker_url(settings)) == (given, broker)


@pytest.mark.parametrize("url", ["http://store.example", "store.example:6379", "redis+socket:///x"])
def test_a_url_of_another_scheme_is_refused_with_what_is_allowed(url: str) -> None:
    with pytest.raises(ConfigError, match=r"redis_url: .* give redis://"):
        server.redis_url(Settings(redis_url=url))


def test_a_long_data_directory_gets_a_short_place_for_the_socket() -> None:
    settings = Settings(data_dir=Path("/" + "long/" * 30))
    place = server.socket_path(settings)
    assert len(os.fsencode(place)) < 108
    assert place == server.socket_path(settings)
    assert place != server.socket_path(Settings(data_dir=Path("/" + "long/" * 31)))


# ---------------------------------------------------------------- private directories, one instance


def test_a_directory_is_made_for_this_user_alone(tmp_path: Path) -> None:
    server.make_private(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_an_open_directory_of_ours_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    server.make_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_link_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="is a link"):
        server.make_private(tmp_path / "link")


def test_a_file_in_place_of_the_directory_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file: File exists; set TOCSIN_DATA_DIR"):
        server.make_private(tmp_path / "file")


def test_a_second_instance_is_refused_and_told_process_and_directory(tmp_path: Path) -> None:
    with server.held(tmp_path):
        with pytest.raises(StateError) as caught, server.held(tmp_path):
            pass
        assert f"process {os.getpid()}" in str(caught.value)
        assert str(tmp_path) in str(caught.value)


def test_the_directory_is_free_again_after_the_holder_was_killed(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path; from alerts.state import server\n"
        f"with server.held(Path({str(tmp_path)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    with server.held(tmp_path):
        assert (tmp_path / "tocsin.lock").read_text() == f"{os.getpid()}\n"


# ---------------------------------------------------------------- the server itself


def test_the_store_writes_everything_down_and_throws_nothing_away(tmp_path: Path, installed: server.Binary) -> None:
    with server.running(tmp_path / "data", tmp_path / "s.sock", memory_mb=64) as url, redis.Redis.from_url(url) as client:
        wanted = ["appendonly", "appendfsync", "maxmemory", "maxmemory-policy", "save", "port", "aof-load-truncated"]
        found = {name: client.config_get(name)[name] for name in wanted}
    assert found == {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory": str(64 * 1024 * 1024),
        "maxmemory-policy": "noeviction",
        "save": "",
        "port": "0",
        "aof-load-truncated": "yes",
    }


def test_what_was_written_is_there_after_a_restart(tmp_path: Path, installed: server.Binary) -> None:
    for expected in (None, b"kept"):
        with server.running(tmp_path / "data", tmp_path / "s.sock") as url, redis.Redis.from_url(url) as client:
            assert client.get("a") == expected
            client.set("a", "kept")


def test_a_torn_log_is_read_up_to_the_tear(tmp_path: Path, installed: server.Binary) -> None:
    with server.running(tmp_path / "data", tmp_path / "s.sock") as url, redis.Redis.from_url(url) as client:
        client.set("whole", "1")
        client.set("torn", "2")
    log = next((tmp_path / "data" / "appendonlydir").glob("*.incr.aof"))
    log.write_bytes(log.read_bytes()[:-3])
    with server.running(tmp_path / "data", tmp_path / "s.sock") as url, redis.Redis.from_url(url) as client:
        assert (client.get("whole"), client.get("torn")) == (b"1", None)


def test_a_directory_with_spaces_quotes_and_letters_of_any_script_works(tmp_path: Path, installed: server.Binary) -> None:
    folder = tmp_path / 'a "b" \\ ü'
    with server.running(folder / "d", folder / "s.sock"):
        assert server.answers(folder / "s.sock")
    assert (folder / "d" / "appendonlydir").is_dir()


def test_only_this_user_can_reach_the_socket(tmp_path: Path, installed: server.Binary) -> None:
    with server.running(tmp_path / "data", tmp_path / "run" / "s.sock"):
        assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "run" / "s.sock").stat().st_mode) == 0o700


def test_a_store_that_runs_there_already_is_not_started_twice(tmp_path: Path, installed: server.Binary) -> None:
    with (
        server.running(tmp_path / "data", tmp_path / "s.sock"),
        pytest.raises(ConfigError, match="is running there already"),
    ):
        server.prepare(tmp_path / "data", tmp_path / "s.sock", memory_mb=64)


def test_a_store_that_cannot_start_says_its_last_lines(tmp_path: Path, installed: server.Binary) -> None:
    folder = tmp_path / "data" / "appendonlydir"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof.manifest").write_text("this is no manifest\n")
    with (
        pytest.raises(StateError, match=r"(?s)ended at once; its last lines:.*manifest"),
        server.running(tmp_path / "data", tmp_path / "s.sock"),
    ):
        pass


def test_nothing_answers_on_a_socket_nobody_serves(tmp_path: Path) -> None:
    assert not server.answers(tmp_path / "s.sock")


def test_the_store_dies_with_the_process_that_started_it(tmp_path: Path, installed: server.Binary) -> None:
    code = (
        "import os, signal; from pathlib import Path; from alerts.state import server\n"
        f"with server.running(Path({str(tmp_path)!r}), Path({str(tmp_path / 's.sock')!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    with server.running(tmp_path, tmp_path / "s.sock"):  # refused while the old one lived
        assert server.answers(tmp_path / "s.sock")
