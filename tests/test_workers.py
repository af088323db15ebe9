"""The Celery side: a message says "look" and nothing else, expires, and can fail without killing a worker."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from alerts.errors import StateError
from alerts.settings import PollSettings, Settings, WatchSettings
from workers import tasks
from workers.celery import QUEUES, app, configuration, make_app
from workers.schedule import EXPIRES_S, Metronome, beat_schedule


class FakeEngine:
    """Notes its turns; fails as told."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.turns: list[str] = []
        self._error = error

    def _turn(self, name: str) -> None:
        self.turns.append(name)
        if self._error:
            raise self._error

    def poll(self) -> None:
        self._turn("poll")

    def sift(self) -> None:
        self._turn("sift")

    def deliver(self) -> None:
        self._turn("deliver")

    def sweep(self) -> None:
        self._turn("sweep")

    def close(self) -> None:
        self._turn("close")


# ---------------------------------------------------------------- tasks


@pytest.mark.parametrize("name", QUEUES)
def test_a_task_gives_the_engine_one_turn(name: str) -> None:
    engine = FakeEngine()
    tasks.take_turn(name, lambda: engine)
    assert engine.turns == [name]


def test_whatever_a_turn_raises_is_logged_and_the_worker_lives(caplog: pytest.LogCaptureFixture) -> None:
    tasks.take_turn("sift", lambda: FakeEngine(ZeroDivisionError("oh")))
    assert "a turn failed task=sift" in caplog.text
    assert "ZeroDivisionError: oh" in caplog.text


def test_a_store_that_is_away_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    tasks.take_turn("poll", lambda: FakeEngine(StateError("the store is away")))
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    assert "task=poll error=the store is away" in caplog.text


def test_an_engine_that_cannot_be_made_does_not_kill_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> FakeEngine:
        raise StateError("no store")

    tasks.take_turn("poll", fail)
    assert "no store" in caplog.text


def test_a_task_asked_to_end_ends() -> None:
    with pytest.raises(KeyboardInterrupt):
        tasks.take_turn("poll", lambda: FakeEngine(KeyboardInterrupt()))


def test_the_tasks_are_those_that_have_a_queue() -> None:
    app.loader.import_default_modules()
    assert sorted(name for name, task in app.tasks.items() if task.__module__ == "workers.tasks") == sorted(QUEUES)


# ---------------------------------------------------------------- configuration


@pytest.fixture
def settings(valkey_url: str, tmp_path: Path) -> Settings:
    return Settings(redis_url=valkey_url, data_dir=tmp_path)


@pytest.fixture
def own_app(settings: Settings) -> Iterator[Celery]:
    made = make_app(settings)
    yield made
    made.close()
    app.set_current()


def test_messages_are_json_are_acknowledged_late_and_have_no_result() -> None:
    made = configuration(Settings())
    assert (made["accept_content"], made["task_serializer"]) == (["json"], "json")
    assert made["task_acks_late"] is made["task_ignore_result"] is True
    assert app.conf.result_backend is None


def test_a_message_of_a_killed_worker_comes_back_within_seconds() -> None:
    options = configuration(Settings())["broker_transport_options"]
    assert (options["visibility_timeout"], options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (120, 5, 1)


def test_a_worker_never_gives_up_on_its_broker_and_takes_one_message_at_a_time() -> None:
    made = configuration(Settings())
    assert made["broker_connection_retry_on_startup"] is True
    assert made["broker_connection_max_retries"] is None
    assert made["worker_prefetch_multiplier"] == 1
    assert made["worker_enable_remote_control"] is False


def test_celery_keeps_its_keys_apart_from_what_the_backup_takes(own_app: Celery, settings: Settings, state: Any) -> None:
    own_app.send_task("poll", queue="poll", expires=5)
    keys = set(state.run_command("KEYS", "*"))
    assert b"tocsin-celery:poll" in keys
    assert {k for k in keys if k.startswith(b"tocsin:")} == set(state.scan())
    assert all(k.startswith((b"tocsin:", b"tocsin-celery:")) for k in keys)


class Away(Celery):
    """An app whose broker does not answer."""

    def send_task(self, *args: Any, **options: Any) -> Any:
        raise OperationalError("connection refused")


def test_a_wake_up_that_cannot_be_sent_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    Away("away").set_current()
    try:
        tasks.wake("sift")
    finally:
        app.set_current()
    assert "a wake-up was not sent queue=sift error=connection refused" in caplog.text


# ---------------------------------------------------------------- schedule


def test_every_queue_is_woken_in_its_time_by_messages_that_expire() -> None:
    made = beat_schedule(Settings(poll=PollSettings(tick_s=0.5), watch=WatchSettings(sweep_s=3)))
    assert {name: entry["schedule"] for name, entry in made.items()} == {"poll": 0.5, "sift": 2.0, "deliver": 2.0, "sweep": 3.0}
    assert {entry["options"]["expires"] for entry in made.values()} == {EXPIRES_S}


def test_beat_sends_what_is_due(own_app: Celery, state: Any) -> None:
    ticks(own_app, 4)
    assert {q: state.run_command("LLEN", f"tocsin-celery:{q}") for q in QUEUES} == dict.fromkeys(QUEUES, 1)


def test_beat_rests_between_its_messages(settings: Settings, state: Any) -> None:
    quick = make_app(Settings(redis_url=settings.redis_url, poll=PollSettings(tick_s=0.05)))
    scheduler = cast(Any, Metronome)(app=quick)
    scheduler.schedule = {"poll": scheduler.schedule["poll"]}
    pauses: list[float] = []
    while len(pauses) < 8:
        pauses.append(scheduler.tick())
        time.sleep(max(0.0, pauses[-1]))
    assert min(pauses) >= 0
    scheduler.close()
    quick.close()
    app.set_current()


def test_a_queue_that_nobody_serves_does_not_grow(own_app: Celery, state: Any) -> None:
    scheduler = cast(Any, Metronome)(app=own_app)
    entry = scheduler.schedule["poll"]
    for _ in range(60):
        scheduler.apply_async(entry, producer=scheduler.producer, advance=False)
    assert 2 <= state.run_command("LLEN", "tocsin-celery:poll") <= 12
    scheduler.close()


def test_a_queue_that_is_served_again_gets_its_ticks_again(own_app: Celery, state: Any) -> None:
    scheduler = cast(Any, Metronome)(app=own_app)
    entry = scheduler.schedule["poll"]
    for _ in range(60):
        scheduler.apply_async(entry, producer=scheduler.producer, advance=False)
    state.run_command("DEL", "tocsin-celery:poll")
    scheduler.apply_async(entry, producer=scheduler.producer, advance=False)
    assert state.run_command("LLEN", "tocsin-celery:poll") == 1
    scheduler.close()


def ticks(own_app: Celery, number: int) -> None:
    """Let beat's scheduler send what is due so many times, at a time when all is due."""
    scheduler = cast(Any, Metronome)(app=own_app)
    for entry in list(scheduler.schedule.values())[:number]:
        scheduler.apply_entry(entry, producer=scheduler.producer)
    scheduler.close()
