"""The errors of Tocsin: one tree, translated from third parties once, at the boundary.

    AlertsError
    ├── ConfigError               a setting, file or argument a person gave is wrong
    ├── QueryError                a rule's query does not parse; carries the column
    ├── NotFoundError             an id that nobody knows
    ├── SourceError
    │   ├── FetchError            no usable answer came from the source
    │   └── ParseError            an answer came, but it is not what the source should be
    ├── StateError                the store did not do what was asked
    │   └── StaleError            somebody else changed it first; read again and decide again
    └── DeliveryError             one send failed; says whether trying again can help

Every message says what is wrong, where, and what to do.
"""

from __future__ import annotations


class AlertsError(Exception):
    """Anything that Tocsin itself reports; its text is meant for a person."""


class ConfigError(AlertsError):
    """A setting, file or argument is wrong; the text names file, key and what is allowed."""


class QueryError(AlertsError):
    """A query does not parse.

    Args:
        message: What is wrong and what was expected.
        column: Where, counted from 1, in characters of the query.
    """

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


class NotFoundError(AlertsError):
    """A source, rule, channel, alert or delivery with this id does not exist."""


class SourceError(AlertsError):
    """A source could not be read; kept as the source's own error, never fatal to a poll."""


class FetchError(SourceError):
    """No usable answer: refused address, dead host, timeout, or an HTTP error status."""


class ParseError(SourceError):
    """The answer is not a feed, page or document of the kind the source is declared as."""


class StateError(AlertsError):
    """The store refused or failed; nothing was written."""


class StaleError(StateError):
    """What was to be changed is no longer at the expected revision; nothing was written."""


class DeliveryError(AlertsError):
    """One attempt to send failed.

    Args:
        message: The service's own words, without secrets.
        permanent: Trying again cannot help (chat not found, address refused).
        retry_after_s: Seconds the service asked us to wait, when it did.
        is_ambiguous: The service may have taken the message (a timeout after it was sent).
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        is_ambiguous: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.is_ambiguous = is_ambiguous
