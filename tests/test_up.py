"""The supervisor: order, restarts, one log, a watch on the workers, and a stop that leaves nothing behind."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from alerts import up
from alerts.child import Part, spawn
from alerts.errors import ConfigError, StateError
from alerts.settings import Settings
from alerts.state import server
from alerts.state.redis import RedisState
from alerts.supervise import Death, Supervisor, Watch
from tests.builders import a_source


def script(code: str) -> tuple[str, ...]:
    """The command of a small Python program."""
    return sys.executable, "-ISc", code


IDLE = "import time; print('up', flush=True); time.sleep(60)"
SAYS_ITS_END = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(os.write(1, b"bye\\n") - 4))  # print may be interrupted, and is not reentrant
{}
time.sleep(60)
"""
SAYS_ITS_NAME = "import os, time; print('I am', os.environ['TOCSIN_WORKER_ID'], flush=True); time.sleep(60)"
SAYS_WHAT_IT_HAS = "import os, sys; print(os.environ['A'], os.environ.get('TOCSIN_WORKER_ID'), sys.stdin.read() == '')"
SLOW_TO_STOP = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


class Journal:
    """A log that keeps its lines; at a line with one of the fragments it does what was asked, once."""

    def __init__(self, on: Mapping[str, Callable[[str], None]]) -> None:
        self.lines: list[str] = []
        self._on = dict(on)

    def line(self, name: str, text: str) -> None:
        self._keep(f"{name}: {text}")

    def event(self, phrase: str, **keys: object) -> None:
        self._keep(f"{phrase} " + " ".join(f"{k}={v}" for k, v in keys.items()))

    def _keep(self, text: str) -> None:
        self.lines.append(text)
        for fragment in [f for f in self._on if f in text]:
            self._on.pop(fragment)(text)

    def has(self, fragment: str) -> bool:
        return any(fragment in line for line in self.lines)

    def order(self, *fragments: str) -> list[int]:
        """Where the first line with each fragment stands."""
        return [next(n for n, line in enumerate(self.lines) if fragment in line) for fragment in fragments]


def stop(_text: str = "") -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def kill_pid(text: str) -> None:
    """Kill the process whose 'pid=' stands in the line."""
    os.kill(int(text.rsplit("pid=", 1)[1]), signal.SIGKILL)


def always(_deaths: Sequence[Death], _is_urgent: bool) -> float | None:
    return 0.0


def three_tries(deaths: Sequence[Death], _is_urgent: bool) -> float | None:
    return None if len(deaths) >= 3 else 0.0


def supervise(
    *parts: Part,
    on: Mapping[str, Callable[[str], None]],
    policy: Callable[[Sequence[Death], bool], float | None] = always,
    watch: Watch | None = None,
    on_ready: Callable[[], None] | None = None,
    stop_s: float = 10.0,
    seconds: float = 30.0,
) -> tuple[int, Journal]:
    """Run parts until something stops them; (exit code, what was said)."""
    log = Journal(on)
    supervisor = Supervisor(parts, log=log, stop_s=stop_s, policy=policy, watch=watch, on_ready=on_ready)
    with up.signals() as receiver:
        code = supervisor.run(receiver, seconds)
    assert all(slot.child is None for slot in supervisor.slots)
    return code, log


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


# ---------------------------------------------------------------- when a part is started again


def death(at: float = 0.0, lived_s: float = 1.0, *, is_killed: bool = False) -> Death:
    return Death(at=at, lived_s=lived_s, is_killed=is_killed)


def test_the_wait_doubles_with_each_death_up_to_half_a_minute() -> None:
    waits = [up.restart_delay([death()] * n) for n in range(1, 12)]
    assert waits[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert waits[-1] == 30.0


def test_a_minute_of_life_starts_the_wait_anew() -> None:
    deaths = [death(), death(), death(), death(lived_s=60.0)]
    assert up.restart_delay(deaths) == pytest.approx(0.2)
    assert up.restart_delay([*deaths, death()]) == pytest.approx(0.4)


def test_what_others_wait_for_is_started_again_at_once() -> None:
    assert up.restart_delay([death()], is_urgent=True) == 0.0
    assert up.restart_delay([death(), death()], is_urgent=True) == pytest.approx(0.4)


def test_being_killed_from_outside_never_costs_more_than_two_seconds() -> None:
    assert up.restart_delay([death(is_killed=True)] * 20) == 2.0


def test_five_quick_ends_within_half_a_minute_are_hopeless() -> None:
    assert not up.is_hopeless([death(at=n) for n in range(4)])
    assert up.is_hopeless([death(at=n) for n in range(5)])
    assert up.restart_policy([death(at=n) for n in range(5)], False) is None


@pytest.mark.parametrize(
    "deaths",
    [
        pytest.param([death(at=n, is_killed=True) for n in range(9)], id="killed from outside"),
        pytest.param([death(at=n, lived_s=6.0) for n in range(9)], id="they ran for a while"),
        pytest.param([death(at=n * 10.0) for n in range(9)], id="spread over time"),
    ],
)
def test_other_ends_are_not_hopeless(deaths: list[Death]) -> None:
    assert not up.is_hopeless(deaths)


# ---------------------------------------------------------------- which workers stand still


@pytest.mark.parametrize(
    ("age_s", "progress", "is_stalled"),
    [
        pytest.param(100.0, {"a": 40.0}, True, id="no progress for too long"),
        pytest.param(100.0, {"a": 2.0}, False, id="progress"),
        pytest.param(100.0, {}, True, id="never any progress"),
        pytest.param(10.0, {}, False, id="just started"),
        pytest.param(10.0, {"a": 500.0}, False, id="too young to judge"),
        pytest.param(100.0, {"b": 1.0}, True, id="another worker's progress"),
    ],
)
def test_a_worker_stands_still_when(age_s: float, progress: dict[str, float], is_stalled: bool) -> None:
    assert list(up.stalled({"a": age_s}, progress, 30.0)) == (["a"] if is_stalled else [])


class FakeStore:
    """A store's answers to the watch; None = it does not answer."""

    def __init__(self, progress: dict[str, float] | None = None) -> None:
        self.progress = progress
        self.dead: list[str] = []
        self.said: list[str] = []

    def watch(self, stall_s: float = 30.0) -> up.StoreWatch:
        return up.StoreWatch(self.progress_of, self.on_death, stall_s=stall_s, event=lambda phrase, **_: self.said.append(phrase))

    def progress_of(self) -> dict[str, float]:
        if self.progress is None:
            raise StateError("away")
        return self.progress

    def on_death(self, worker_id: str) -> None:
        self.progress_of()
        self.dead.append(worker_id)


def test_a_worker_is_condemned_at_the_second_look_only() -> None:
    watch = FakeStore({"a": 99.0}).watch()
    assert watch.stuck({"a": 100.0}, 0.0) == frozenset()
    assert watch.stuck({"a": 105.0}, 5.0) == {"a"}


def test_two_looks_in_quick_succession_count_as_one() -> None:
    watch = FakeStore({"a": 99.0}).watch()
    watch.stuck({"a": 100.0}, 0.0)
    assert watch.stuck({"a": 100.1}, 0.1) == frozenset()


def test_nobody_is_condemned_after_the_machine_was_asleep() -> None:
    store = FakeStore({"a": 7200.0})
    watch = store.watch()
    watch.stuck({"a": 100.0}, 0.0)
    store.progress = {"a": 0.5}
    assert watch.stuck({"a": 105.0}, 5.0) == frozenset()


def test_a_store_that_does_not_answer_condemns_nobody_and_is_reported_once() -> None:
    store = FakeStore()
    watch = store.watch()
    assert [watch.stuck({"a": 100.0}, float(t)) for t in (0, 5, 10)] == [frozenset()] * 3
    assert len(store.said) == 1


def test_a_death_the_store_did_not_hear_of_is_told_again() -> None:
    store = FakeStore()
    watch = store.watch()
    watch.ended("a")
    watch.stuck({}, 0.0)
    assert store.dead == []
    store.progress = {}
    watch.stuck({}, 5.0)
    watch.stuck({}, 10.0)
    assert store.dead == ["a"]


# ---------------------------------------------------------------- the log


class Pipe(io.StringIO):
    """A stream whose reader has gone away."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_each_line_says_whose_it_is() -> None:
    out = io.StringIO()
    log = up.MergedLog(out, ["poll", "deliver"], clock=lambda: datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC))
    log.line("poll", "hello")
    log.event("part started", part="poll", pid=7)
    assert out.getvalue() == "poll    | hello\ntocsin  | 12:00:05 part started part=poll pid=7\n"


def test_a_line_cannot_act_on_the_terminal() -> None:
    out = io.StringIO()
    up.MergedLog(out, ["a"]).line("a", "red \x1b[31m bell \a tab\there \u202e")
    assert out.getvalue() == "a      | red ?[31m bell ? tab\there ?\n"


def test_the_service_goes_on_when_nobody_reads_its_log() -> None:
    up.MergedLog(Pipe(), ["a"]).line("a", "hello")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours_and_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    up.MergedLog(out, ["poll"]).line("poll", "hello")
    assert out.getvalue().startswith("\x1b[36m")
    assert out.getvalue().endswith("hello\n")


# ---------------------------------------------------------------- the loop


def test_parts_start_in_order_and_the_gate_ends_last(tmp_path: Path) -> None:
    opened = tmp_path / "open"
    gate = Part("gate", script(SAYS_ITS_END.format(f"open({str(opened)!r}, 'w').close()")), is_ready=opened.exists)
    code, log = supervise(gate, Part("worker", script(SAYS_ITS_END.format("print('up', flush=True)"))), on={"worker: up": stop})
    assert code == 0
    positions = log.order("part started part=gate", "part started part=worker", "told to stop", "worker: bye", "gate: bye")
    assert positions == sorted(positions)


def test_what_comes_after_a_gate_waits_until_it_is_open() -> None:
    asked: list[int] = []

    def is_ready() -> bool:
        asked.append(1)
        return len(asked) >= 3

    _, log = supervise(Part("gate", script(IDLE), is_ready=is_ready), Part("worker", script(IDLE)), on={"worker: up": stop})
    assert log.order("part is ready part=gate") < log.order("part started part=worker")
    assert len(asked) == 3


def test_a_gate_somebody_else_runs_is_waited_for_and_never_started() -> None:
    answers = iter([False, True])
    outside = Part("store", (), is_ready=lambda: next(answers), where="redis://store.example")
    code, log = supervise(outside, Part("worker", script(IDLE)), on={"worker: up": stop})
    assert code == 0
    assert not log.has("part started part=store")


def test_a_part_that_runs_once_is_waited_for_and_not_started_again() -> None:
    code, log = supervise(Part("setup", script("print('done')"), is_once=True), Part("worker", script(IDLE)), on={"worker: up": stop})
    assert code == 0
    assert log.order("setup: done") < log.order("part started part=worker")
    assert not log.has("part ended part=setup")


def test_a_part_that_runs_once_and_fails_stops_everything_with_its_last_lines() -> None:
    failing = Part("setup", script("import sys; print('rules.toml: line 3'); sys.exit(2)"), is_once=True)
    code, log = supervise(failing, Part("worker", script(IDLE)), on={})
    assert code == 1
    assert log.has("giving up part=setup")
    assert sum("rules.toml: line 3" in line for line in log.lines) == 2
    assert not log.has("part started part=worker")


def test_preparation_comes_after_the_gates_and_before_the_workers() -> None:
    order: list[str] = []

    def is_ready() -> bool:
        order.append("asked")
        return True

    note: dict[str, Callable[[str], None]] = {"part started part=worker": lambda _: order.append("worker"), "worker: up": stop}
    parts = Part("gate", script(IDLE), is_ready=is_ready), Part("worker", script(IDLE))
    supervise(*parts, on=note, on_ready=lambda: order.append("prepared"))
    assert order == ["asked", "prepared", "worker"]


def test_a_preparation_that_fails_stops_everything_and_says_why() -> None:
    def fail() -> None:
        raise ConfigError("wire.toml: no outlet")

    code, log = supervise(Part("worker", script(IDLE)), on={}, on_ready=fail)
    assert code == 1
    assert log.has("giving up because=wire.toml: no outlet")


def test_a_part_that_ends_is_started_again_and_that_is_said() -> None:
    code, log = supervise(Part("worker", script("print('up')")), on={}, policy=three_tries)
    assert code == 1
    assert sum("part started part=worker" in line for line in log.lines) == 3
    assert log.has("part ended part=worker why=exit code 0")


def test_a_part_that_cannot_run_stops_everything_and_shows_its_last_lines() -> None:
    broken = Part("broken", script("import sys; print('no such module'); sys.exit(3)"))
    code, log = supervise(Part("other", script(IDLE)), broken, on={}, policy=three_tries)
    assert code == 1
    assert log.has("giving up part=broken")
    assert "no such module" in log.lines[log.order("giving up")[0] + 1]


def test_a_program_that_is_not_there_counts_as_an_end(tmp_path: Path) -> None:
    code, log = supervise(Part("absent", (str(tmp_path / "absent"),)), on={}, policy=three_tries)
    assert code == 1
    assert log.has("absent: cannot be started")


def test_a_killed_part_is_started_again() -> None:
    code, log = supervise(Part("worker", script(IDLE)), on={"part started part=worker": kill_pid, "worker: up": stop})
    assert code == 0
    assert log.has("why=Killed")


def test_what_hangs_on_the_store_gets_a_new_start_when_the_store_came_back() -> None:
    pids: dict[str, int] = {}

    def note_store(text: str) -> None:
        pids["store"] = int(text.rsplit("pid=", 1)[1])

    def kill_store(_text: str) -> None:
        os.kill(pids["store"], signal.SIGKILL)

    store = Part("store", script(IDLE), is_ready=lambda: True)
    beat = Part("beat", script("import os, time; print('born', os.getpid(), flush=True); time.sleep(60)"), after="store")
    web = Part("web", script(IDLE))
    log_on: dict[str, Callable[[str], None]] = {"part started part=store": note_store, "beat: born": kill_store}

    class Until(Journal):
        def line(self, name: str, text: str) -> None:
            super().line(name, text)
            if sum("beat: born" in line for line in self.lines) == 2 and "born" in text:
                stop()

    log = Until(log_on)
    with up.signals() as receiver:
        code = Supervisor((store, beat, web), log=log, stop_s=10.0, policy=always).run(receiver, 30.0)
    assert code == 0
    assert sum("part started part=store" in line for line in log.lines) == 2
    assert sum("part started part=web" in line for line in log.lines) == 1
    assert not log.has("part ended part=beat")


class Condemning:
    """A watch that finds the first worker it sees stuck."""

    every_s = 0.05

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.condemned: list[str] = []

    def ended(self, worker_id: str) -> None:
        self.gone.append(worker_id)

    def stuck(self, ages: Mapping[str, float], now: float) -> frozenset[str]:
        if not ages or self.condemned:
            return frozenset()
        self.condemned = list(ages)[:1]
        return frozenset(self.condemned)


def test_a_worker_that_stands_still_is_killed_and_its_successor_has_another_name() -> None:
    watch = Condemning()
    code, log = supervise(Part("poll", script(SAYS_ITS_NAME), queue="poll"), on={}, watch=watch, seconds=1.5)
    assert code == 0
    assert log.has("worker makes no progress and is killed part=poll")
    assert watch.gone[0] == watch.condemned[0]
    names = [line.split()[-1] for line in log.lines if "I am" in line]
    assert len(set(names)) == len(names)
    assert all(name.startswith("poll-") for name in names)


class AllStuck(Condemning):
    """A watch that finds every worker stuck, once both are there."""

    def stuck(self, ages: Mapping[str, float], now: float) -> frozenset[str]:
        if len(ages) < 2 or self.condemned:
            return frozenset()
        self.condemned = list(ages)
        return frozenset(ages)


def test_when_every_worker_stands_still_beat_gets_a_new_start_too() -> None:
    parts = (
        Part("store", (), is_ready=lambda: True),
        Part("beat", script(IDLE), after="store"),
        Part("poll", script(IDLE), queue="poll", after="store"),
        Part("sift", script(IDLE), queue="sift", after="store"),
    )
    _, log = supervise(*parts, on={}, watch=AllStuck(), seconds=1.5)
    assert sum("part started part=beat" in line for line in log.lines) == 2


def test_a_part_that_does_not_end_is_killed_after_the_grace() -> None:
    code, log = supervise(Part("deaf", script(SLOW_TO_STOP)), on={"deaf: deaf": stop}, stop_s=0.2)
    assert code == 0
    assert log.has("part did not end and is killed part=deaf")


def test_a_second_signal_kills_what_is_left() -> None:
    code, log = supervise(Part("deaf", script(SLOW_TO_STOP)), on={"deaf: deaf": stop, "told to stop": stop})
    assert code == 0
    assert log.has("told again: killing what is left")


def test_the_service_stops_by_itself_after_the_given_time() -> None:
    code, _ = supervise(Part("worker", script(IDLE)), on={}, seconds=0.3)
    assert code == 0


def test_the_last_line_of_a_part_is_shown_though_it_has_no_end() -> None:
    _, log = supervise(Part("worker", script("import sys; sys.stdout.write('no newline')")), on={}, policy=lambda *_: None)
    assert log.has("worker: no newline")


def test_a_line_without_end_is_broken_and_bytes_that_are_no_text_do_no_harm() -> None:
    wild = "import sys; sys.stdout.buffer.write(b'x' * 100000 + b'\\xff\\xfe\\n'); sys.stdout.flush()"
    _, log = supervise(Part("worker", script(wild)), on={}, policy=lambda *_: None)
    shown = "".join(line.removeprefix("worker: ") for line in log.lines if line.startswith("worker: "))
    assert shown.count("x") == 100000
    assert "\ufffd" in shown


def test_what_a_part_started_ends_with_it(tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-ISc', 'import time; time.sleep(60)']);"
        "print('child', child.pid, flush=True); time.sleep(60)"
    )
    _, log = supervise(Part("worker", script(parent)), on={"worker: child": stop})
    pid = int(next(line for line in log.lines if "child" in line).split()[-1])
    assert wait_for(lambda: not is_alive(pid))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills children with their parent")
def test_parts_die_with_the_supervisor(tmp_path: Path) -> None:
    code = (
        "import sys; from alerts import up; from alerts.child import Part; from alerts.supervise import Supervisor\n"
        f"part = Part('worker', (sys.executable, '-ISc', {SLOW_TO_STOP!r}))\n"
        "log = up.MergedLog(sys.stdout, ['worker'])\n"
        "with up.signals() as receiver: Supervisor([part], log=log, stop_s=5, policy=up.restart_policy).run(receiver)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        lines = iter(supervisor.stdout or ())
        pid = int(next(line for line in lines if "pid=" in line).rsplit("pid=", 1)[1])
        next(line for line in lines if "deaf" in line)
        assert is_alive(pid)
        supervisor.kill()
    assert wait_for(lambda: not is_alive(pid))


def test_a_part_gets_its_environment_and_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOCSIN_WORKER_ID", raising=False)
    child = spawn(Part("a", script(SAYS_WHAT_IT_HAS), {"A": "b"}), 0.0)
    child.process.wait()
    assert child.close() == ["b None True"]


# ---------------------------------------------------------------- the table


def test_the_store_comes_first_then_what_was_asked_for_then_beat_workers_and_web(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_url="redis://user:secret@store.example:6379/1")
    parts = up.service_parts(settings, [Part("wire", ("true",))])
    assert [part.name for part in parts] == ["store", "wire", "beat", "poll", "sift", "deliver", "web"]
    assert [part.queue for part in parts if part.queue] == ["poll", "sift", "deliver"]
    assert {part.name for part in parts if part.after == "store"} == {"beat", "poll", "sift", "deliver"}


def test_a_store_of_ones_own_is_not_started_and_its_password_not_shown(tmp_path: Path) -> None:
    part = up.store_part(Settings(data_dir=tmp_path, redis_url="redis://user:secret@store.example:6379/1"))
    assert part.command == ()
    assert part.where == "redis://store.example:6379/1"


def test_a_store_that_is_away_is_not_ready(tmp_path: Path) -> None:
    part = up.store_part(Settings(data_dir=tmp_path, redis_url=f"unix://{tmp_path}/none.sock"))
    assert part.is_ready is not None
    assert not part.is_ready()


def test_what_a_dead_worker_polled_is_free_for_the_next_one_at_once(valkey_url: str, state: RedisState) -> None:
    state.put_source(a_source())
    claim = partial(state.claim_sources, limit=1, horizon_s=1, lease_s=60, downtime_s=1800)
    assert len(claim("poll-dead")) == 1
    assert claim("poll-next") == []
    watch = up.store_watch(Settings(redis_url=valkey_url), lambda *_, **__: None)
    watch.ended("poll-dead")
    watch.stuck({}, 0.0)
    assert len(claim("poll-next")) == 1
    assert state.counters()["worker_restarts"] == 1


def test_the_watch_takes_a_workers_progress_from_the_store(valkey_url: str, state: RedisState) -> None:
    state.beat("poll-1", "poll")
    watch = up.store_watch(Settings(redis_url=valkey_url), lambda *_, **__: None)
    ages = {"poll-1": 500.0, "poll-2": 500.0}
    watch.stuck(ages, 0.0)
    assert watch.stuck(ages, 5.0) == {"poll-2"}


@pytest.fixture
def own_settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def test_a_command_with_its_own_store_holds_the_data_directory(own_settings: Settings, valkey_server: str) -> None:
    with up.own_store(own_settings):
        assert server.answers(server.socket_path(own_settings))
        with pytest.raises(StateError, match="another Tocsin"), up.own_store(own_settings):
            pass
    assert not server.answers(server.socket_path(own_settings))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_well(port: int) -> bool:
    with suppress(OSError, urllib.error.URLError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as page:
        return bool(page.status == 200)
    return False


def test_the_whole_service_comes_up_survives_its_stores_death_and_stops_cleanly(tmp_path: Path, valkey_server: str) -> None:
    port = free_port()
    env = {**os.environ, "TOCSIN_DATA_DIR": str(tmp_path), "TOCSIN_WEB__PORT": str(port)}
    code = "import sys; from alerts import up; from alerts.settings import load_settings; sys.exit(up.run_service(load_settings()))"
    log = tmp_path / "log"
    with log.open("wb") as out, subprocess.Popen([sys.executable, "-c", code], stdout=out, stderr=out, env=env) as service:
        try:
            assert wait_for(partial(is_well, port)), log.read_text()
            started = [line for line in log.read_text().splitlines() if "part started part=store" in line]
            kill_pid(started[-1])
            assert wait_for(lambda: log.read_text().count("part started part=deliver") == 2), log.read_text()
            assert wait_for(partial(is_well, port)), log.read_text()
        finally:
            service.terminate()
        assert service.wait(60) == 0, log.read_text()
    assert "tocsin has stopped exit_code=0" in log.read_text()
