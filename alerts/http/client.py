"""Every request that leaves us: many transfers at once on one libcurl multi handle, each with bounds.

`perform` starts each request at its due time, at most `max_per_host` to one host, and yields each answer as it ends. A
failure is a value: a `Response` with an `error` in words. The bounds are a connect and a total timeout, a size and an
expansion ratio of the decoded body, a number of redirects, and the address guard, which sees each address really
dialled, on every hop. libcurl itself bounds headers (300 KB) and stacked encodings (5).
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pycurl

from alerts.http.guard import AddressGuard
from alerts.http.message import Request, Response, check, wire_url
from alerts.http.transfer import Transfer
from alerts.settings import HttpSettings

__all__ = ["Batch", "HttpClient", "Request", "Response"]

_MAX_ACTIVE = 200  # transfers at once; keeps file descriptors below what select() can watch (1,024)
_MAX_IDLE = 128  # connections kept alive for the next poll
_LONGEST_WAIT_S = 0.2  # between two looks at timeouts that were extended by hand
_RESOLVING_S = 0.005  # between two looks at names being resolved, which has no socket to wait for
_NEGLECT_S = 0.01  # a caller that was away for longer does not charge it to the transfers under way


class HttpClient:
    """Performs requests and keeps connections alive for the next ones.

    Not thread-safe, and not to be carried over a fork: one client per thread, made where it is used. A call inside the
    loop over another call's answers is fine.

    Args:
        settings: Bounds and user agent.
        guard: Decides on every address that is dialled.
    """

    def __init__(self, settings: HttpSettings, guard: AddressGuard) -> None:
        self._settings = settings
        self._guard = guard
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, _MAX_IDLE)
        self._idle: list[Transfer] = []
        self._active: dict[pycurl.Curl, _Active] = {}
        self._per_host: Counter[str] = Counter()
        self._served_at = time.monotonic()

    def perform(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Answers in the order in which they end, one for each request.

        All requests are taken from the iterable first. A slow consumer delays the transfers under way but does not
        make them time out. Leaving the loop early abandons what has not ended.
        """
        batch = Batch(requests)
        try:
            while batch.in_flight:
                yield from self.collect(batch, _LONGEST_WAIT_S)
        finally:
            self.abandon(batch)

    def collect(self, batch: Batch, wait_s: float) -> Iterator[Response]:
        """What of a batch ends within wait_s seconds; all that has ended already, even when that is 0.

        Returns at once when nothing is in flight. Between two calls nobody looks after the transfers: as with a slow
        consumer, they wait and do not time out.
        """
        until = time.monotonic() + wait_s
        while batch.in_flight:
            self._forgive_neglect()
            self._start_due(batch)
            self._pump()
            self._served_at = time.monotonic()
            if batch.done:
                yield from self._handed_over(batch)
            else:
                self._wait(batch, until)
            if not batch.done and time.monotonic() >= until:
                return

    def abandon(self, batch: Batch) -> None:
        """End what is still in flight without an answer."""
        for curl in tuple(batch.active):
            self._release(curl)
        batch.clear()

    def send(self, request: Request) -> Response:
        """The answer to one request."""
        (response,) = self.perform([request])
        return response

    def close(self) -> None:
        """Close every connection; the client cannot be used any more."""
        for curl in tuple(self._active):
            self._release(curl)
        for transfer in self._idle:
            transfer.curl.close()
        self._idle.clear()
        self._multi.close()

    def _handed_over(self, batch: Batch) -> Iterator[Response]:
        """Yields what is done, until the consumer took so long that the transfers want looking after."""
        while batch.done:
            batch.in_flight -= 1
            yield batch.done.popleft()
            if time.monotonic() - self._served_at > _NEGLECT_S:
                return

    def _forgive_neglect(self) -> None:
        """Give the transfers under way the time back in which the caller did something else."""
        neglected_s = time.monotonic() - self._served_at
        if neglected_s > _NEGLECT_S:
            for active in self._active.values():
                active.transfer.extend(neglected_s)

    def _start_due(self, batch: Batch) -> None:
        batch.release_due(time.monotonic())
        for host in tuple(batch.waiting):
            queue = batch.waiting[host]
            while queue and self._per_host[host] < self._settings.max_per_host and len(self._active) < _MAX_ACTIVE:
                self._begin(batch, queue.popleft())
            if not queue:
                del batch.waiting[host]

    def _begin(self, batch: Batch, ticket: _Ticket) -> None:
        transfer = self._idle.pop() if self._idle else Transfer(self._settings, self._guard)
        transfer.begin(ticket.request, ticket.url)
        self._active[transfer.curl] = _Active(transfer, batch, ticket.host)
        self._per_host[ticket.host] += 1
        batch.active.add(transfer.curl)
        self._multi.add_handle(transfer.curl)

    def _pump(self) -> None:
        """Let libcurl work without blocking, and hand each transfer that ended to the batch it belongs to."""
        if not self._active:
            return
        if self._multi.perform()[1] == len(self._active):
            return
        left = 1
        while left:
            left, ended, failed = self._multi.info_read()
            for curl in ended:
                self._finish(curl, 0, "")
            for curl, code, message in failed:
                self._finish(curl, code, message)

    def _finish(self, curl: pycurl.Curl, code: int, message: str) -> None:
        active = self._active[curl]
        active.batch.done.append(active.transfer.response(code, message))
        self._release(curl)

    def _release(self, curl: pycurl.Curl) -> None:
        transfer, batch, host = self._active.pop(curl)
        self._multi.remove_handle(curl)
        transfer.forget()
        self._idle.append(transfer)
        batch.active.discard(curl)
        self._per_host[host] -= 1
        if not self._per_host[host]:
            del self._per_host[host]

    def _wait(self, batch: Batch, until: float) -> None:
        """Sleep until a socket is ready, a timer of libcurl ends, the next request is due, or the caller wants it back."""
        now = self._served_at
        wait = min(now + _LONGEST_WAIT_S, until, batch.next_due()) - now
        timer = self._multi.timeout() if self._active else -1
        wait = min(wait, timer / 1000) if timer >= 0 else wait
        if wait > 0 and not self._active:
            time.sleep(wait)
        elif wait > 0 and self._multi.select(wait) <= 0 and time.monotonic() - now < wait / 2:
            time.sleep(min(wait, _RESOLVING_S))  # no socket to watch yet
        self._served_at = time.monotonic()


class _Ticket(NamedTuple):
    """A request that waits, in the order of its due time."""

    due: float
    order: int  # no two tickets are equal, so that requests are never compared
    host: str
    request: Request
    url: str


class Batch:
    """Requests that are under way together; more may be added while others end.

    Each is not due yet, waiting for its host, active or done; `in_flight` counts all of these until their response is
    handed over.
    """

    def __init__(self, requests: Iterable[Request] = ()) -> None:
        self.in_flight = 0
        self.later: list[_Ticket] = []
        self.waiting: dict[str, deque[_Ticket]] = {}
        self.active: set[pycurl.Curl] = set()
        self.done: deque[Response] = deque()
        self._orders = itertools.count()
        self.add(requests)

    def add(self, requests: Iterable[Request]) -> None:
        """Put requests with the others."""
        for request in requests:
            self.in_flight += 1
            self._enqueue(next(self._orders), request)

    def clear(self) -> None:
        """Forget all that is not active."""
        self.later.clear()
        self.waiting.clear()
        self.done.clear()
        self.in_flight = 0

    def _enqueue(self, order: int, request: Request) -> None:
        try:
            url, host = wire_url(request.url)
            check(request)
        except ValueError as error:
            self.done.append(Response(request=request, url=request.url, error=str(error)))
            return
        ticket = _Ticket(request.start_at or 0.0, order, host, request, url)
        if request.start_at is None:
            self.waiting.setdefault(host, deque()).append(ticket)
        else:
            heapq.heappush(self.later, ticket)

    def release_due(self, now: float) -> None:
        """Let what is due by now wait for its host only."""
        while self.later and self.later[0].due <= now:
            ticket = heapq.heappop(self.later)
            self.waiting.setdefault(ticket.host, deque()).append(ticket)

    def next_due(self) -> float:
        """When the next request is due, on the clock of time.monotonic; infinity when all are."""
        return self.later[0].due if self.later else math.inf


class _Active(NamedTuple):
    """A transfer under way and whom it belongs to."""

    transfer: Transfer
    batch: Batch
    host: str
