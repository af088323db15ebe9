"""Sends lanes of envelopes: the port `Notifier`.

Where a send is one HTTP request, all lanes share one multi handle (transfers.py); the others have a thread each, as long as
there are places (threads.py). A quarter of the places of either kind is kept for lanes that are urgent.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TextIO
from urllib.parse import urlsplit

import structlog

from alerts.delivery.codes import Code
from alerts.delivery.dispatch import Senders
from alerts.delivery.http_sender import ServiceSender
from alerts.delivery.lane import RunningLane
from alerts.delivery.sender import Clock, Sender, utc_now
from alerts.delivery.services import service_of
from alerts.delivery.threads import SLOW_S, ThreadedLanes
from alerts.delivery.transfers import TransferredLanes
from alerts.errors import ConfigError, DeliveryError
from alerts.http.client import HttpClient
from alerts.http.guard import AddressGuard
from alerts.models import Envelope, Receipt, ReceiptStatus
from alerts.ports import Load, Progress
from alerts.settings import DeliverSettings, Settings

_KEPT = 4  # one place in so many is for urgent lanes only
_ONE_HOST = ("tgram", "discord")  # their URLs name a bot or a channel, not a host
_MOST_KNOWN = 20_000  # channel URLs of which it is remembered where they lead
_SLICE_S = 0.015  # transfers that end within it are handed over together
_LONG_SLICE_S = 0.1  # the same for threads: whoever takes over while they compute makes them wait for each other
_log = structlog.get_logger("notify")


class Route(NamedTuple):
    """How a lane to a channel URL is sent: by transfers or on a thread; and the host that has only so many places."""

    is_transfer: bool
    host: str


_NOWHERE = Route(is_transfer=False, host="")


class FreePlaces:
    """What is free of the places for transfers and for threads, of all and to each host; what is taken is noted here only.

    Args:
        route_of: channel URL -> its route.
        transfers: Places for transfers that are free, of `sizes.transfers`.
        threads: Those for threads, of `sizes.lanes`.
        taken: Places that are taken on each route; not changed.
        sizes: How many there are.
    """

    def __init__(
        self, route_of: Callable[[str], Route], *, transfers: int, threads: int, taken: Mapping[Route, int], sizes: DeliverSettings
    ) -> None:
        self._route_of = route_of
        self._transfers, self._threads = transfers, threads
        self._taken = Counter(taken)
        self._sizes = sizes

    def take(self, url: str, *, is_urgent: bool) -> bool:
        """Whether a lane to this channel URL finds a place; it is taken then."""
        route, sizes = self._route_of(url), self._sizes
        free = self._transfers if route.is_transfer else self._threads
        most = sizes.transfers if route.is_transfer else sizes.lanes
        of_host = sizes.per_host if route.is_transfer else -(-sizes.lanes * 2 // 3)
        if not is_urgent:
            free, of_host = free - most // _KEPT, of_host - of_host // _KEPT
        if free <= 0 or self._taken[route] >= of_host:
            return False
        self._taken[route] += 1
        self._transfers -= route.is_transfer
        self._threads -= not route.is_transfer
        return True

    @property
    def is_full(self) -> bool:
        """Whether nothing that is not urgent finds one."""
        return self._transfers <= self._sizes.transfers // _KEPT and self._threads <= self._sizes.lanes // _KEPT


class LaneNotifier:
    """The notifier of a process.

    Args:
        settings: `deliver.lanes`, `deliver.transfers` and `deliver.timeout_s`; `http` for webhooks.
        guard: Which addresses may be dialled.
        sender_of: channel URL -> its sender; the real ones by default.
        stream: Where the channel `console:` prints.
        clock: Stamps receipts; UTC.
    """

    def __init__(
        self,
        settings: Settings,
        guard: AddressGuard,
        *,
        sender_of: Callable[[str], Sender] | None = None,
        stream: TextIO | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._settings = settings.deliver
        self._sender_of = sender_of or Senders(settings, guard, stream=stream or sys.stdout, clock=clock).sender_of
        self._clock = clock
        self._news: queue.SimpleQueue[tuple[RunningLane, Receipt | None]] = queue.SimpleQueue()
        own = settings.http.model_copy(update={"max_per_host": settings.deliver.per_host})
        self._transfers = TransferredLanes(lambda: HttpClient(own, guard), self._http_sender, timeout_s=settings.deliver.timeout_s)
        self._threads = ThreadedLanes(settings.deliver.lanes, self._send, timeout_s=settings.deliver.timeout_s)
        self._running: dict[RunningLane, Route] = {}
        self._has_news = threading.Event()
        self._lock = threading.Lock()
        self._taken: Counter[Route] = Counter()
        self._open = 0  # lanes that have not told their end
        self._is_quiet = threading.Event()  # there is none
        self._route_of = lru_cache(maxsize=_MOST_KNOWN)(self._find_route)

    # ------------------------------------------------------------ the port

    def is_idle(self) -> bool:
        """Whether no lane is being sent and nothing is left to collect."""
        return not self._running

    def places(self) -> FreePlaces:
        """Where lanes could go now without waiting."""
        return FreePlaces(
            self._route_of,
            transfers=self._settings.transfers - self._transfers.active,
            threads=self._settings.lanes - self._threads.active,
            taken=self._taken,
            sizes=self._settings,
        )

    def submit(self, loads: Sequence[Load]) -> None:
        """Start to send lanes."""
        for load in loads:
            lane = RunningLane(load, self._tell, clock=self._clock, timeout_s=self._settings.timeout_s)
            route = self._route_of(load.envelopes[0].url) if load.envelopes else _NOWHERE
            self._running[lane] = route
            self._taken[route] += 1
            with self._lock:
                self._open += 1
                self._is_quiet.clear()
            (self._transfers if route.is_transfer else self._threads).start(lane)

    def collect(self, wait_s: float) -> list[Progress]:
        """What became of lanes, as soon as there is something, at the latest after wait_s seconds. Also does the sending."""
        until = time.monotonic() + wait_s
        while True:
            self._work(until)
            if not self._news.empty() or time.monotonic() >= until or not self._running:
                return self._drained()

    def send(self, envelope: Envelope) -> Receipt:
        """What came of one envelope, sent at once past all lanes, on the calling thread."""
        lane = RunningLane(Load(None, (envelope,)), lambda _lane, _receipt: None, clock=self._clock, timeout_s=self._settings.timeout_s)
        return self._send(lane, envelope)

    def close(self, timeout_s: float) -> list[Progress]:
        """Wait for what is being sent, at most timeout_s seconds, and skip the rest; what became of it."""
        self._transfers.is_closing = self._threads.is_closing = True
        deadline, found = time.monotonic() + timeout_s, list[Progress]()
        while self._running and time.monotonic() < deadline:
            found += self.collect(deadline - time.monotonic())
        self._transfers.close()
        return found

    # ------------------------------------------------------------ inside

    def _work(self, until: float) -> None:
        """Let lanes move on for a while; what ends within a slice of time is left to be drained together."""
        if self._news.empty():
            self._has_news.clear()
        left_s = max(0.0, until - time.monotonic())
        self._threads.tend()
        if self._transfers.active:
            self._transfers.pump(min(left_s, _SLICE_S))
        elif self._running and self._has_news.wait(min(left_s, SLOW_S) if self._threads.has_waiting else left_s):
            self._threads.tend()
            self._is_quiet.wait(max(0.0, min(_LONG_SLICE_S, until - time.monotonic())))

    def _tell(self, lane: RunningLane, receipt: Receipt | None) -> None:
        with self._lock:
            self._open -= receipt is None
            if not self._open:
                self._is_quiet.set()
        self._news.put((lane, receipt))
        self._has_news.set()

    def _drained(self) -> list[Progress]:
        found: dict[RunningLane, Progress] = {}
        while not self._news.empty():
            lane, receipt = self._news.get()
            progress = found.setdefault(lane, Progress(lane.key, []))
            if receipt:
                progress.receipts.append(receipt)
                continue
            progress.is_over = True
            route = self._running.pop(lane)
            self._taken[route] -= 1
            (self._transfers if route.is_transfer else self._threads).ended(lane)
        return list(found.values())

    def _find_route(self, url: str) -> Route:
        """How a lane to this URL is sent; what is wrong with it is said on a thread."""
        try:
            service = service_of(url)
            host = service if service in _ONE_HOST else urlsplit(url).hostname or service
            return Route(isinstance(self._sender_of(url), ServiceSender), host)
        except (ConfigError, ValueError):
            return _NOWHERE

    def _http_sender(self, url: str) -> ServiceSender:
        sender = self._sender_of(url)
        if not isinstance(sender, ServiceSender):
            raise ConfigError("this channel is not sent to by HTTP requests; replace the channel")
        return sender

    def _send(self, lane: RunningLane, envelope: Envelope) -> Receipt:
        """One send by a blocking call; every failure is a receipt."""
        try:
            return self._sender_of(envelope.url).send(envelope, timeout_s=self._settings.timeout_s)
        except DeliveryError as error:
            failed = ReceiptStatus.AMBIGUOUS if error.is_ambiguous else ReceiptStatus.TRANSIENT
            status = ReceiptStatus.PERMANENT if error.permanent else failed
            return lane.receipt(envelope, status, str(error), retry_after_s=error.retry_after_s)
        except ConfigError as error:
            return lane.receipt(envelope, ReceiptStatus.PERMANENT, str(error), code=Code.UNREADABLE_URL)
        except Exception as error:  # noqa: BLE001  the edge: a defect in one of many plugins must not cost its lane the receipts
            _log.error("sender failed unexpectedly", channel_id=envelope.channel_id, error=type(error).__name__)
            return lane.receipt(envelope, ReceiptStatus.TRANSIENT, f"unexpected {type(error).__name__}: {error}")
