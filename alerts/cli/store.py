"""Which store a command talks to: the one of the service that runs, or its own for as long as the command takes.

A store of a command's own listens on another socket than the service's, so that a second command does not lean on a
store that is about to stop: it waits for its turn instead.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from alerts.errors import StateError
from alerts.settings import Settings
from alerts.state import server

_WAIT_S = 10.0  # for a service that starts, or another command that ends
_LOOK_S = 0.05
_DIRECTORY = "store"
_SOCKET = "command.sock"


@contextmanager
def reachable(settings: Settings, *, wait_s: float = _WAIT_S) -> Iterator[Settings]:
    """The settings, with a store behind them that answers for the length of the with block.

    Raises:
        ConfigError: The data directory cannot be used, or no store server is installed.
        StateError: The data directory is held by a service whose store does not answer.
    """
    with ExitStack() as stack:
        yield settings if settings.redis_url else _embedded(settings, stack, time.monotonic() + wait_s)


def _embedded(settings: Settings, stack: ExitStack, until: float) -> Settings:
    service = server.socket_path(settings)
    while not server.answers(service):
        try:
            stack.enter_context(server.held(settings.data_dir))
        except StateError:
            if time.monotonic() > until:
                raise
            time.sleep(_LOOK_S)
            continue
        directory, socket_file = settings.data_dir / _DIRECTORY, service.with_name(_SOCKET)
        url = stack.enter_context(server.running(directory, socket_file, memory_mb=settings.watch.memory_mb))
        return settings.model_copy(update={"redis_url": url})
    return settings
