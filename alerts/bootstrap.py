"""Settings -> ports -> service: the only place that constructs clients."""

from __future__ import annotations

import logging
import os
import socket
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import structlog

from alerts.delivery.governor import Governor
from alerts.delivery.ledger import Ledger
from alerts.delivery.notify import LaneNotifier
from alerts.delivery.schemes import USUAL_PORTS
from alerts.delivery.secrets import KeyRing
from alerts.http.client import HttpClient
from alerts.http.guard import AddressGuard, install_socket_guard
from alerts.pipeline import Sifter, Tools, deliver, finish, poll, sift, sweep
from alerts.pipeline.upkeep import Sweeper
from alerts.ports import Notifier
from alerts.regions.areas import AreaIndex
from alerts.regions.tagger import Tagger
from alerts.rules.lists import Lists
from alerts.service import Service
from alerts.settings import Settings, config_dir, load_settings
from alerts.sources.baselines import Baselines
from alerts.sources.fetch import Fetcher
from alerts.sources.sandbox import Sandbox
from alerts.state.redis import RedisState, connect
from alerts.state.server import make_private, redis_url
from alerts.stories.owners import Owners
from alerts.stories.semantic import load_encoder


def prepare_data_dir(settings: Settings) -> Path:
    """The data directory, made with mode 0700 when it is not there. Raises: ConfigError."""
    make_private(settings.data_dir)
    return settings.data_dir


def build_state(settings: Settings) -> RedisState:
    """The store, with its schema checked. Raises: StateError when it does not answer or is newer than we are."""
    state = RedisState(
        connect(redis_url(settings)),
        archive_items=settings.sift.archive_items,
        archive_s=settings.sift.archive_days * 86400.0,
        ledger_s=settings.deliver.ledger_days * 86400.0,
    )
    state.prepare()
    return state


def _stay_asleep(_queue: str) -> None:
    """For processes that wake nobody: beat does it every two seconds."""


def build_tools(
    settings: Settings,
    *,
    owner: str = "",
    wake: Callable[[str], None] = _stay_asleep,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    notifier: Notifier | None = None,
) -> Tools:
    """Everything the pipeline works with, from the settings.

    Args:
        owner: The name of this process in leases; made from host and pid when empty.
        wake: Sends a wake-up to a queue.
        clock: Time of sources and stories.
        notifier: For tests and replays; the real one by default.
    """
    data = prepare_data_dir(settings)
    guard = build_guard(settings)
    return Tools(
        owner=owner or os.environ.get("TOCSIN_WORKER_ID") or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}",
        settings=settings,
        state=build_state(settings),
        fetcher=Fetcher(HttpClient(settings.http, guard), clock=clock),
        http=HttpClient(settings.http, guard),
        sandbox=Sandbox(),
        baselines=Baselines(data / "baselines.log"),
        notifier=notifier or LaneNotifier(settings, guard),
        governor=Governor(settings.deliver.limits),
        ledger=Ledger(data / "ledger", keep_days=settings.deliver.ledger_days),
        keys=KeyRing.open(data / "keys"),
        random=Random(),
        clock=clock,
        wake=wake,
    )


def build_guard(settings: Settings) -> AddressGuard:
    """Which addresses may be dialled."""
    return AddressGuard(settings.http.allow_networks, settings.http.allow_ports)


def build_sifter(settings: Settings | None = None) -> Sifter:
    """The sift stages that hold data: names of places, groups of regions, lists of words, owners of sources, maybe an encoder.

    Raises:
        ConfigError: `sift.semantic` is on, and its package is not installed.
    """
    encode = load_encoder() if settings and settings.sift.semantic else None
    return Sifter(Tagger.load(), build_areas(), build_lists(), Owners.load(config_dir() / "owners.toml"), encode)


def build_areas() -> AreaIndex:
    """The named groups of config/regions.toml."""
    return AreaIndex.load(config_dir() / "regions.toml")


def build_lists() -> Lists:
    """The named lists of words of config/lists.toml."""
    return Lists.load(config_dir() / "lists.toml")


def build_service(settings: Settings | None = None, tools: Tools | None = None) -> Service:
    """What a person can do."""
    settings = settings or load_settings()
    tools = tools or build_tools(settings)
    return Service(
        tools=tools, load_tagger=cache(Tagger.load), load_areas=cache(build_areas), guard=build_guard(settings), lists=build_lists()
    )


@dataclass
class Engine:
    """What a worker process does when it is woken; each turn runs at most ten seconds."""

    tools: Tools
    _sifter: Sifter | None = field(default=None, repr=False)
    _sweeper: Sweeper = field(default_factory=Sweeper, repr=False)

    def poll(self) -> int:
        """Poll what is due; how many pages were committed."""
        return poll(self.tools)

    def sift(self) -> int:
        """Sift what is on the queue; how many items."""
        if self._sifter is None:
            self._sifter = build_sifter(self.tools.settings)
        return sift(self.tools, self._sifter, stands_by=True)

    def deliver(self) -> int:
        """Expand bells and send what is due; how many deliveries were taken up."""
        return deliver(self.tools)

    def sweep(self) -> dict[str, int]:
        """Kick what was left unfinished."""
        return sweep(self.tools, self._sweeper)

    def close(self) -> None:
        """Finish what is being sent and give everything back."""
        finish(self.tools)
        self.tools.sandbox.close()
        self.tools.fetcher.close()


def build_engine(
    settings: Settings,
    wake: Callable[[str], None] = _stay_asleep,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Engine:
    """The engine of a worker process."""
    return Engine(build_tools(settings, wake=wake, clock=clock))


def build_worker_engine(settings: Settings, wake: Callable[[str], None]) -> Engine:
    """The engine of a worker process of its own: its sockets ask the guard for good, whoever opens them.

    Apprise and smtplib resolve names and dial by themselves; only the store is exempt.
    """
    ports = {port for usual in USUAL_PORTS.values() for port in usual}
    guard = AddressGuard(settings.http.allow_networks, (*settings.http.allow_ports, *sorted(ports)))
    install_socket_guard(guard, exempt=StoreAddresses(redis_url(settings)))
    return build_engine(settings, wake)


class StoreAddresses:
    """The (address, port) pairs that a store on TCP may be dialled at; its name is asked again each time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port or 6379

    def __contains__(self, pair: object) -> bool:
        if self._host is None or not isinstance(pair, tuple) or pair[1] != self._port:
            return False
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError:
            return False
        return pair[0] in {row[4][0] for row in found}


def configure_logging(settings: Settings) -> None:
    """One line an event on stderr: time, level, event, keys."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level)),
    )
