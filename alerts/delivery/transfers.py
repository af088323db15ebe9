"""Lanes to services whose send is one HTTP request: all of them at once on one libcurl multi handle, without a thread.

They move on while `pump` is called; in between nobody looks after them, and that is not charged to them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from alerts.delivery.codes import Code
from alerts.delivery.http_sender import MOST_TURNS, ServiceSender, moved
from alerts.delivery.lane import CLOSING, RunningLane
from alerts.errors import ConfigError
from alerts.http.client import Batch, HttpClient, Response
from alerts.models import Envelope, Receipt, ReceiptStatus


@dataclass(frozen=True, slots=True)
class _Turn:
    """One request of an envelope; a service may ask for another one in its place (a chat that moved)."""

    lane: RunningLane
    first: Envelope
    current: Envelope
    number: int = 1


class TransferredLanes:
    """Drives lanes.

    Args:
        new_client: Makes the HTTP client when the first lane comes.
        sender_of: channel URL -> its sender.
        timeout_s: Deadline of one request.
    """

    def __init__(self, new_client: Callable[[], HttpClient], sender_of: Callable[[str], ServiceSender], *, timeout_s: float) -> None:
        self._new_client, self._sender_of, self._timeout_s = new_client, sender_of, timeout_s
        self._client: HttpClient | None = None
        self._batch = Batch()
        self._lanes: set[RunningLane] = set()
        self.is_closing = False  # what has not begun is skipped

    @property
    def active(self) -> int:
        """Lanes that have not ended."""
        return len(self._lanes)

    def start(self, lane: RunningLane) -> None:
        """Send a lane; its transfers begin with the next call of `pump`."""
        self._lanes.add(lane)
        lane.begin()
        self._go_on(lane)

    def ended(self, lane: RunningLane) -> None:
        """A lane has told its end."""
        self._lanes.discard(lane)

    def pump(self, wait_s: float) -> None:
        """Let the transfers move on; returns when all have ended, at the latest after wait_s seconds."""
        if self._client is None:
            self._client = self._new_client()
        for response in self._client.collect(self._batch, wait_s):
            turn = cast("_Turn", response.request.key)
            if not self._take(turn, response):
                self._go_on(turn.lane)

    def close(self) -> None:
        """Abandon what is in flight and close the connections."""
        if self._client:
            self._client.abandon(self._batch)
            self._client.close()
            self._client = None

    def _go_on(self, lane: RunningLane) -> None:
        """Ask for the next envelope of a lane."""
        while (envelope := lane.upcoming()) is not None:
            if self.is_closing:
                lane.skip_rest(CLOSING)
            elif self._ask(_Turn(lane, envelope, envelope)):
                return

    def _ask(self, turn: _Turn) -> bool:
        """Whether the request is under way; one that cannot be made is settled."""
        try:
            sender = self._sender_of(turn.current.url)
            self._batch.add([sender.request(turn.current, timeout_s=self._timeout_s, key=turn)])
        except ConfigError as error:
            self._settle(turn, ReceiptStatus.PERMANENT, str(error), Code.UNREADABLE_URL)
            return False
        return True

    def _take(self, turn: _Turn, response: Response) -> bool:
        """Whether the service is asked again for the same envelope; else it is settled."""
        try:
            result = self._sender_of(turn.current.url).answer(turn.current, response)
        except ConfigError as error:
            self._settle(turn, ReceiptStatus.PERMANENT, str(error), Code.UNREADABLE_URL)
            return False
        if isinstance(result, Receipt):
            turn.lane.settle(moved(result, turn.first, turn.current))
            return False
        if turn.number >= MOST_TURNS:
            self._settle(turn, ReceiptStatus.TRANSIENT, "the service sends us round in circles", Code.UNAVAILABLE)
            return False
        return self._ask(replace(turn, current=result, number=turn.number + 1))

    @staticmethod
    def _settle(turn: _Turn, status: ReceiptStatus, detail: str, code: str) -> None:
        turn.lane.settle(turn.lane.receipt(turn.first, status, detail, code=code))
