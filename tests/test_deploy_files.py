"""Dockerfile, docker-compose.yml and the systemd units: they name commands that exist, and run without rights."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from alerts.cli.main import app
from alerts.settings import load_settings
from alerts.up import QUEUES

ROOT = Path(__file__).parent.parent
UNITS = sorted((ROOT / "config" / "systemd").glob("*.service"))
COMMANDS = frozenset(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
OURS = sorted(set(SERVICES) - {"valkey"})
SERVICE_KEYS = {
    "build", "cap_drop", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "init", "networks",
    "ports", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip


def unit(path: Path) -> configparser.ConfigParser:
    """A unit file; the keys keep their case."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text(encoding="utf-8"))
    return parser


def is_command(words: list[str]) -> bool:
    """Whether the command line knows this command with these options."""
    return words[0] in COMMANDS and CliRunner().invoke(app, [*words, "--help"]).exit_code == 0


def environment_is_known(names: list[str], monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> bool:
    """Whether the settings take these variables."""
    for name in names:
        monkeypatch.setenv(name, str(values[name]))
    return bool(load_settings(ROOT / "config"))


# ---------------------------------------------------------------- systemd


def test_there_is_a_unit_for_the_whole_and_one_for_each_part() -> None:
    assert [path.name for path in UNITS] == ["tocsin-beat.service", "tocsin-web.service", "tocsin-worker@.service", "tocsin.service"]


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_starts_a_command_that_exists(path: Path) -> None:
    program, *words = shlex.split(unit(path)["Service"]["ExecStart"])
    assert program.endswith("/.venv/bin/tocsin")
    assert is_command([word.replace("%i", QUEUES[0]) for word in words])


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_runs_without_rights_and_comes_back(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["User"] == "tocsin"
    assert service["NoNewPrivileges"] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectoryMode"] == "0700"
    assert service["Restart"] == "always"
    assert unit(path)["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_sets_what_the_settings_know(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, value = unit(path)["Service"]["Environment"].split("=", 1)
    assert environment_is_known([name], monkeypatch, {name: value})


def test_systemd_waits_for_the_supervisors_own_grace_before_it_kills() -> None:
    settings = load_settings(ROOT / "config")
    assert int(unit(ROOT / "config" / "systemd" / "tocsin.service")["Service"]["TimeoutStopSec"]) > settings.watch.stop_s + 10


# ---------------------------------------------------------------- compose


def test_compose_runs_each_part_in_a_container_of_its_own() -> None:
    assert sorted(SERVICES) == sorted(["valkey", "setup", "beat", *QUEUES, "web"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_compose_uses_known_keys_and_gives_every_service_a_health(name: str) -> None:
    service = SERVICES[name]
    assert set(service) <= SERVICE_KEYS
    health = service["healthcheck"]
    assert health.get("disable") or health["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", sorted({"beat", "web", *QUEUES}))
def test_a_container_starts_a_command_that_exists(name: str) -> None:
    assert is_command(SERVICES[name]["command"])


def test_the_setup_applies_files_that_exist() -> None:
    for line in SERVICES["setup"]["command"][0].split(" && "):
        program, *words = shlex.split(line)
        assert program == "tocsin"
        assert is_command(words)
        assert (ROOT / words[-1]).is_file()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_runs_without_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] not in ("", "root", "0", "0:0")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


def test_only_the_web_page_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8765:8765"]}
    assert SERVICES["valkey"]["networks"] == ["inside"]


@pytest.mark.parametrize("name", OURS)
def test_a_container_sets_what_the_settings_know(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = SERVICES[name]["environment"]
    assert environment_is_known(list(values), monkeypatch, values)


def test_the_store_of_compose_writes_everything_down_and_throws_nothing_away() -> None:
    words = SERVICES["valkey"]["command"]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert (options["--appendonly"], options["--appendfsync"]) == ("yes", "always")
    assert options["--maxmemory-policy"] == "noeviction"


def test_every_volume_and_what_is_waited_for_exists() -> None:
    whole = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    for service in SERVICES.values():
        named = [v.split(":")[0] for v in service.get("volumes", ()) if not v.startswith(".")]
        assert set(named) <= set(whole["volumes"])
        assert set(service.get("depends_on", ())) <= set(SERVICES)
        assert set(service["networks"]) <= set(whole["networks"])


@pytest.mark.parametrize("name", sorted({"beat", "web", *QUEUES}))
def test_a_health_check_is_a_program_that_compiles(name: str) -> None:
    _, program, option, code, *_ = SERVICES[name]["healthcheck"]["test"]
    assert (program, option) == ("python", "-c")
    compile(code, "healthcheck", "exec")


# ---------------------------------------------------------------- Dockerfile


def dockerfile() -> list[list[str]]:
    """The instructions of the Dockerfile, continued lines joined, as words."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#"))).splitlines()
    return [line.split() for line in lines if line.strip()]


def test_the_image_installs_exactly_the_lock_and_checks_hashes() -> None:
    installs = [line for line in dockerfile() if line[0] == "RUN" and "install" in line and "pip" in line]
    assert len(installs) == 1
    assert {"--require-hashes", "requirements.lock"} <= set(installs[0])


def test_the_image_copies_what_is_there_and_runs_as_a_user_of_its_own() -> None:
    copied = [name for line in dockerfile() if line[0] == "COPY" for name in line[1:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert [line[1] for line in dockerfile() if line[0] == "USER"] == ["tocsin"]
    start = next(line[1:] for line in dockerfile() if line[0] == "CMD")
    assert is_command([word.strip('[]",') for word in start])
