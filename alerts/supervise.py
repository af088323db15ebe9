"""The loop of `up`: starts the parts of a table, restarts, watches and stops them; one thread, one selector.

The parts are started in the order of the table, each gate (the store, a command that must end well) before what comes
after it, and stopped the other way round. Python parts are forked from us where that is safe, and share our memory.
"""

from __future__ import annotations

import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from alerts.child import Child, Part, spawn
from alerts.errors import AlertsError

SOFT_STOP_S = 5.0  # grace for a part that is restarted because the store was
GATE_STOP_S = 10.0  # grace for the store, after everything else has ended
_ASK_S = 0.05  # how often a gate is asked whether it is open
_ASK_OTHERS_S = 1.0  # the same for what we did not start
_NOTE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """The end of a process that was to run on."""

    at: float  # monotonic seconds
    lived_s: float
    is_killed: bool  # by SIGKILL: the watchdog, the kernel or a person


@dataclass
class Slot:
    """A row of the table at work: the part, its process if there is one, and what it went through."""

    part: Part
    child: Child | None = None
    start_at: float | None = 0.0  # None = not to be started
    kill_at: float | None = None
    ask_at: float = 0.0
    note_at: float = 0.0
    is_open: bool = False  # a gate that lets the parts after it start
    is_expected: bool = False  # its end is our doing and no failure
    deaths: list[Death] = field(default_factory=list)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=10))


class Log(Protocol):
    """Where lines go."""

    def line(self, name: str, text: str) -> None:
        """Write a line of a part."""

    def event(self, phrase: str, **keys: object) -> None:
        """Write a line of the supervisor's own."""


class Watch(Protocol):
    """Who knows which workers make progress."""

    every_s: float  # how often it is asked

    def ended(self, worker_id: str) -> None:
        """Note that a worker is no more."""

    def stuck(self, ages: Mapping[str, float], now: float) -> frozenset[str]:
        """The workers that stand still, of those that were started so many seconds ago."""


class Supervisor:
    """Runs parts until a signal, a time limit, or a part that cannot be run; in the main thread only.

    Args:
        parts: In the order they are started.
        stop_s: Grace at the end, in seconds, before a part is killed.
        policy: Seconds to wait after the ends of a part (the last one counts; True = others wait for it) before it is
            started again; None = it cannot be run.
        watch: None = nobody looks.
        on_ready: Called once, when every gate is open, before the parts after the last one are started.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        log: Log,
        stop_s: float,
        policy: Callable[[Sequence[Death], bool], float | None],
        watch: Watch | None = None,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        self.slots = [Slot(part) for part in parts]
        self._log, self._stop_s, self._policy, self._watch, self._on_ready = log, stop_s, policy, watch, on_ready
        self._selector = selectors.DefaultSelector()
        self._code: int | None = None  # set = we are stopping, and this is the exit code
        self._end_at: float | None = None
        self._look_at = 0.0

    def run(self, receiver: socket.socket, seconds: float | None = None) -> int:
        """Run the parts; 0 when told to stop, 1 when a part cannot be run.

        Args:
            receiver: The numbers of signals arrive there, one byte each; SIGCHLD among them.
            seconds: Stop after this long.
        """
        self._end_at = None if seconds is None else time.monotonic() + seconds
        self._selector.register(receiver, selectors.EVENT_READ)
        try:
            while self._code is None or any(slot.child for slot in self.slots):
                self._turn(receiver)
        finally:
            for child in (slot.child for slot in self.slots if slot.child):
                child.close()
            self._selector.close()
        return self._code or 0

    def _turn(self, receiver: socket.socket) -> None:
        """One round: sleep until something happens, then read, bury, start, look and kill, in that order."""
        for key, _ in self._selector.select(self._sleep_s(time.monotonic())):
            if key.fileobj is receiver:
                self._obey(receiver.recv(256))
            else:
                self._read(key.data)
        now = time.monotonic()
        for slot in self.slots:
            if slot.child and slot.child.process.poll() is not None:
                self._ended(slot, slot.child, now)
        if self._end_at is not None and now >= self._end_at:
            self._stop(0)
        if self._code is None:
            self._start_due(now)
            self._look(now)
        else:
            self._stop_next(now)
        self._kill_overdue(now)

    def _sleep_s(self, now: float) -> float:
        """Seconds to the next deadline."""
        ends: list[float | None] = [slot.kill_at for slot in self.slots]
        if self._code is None:
            ends += [self._end_at, self._look_at if self._watch else None]
            for slot in self.slots:
                ends.append(None if slot.child else slot.start_at)
                if slot.part.is_gate and not slot.is_open:
                    ends.append(slot.ask_at if slot.part.is_ready and slot.start_at is None else None)
                    break
        return max(_ASK_S, min((end - now for end in ends if end is not None), default=60.0))

    def _obey(self, numbers: bytes) -> None:
        for number in (signal.Signals(n) for n in numbers if n != signal.SIGCHLD):
            self._log.event("told to stop" if self._code is None else "told again: killing what is left", signal=number.name)
            if self._code is not None:
                for child in (slot.child for slot in self.slots if slot.child):
                    child.kill()
            self._stop(0)

    def _read(self, slot: Slot) -> None:
        if slot.child:
            self._show(slot, slot.child.read_lines())
            if not slot.child.is_open:
                self._selector.unregister(slot.child.output)

    def _show(self, slot: Slot, lines: Sequence[str]) -> None:
        for text in lines:
            slot.tail.append(text)
            self._log.line(slot.part.name, text)

    # ------------------------------------------------------------ starting

    def _start_due(self, now: float) -> None:
        """Start what is due, in order, up to the first gate that is not open."""
        last_gate = max((n for n, slot in enumerate(self.slots) if slot.part.is_gate), default=-1)
        for number, slot in enumerate(self.slots):
            if number > last_gate and self._on_ready:
                self._get_ready(self._on_ready)
            if slot.child is None and slot.start_at is not None and slot.start_at <= now and self._code is None:
                self._start(slot, now)
            if slot.part.is_gate and not self._opens(slot, now):
                return

    def _get_ready(self, on_ready: Callable[[], None]) -> None:
        self._on_ready = None
        try:
            on_ready()
        except AlertsError as error:
            self._log.event("giving up", because=error)
            self._stop(1)

    def _start(self, slot: Slot, now: float) -> None:
        slot.start_at, slot.is_expected, slot.note_at = None, False, now + _NOTE_S
        if not slot.part.command:
            return
        try:
            slot.child = spawn(slot.part, now)
        except OSError as error:
            self._show(slot, [f"cannot be started: {slot.part.command[0]}: {error.strerror}"])
            self._bury(slot, Death(at=now, lived_s=0.0, is_killed=False))
            return
        self._selector.register(slot.child.output, selectors.EVENT_READ, slot)
        self._log.event("part started", part=slot.part.name, pid=slot.child.process.pid)

    def _opens(self, slot: Slot, now: float) -> bool:
        """Whether what comes after this gate may start; asks it from time to time while that is not known."""
        is_there = slot.child is not None or not slot.part.command
        if slot.is_open or slot.part.is_ready is None or not is_there or now < slot.ask_at:
            return slot.is_open
        slot.is_open = slot.part.is_ready()
        slot.ask_at = now + (_ASK_S if slot.part.command else _ASK_OTHERS_S)
        if slot.is_open:
            self._log.event("part is ready", part=slot.part.name)
            self._restart_dependants(slot.part.name, now)
        elif now >= slot.note_at:
            slot.note_at = now + _NOTE_S
            self._log.event("waiting until it answers", part=slot.part.name, at=slot.part.where)
        return slot.is_open

    def _restart_dependants(self, gate: str, now: float) -> None:
        """A Celery process can sit idle for ever after its broker was restarted: it gets a new start."""
        for slot in self.slots:
            if slot.part.after == gate and slot.child and not slot.is_expected:
                slot.is_expected, slot.kill_at = True, now + SOFT_STOP_S
                slot.child.send(signal.SIGTERM)

    # ------------------------------------------------------------ ends of parts

    def _ended(self, slot: Slot, child: Child, now: float) -> None:
        if child.is_open:
            self._selector.unregister(child.output)
        self._show(slot, child.close())
        slot.child, slot.kill_at, slot.is_open = None, None, False
        code = child.process.wait() or 0
        if child.worker_id and self._watch:
            self._watch.ended(child.worker_id)
            self._look_at = now
        if slot.part.is_once and code == 0:
            slot.is_open = True
        elif slot.is_expected:
            slot.start_at = now
        elif self._code is None:
            death = Death(at=now, lived_s=now - child.started_at, is_killed=code == -signal.SIGKILL)
            why = f"exit code {code}" if code >= 0 else signal.strsignal(-code)
            self._log.event("part ended", part=slot.part.name, why=why, lived_s=round(death.lived_s, 1))
            self._bury(slot, death)

    def _bury(self, slot: Slot, death: Death) -> None:
        """Decide whether and when a part that ended is started again."""
        slot.deaths = [*slot.deaths[-20:], death]
        delay = self._policy(slot.deaths, slot.part.is_gate)
        if delay is None or (slot.part.is_once and not death.is_killed):
            because = "it could not do its work" if slot.part.is_once else "it ends as soon as it is started"
            self._log.event("giving up", part=slot.part.name, because=because + "; its last lines:")
            for text in slot.tail:
                self._log.event(f"    {text}")
            self._stop(1)
            return
        slot.start_at = death.at + delay
        self._log.event("part is restarted", part=slot.part.name, in_s=round(delay, 1))

    # ------------------------------------------------------------ watching

    def _look(self, now: float) -> None:
        """Pass on which workers ended, and kill those that stand still."""
        if self._watch is None or now < self._look_at or any(s.part.is_gate and not s.is_open for s in self.slots):
            return
        self._look_at = now + self._watch.every_s
        workers = {s.child.worker_id: s for s in self.slots if s.child and s.child.worker_id and not s.is_expected}
        ages = {worker_id: now - slot.child.started_at for worker_id, slot in workers.items() if slot.child}
        stuck = self._watch.stuck(ages, now)
        for slot in (workers[worker_id] for worker_id in stuck):
            self._log.event("worker makes no progress and is killed", part=slot.part.name)
            if slot.child:
                slot.child.kill()
        if len(stuck) == len(workers) > 1:  # it is what wakes them that is sick
            for gate in {s.part.after for s in workers.values()}:
                self._restart_dependants(gate, now)

    # ------------------------------------------------------------ stopping

    def _stop(self, code: int) -> None:
        self._code = max(code, self._code or 0)

    def _stop_next(self, now: float) -> None:
        """Ask what runs after the last gate to end; then that gate, and so on."""
        group: list[Slot] = []
        for slot in (s for s in reversed(self.slots) if s.child):
            if not (slot.part.is_gate and group):
                group.append(slot)
            if slot.part.is_gate:
                break
        for slot in group:
            if slot.kill_at is None and slot.child:
                slot.kill_at = now + (GATE_STOP_S if slot.part.is_gate else self._stop_s)
                slot.child.send(signal.SIGTERM)

    def _kill_overdue(self, now: float) -> None:
        for slot in self.slots:
            if slot.child and slot.kill_at is not None and slot.kill_at <= now:
                self._log.event("part did not end and is killed", part=slot.part.name)
                slot.kill_at = now + GATE_STOP_S
                slot.child.kill()
