"""The console as a channel: an alert as a few readable lines (`console:`), or as one of JSON (`console:json`)."""

from __future__ import annotations

import json
import threading
from typing import TextIO

from alerts.delivery.sender import Clock, utc_now
from alerts.models import Envelope, Receipt, ReceiptStatus


class ConsoleSender:
    """Prints to a stream; alerts of several threads never mix.

    Args:
        stream: Where to print.
        clock: UTC; a line begins with the local time of it.
    """

    def __init__(self, stream: TextIO, *, clock: Clock = utc_now) -> None:
        self._stream = stream
        self._clock = clock
        self._lock = threading.Lock()

    def send(self, envelope: Envelope, *, timeout_s: float) -> Receipt:
        """Accepted when the line was printed, transient when the stream would not take it."""
        now = self._clock()
        line = self._json(envelope) if envelope.url == "console:json" else self._lines(envelope)
        try:
            with self._lock:
                self._stream.write(line + "\n")
                self._stream.flush()
        except (OSError, ValueError) as error:  # a closed pipe or a closed file
            return Receipt(delivery_id=envelope.delivery_id, status=ReceiptStatus.TRANSIENT, at=now, detail=f"console: {error}")
        return Receipt(delivery_id=envelope.delivery_id, status=ReceiptStatus.ACCEPTED, at=now, detail="printed")

    def _lines(self, envelope: Envelope) -> str:
        parts = [envelope.title, *(part.strip() for part in envelope.body.splitlines())]
        text = "\n          ".join(part for part in parts if part)
        encoding = getattr(self._stream, "encoding", None) or "utf-8"  # a worker's stdout may be a log in disguise
        text = text.encode(encoding, "replace").decode(encoding)
        return f"{self._clock().astimezone():%H:%M:%S}  {text}"

    @staticmethod
    def _json(envelope: Envelope) -> str:
        record = {**envelope.payload, "delivery": envelope.delivery_id, "is_repeat": envelope.is_repeat, "message": envelope.body}
        return json.dumps(record, default=str)
