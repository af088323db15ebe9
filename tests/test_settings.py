"""Settings: file, then environment; whatever is wrong is named with its place, its key and what is allowed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alerts.errors import ConfigError
from alerts.settings import Settings, config_dir, load_settings, read_toml


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No TOCSIN_ variable of the person who runs the tests."""
    for name in [n for n in os.environ if n.upper().startswith("TOCSIN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes tocsin.toml and gives its directory."""

    def write(text: str) -> Path:
        (tmp_path / "tocsin.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def complaint(directory: Path) -> str:
    """What `load_settings` says is wrong, with the directory's name left out."""
    with pytest.raises(ConfigError) as caught:
        load_settings(directory)
    return str(caught.value).replace(f"{directory}/", "")


# ---------------------------------------------------------------- what wins


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert (settings.poll.floor_s, settings.web.port, settings.redis_url) == (60.0, 8765, "")


def test_an_empty_file_is_the_defaults(write: Callable[[str], Path]) -> None:
    assert load_settings(write("")) == Settings()


def test_a_key_of_the_file_replaces_only_its_default(write: Callable[[str], Path]) -> None:
    settings = load_settings(write("[poll]\nfloor_s = 5\n"))
    assert (settings.poll.floor_s, settings.poll.ceiling_s) == (5.0, 3600.0)


def test_the_environment_wins_over_the_file_key_by_key(write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_POLL__FLOOR_S", "7")
    settings = load_settings(write("[poll]\nfloor_s = 5\nceiling_s = 900\n"))
    assert (settings.poll.floor_s, settings.poll.ceiling_s) == (7.0, 900.0)


def test_a_top_level_setting_can_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("TOCSIN_REDIS_URL", "redis://127.0.0.1:6379/0")
    settings = load_settings(tmp_path)
    assert (settings.data_dir, settings.redis_url) == (tmp_path / "elsewhere", "redis://127.0.0.1:6379/0")


def test_a_list_in_the_environment_is_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_HTTP__ALLOW_PORTS", "[80, 8080]")
    assert load_settings(tmp_path).http.allow_ports == (80, 8080)


def test_a_section_in_the_environment_is_json_and_keeps_the_rest_of_the_file(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_POLL", '{"batch": 9}')
    settings = load_settings(write("[poll]\nfloor_s = 5\n"))
    assert (settings.poll.batch, settings.poll.floor_s) == (9, 5.0)


def test_an_explicit_nought_stays_nought(write: Callable[[str], Path]) -> None:
    settings = load_settings(write("[poll]\njitter = 0\n[sift]\narchive_items = 0\n[web]\nport = 0\n"))
    assert (settings.poll.jitter, settings.sift.archive_items, settings.web.port) == (0.0, 0, 0)


def test_the_data_directory_follows_the_desktop_s_convention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load_settings(tmp_path).data_dir == tmp_path / "tocsin"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(tmp_path).data_dir == tmp_path / ".local" / "share" / "tocsin"


# ---------------------------------------------------------------- what is refused in the file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[poll]\nflor_s = 5\n", "tocsin.toml: poll.flor_s: unknown key; did you mean floor_s?", id="a misspelt key"),
        pytest.param("[pol]\nfloor_s = 5\n", "tocsin.toml: pol: unknown key; did you mean poll?", id="a misspelt section"),
        pytest.param("data_dri = 'x'\n", "tocsin.toml: data_dri: unknown key; did you mean data_dir?", id="a misspelt top key"),
        pytest.param("[web]\nzzzz = 1\n", "tocsin.toml: web.zzzz: unknown key; known are host, port, public_url", id="a key like no other"),
        pytest.param(
            "[poll]\nfloor_s = 'often'\n",
            "tocsin.toml: poll.floor_s: input should be a valid number, unable to parse string as a number, not 'often'",
            id="a text for a number",
        ),
        pytest.param(
            "[poll]\nfloor_s = -1\n", "tocsin.toml: poll.floor_s: input should be greater than 0, not -1", id="a negative interval"
        ),
        pytest.param(
            "[web]\nport = 70000\n", "tocsin.toml: web.port: input should be less than or equal to 65535, not 70000", id="no such port"
        ),
        pytest.param(
            "log_level = 'LOUD'\n",
            "tocsin.toml: log_level: string should match pattern '^(DEBUG|INFO|WARNING|ERROR)$', not 'LOUD'",
            id="an unknown level",
        ),
        pytest.param(
            "[http]\nallow_ports = ['a']\n",
            "tocsin.toml: http.allow_ports.0: input should be a valid integer, unable to parse string as an integer, not 'a'",
            id="a wrong item of a list",
        ),
        pytest.param(
            "[http]\nallow_networks = 4\n",
            "tocsin.toml: http.allow_networks: input should be a valid tuple, not 4",
            id="a number for a list",
        ),
        pytest.param("poll = 3\n", "tocsin.toml: poll: ", id="a number for a section"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_key(write: Callable[[str], Path], text: str, expected: str) -> None:
    said = complaint(write(text))
    assert said == expected or (expected.endswith(": ") and said.startswith(expected))


def test_every_problem_of_a_file_is_named_at_once(write: Callable[[str], Path]) -> None:
    said = complaint(write("[poll]\nfloor_s = 0\n[web]\nprot = 1\n")).splitlines()
    assert [line.split(": ")[1] for line in said] == ["poll.floor_s", "web.prot"]


def test_a_long_wrong_value_is_cut(write: Callable[[str], Path]) -> None:
    said = complaint(write(f"[poll]\nfloor_s = '{'x' * 5000}'\n"))
    assert said.endswith("xxx...")
    assert len(said) < 250


def test_bad_toml_is_named_with_line_and_column(write: Callable[[str], Path]) -> None:
    said = complaint(write("[poll]\nfloor_s = = 5\n"))
    assert said.startswith("tocsin.toml: not TOML: ")
    assert "line 2, column 11" in said


def test_a_file_that_is_not_utf_8_is_named_with_the_byte(tmp_path: Path) -> None:
    (tmp_path / "tocsin.toml").write_bytes(b"# caf\xe9\n")
    assert complaint(tmp_path) == "tocsin.toml: not UTF-8 at byte 5; save it as UTF-8"


def test_a_directory_for_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        read_toml(tmp_path)


def test_a_missing_file_that_was_asked_for_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: No such file or directory"):
        read_toml(tmp_path / "none.toml")


# ---------------------------------------------------------------- what is refused in the environment


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("TOCSIN_POLLL__BATCH", "5", "environment: TOCSIN_POLLL__BATCH is no setting; did you mean poll?", id="section"),
        pytest.param("TOCSIN_REDIS", "x", "environment: TOCSIN_REDIS is no setting; did you mean redis_url?", id="top key"),
        pytest.param(
            "TOCSIN_POLL__BACTH", "5", "environment: TOCSIN_POLL__BACTH: unknown key; did you mean batch?", id="key of a section"
        ),
        pytest.param(
            "TOCSIN_POLL__BATCH",
            "many",
            "environment: TOCSIN_POLL__BATCH: input should be a valid integer, unable to parse string as an integer, not 'many'",
            id="text for a number",
        ),
        pytest.param(
            "TOCSIN_LOG_LEVEL",
            "LOUD",
            "environment: TOCSIN_LOG_LEVEL: string should match pattern '^(DEBUG|INFO|WARNING|ERROR)$', not 'LOUD'",
            id="unknown level",
        ),
    ],
)
def test_what_is_wrong_in_the_environment_is_named_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    assert complaint(tmp_path) == expected


@pytest.mark.parametrize("value", ["80, 443", "[80", "eighty"])
def test_a_list_in_the_environment_that_is_no_json_is_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TOCSIN_HTTP__ALLOW_PORTS", value)
    assert "TOCSIN_HTTP__ALLOW_PORTS" in complaint(tmp_path).upper()


def test_variables_of_others_and_our_own_switches_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSINLIKE", "1")
    monkeypatch.setenv("TOCSIN_WORKER_ID", "poll-1")
    assert load_settings(tmp_path) == Settings()


# ---------------------------------------------------------------- where files are looked for


def test_the_config_directory_is_the_one_named_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_CONFIG_DIR", str(tmp_path))
    assert config_dir() == tmp_path


def test_a_config_directory_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_CONFIG_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"TOCSIN_CONFIG_DIR: .*nowhere is not a directory; name one that holds tocsin\.toml"):
        config_dir()


def test_a_config_folder_here_is_taken_when_it_holds_our_file(tmp_path: Path) -> None:
    assert config_dir() == Path(__file__).parent.parent / "config", "of the source tree"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "tocsin.toml").touch()
    assert config_dir() == Path("config")


def test_settings_cannot_be_changed_while_the_service_runs() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().poll.floor_s = 1.0  # type: ignore[misc]
