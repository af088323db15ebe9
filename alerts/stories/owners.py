"""Which sources belong to one owner, from config/owners.toml: what they carry alike is one origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alerts.errors import ConfigError
from alerts.models import Source
from alerts.settings import read_toml


@dataclass(frozen=True, slots=True)
class Owners:
    """Groups by their members: ids of sources, and hosts, of which subdomains are members too."""

    groups: Mapping[str, str] = field(default_factory=dict)  # member -> group

    @classmethod
    def load(cls, path: Path) -> Owners:
        """The groups of a file; none when it is not there.

        Raises:
            ConfigError: Names file, group, what is wrong and what is allowed.
        """
        if not path.is_file():
            return cls()
        rows = read_toml(path)
        for key in rows:
            if key != "owners":
                raise ConfigError(f"{path}: {key}: unknown key; groups stand in one table [owners]")
        return cls(_members(path, rows.get("owners", {})))

    def of(self, source: Source) -> str:
        """The group of a source; empty when it is in none. Its id is asked first, then its host."""
        return self.groups.get(source.source_id) or self.of_host(host_of(source.url))

    def of_host(self, host: str) -> str:
        """The group a host is in, by itself or as a subdomain."""
        return next((self.groups[name] for name in domains_of(host) if name in self.groups), "")


NO_OWNERS = Owners()


@lru_cache(maxsize=4096)  # one for each source, more or less
def host_of(url: str) -> str:
    """The host of a URL in small letters; empty when it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets that hold no address
        return ""


def domains_of(host: str) -> tuple[str, ...]:
    """The host and the domains it lies in, the nearest first: news.example.org, example.org, org."""
    parts = host.split(".")
    return tuple(".".join(parts[at:]) for at in range(len(parts))) if host else ()


def _members(path: Path, table: Any) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: owners: must be a table of groups, such as harbour = ['harbour-north', 'harbour.example']")
    found: dict[str, str] = {}
    for group, members in table.items():
        if not isinstance(members, list) or not members or not all(isinstance(m, str) and m.strip() for m in members):
            raise ConfigError(f"{path}: owners.{group}: must be a list of source ids and hosts, such as ['harbour.example']")
        for member in (m.strip().lower() for m in members):
            if found.setdefault(member, group) != group:
                raise ConfigError(f"{path}: owners.{group}: {member} is in the group {found[member]} already; one group each")
    return found
