"""One SMTP connection: what it dials, how long it waits, and what the server answered to each command.

Where the server takes them together (RFC 2920, PIPELINING), sender, recipients and DATA go in one piece: a mail then costs
two round trips instead of four and more. Source: RFC 5321, section 4.2; RFC 3463.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from alerts.delivery.codes import Code
from alerts.http.guard import AddressRefusedError, resolve_host

_DOT = re.compile(rb"^\.", re.M)
TAKEN = (250, 251)  # what a server says to a recipient that it takes
_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


@dataclass(frozen=True, slots=True)
class Account:
    """A server and who we are there; `mode` is ssl, starttls or insecure."""

    host: str
    port: int
    mode: str
    user: str = ""
    password: str = ""


class Answer(NamedTuple):
    """What a server said to a command or to one recipient."""

    status: int  # 0 = the connection broke, or never came to be
    words: str = ""

    @property
    def is_final(self) -> bool:
        """Whether asking again cannot help."""
        return 500 <= self.status < 600

    @property
    def code(self) -> str:
        """Our word for it; the enhanced status says more than the first number, where there is one."""
        if self.status == 0:
            return Code.NO_CONNECTION
        if self.status < 400:
            return ""
        enhanced = _ENHANCED.search(self.words)
        topic = (enhanced[2], enhanced[3]) if enhanced else ("", "")
        if self.status in (530, 534, 535, 538):
            return Code.UNAUTHORISED
        if not self.is_final:
            return Code.GREYLISTED if "greylist" in self.words.lower() or self.status in (450, 451) else Code.UNAVAILABLE
        if topic[0] == "1" or topic == ("2", "1") or (not enhanced and self.status in (550, 551, 553)):
            return Code.BOUNCED
        return Code.TOO_LONG if self.status == 552 and topic != ("2", "2") else Code.REFUSED

    @property
    def detail(self) -> str:
        """For people."""
        return f"SMTP {self.status}: {self.words}" if self.status else self.words


@dataclass(frozen=True, slots=True)
class Begun:
    """What a server said before the text of a mail; nobody was asked what came after a refusal."""

    sender: Answer
    recipients: Mapping[str, Answer] = field(default_factory=dict)
    data: Answer | None = None

    @property
    def has_takers(self) -> bool:
        """Whether the mail may go to somebody."""
        return any(answer.status in TAKEN for answer in self.recipients.values())


class _Reader:
    """The lines of a socket, none of them later than a deadline, however slowly their bytes come."""

    def __init__(self, sock: socket.socket, deadline: Callable[[], float]) -> None:
        self._sock = sock
        self._deadline = deadline
        self._data = b""

    def readline(self, most: int) -> bytes:
        """The next line with its end, at most so many bytes; what came before the end of the stream. Raises: OSError."""
        while b"\n" not in self._data and len(self._data) < most:
            left_s = self._deadline() - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left_s)
            chunk = self._sock.recv(4096)
            if not chunk:
                break
            self._data += chunk
        end = min(self._data.find(b"\n") + 1 or len(self._data), most)
        line, self._data = self._data[:end], self._data[end:]
        return line

    def close(self) -> None:
        """Nothing: the socket is closed by its owner."""


class Connection(smtplib.SMTP):
    """A client that dials what the guard allows, and nothing else."""

    def __init__(self, guard: Callable[[str, int], str | None], tls: ssl.SSLContext) -> None:
        self._judge = guard
        self._tls = tls
        self._is_implicit = False
        self.used_at = 0.0
        self._deadline = 0.0
        super().__init__(local_hostname=own_name())

    def open(self, account: Account, deadline: float) -> None:
        """Connect, encrypt, log in. Raises: OSError, smtplib.SMTPException."""
        self._is_implicit = account.mode == "ssl"
        self._deadline = deadline
        self._host = account.host  # the name that the certificate must bear
        status, words = self.connect(account.host, account.port)
        if status != 220:
            raise smtplib.SMTPConnectError(status, words)
        if account.mode == "starttls":
            self.limit(deadline)
            self.ehlo_or_helo_if_needed()
            self.limit(deadline)
            self.starttls(context=self._tls)
        self.limit(deadline)
        self.ehlo_or_helo_if_needed()
        if account.user:
            self.limit(deadline)
            self.login(account.user, account.password)

    def _get_socket(self, host: str, port: int, _timeout: float) -> socket.socket:
        """A socket to the first address that the guard allows and that answers."""
        refusal, failure = "", OSError(f"{host} has no address")
        for address in resolve_host(host, port):
            reason = self._judge(address, port)
            if reason:
                refusal = reason
                continue
            try:
                return self._wrapped(socket.create_connection((address, port), _left_s(self._deadline)), host)
            except OSError as error:
                failure = error
        if refusal:
            raise AddressRefusedError(refusal)
        raise failure

    def _wrapped(self, plain: socket.socket, host: str) -> socket.socket:
        if not self._is_implicit:
            return plain
        try:
            return self._tls.wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise

    def getreply(self) -> tuple[int, bytes]:
        """The next reply, read until the deadline."""
        if self.file is None and self.sock is not None:
            self.file = _Reader(self.sock, lambda: self._deadline)
        return super().getreply()

    def limit(self, deadline: float) -> None:
        """Let nothing wait beyond the deadline, on the clock of time.monotonic."""
        self._deadline = deadline
        if self.sock is not None:
            self.sock.settimeout(_left_s(deadline))

    def begin(self, deadline: float, sender: str, recipients: Sequence[str]) -> Begun:
        """Name sender and recipients and ask for the text to be taken. Raises: as `ask`; nothing was sent then."""
        mail, rcpt = f"MAIL FROM:<{sender}>", {r: f"RCPT TO:<{r}>" for r in recipients}
        if self.has_extn("pipelining"):
            first, *others, last = self._ask_together(deadline, [mail, *rcpt.values(), "DATA"])
            return Begun(first, dict(zip(recipients, others, strict=True)), last)
        begun = Begun(self.ask(deadline, mail))
        if begun.sender.status == 250:
            begun = Begun(begun.sender, {r: self.ask(deadline, command) for r, command in rcpt.items()})
        return Begun(begun.sender, begun.recipients, self.ask(deadline, "DATA")) if begun.has_takers else begun

    def ask(self, deadline: float, command: str) -> Answer:
        """What the server answers to one command. Raises: OSError, smtplib.SMTPServerDisconnected, ValueError."""
        return self._ask_together(deadline, [command])[0]

    def _ask_together(self, deadline: float, commands: Sequence[str]) -> list[Answer]:
        if any(char in command for command in commands for char in "\r\n"):
            raise ValueError("a command of SMTP is one line")
        self.limit(deadline)
        self.send("".join(f"{command}\r\n" for command in commands))
        return [answer_of(*self.getreply()) for _ in commands]

    def text(self, deadline: float, content: bytes) -> Answer:
        """Send the text of a mail after 354, and what the server says to it. Raises: as `ask`."""
        self.limit(deadline)
        self.send(_DOT.sub(b"..", content) + (b"" if content.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return answer_of(*self.getreply())


def _left_s(deadline: float) -> float:
    return max(0.05, deadline - time.monotonic())


@lru_cache(maxsize=1)
def own_name() -> str:
    """How we greet servers: the host's full name, or its address where it has none (RFC 5321, 4.1.4)."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def answer_of(status: int, words: bytes) -> Answer:
    """An answer with its words on one line."""
    return Answer(status, " ".join(words.decode("utf-8", "replace").split()))


@lru_cache(maxsize=1)
def system_tls() -> ssl.SSLContext:
    """TLS that trusts what this system trusts; read once, as that takes 20 ms."""
    return ssl.create_default_context()
