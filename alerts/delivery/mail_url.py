"""A mail channel's URL: server, account and addresses, as Apprise reads them.

    mailtos://USER:PASSWORD@DOMAIN                       providers that Apprise knows need no more: to oneself
    mailtos://USER:PASSWORD@DOMAIN?smtp=HOST&to=A,B&from=ADDRESS&name=NAME&mode=ssl|starttls|insecure&cc=&bcc=&reply=

Apprise has the servers of some fifty providers, so that people's URLs mean here what they mean there. Addresses are checked
once more: nothing in them may reach the server as a command or a header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from alerts.delivery import apprise_load
from alerts.delivery.smtp import Account
from alerts.errors import ConfigError

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_OURS = {"from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "references", "in-reply-to", "sender", "return-path"}


@dataclass(frozen=True, slots=True)
class MailTarget:
    """Where mails go, from whom, and through which account; `sender` is the envelope sender, whatever a mail says."""

    account: Account
    sender: str
    name: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody who gets it, each once."""
        return tuple(dict.fromkeys((*self.to, *self.cc, *self.bcc)))


@lru_cache(maxsize=1024)
def parse(url: str) -> MailTarget:
    """The target of a mail URL. Raises: ConfigError."""
    service: Any = apprise_load.load(url)
    sender = _address(str(service.from_addr[1]))
    name = str(service.from_addr[0] or "")
    if not name.isprintable():
        raise ConfigError("mail URL: the name of the sender holds characters that a header cannot carry")
    return MailTarget(
        account=Account(
            host=str(service.smtp_host),
            port=int(service.port),
            mode=str(service.secure_mode),
            user=str(service.user or "") if service.password else "",
            password=str(service.password or ""),
        ),
        sender=sender,
        name=name,
        to=_addresses(address for _, address in service.targets),
        cc=_addresses(sorted(service.cc)),
        bcc=_addresses(sorted(service.bcc)),
        reply_to=_addresses(sorted(service.reply_to)),
        headers=_headers(service.headers.items()),
    )


def _addresses(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(_address(one) for one in given)


def _address(text: str) -> str:
    """The address with its domain in ASCII. Raises: ConfigError when a server could read anything else into it."""
    local, _, domain = text.rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode()}" if not domain.isascii() else text
    except UnicodeError as error:
        raise ConfigError(f"mail URL: {text[:80]!r} has no domain that mail can go to") from error
    if not _ADDRESS.fullmatch(address):
        raise ConfigError(f"mail URL: {text[:80]!r} is no address; write name@domain, in letters that every server takes")
    return address


def _headers(given: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers of a person's own, without those that are ours."""
    for name, value in given:
        if not _HEADER.fullmatch(name) or name.lower() in _OURS or not value.isprintable():
            raise ConfigError(f"mail URL: +{name[:40]}= cannot be a header of its own")
    return tuple(given)
