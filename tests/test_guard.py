"""The address guard refuses by default: whatever disguise a private address wears, it is not dialled."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import ConfigError
from alerts.http.guard import AddressGuard, check_host

# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.216.34",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        pytest.param("::ffff:1.1.1.1", id="mapped public"),
        pytest.param("64:ff9b::101:101", id="NAT64 of 1.1.1.1"),
        pytest.param("2002:101:101::1", id="6to4 of 1.1.1.1"),
    ],
)
def test_a_public_address_may_be_dialled(address: str) -> None:
    assert AddressGuard().check(address, 443) is None


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("0.0.0.0", "unspecified"),
        ("10.1.2.3", "private"),
        ("100.64.0.1", "carrier"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "cloud"),
        ("169.254.169.254", "link-local"),
        ("172.31.255.255", "private"),
        ("192.0.0.8", "reserved"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4"),
        ("192.168.1.1", "private"),
        ("198.19.0.1", "benchmarks"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("fc00::1", "private"),
        ("fd00:ec2::254", "private"),
        ("fe80::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("2001:2::1", "reserved"),
        ("100::1", "no global unicast"),
        ("5f00::1", "no global unicast"),
        ("4000::1", "no global unicast"),
        pytest.param("::127.0.0.1", "no global unicast", id="IPv4-compatible loopback"),
        pytest.param("::ffff:127.0.0.1", "loopback", id="mapped loopback"),
        pytest.param("::ffff:a9fe:a9fe", "link-local", id="mapped 169.254.169.254"),
        pytest.param("64:ff9b::a00:1", "private", id="NAT64 of 10.0.0.1"),
        pytest.param("64:ff9b:1::101:101", "no global unicast", id="local NAT64"),
        pytest.param("2002:7f00:1::", "loopback", id="6to4 of 127.0.0.1"),
        pytest.param("2001:0:101:101::80ff:fffe", "loopback", id="Teredo of 127.0.0.1"),
        pytest.param("fe80::1%eth0", "interface", id="scoped"),
        pytest.param("2606:4700::1111%1", "interface", id="public but scoped"),
        ("localhost", "no IP address"),
        ("0177.0.0.1", "no IP address"),
        ("", "no IP address"),
    ],
)
def test_a_special_address_is_refused_in_words(address: str, what: str) -> None:
    assert what in (AddressGuard().check(address, 443) or "")


@given(st.one_of(st.integers(0, 2**32 - 1).map(IPv4Address), st.integers(0, 2**128 - 1).map(IPv6Address)))
def test_nothing_that_python_calls_not_global_passes(address: IPv4Address | IPv6Address) -> None:
    if AddressGuard().check(str(address), 443) is None:
        assert address.is_global or (isinstance(address, IPv6Address) and address.sixtofour is not None)


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_every_disguise_of_an_ipv4_address_is_judged_like_it(inner: IPv4Address) -> None:
    guard = AddressGuard()
    number = int(inner)
    disguises = (0xFFFF << 32 | number, int(ip_address("64:ff9b::")) | number, 0x2002 << 112 | number << 80)
    verdicts = {guard.check(str(IPv6Address(d)), 443) is None for d in disguises}
    assert verdicts == {guard.check(str(inner), 443) is None}


def test_other_ports_than_the_allowed_ones_are_refused() -> None:
    assert AddressGuard().check("1.1.1.1", 22) == "port 22 of 1.1.1.1 is not among the allowed ones (80, 443)"
    assert AddressGuard(allow_ports=[8080]).check("1.1.1.1", 8080) is None
    assert AddressGuard(allow_ports=[0]).check("1.1.1.1", 22) is None
    assert AddressGuard(allow_ports=[0]).check("10.0.0.1", 80) is not None


def test_an_allowed_network_may_be_dialled_on_any_port() -> None:
    guard = AddressGuard(["127.0.0.0/8", "fd00::/8"])
    dialled = [guard.check(address, 6379) for address in ("127.0.0.1", "::ffff:127.0.0.1", "fd00::1")]
    assert dialled == [None, None, None]
    assert guard.check("10.0.0.1", 6379) == "10.0.0.1 is a private address"
    assert guard.check("fd00::1%eth0", 6379) == "fd00::1%eth0 names a network interface"


def test_a_network_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"http\.allow_networks: 'home' is no network"):
        AddressGuard(["home"])


# ---------------------------------------------------------------- hosts


def test_a_host_is_refused_for_any_one_of_its_addresses() -> None:
    resolved = {"good.example": ["1.1.1.1"], "mixed.example": ["1.1.1.1", "10.0.0.1"], "none.example": []}
    verdicts = [check_host(AddressGuard(), host, 443, resolve=lambda name, _port: resolved[name]) for host in resolved]
    assert verdicts == [
        None,
        "mixed.example leads to a refused address: 10.0.0.1 is a private address",
        "none.example has no address",
    ]


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]"])
def test_the_forms_of_loopback_are_seen_through(host: str) -> None:
    assert "is a loopback address" in (check_host(AddressGuard(), host, 80) or "")


@pytest.mark.parametrize("host", ["", "a b", "a\nb", "\0", "[]"])
def test_a_host_that_is_no_name_is_refused(host: str) -> None:
    assert "is no host name" in (check_host(AddressGuard(), host, 80) or "")


def test_a_host_that_does_not_resolve_is_refused() -> None:
    def gone(_name: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    expected = "gone.example does not resolve (Name or service not known); check its spelling"
    assert check_host(AddressGuard(), "gone.example", 443, resolve=gone) == expected
    assert "no valid name" in (check_host(AddressGuard(), "x" * 70 + ".example", 443) or "")


# ---------------------------------------------------------------- sockets

_GUARDED = """
import json, smtplib, socket, sys, tempfile, os
from alerts.http.guard import AddressGuard, AddressRefusedError, install_socket_guard
exempt, refused = int(sys.argv[1]), int(sys.argv[2])
install_socket_guard(AddressGuard(), exempt=[("127.0.0.1", exempt)])
found = {}
def attempt(name, dial):
    try:
        dial().close()
        found[name] = "connected"
    except AddressRefusedError as error:
        found[name] = f"refused: {error.strerror}"
def unix():
    path = os.path.join(tempfile.mkdtemp(), "s")
    listener = socket.socket(socket.AF_UNIX); listener.bind(path); listener.listen()
    client = socket.socket(socket.AF_UNIX); client.connect(path); listener.close(); return client
def plain(address):
    client = socket.socket()
    try:
        client.connect(address)
    except OSError:
        client.close()
        raise
    return client
attempt("exempt", lambda: plain(("127.0.0.1", exempt)))
attempt("refused", lambda: plain(("127.0.0.1", refused)))
attempt("bytes", lambda: plain((b"127.0.0.1", refused)))
attempt("name", lambda: plain(("localhost", refused)))
attempt("create_connection", lambda: socket.create_connection(("localhost", refused)))
attempt("smtplib", lambda: smtplib.SMTP("localhost", refused))
attempt("unix", unix)
print(json.dumps(found))
"""


def test_the_socket_guard_stops_code_that_dials_by_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ours, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [str(listener.getsockname()[1]) for listener in (ours, other)]
        ran = subprocess.run([sys.executable, "-W", "error", "-c", _GUARDED, *ports], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    found = json.loads(ran.stdout)
    assert (found.pop("exempt"), found.pop("unix")) == ("connected", "connected")
    assert found.pop("name") == "refused: 'localhost' is no IP address"
    assert set(found) == {"refused", "bytes", "create_connection", "smtplib"}
    assert all("is a loopback address" in said for said in found.values())
