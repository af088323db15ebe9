"""Whether the service is well, and a sign of life to somebody outside who notices when it stops."""

from __future__ import annotations

import structlog

from alerts.http.client import Request
from alerts.pipeline.tools import Tools
from alerts.ports import State

QUEUES = ("poll", "sift", "deliver")
ALIVE_S = 15.0  # a worker that made no progress for this long is not well
_TIMEOUT_S = 5.0
_log = structlog.get_logger("health")


def problems(state: State) -> list[str]:
    """What speaks against the service being well, in words. Raises: StateError."""
    alive = {queue for queue, idle_s in state.progress().values() if idle_s < ALIVE_S}
    found = [f"no worker makes progress on the queue {queue}" for queue in QUEUES if queue not in alive]
    canary = state.canary()
    if canary and canary.alarmed:
        found.append(f"the canary did not arrive at the channel {canary.channel_id}")
    return found


def give_sign_of_life(tools: Tools) -> bool:
    """Ask the address of `watch.ping_url`, when it is time and all is well; whether it was asked.

    Nothing is asked while something is wrong: the outside watcher raises its alarm when no sign comes.
    """
    watch = tools.settings.watch
    if not watch.ping_url or not tools.state.claim_turn("ping", watch.ping_s):
        return False
    wrong = problems(tools.state)
    if wrong:
        _log.warning("no sign of life is given", reason="; ".join(wrong))
        return False
    response = tools.http.send(Request(url=watch.ping_url, timeout_s=_TIMEOUT_S))
    if response.error or response.status >= 400:
        _log.warning("sign of life not taken", reason=response.error or f"HTTP {response.status}")
    return True
