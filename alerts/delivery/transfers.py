"""Lanes to services whose send is one HTTP request: all of them at once on one libcurl multi handle, without a thread.

They move on while `pump` is called; in between nobody looks after them, and that is not charged to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import cast

from alerts.delivery.lane import CLOSING, RunningLane
from alerts.delivery.sender import HttpSender
from alerts.errors import ConfigError
from alerts.http.client import Batch, HttpClient, Request, Response
from alerts.models import Envelope, Receipt, ReceiptStatus


class TransferredLanes:
    """Drives lanes.

    Args:
        new_client: Makes the HTTP client when the first lane comes.
        sender_of: channel URL -> its sender.
        timeout_s: Deadline of one send.
    """

    def __init__(self, new_client: Callable[[], HttpClient], sender_of: Callable[[str], HttpSender], *, timeout_s: float) -> None:
        self._new_client, self._sender_of, self._timeout_s = new_client, sender_of, timeout_s
        self._client: HttpClient | None = None
        self._batch = Batch()
        self._lanes: dict[RunningLane, str] = {}
        self.is_closing = False  # what has not begun is skipped

    @property
    def active(self) -> int:
        """Lanes that have not ended."""
        return len(self._lanes)

    @property
    def hosts(self) -> Counter[str]:
        """Host -> lanes to it that have not ended."""
        return Counter(self._lanes.values())

    def start(self, lane: RunningLane, host: str) -> None:
        """Send a lane; its transfers begin with the next call of `pump`."""
        self._lanes[lane] = host
        lane.begin()
        self._go_on(lane)

    def ended(self, lane: RunningLane) -> None:
        """A lane has told its end."""
        self._lanes.pop(lane, None)

    def pump(self, wait_s: float) -> None:
        """Let the transfers move on; returns when some have ended, at the latest after wait_s seconds."""
        if self._client is None:
            self._client = self._new_client()
        for response in self._client.collect(self._batch, wait_s):
            lane, envelope = cast("tuple[RunningLane, Envelope]", response.request.key)
            lane.settle(self._receipt(lane, envelope, response))
            self._go_on(lane)

    def close(self) -> None:
        """Abandon what is in flight and close the connections."""
        if self._client:
            self._client.abandon(self._batch)
            self._client.close()
            self._client = None

    def _go_on(self, lane: RunningLane) -> None:
        while (envelope := lane.upcoming()) is not None:
            if self.is_closing:
                lane.skip_rest(CLOSING)
                return
            request = self._request(lane, envelope)
            if request:
                self._batch.add([request])
                return

    def _request(self, lane: RunningLane, envelope: Envelope) -> Request | None:
        """The request of the envelope; None when it cannot be made, which is settled."""
        try:
            return self._sender_of(envelope.url).request(envelope, timeout_s=self._timeout_s, key=(lane, envelope))
        except ConfigError as error:
            lane.settle(lane.receipt(envelope, ReceiptStatus.PERMANENT, str(error)))
            return None

    def _receipt(self, lane: RunningLane, envelope: Envelope, response: Response) -> Receipt:
        try:
            return self._sender_of(envelope.url).receipt(envelope, response)
        except ConfigError as error:
            return lane.receipt(envelope, ReceiptStatus.PERMANENT, str(error))
