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
from typing import TextIO
from urllib.parse import urlsplit

import structlog

from alerts.delivery.codes import Code
from alerts.delivery.dispatch import Senders
from alerts.delivery.http_sender import ServiceSender
from alerts.delivery.lane import RunningLane
from alerts.delivery.sender import Clock, Sender, utc_now
from alerts.delivery.services import service_of
from alerts.delivery.threads import ThreadedLanes
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
_SLICE_S = 0.015  # what ends within it is handed over together
_log = structlog.get_logger("notify")


class FreePlaces:
    """What is free of the places for transfers, of all and to each host, and for threads; what is taken is noted here only."""

    def __init__(
        self, host_of: Callable[[str], str], *, transfers: int, threads: int, hosts: Mapping[str, int], sizes: DeliverSettings
    ) -> None:
        self._host_of = host_of
        self._transfers, self._threads = transfers, threads
        self._hosts = Counter(hosts)
        self._sizes = sizes

    def take(self, url: str, *, is_urgent: bool) -> bool:
        """Whether a lane to this channel URL finds a place; it is taken then."""
        host, sizes = self._host_of(url), self._sizes
        share = 0 if is_urgent else 1
        if not host:
            is_free = self._threads > share * (sizes.lanes // _KEPT)
            self._threads -= is_free
            return is_free
        is_free = self._transfers > share * (sizes.transfers // _KEPT)
        is_free &= self._hosts[host] < sizes.per_host - share * (sizes.per_host // _KEPT)
        self._transfers -= is_free
        self._hosts[host] += is_free
        return is_free

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
        self._running: dict[RunningLane, TransferredLanes | ThreadedLanes] = {}
        self._has_news = threading.Event()
        self._host_of = lru_cache(maxsize=_MOST_KNOWN)(self._find_host)

    # ------------------------------------------------------------ the port

    def is_idle(self) -> bool:
        """Whether no lane is being sent and nothing is left to collect."""
        return not self._running

    def places(self) -> FreePlaces:
        """Where lanes could go now without waiting."""
        return FreePlaces(
            self._host_of,
            transfers=self._settings.transfers - self._transfers.active,
            threads=self._settings.lanes - self._threads.active,
            hosts=self._transfers.hosts,
            sizes=self._settings,
        )

    def submit(self, loads: Sequence[Load]) -> None:
        """Start to send lanes."""
        for load in loads:
            lane = RunningLane(load, self._tell, clock=self._clock, timeout_s=self._settings.timeout_s)
            host = self._host_of(load.envelopes[0].url) if load.envelopes else ""
            self._running[lane] = self._transfers if host else self._threads
            if host:
                self._transfers.start(lane, host)
            else:
                self._threads.start(lane)

    def collect(self, wait_s: float) -> list[Progress]:
        """What became of lanes, as soon as there is something, at the latest after wait_s seconds. Also does the sending."""
        until = time.monotonic() + wait_s
        while True:
            if self._news.empty():
                self._has_news.clear()
            if self._transfers.active:
                self._transfers.pump(min(max(0.0, until - time.monotonic()), _SLICE_S))
            elif self._running and self._has_news.wait(max(0.0, until - time.monotonic())):
                time.sleep(max(0.0, min(_SLICE_S, until - time.monotonic())))
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

    def _tell(self, lane: RunningLane, receipt: Receipt | None) -> None:
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
            self._running.pop(lane).ended(lane)
        return list(found.values())

    def _find_host(self, url: str) -> str:
        """The host a transfer to this URL goes to; '' for what is sent on a thread (and says there what is wrong with it)."""
        try:
            if not isinstance(self._sender_of(url), ServiceSender):
                return ""
            service = service_of(url)
            return service if service in _ONE_HOST else urlsplit(url).hostname or service
        except (ConfigError, ValueError):
            return ""

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
