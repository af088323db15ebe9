"""The Celery app, where `celery -A workers` looks for it. A message only says "look" and may be lost.

Late acknowledgement, quick redelivery, no results: the measurements behind it are in docs/design.md.
"""

from __future__ import annotations

import warnings
from typing import Any

from celery import Celery
from kombu import Queue

from alerts.settings import Settings, load_settings
from alerts.state.server import broker_url
from workers.schedule import EXPIRES_S, beat_schedule

QUEUES = ("poll", "sift", "deliver", "sweep")
_KEY_PREFIX = "tocsin-celery:"  # a shared Redis has other queues called poll; and our backup takes tocsin:*


def make_app(settings: Settings) -> Celery:
    """The app on the broker of these settings."""
    made = Celery("tocsin", broker=broker_url(settings), include=["workers.tasks"], fixups=[])
    made.conf.update(configuration(settings))
    return made


def configuration(settings: Settings) -> dict[str, Any]:
    """What the app is configured with."""
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_acks_late": True,
        "task_ignore_result": True,
        "result_expires": None,  # no clean-up task of a result backend that is not there
        "task_queues": [Queue(name, routing_key=name) for name in QUEUES],
        "task_routes": {name: {"queue": name} for name in QUEUES},
        "task_default_queue": "sweep",
        "task_create_missing_queues": False,
        "broker_transport_options": transport_options(),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_heartbeat": 0,
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_detect_quorum_queues": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "beat_schedule": beat_schedule(settings),
        "beat_scheduler": "workers.schedule:Metronome",
        "beat_max_loop_interval": max(EXPIRES_S, settings.poll.tick_s),
    }


def transport_options() -> dict[str, Any]:
    """How kombu talks to Redis; a message a killed worker held comes back within seconds."""
    return {
        "global_keyprefix": _KEY_PREFIX,
        "visibility_timeout": 120,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 10,
        "socket_keepalive": True,
    }


# Not the Celery in a container's or a test machine's log: `tocsin doctor` and the docs say not to run as root.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
app = make_app(load_settings())
