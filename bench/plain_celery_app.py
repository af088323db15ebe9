"""The Celery app of bench/plain_celery.py: the pipeline as one would first write it, a task for every item and target.

`item` stands for poll and sift, `tell` for the delivery; what is to be done travels in the messages. Everything that makes
Celery careful is on: late acknowledgement, redelivery after a lost worker, quick restore, prefetch 1.
"""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.request import Request, urlopen

from celery import Celery, shared_task

VISIBILITY_S = 10  # how soon a message that a dead worker held comes back; 3,600 by default
TARGETS = ("alpha", "beta", "gamma")


def make_app(broker: str) -> Celery:
    """The app on that broker."""
    made = Celery("plain", broker=broker, fixups=[])
    made.conf.update(configuration())
    return made


def configuration() -> dict[str, Any]:
    """Plain Celery at its most careful."""
    return {
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_default_queue": "plain",
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_S,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
        },
    }


@shared_task(name="item")
def item(number: int, base: str) -> None:
    """One item was found: a task for every target."""
    for target in TARGETS:
        tell.delay(number, target, base)


@shared_task(name="tell", max_retries=5)
def tell(number: int, target: str, base: str) -> None:
    """Tell one target, under a key that is the same at every attempt."""
    document = {"title": f"planted headline number {number} of plain"}
    headers = {"Content-Type": "application/json", "webhook-id": f"{target}-{number}"}
    with urlopen(Request(f"{base}/{target}", json.dumps(document).encode(), headers, method="POST"), timeout=10) as answer:
        answer.read()


app = make_app(os.environ.get("PLAIN_CELERY_BROKER", "memory://"))
