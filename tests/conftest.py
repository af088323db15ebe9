"""What every test stands on: no outside network, a real Valkey, the shared data where it is, hypothesis profiles."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import settings as hypothesis_settings

from alerts.errors import ConfigError
from alerts.state.redis import RedisState
from alerts.state.server import find_binary, running

ROOT = Path(__file__).parent.parent
_IS_CI = os.environ.get("CI") == "true"

hypothesis_settings.register_profile("laptop", deadline=None, max_examples=60)
hypothesis_settings.register_profile("ci", deadline=None, max_examples=200, derandomize=True, print_blob=True)
hypothesis_settings.load_profile("ci" if _IS_CI else "laptop")


# ---------------------------------------------------------------- no outside network


class OutsideNetworkError(AssertionError):
    """A test reached for an address that is not on this machine."""


def _address(host: object) -> IPv4Address | IPv6Address | None:
    """The address that a host is written as; None for a name."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _check(sock: socket.socket, target: Any) -> None:
    if sock.family not in (socket.AF_INET, socket.AF_INET6) or target[0] in ("", "localhost"):
        return
    address = _address(target[0])
    if address is None or not address.is_loopback:
        raise OutsideNetworkError(f"a test reached for {target!r}; only 127.0.0.0/8, ::1 and unix sockets may be used")


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a socket whose last argument is an address, with that address checked first."""

    def guarded(sock: socket.socket, *arguments: Any) -> Any:
        _check(sock, arguments[-1])
        return method(sock, *arguments)

    return guarded


def _needs_no_name_server(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost", socket.gethostname()) or _address(host):
        return True
    try:
        return bool(socket.inet_aton(str(host)))  # 127.1, 0x7f000001 and the like
    except OSError:
        return False


def _resolver(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """getaddrinfo for this machine's name and for addresses; other names do not exist."""

    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        if _needs_no_name_server(host):
            return resolve(host, *rest, **options)
        str(host).encode("idna")  # what cannot be a name is a UnicodeError, as ever
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known (tests resolve localhost only)")

    return getaddrinfo


@pytest.fixture(scope="session", autouse=True)
def _no_outside_network() -> Iterator[None]:
    """Python's sockets reach this machine only, and other names do not resolve.

    libcurl's sockets are not Python's: they are held by `alerts.http.guard`, as in production.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _resolver(socket.getaddrinfo))
        yield


# ---------------------------------------------------------------- data and services


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real news data beside the project; the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not here: real news data stays out of the project")
    return folder


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The redis-py URL of a real store of this test run, on a unix socket; where none is installed CI fails, a laptop skips."""
    folder = tmp_path_factory.mktemp("store")
    try:
        find_binary()
    except ConfigError as error:
        if _IS_CI:
            raise
        pytest.skip(str(error))
    with running(folder / "data", folder / "s.sock", memory_mb=256) as url:
        yield url


@pytest.fixture
def valkey_url(valkey_server: str) -> str:
    """The redis-py URL of a real server, emptied for this test."""
    with redis.Redis.from_url(valkey_server) as client:
        client.flushall()
    return valkey_server


@pytest.fixture
def state(valkey_url: str) -> Iterator[RedisState]:
    """The store, prepared and empty."""
    with redis.Redis.from_url(valkey_url) as client:
        made = RedisState(client)
        made.prepare()
        yield made
