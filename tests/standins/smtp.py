"""A mail server with TLS, accounts, greylisting and refusals, and a certificate of its own making."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Mail:
    """One mail as the server took it."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, read."""
        message = message_from_bytes(self.content, policy=default)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def text(self) -> str:
        """Its plain text."""
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())


@dataclass
class MailServer:
    """What an SMTP server took, and what it says.

    Args:
        user: "name:password" of the one account; empty = nobody has to log in.
        refuses: recipient -> what the server says to it, e.g. "550 5.1.1 no such user".
        is_greylisting: The first attempt for each recipient is put off.
        says_to_data: What it says once the mail was read; empty = taken.
        is_kept: Keep the mails; without it they are counted only (benchmarks).
        is_pipelining: It says that commands may be sent together (RFC 2920).
        pause_s: How long it thinks about each mail.
    """

    user: str = ""
    refuses: dict[str, str] = field(default_factory=dict)
    is_greylisting: bool = False
    says_to_data: str = ""
    is_kept: bool = True
    is_pipelining: bool = False
    pause_s: float = 0.0
    mails: list[Mail] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    port: int = 0
    _known: set[tuple[str, str]] = field(default_factory=set)

    def report(self) -> dict[str, Any]:
        """Counts, as JSON types."""
        return dict(self.counts)

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Whether name and password are right."""
        self.counts["logins"] += 1
        given = b":".join((data.login, data.password)).decode() if isinstance(data, LoginPassword) else ""
        return AuthResult(success=given == self.user, handled=False)

    async def handle_EHLO(self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]) -> list[str]:
        """A greeting opens a session."""
        session.host_name = hostname
        self.counts["greetings"] += 1
        return [*responses[:-1], *(["250-PIPELINING"] if self.is_pipelining else []), responses[-1]]

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Take a recipient, put it off, or refuse it."""
        if address in self.refuses:
            return self.refuses[address]
        pair = (envelope.mail_from, address)
        if self.is_greylisting and pair not in self._known:
            self._known.add(pair)
            self.counts["greylisted"] += 1
            return "450 4.2.0 greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take a mail in."""
        if self.pause_s:
            await asyncio.sleep(self.pause_s)
        if self.says_to_data:
            return self.says_to_data
        self.counts["mails"] += 1
        if self.is_kept:
            self.mails.append(Mail(envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return "250 OK"


class _AnyPort(Controller):
    """A mail server on a port that the system chooses."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]

    def factory(self) -> SMTP:
        """One session."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it does not see that TLS was there from the first byte
            return SMTP(self.handler, **self.SMTP_kwargs)


@contextmanager
def mail_server(
    box: MailServer, *, port: int = 0, tls: ssl.SSLContext | None = None, is_implicit: bool = False
) -> Iterator[MailServer]:
    """The server on a port of loopback, any when 0 (`box.port`); with tls it wants STARTTLS, or speaks TLS from the first byte."""
    options: dict[str, Any] = {"hostname": "127.0.0.1", "port": port, "decode_data": False, "enable_SMTPUTF8": False}
    if tls and is_implicit:
        options["ssl_context"] = tls
    elif tls:
        options |= {"tls_context": tls, "require_starttls": True}
    if box.user:
        options |= {"authenticator": box.authenticate, "auth_required": True, "auth_require_tls": tls is not None and not is_implicit}
    controller = _AnyPort(box, **options)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


def certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """(certificate, key) files of a certificate for these names or addresses that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "mail.crt", folder / "mail.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return paths


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def tls_of_server(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(the server's TLS, that of a client who trusts it)."""
    crt, key = certificate(folder, *names)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(crt, key)
    return server, ssl.create_default_context(cafile=str(crt))
