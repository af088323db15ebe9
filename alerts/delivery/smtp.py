"""SMTP over connections that stay open: one conversation a mail, each recipient answered for itself.

A connection is opened, encrypted and logged in once, and kept for the next mail to the same server and account. Every
address is judged by the guard before it is dialled, and no other is. What the server said decides: before the text of a mail
has left, a break means that nothing was sent; after it, nobody knows.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from alerts.delivery.codes import Code
from alerts.delivery.smtp_connection import TAKEN, Account, Answer, Begun, Connection, answer_of, system_tls
from alerts.http.guard import AddressGuard, AddressRefusedError

__all__ = ["Account", "Answer", "MailFailedError", "SmtpPool"]

_MOST_OPEN = 8  # connections to one account at once; Gmail takes about ten, Postfix 50 of one client
_MOST_ACCOUNTS = 256
_IDLE_S = 60.0  # a server's patience is five minutes at least (RFC 5321, 4.5.3.2.7)


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
        self._lock = threading.Condition()
        self._idle: dict[Account, deque[Connection]] = {}
        self._busy: Counter[Account] = Counter()

    def deliver(
        self, account: Account, sender: str, recipients: Sequence[str], content: bytes, timeout_s: float
    ) -> dict[str, Answer]:
        """recipient -> what the server said to it; those it took are told with 250.

        Raises:
            MailFailedError: Nobody was told, or nobody knows.
        """
        deadline = time.monotonic() + timeout_s
        with self._turn(account, deadline):
            return self._send(account, sender, recipients, content, deadline)

    @contextmanager
    def _turn(self, account: Account, deadline: float) -> Iterator[None]:
        """One of the connections that may be open to the account."""
        with self._lock:
            if not self._lock.wait_for(lambda: self._busy[account] < _MOST_OPEN, deadline - time.monotonic()):
                raise MailFailedError(Answer(0, f"the server is slow: all {_MOST_OPEN} connections to it were in use until the deadline"))
            self._busy[account] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[account] -= 1
                if not self._busy[account]:
                    del self._busy[account]
                self._lock.notify_all()

    def _send(
        self, account: Account, sender: str, recipients: Sequence[str], content: bytes, deadline: float
    ) -> dict[str, Answer]:
        connection, begun = self._begun(account, sender, recipients, deadline)
        is_well = False
        try:
            answers = self._go_on(connection, begun, content, deadline)
            is_well = True
        finally:
            if is_well:
                self._put_back(account, connection)
            else:
                connection.close()
        return answers

    def _begun(self, account: Account, sender: str, recipients: Sequence[str], deadline: float) -> tuple[Connection, Begun]:
        """A connection on which the mail was begun: a kept one, or a new one when the kept ones were dropped meanwhile."""
        while kept := self._take(account):
            try:
                begun = kept.begin(deadline, sender, recipients)
            except (OSError, smtplib.SMTPException):
                kept.close()
                continue
            if begun.sender.status != 421:
                return kept, begun
            kept.close()  # the server closes idle connections
        new = self._open(account, deadline)
        try:
            return new, new.begin(deadline, sender, recipients)
        except (OSError, smtplib.SMTPException) as error:
            new.close()
            raise MailFailedError(Answer(0, _words(error))) from error

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

    def _go_on(self, connection: Connection, begun: Begun, content: bytes, deadline: float) -> dict[str, Answer]:
        """What comes of a mail that was begun."""
        if begun.sender.status != 250:
            raise MailFailedError(begun.sender, Code.UNAUTHORISED if begun.sender.is_final else "")
        if not begun.has_takers:
            _take_back(connection, begun, deadline)
            return dict(begun.recipients)
        if begun.data is None or begun.data.status != 354:
            raise MailFailedError(begun.data or Answer(0, "no answer"))
        try:
            taken = connection.text(deadline, content)
        except (OSError, smtplib.SMTPException) as error:
            raise MailFailedError(Answer(0, _words(error)), Code.NO_ANSWER, is_ambiguous=True) from error
        if taken.status != 250:
            raise MailFailedError(taken)
        return {r: taken if answer.status in TAKEN else answer for r, answer in begun.recipients.items()}

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
            spare = [idle.popleft()] if len(idle) > _MOST_OPEN else []
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


def _take_back(connection: Connection, begun: Begun, deadline: float) -> None:
    """End a mail that nobody takes, so that the connection can be used again. Raises: MailFailedError."""
    try:
        if begun.data is not None and begun.data.status == 354:  # asked for together with recipients that were all refused
            connection.ask(deadline, ".")
        connection.ask(deadline, "RSET")
    except (OSError, smtplib.SMTPException) as error:
        raise MailFailedError(Answer(0, _words(error))) from error


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
