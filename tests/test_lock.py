"""The locks: they fit pyproject.toml, hold everything that is needed, a hash for each file, and no address."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCKS = {"requirements.lock": (), "requirements-dev.lock": ("dev",)}
_ENTRY = re.compile(r"^(?P<requirement>[a-zA-Z0-9].*?) \\\n(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M)


def read(name: str) -> str:
    """The text of a lock."""
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str) -> dict[str, Version]:
    """distribution -> version, of what a lock installs on this Python and system."""
    found: dict[str, Version] = {}
    for match in _ENTRY.finditer(read(name)):
        requirement = Requirement(match["requirement"])
        if requirement.marker is None or requirement.marker.evaluate():
            found[canonicalize_name(requirement.name)] = Version(next(iter(requirement.specifier)).version)
    return found


def declared(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_fits_pyproject(lock: str) -> None:
    pinned = pins(lock)
    wrong = [str(r) for r in declared(*LOCKS[lock]) if not r.specifier.contains(pinned.get(canonicalize_name(r.name), Version("0")))]
    assert wrong == [], "run ./run.sh lock"


def needed(requirement: Requirement) -> list[Requirement]:
    """What an installed distribution asks for on this Python, with the extras it was asked for; nothing when it is not installed."""
    try:
        lines = requires(requirement.name) or []
    except PackageNotFoundError:
        return []
    extras = ("", *requirement.extras)
    parsed = [Requirement(line) for line in lines]
    return [r for r in parsed if r.marker is None or any(r.marker.evaluate({"extra": extra}) for extra in extras)]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_holds_what_its_packages_need(lock: str) -> None:
    pinned = pins(lock)
    waiting, seen = declared(*LOCKS[lock]), set()
    missing = []
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name not in pinned:
            missing.append(str(requirement))
        if (key := (name, frozenset(requirement.extras))) not in seen:
            seen.add(key)
            waiting += needed(requirement)
    assert missing == []


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_holds_pinned_versions_with_hashes_and_no_address(lock: str) -> None:
    text = read(lock)
    rest = re.sub(r"^ +#.*\n", "", _ENTRY.sub("", text), flags=re.M)
    assert rest == "", "every line is a pin, its hashes, or who needs it"
    assert "://" not in text
    assert all("==" in match["requirement"] for match in _ENTRY.finditer(text))


def test_the_lock_for_development_holds_the_versions_that_users_get() -> None:
    service, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: development.get(name) for name in service} == service


def test_users_do_not_get_the_tools_of_the_tests() -> None:
    assert not {"pytest", "mypy", "ruff", "hypothesis"} & set(pins("requirements.lock"))
