"""`tocsin up`: which processes the service consists of, their log, and who watches the workers.

    store -> sources.toml, rules.toml -> beat, poll, sift, deliver, web

The loop that runs them is in supervise.py.
"""

from __future__ import annotations

import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from types import FrameType
from typing import TextIO
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from alerts.child import Part
from alerts.errors import StateError
from alerts.fork import preload
from alerts.settings import Settings, config_dir
from alerts.state import server
from alerts.state.redis import RedisState
from alerts.supervise import Death, Supervisor

__all__ = ["Part", "own_store", "run", "run_service", "worker_arguments"]

QUEUES = ("poll", "sift", "deliver")
STORE = "store"
FIRST_S = 0.2
LONGEST_S = 30.0
LONGEST_KILLED_S = 2.0  # being killed from outside is no sign that it cannot run
STEADY_S = 60.0  # who lived this long starts with a clean sheet
QUICK_S = 5.0  # who ended by itself before this did not really start
TRIES = 5
TRIES_S = 30.0
# What the children have in common, loaded once. Nothing here starts a thread or opens a connection when imported.
_SHARED = (
    "alerts.bootstrap",
    "alerts.cli.main",
    "alerts.web.app",
    "celery.bin.celery",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.solo",
    "celery.fixups",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "kombu.transport.redis",
)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)

# ---------------------------------------------------------------- what is run


def run(settings: Settings) -> int:
    """Run the service with the sources and rules of the configuration; the exit code. Raises: ConfigError, StateError."""
    return run_service(settings, first=tuple(config_parts()))


def run_service(
    settings: Settings,
    *,
    first: Sequence[Part] = (),
    prepare: Callable[[Settings], None] | None = None,
    seconds: float | None = None,
    out: TextIO | None = None,
) -> int:
    """Run the service until Ctrl-C, or for so many seconds; the exit code.

    Args:
        first: Parts between the store and beat.
        prepare: Called when the store and `first` are there, before beat and the workers are.
        out: Where the log goes; stdout by default.

    Raises:
        ConfigError: The data directory or a setting cannot be used, or no store server is installed.
        StateError: Another instance works in the data directory.
    """
    with server.held(settings.data_dir, wait_s=3.0):
        parts = service_parts(settings, first)
        log = MergedLog(out or sys.stdout, [part.name for part in parts])
        log.event("tocsin starts", data=settings.data_dir, web=f"http://{settings.web.host}:{settings.web.port}/healthz")
        watch = store_watch(settings, log.event)
        on_ready = partial(_clear_the_way, settings, prepare)
        preload(_SHARED)
        supervisor = Supervisor(
            parts, log=log, stop_s=settings.watch.stop_s, policy=restart_policy, watch=watch, on_ready=on_ready
        )
        with signals() as receiver:
            code = supervisor.run(receiver, seconds)
        log.event("tocsin has stopped", exit_code=code)
        return code


def _clear_the_way(settings: Settings, prepare: Callable[[Settings], None] | None) -> None:
    """Before the workers start: free what those of a former life held. Nobody else works on the embedded store."""
    if not settings.redis_url:
        RedisState(_quick_client(settings)).free_all_leases()
    if prepare:
        prepare(settings)


@contextmanager
def own_store(settings: Settings) -> Iterator[None]:
    """The store alone, for commands that are the service themselves; nothing is started when redis_url is set.

    Raises:
        ConfigError, StateError: As `run_service`; or the store did not come up.
    """
    with server.held(settings.data_dir):
        if settings.redis_url:
            yield
            return
        with server.running(settings.data_dir / STORE, server.socket_path(settings), memory_mb=settings.watch.memory_mb):
            yield


def service_parts(settings: Settings, first: Sequence[Part] = ()) -> tuple[Part, ...]:
    """The table of parts. Raises: ConfigError when the store cannot be run."""
    celery = ("-q", "-A", "workers")
    return (
        store_part(settings),
        *first,
        Part("beat", (*celery, *beat_arguments()), module="celery", after=STORE),
        *(Part(queue, (*celery, *worker_arguments(queue)), module="celery", queue=queue, after=STORE) for queue in QUEUES),
        Part("web", ("web",), module="alerts.cli"),
    )


def store_part(settings: Settings) -> Part:
    """The embedded store, or the one of redis_url, which is only waited for. Raises: ConfigError."""
    if settings.redis_url:
        url = urlsplit(server.redis_url(settings))
        where = f"{url.scheme}://{url.hostname or ''}{f':{url.port}' if url.port else ''}{url.path}"
        return Part(STORE, (), is_ready=partial(_answers, _quick_client(settings)), where=where)
    place = server.socket_path(settings)
    command = server.prepare(settings.data_dir / STORE, place, memory_mb=settings.watch.memory_mb)
    return Part(STORE, command, is_ready=partial(server.answers, place), where=str(place))


def config_parts() -> Iterator[Part]:
    """A part for each file of the configuration that is applied before the workers start."""
    for name in ("sources", "rules"):
        path = config_dir() / f"{name}.toml"
        if path.is_file():
            yield Part(name, ("apply", "--if-changed", "-f", str(path)), module="alerts.cli", is_once=True)


def beat_arguments() -> tuple[str, ...]:
    """What follows `celery -A workers` for beat; its schedule needs no file."""
    return "beat", "--loglevel", "WARNING"


def worker_arguments(queue: str) -> tuple[str, ...]:
    """What follows `celery -A workers` for the worker of a queue.

    Solo: a task has the process to itself, and one that hangs is killed whole. Every worker sweeps, too.
    """
    alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return "worker", "-Q", f"{queue},sweep", "-P", "solo", "-n", f"{queue}@%h", *alone, "--loglevel", "WARNING"


# ---------------------------------------------------------------- what is started again


def restart_policy(deaths: Sequence[Death], is_urgent: bool) -> float | None:
    """Seconds to wait before the part is started again; None = it cannot be run."""
    return None if is_hopeless(deaths) else restart_delay(deaths, is_urgent=is_urgent)


def restart_delay(deaths: Sequence[Death], *, is_urgent: bool = False) -> float:
    """Seconds to wait after the last death, doubled with each one in a row.

    Args:
        deaths: Oldest first; at least one. A life of 60 s ends a row.
        is_urgent: Others depend on it: the first restart comes at once.
    """
    in_a_row = 0
    for death in reversed(deaths):
        in_a_row += 1
        if death.lived_s >= STEADY_S:
            break
    if is_urgent and in_a_row == 1:
        return 0.0
    longest = LONGEST_KILLED_S if deaths[-1].is_killed else LONGEST_S
    return min(longest, FIRST_S * 2.0 ** (in_a_row - 1))


def is_hopeless(deaths: Sequence[Death]) -> bool:
    """Whether the part ended by itself, just started, five times within 30 s."""
    failed = [d for d in deaths if not d.is_killed and d.lived_s < QUICK_S and deaths[-1].at - d.at <= TRIES_S]
    return len(failed) >= TRIES


# ---------------------------------------------------------------- what is watched


def stalled(ages: Mapping[str, float], progress: Mapping[str, float], stall_s: float) -> Iterator[str]:
    """The workers that made no progress for stall_s seconds, or never any.

    Args:
        ages: worker id -> seconds since it was started.
        progress: worker id -> seconds since its last progress; other workers may be in it.
        stall_s: The patience; nobody is judged before that age.
    """
    for worker_id, age_s in ages.items():
        if age_s > stall_s and progress.get(worker_id, age_s) > stall_s:
            yield worker_id


class StoreWatch:
    """Reads the workers' progress in the store, and frees there what the dead ones held.

    Args:
        progress_of: worker id -> seconds since its last progress.
        on_death: A worker has ended; called again later when it raises.
        event: Says once that the store cannot be asked.

    Both calls may raise StateError and must be quick.
    """

    def __init__(
        self,
        progress_of: Callable[[], Mapping[str, float]],
        on_death: Callable[[str], None],
        *,
        stall_s: float,
        event: Callable[..., None],
    ) -> None:
        self.every_s = min(5.0, stall_s / 6)
        self._progress_of, self._on_death, self._stall_s, self._event = progress_of, on_death, stall_s, event
        self._dead: deque[str] = deque(maxlen=100)  # the store has not heard of them yet
        self._suspects: frozenset[str] = frozenset()
        self._looked_at = float("-inf")
        self._is_deaf = False

    def ended(self, worker_id: str) -> None:
        """Note that a worker is no more; the store is told at the next look."""
        self._dead.append(worker_id)

    def stuck(self, ages: Mapping[str, float], now: float) -> frozenset[str]:
        """The workers found standing still at two looks; none when the store cannot be asked.

        Twice, because everybody looks late for a moment after the machine was asleep.
        """
        try:
            while self._dead:
                self._on_death(self._dead[0])
                self._dead.popleft()
            found = frozenset(stalled(ages, self._progress_of(), self._stall_s))
        except StateError as error:
            if not self._is_deaf:
                self._event("the watch cannot ask the store", error=error)
            self._is_deaf, self._suspects = True, frozenset()
            return frozenset()
        self._is_deaf = False
        if now - self._looked_at < self.every_s / 2:  # only called to be told of a death
            return frozenset()
        self._looked_at = now
        again, self._suspects = found & self._suspects, found
        return again


def store_watch(settings: Settings, event: Callable[..., None]) -> StoreWatch:
    """The watch on the store of the settings; counts restarts of workers there."""
    state = RedisState(_quick_client(settings))

    def on_death(worker_id: str) -> None:
        state.free_leases(worker_id)
        state.bump("worker_restarts")

    def progress_of() -> Mapping[str, float]:
        return {owner: idle_s for owner, (_, idle_s) in state.progress().items()}

    return StoreWatch(progress_of, on_death, stall_s=settings.watch.stall_s, event=event)


def _quick_client(settings: Settings) -> redis.Redis:
    """A client that gives up soon: the supervisor has other things to do."""
    return redis.Redis.from_url(
        server.redis_url(settings), socket_timeout=2.0, socket_connect_timeout=2.0, retry=Retry(NoBackoff(), 1)
    )


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


# ---------------------------------------------------------------- log


def readable(text: str) -> str:
    """The text without what would act on a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\t" else "?" for c in text)


class MergedLog:
    """The output of all parts and what the supervisor has to say, one line each, on one stream.

    Args:
        out: Where to; its end (a closed pipe) is no reason to stop the service.
        names: Of the parts, for the width of the first column.
        clock: Local time for the supervisor's own lines; parts bring theirs.
    """

    _COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green")

    def __init__(self, out: TextIO, names: Sequence[str], *, clock: Callable[[], datetime] = datetime.now) -> None:
        self._out = out
        self._clock = clock
        self._width = max((len(name) for name in ("tocsin", *names)), default=0)
        self._prefix = self._coloured(names) if out.isatty() else {}

    def _coloured(self, names: Sequence[str]) -> dict[str, str]:
        from rich.console import Console  # only on a terminal: a service in the background does without its memory

        console = Console(file=self._out)
        prefixes = {}
        for number, name in enumerate(names):
            with console.capture() as capture:
                colour = self._COLOURS[number % len(self._COLOURS)]
                console.print(f"{name:{self._width}} |", style=colour, end=" ", markup=False, highlight=False)
            prefixes[name] = capture.get()
        return prefixes

    def line(self, name: str, text: str) -> None:
        """Write a line of a part; empty ones are left out."""
        if not text.strip():
            return
        with suppress(OSError, ValueError):
            self._out.write((self._prefix.get(name) or f"{name:{self._width}} | ") + readable(text) + "\n")
            self._out.flush()

    def event(self, phrase: str, **keys: object) -> None:
        """Write a line of the supervisor's own: time, phrase, key=value."""
        told = "".join(f" {key}={value}" for key, value in keys.items())
        self.line("tocsin", f"{self._clock():%H:%M:%S} {phrase}{told}")


@contextmanager
def signals() -> Iterator[socket.socket]:
    """A socket on which the numbers of signals arrive, one byte each."""
    receiver, sender = socket.socketpair()
    with receiver, sender:
        receiver.setblocking(False)
        sender.setblocking(False)
        before = {number: signal.signal(number, _arrives_on_the_socket) for number in _SIGNALS}
        wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        try:
            yield receiver
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)


def _arrives_on_the_socket(_number: int, _frame: FrameType | None) -> None:
    """Nothing: without a handler Python would not write to the socket."""
