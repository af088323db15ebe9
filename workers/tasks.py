"""The tasks: each gives the engine one turn. They carry no arguments and return nothing; what to do is in the store.

Here is the one broad `except` of the service: whatever a turn raises is logged and the worker goes on. The store
counts attempts, so that a poison item ends in the dead letters, not in a loop.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from celery import current_app, shared_task, signals
from kombu.exceptions import OperationalError

from alerts.errors import AlertsError
from alerts.settings import load_settings

_LOG = logging.getLogger("tocsin.tasks")
_WAKE_EXPIRES_S = 5.0


class Engine(Protocol):
    """What a worker process does when it is woken; see alerts.bootstrap."""

    def poll(self) -> object:
        """Poll what is due."""

    def sift(self) -> object:
        """Sift what is on the queue."""

    def deliver(self) -> object:
        """Expand and send what is due."""

    def sweep(self) -> object:
        """Kick what was left unfinished."""

    def close(self) -> None:
        """Finish what is being sent and give everything back."""


@cache
def engine() -> Engine:
    """The engine of this process; made at the first task, because it is heavy and beat does without."""
    bootstrap = importlib.import_module("alerts.bootstrap")
    settings = load_settings()
    bootstrap.configure_logging(settings)
    made: Engine = bootstrap.build_worker_engine(settings, wake=wake)
    return made


def wake(queue: str) -> None:
    """Send a wake-up to a queue; one that cannot be sent is made up for by the sweep."""
    try:
        current_app.send_task(queue, queue=queue, expires=_WAKE_EXPIRES_S, retry=False)
    except OperationalError as error:
        _LOG.warning("a wake-up was not sent queue=%s error=%s", queue, error)


def take_turn(name: str, engine_of: Callable[[], Engine] = engine) -> None:
    """One turn of the engine; whatever goes wrong is logged, and the worker lives."""
    try:
        getattr(engine_of(), name)()
    except AlertsError as error:
        _LOG.warning("a turn was broken off task=%s error=%s", name, error)
    except Exception:  # noqa: BLE001 - the task edge
        _LOG.exception("a turn failed task=%s", name)


@shared_task(name="poll")
def poll() -> None:
    """Poll what is due."""
    take_turn("poll")


@shared_task(name="sift")
def sift() -> None:
    """Sift what is on the queue."""
    take_turn("sift")


@shared_task(name="deliver")
def deliver() -> None:
    """Expand bells and send what is due."""
    take_turn("deliver")


@shared_task(name="sweep")
def sweep() -> None:
    """Kick what was left unfinished."""
    take_turn("sweep")


@signals.worker_shutdown.connect
def close_engine(**_: Any) -> None:
    """Give back what the engine holds, when there is one."""
    if engine.cache_info().currsize:
        engine().close()
