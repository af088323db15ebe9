"""SMTP over connections that stay open: one conversation a mail, each recipient answered for itself.

A connection is opened, encrypted and logged in once, and kept for the next mail to the same server and account. Every
address is judged by the guard before it is dialled, and no other is. What the server said decides: before the text of a mail
has left, a break means that nothing was sent; after it, nobody knows. Source: RFC 5321, section 4.2; RFC 3463.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from alerts.delivery.codes import Code
from alerts.http.guard import AddressGuard, AddressRefusedError, resolve_host

_MOST_IDLE = 16  # connections kept for one account; more are open while a server is slow
_MOST_ACCOUNTS = 256
_IDLE_S = 60.0  # a server's patience is five minutes at least (RFC 5321, 4.5.3.2.7)
_DOT = re.compile(rb"^\.", re.M)
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


class MailFailedError(Exception):
    """A mail was not taken, as a whole.

    Args:
        answer: What the server said last.
        code: Our word for it; the answer's own where empty.
        is_ambiguous: The text had left: it may have been taken all the same.
    """

    def __init__(self, answer: Answer, code: str = "", *, is_ambiguous: bool = False) -> None:
        super().__init__(answer.detail)
        self.answer = answer
        self.code = code or answer.code
        self.is_ambiguous = is_ambiguous


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

    def ask(self, deadline: float, *command: str) -> Answer:
        """What the server answers to one command. Raises: OSError, smtplib.SMTPServerDisconnected."""
        self.limit(deadline)
        return answer_of(*self.docmd(*command))

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


class SmtpPool:
    """Open connections by account; may be used by many threads at once.

    Args:
        guard: Decides on every address; a usual port of mail counts as an allowed one.
        usual_ports: The ports that mail may use.
        tls: Trusts certificates; the system's by default.
        monotonic: Seconds.
    """

    def __init__(
        self,
        guard: AddressGuard,
        *,
        usual_ports: frozenset[int] = frozenset(),
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guard = guard
        self._usual_ports = usual_ports
        self._tls = tls
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._idle: dict[Account, deque[Connection]] = {}

    def deliver(
        self, account: Account, sender: str, recipients: Sequence[str], content: bytes, timeout_s: float
    ) -> dict[str, Answer]:
        """recipient -> what the server said to it; those it took are told with 250.

        Raises:
            MailFailedError: Nobody was told, or nobody knows.
        """
        deadline = time.monotonic() + timeout_s
        connection = self._ready(account, sender, deadline)
        is_well = False
        try:
            answers = self._talk(connection, recipients, content, deadline)
            is_well = True
        finally:
            if is_well:
                self._put_back(account, connection)
            else:
                connection.close()
        return answers

    def _ready(self, account: Account, sender: str, deadline: float) -> Connection:
        """A connection that took the sender: a kept one, or a new one when the kept ones were dropped meanwhile."""
        while kept := self._take(account):
            try:
                answer = kept.ask(deadline, "MAIL", f"FROM:<{sender}>")
            except (OSError, smtplib.SMTPException):
                kept.close()
                continue
            if answer.status == 421:  # it closes idle connections
                kept.close()
                continue
            return _taking(kept, answer)
        new = self._open(account, deadline)
        try:
            answer = new.ask(deadline, "MAIL", f"FROM:<{sender}>")
        except (OSError, smtplib.SMTPException) as error:
            new.close()
            raise MailFailedError(Answer(0, _words(error))) from error
        return _taking(new, answer)

    def _open(self, account: Account, deadline: float) -> Connection:
        connection = Connection(self._check, self._tls or system_tls())
        try:
            connection.open(account, deadline)
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            connection.close()
            raise _not_opened(error) from error
        return connection

    def _check(self, address: str, port: int) -> str | None:
        return self._guard.check(address, 443 if port in self._usual_ports else port)

    def _talk(self, connection: Connection, recipients: Sequence[str], content: bytes, deadline: float) -> dict[str, Answer]:
        try:
            answers = {r: connection.ask(deadline, "RCPT", f"TO:<{r}>") for r in recipients}
            if not any(answer.status in (250, 251) for answer in answers.values()):
                connection.ask(deadline, "RSET")
                return answers
            ready = connection.ask(deadline, "DATA")
        except (OSError, smtplib.SMTPException) as error:
            raise MailFailedError(Answer(0, _words(error))) from error
        if ready.status != 354:
            raise MailFailedError(ready)
        try:
            taken = connection.text(deadline, content)
        except (OSError, smtplib.SMTPException) as error:
            raise MailFailedError(Answer(0, _words(error)), Code.NO_ANSWER, is_ambiguous=True) from error
        if taken.status != 250:
            raise MailFailedError(taken)
        return {r: taken if answer.status in (250, 251) else answer for r, answer in answers.items()}

    def _take(self, account: Account) -> Connection | None:
        """The connection that was used last, unless it is too old to be trusted."""
        with self._lock:
            idle = self._idle.get(account, deque())
            while idle:
                connection = idle.pop()
                if self._monotonic() - connection.used_at < _IDLE_S:
                    return connection
                connection.close()
        return None

    def _put_back(self, account: Account, connection: Connection) -> None:
        connection.used_at = self._monotonic()
        with self._lock:
            idle = self._idle.setdefault(account, deque())
            idle.append(connection)
            spare = [idle.popleft()] if len(idle) > _MOST_IDLE else []
            if len(self._idle) > _MOST_ACCOUNTS:
                spare += self._idle.pop(next(iter(self._idle)))
        for one in spare:
            one.close()

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._lock:
            idle = [connection for connections in self._idle.values() for connection in connections]
            self._idle.clear()
        for connection in idle:
            connection.close()


def _taking(connection: Connection, answer: Answer) -> Connection:
    """The connection, when the server takes mail from this sender."""
    if answer.status == 250:
        return connection
    connection.close()
    raise MailFailedError(answer, Code.UNAUTHORISED if answer.is_final else "")


def _not_opened(error: Exception) -> MailFailedError:
    """Why there is no connection."""
    if isinstance(error, AddressRefusedError):
        return MailFailedError(Answer(0, f"refused by the address guard: {error}"), Code.ADDRESS_REFUSED)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        answer = answer_of(error.smtp_code, _bytes(error.smtp_error))
        return MailFailedError(answer, Code.UNAUTHORISED if answer.is_final else "")
    if isinstance(error, smtplib.SMTPResponseException):
        return MailFailedError(answer_of(error.smtp_code, _bytes(error.smtp_error)))
    if isinstance(error, smtplib.SMTPNotSupportedError) and "AUTH" in str(error):
        return MailFailedError(Answer(0, "the server takes no log-in here"), Code.UNAUTHORISED)
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return MailFailedError(Answer(0, f"no trustworthy encryption: {_words(error)}"), Code.NO_TLS)
    return MailFailedError(Answer(0, f"no connection: {_words(error)}"))


def _bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error):  # smtplib wraps it
        return "no answer within the deadline"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
