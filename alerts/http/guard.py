"""Which addresses may be dialled: only global unicast ones on the usual ports, unless a setting says otherwise.

An address is judged in this order: a scoped one is refused; one inside `allow_networks` may be dialled on any port; an
IPv4 address carried inside an IPv6 one (mapped, 6to4, Teredo, NAT64) is judged as that IPv4 address; what the IANA
special-purpose registries set aside is refused, and so is every IPv6 address outside 2000::/3; last the port.
The guard decides on addresses, never on names: whoever dials asks it again with the address really dialled.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Container, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from alerts.errors import ConfigError

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Iterable[str]]

# https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-special-registry, by what a person calls them.
_REFUSED = tuple(
    (ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier's private address"),
        ("127.0.0.0/8", "a loopback address"),
        ("168.63.129.16/32", "a cloud's own service"),
        ("169.254.0.0/16", "a link-local address, where clouds serve their credentials"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "an address for documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "an address for benchmarks"),
        ("198.51.100.0/24", "an address for documentation"),
        ("203.0.113.0/24", "an address for documentation"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "an address for documentation"),
        ("3fff::/20", "an address for documentation"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefusedError(PermissionError):
    """A socket was about to connect to an address that the guard refuses; the text says which and why."""


class AddressGuard:
    """Decides which addresses and ports may be dialled.

    Args:
        allow_networks: CIDRs that may be dialled although they would be refused, on any port.
        allow_ports: Ports of all other addresses; 0 among them allows every port.

    Raises:
        ConfigError: An entry of allow_networks is no network.
    """

    def __init__(self, allow_networks: Sequence[str] = (), allow_ports: Sequence[int] = (80, 443)) -> None:
        self._allowed = tuple(_network(text) for text in allow_networks)
        self._ports = frozenset(allow_ports)

    def check(self, address: str, port: int) -> str | None:
        """None when the numeric address may be dialled on this port, else the reason in words."""
        try:
            outer = ip_address(address)
        except ValueError:
            return f"{address[:100]!r} is no IP address"
        if isinstance(outer, IPv6Address) and outer.scope_id is not None:
            return f"{address} names a network interface"
        inner = _unwrapped(outer)
        if any(a in network for network in self._allowed for a in (outer, inner)):
            return None
        what = _refusal(inner)
        if what:
            return f"{address} is {what}"
        return self._refused_port(address, port)

    def _refused_port(self, address: str, port: int) -> str | None:
        if 0 in self._ports or port in self._ports:
            return None
        allowed = ", ".join(str(p) for p in sorted(self._ports)) or "none"
        return f"port {port} of {address} is not among the allowed ones ({allowed})"


def _network(text: str) -> _Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise ConfigError(f"http.allow_networks: {text!r} is no network; write it like 10.0.0.0/8 or fd00::/8") from error


def _unwrapped(address: _Address) -> _Address:
    """The IPv4 address an IPv6 one leads to (RFC 4291, 3056, 4380, 6052), else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _refusal(address: _Address) -> str | None:
    for network, what in _REFUSED:
        if address in network:
            return what
    if isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
        return "no global unicast address"
    return None


def resolve_host(host: str, port: int) -> list[str]:
    """The numeric addresses of a host, by the system's resolver (which also reads forms like 0x7f.1).

    Raises:
        OSError: The name does not resolve.
        UnicodeError: It is no name at all.
    """
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def check_host(guard: AddressGuard, host: str, port: int, *, resolve: Resolver = resolve_host) -> str | None:
    """None when every address of the host may be dialled, else the reason in words.

    For the moment something is saved: it tells a person at once. It protects nobody, as a name may lead elsewhere later.
    """
    name = host.removeprefix("[").removesuffix("]")
    if not name or not name.isprintable() or " " in name:
        return f"{host[:100]!r} is no host name"
    try:
        addresses = list(resolve(name, port))
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no valid name"
        return f"{host[:100]} does not resolve ({reason}); check its spelling"
    if not addresses:
        return f"{host[:100]} has no address"
    return next((_of_host(name, why) for address in addresses if (why := guard.check(address, port))), None)


def _of_host(name: str, reason: str) -> str:
    return reason if name in reason else f"{name} leads to a refused address: {reason}"


def install_socket_guard(guard: AddressGuard, *, exempt: Container[tuple[str, int]] = ()) -> None:
    """Make every `socket.connect` of this process ask the guard; it cannot be taken back.

    For code that resolves and dials by itself (Apprise, smtplib). Unix sockets pass. Connecting to a refused address
    raises AddressRefusedError, an OSError, so that such code treats it like any dead host. A name is refused as
    well: the address it was resolved to cannot be seen here; well-behaved libraries connect to addresses.

    Args:
        exempt: (address, port) pairs of our own servers, such as a Redis on TCP, exactly as they are dialled.
    """
    def audit(event: str, args: tuple[Any, ...]) -> None:
        if event != "socket.connect":
            return
        reason = _dial_refusal(guard, exempt, args[0].family, args[1])
        if reason:
            raise AddressRefusedError(errno.EACCES, reason)

    sys.addaudithook(audit)


def _dial_refusal(guard: AddressGuard, exempt: Container[tuple[str, int]], family: int, address: Any) -> str | None:
    if family == socket.AF_UNIX:
        return None
    if family not in (socket.AF_INET, socket.AF_INET6):
        return f"sockets of family {family} may not be connected"
    host, port = _text(address[0]), int(address[1])
    if (host, port) in exempt:
        return None
    scope = address[3] if len(address) > 3 else 0
    return guard.check(f"{host}%{scope}" if scope and "%" not in host else host, port)


def _text(host: str | bytes | bytearray) -> str:
    return host if isinstance(host, str) else bytes(host).decode("ascii", "replace")
