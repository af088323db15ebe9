"""The connections of Apprise's plugins, kept open between their requests.

A plugin asks `requests` for each message anew: a session, its adapters, a look at the environment, a connection, often a
handshake. Here the same calls go over sessions that are kept for a while. They remember nothing but their connections: no
cookie, no password, no proxy of the environment, which our guard could not look behind. A connection that rested longer than
servers are sure to keep it is not used again, or a message would now and then be sent into nothing.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests import Response, Session
from requests.cookies import RequestsCookieJar

_REST_S = 4.0  # Apache and Node close an idle connection after five seconds
_MOST_KEPT = 64  # sessions at rest: more than there are threads


class _Plain(Session):
    """A session without a memory."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
        self.used_at = 0.0


class KeptSessions:
    """Sessions at rest, the last one used first; each is used by one thread at a time.

    Args:
        monotonic: Seconds.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._rest: deque[_Plain] = deque(maxlen=_MOST_KEPT)

    def request(self, method: str, url: str, **options: Any) -> Response:
        """What `requests.request` answers. Raises: as that does."""
        if options.get("verify", True) is True:
            options["verify"] = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        session = self._take()
        answer = session.request(method, url, **options)
        if not options.get("stream"):  # its connection is free again; after an error the session is not kept
            session.used_at = self._monotonic()
            self._rest.append(session)
        return answer

    def _take(self) -> _Plain:
        try:
            session = self._rest.pop()
        except IndexError:
            return _Plain()
        if self._monotonic() - session.used_at <= _REST_S:
            return session
        session.close()
        return _Plain()


@lru_cache(maxsize=1)
def keep_connections() -> None:
    """Send what this process asks by `requests.get`, `.post` and the like over kept sessions, from now on."""
    kept = KeptSessions()
    for module in (requests, requests.api):
        setattr(module, "request", kept.request)  # noqa: B010  neither knows that it can be replaced
