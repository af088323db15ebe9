"""Which channel URLs are taken: the one gate before a URL is sealed and stored.

In this order: length and control characters in every decoded part, the scheme's allow-list, the parameters (only those
the service documents, without those that open files or switch a check off), whether the sender can read it at all, and
the host, where the URL names one. What is wrong is said without repeating a secret.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import unquote

from alerts.delivery import apprise_load, discord, mail_url, mastodon, ntfy, telegram, webhook
from alerts.delivery.services import SCHEMES, mask, redact, scheme_of, service_of
from alerts.errors import ConfigError
from alerts.http.guard import AddressGuard, check_host

__all__ = ["check_channel_url", "mask", "needs_host_guard", "redact", "refused_host", "service_of"]

_READERS: Mapping[str, Callable[[str], object]] = {  # how our own senders read a URL
    "webhook": webhook.parse,
    "tgram": telegram.parse,
    "ntfy": ntfy.parse,
    "discord": discord.parse,
    "mailto": mail_url.parse,
    "mastodon": mastodon.parse,
}
_LONGEST_URL = 4000
_MOST_DECODINGS = 5  # nobody encodes a URL that often in good faith
_COMMON = {"user", "pass", "password", "port"}  # what Apprise reads for every service

# Ports that a service uses beside those the guard allows to everybody.
USUAL_PORTS: Mapping[str, frozenset[int]] = {
    "mailto": frozenset({25, 465, 587, 2525}),
    "mqtt": frozenset({1883, 8883}),
    "matrix": frozenset({8448}),
}

_REFUSED = {
    "verify": "certificates are always checked",
    "redirect": "redirects are never followed",
    "template": "it opens a file of this machine",
    "keyfile": "it opens a file of this machine",
    "subfile": "it opens a file of this machine",
    "pgp": "it opens files of this machine",
    "pgpprv": "it opens a file of this machine",
    "pgppub": "it opens a file of this machine",
    "wkd": "it asks other hosts for keys",
    "inline": "it is for attachments, which are not sent",
    "attach": "attachments are not sent",
    "attach-as": "attachments are not sent",
    "filename": "attachments are not sent",
    "overflow": "messages are cut to the service's length before",
    "format": "messages are plain text",
    "store": "nothing is kept in files beside the store",
    "retry": "failed deliveries are tried again by deliver.retries_s",
    "wait": "failed deliveries are tried again by deliver.retries_s",
    "optional": "it would report failures as successes",
    "cto": "deliver.timeout_s is the deadline",
    "rto": "deliver.timeout_s is the deadline",
}


def check_channel_url(url: str, guard: AddressGuard, *, resolve: bool = True) -> None:
    """Nothing, when messages may be sent to this channel URL.

    Args:
        url: As a person typed it, with its secrets.
        guard: Decides on the addresses of a host the URL names.
        resolve: Look host names up; False judges numeric addresses alone.

    Raises:
        ConfigError: Says what is wrong, in which part, and what is allowed.
    """
    _check_text(url)
    if url.endswith("***"):
        raise ConfigError(f"channel URL: {mask(url)} is the masked form that is shown; give the URL with its secrets")
    service = service_of(url)
    if not service:
        raise ConfigError(f"channel URL: {_scheme_problem(url)}; allowed are {', '.join(sorted(SCHEMES))}")
    if service == "console":
        if url not in ("console:", "console:json"):
            raise ConfigError("channel URL: write console: for readable lines or console:json for JSON lines")
        return
    if service != "webhook":
        _check_apprise(url)
    if service in _READERS:
        _READERS[service](url)
    for host, port in needs_host_guard(url):
        reason = refused_host(service, host, port, guard, resolve=resolve)
        if reason:
            raise ConfigError(f"channel URL: {mask(url)}: {reason}; http.allow_networks and http.allow_ports let more through")


def needs_host_guard(url: str) -> list[tuple[str, int]]:
    """(host, port) of every server the URL itself names; empty for services at a fixed address.

    Raises:
        ConfigError: The URL cannot be read.
    """
    if service_of(url) == "console":
        return []
    if service_of(url) == "webhook":
        return [webhook.parse(url).endpoint]
    if service_of(url) == "ntfy":
        return [] if ntfy.parse(url).is_public else [ntfy.parse(url).endpoint]
    return apprise_load.endpoints(apprise_load.load(url))


def refused_host(service: str, host: str, port: int, guard: AddressGuard, *, resolve: bool = True) -> str | None:
    """Why the guard refuses the host to this service, or None; a usual port of the service counts as 443."""
    judged = 443 if port in USUAL_PORTS.get(service, ()) else port
    if resolve:
        return check_host(guard, host, judged)
    try:
        return guard.check(str(ip_address(host)), judged)
    except ValueError:
        return None


def _check_text(url: str) -> None:
    if len(url) > _LONGEST_URL:
        raise ConfigError(f"channel URL: {len(url):,} characters; at most {_LONGEST_URL:,} are allowed")
    decoded = url
    for _ in range(_MOST_DECODINGS):
        bad = next((c for c in decoded if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")), None)
        if bad:
            raise ConfigError(f"channel URL: it holds the control character U+{ord(bad):04X}; remove it, also where it is written as %..")
        before, decoded = decoded, unquote(decoded)
        if before == decoded:
            return
    raise ConfigError("channel URL: it is percent-encoded over and over; encode each part once")


def _scheme_problem(url: str) -> str:
    scheme = scheme_of(url)
    if not scheme:
        return "it has no scheme"
    if scheme in ("http", "https"):
        return f"{scheme}:// does not say which service; webhook+{scheme}:// does"
    return f"{scheme}:// is not one of the services"


def _check_apprise(url: str) -> None:
    parsed = apprise_load.parse(url)
    scheme = str(parsed["schema"])
    if scheme != scheme_of(url):
        raise ConfigError(f"channel URL: {mask(url)} reads as {scheme[:40]}:// to its sender; write it plainly")
    plugin = apprise_load.plugin(scheme)
    missing = apprise_load.missing_packages(plugin)
    if missing:
        raise ConfigError(f"channel URL: {scheme}:// needs the Python package {missing}; install it where Tocsin runs")
    prefixes = {str(kwargs.get("prefix", "")) for kwargs in plugin.template_kwargs.values()}
    _check_parameters(scheme, parsed["qsd"], {*plugin.template_args, *_COMMON} - _REFUSED.keys(), prefixes)
    service = apprise_load.load(url)
    if not service.verify_certificate or service.redirects or service.optional:
        raise ConfigError(f"channel URL: {mask(url)} switches a check off; leave its parameters out")


def _check_parameters(scheme: str, names: Iterable[str], allowed: set[str], prefixes: set[str]) -> None:
    for name in names:
        if name in _REFUSED:
            raise ConfigError(f"channel URL: the parameter {name}= is refused: {_REFUSED[name]}")
        if name and name not in allowed and name[0] not in prefixes:
            more = "".join(f", {prefix}name" for prefix in sorted(prefixes))
            raise ConfigError(f"channel URL: {scheme}:// has no parameter {name[:40]}=; it has {', '.join(sorted(allowed))}{more}")
