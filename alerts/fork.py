"""Python processes that share memory: forked from one that has the modules loaded, instead of executed anew.

The service is seven Python processes on a small machine; each would load the same 60 MB of modules. The supervisor loads
them once, freezes the collector, and forks: what nobody writes to is there once. A child is the same as
`python -m MODULE ARGUMENTS` otherwise: its own group, environment, output and signals, and the kernel ends it with us.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

import setproctitle

from alerts.state.server import dies_with_parent

_RESET = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE)


def can_fork() -> bool:
    """Whether forking without exec is safe here: on Linux, in a process with one thread."""
    return sys.platform.startswith("linux") and threading.active_count() == 1


def preload(modules: Sequence[str]) -> None:
    """Import modules for the children to come, and keep the collector from touching what they share."""
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


class Forked:
    """A forked child; has what the supervisor uses of subprocess.Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code (negative = the signal that ended it), None while it runs."""
        if self.returncode is None:
            self._reap(os.WNOHANG)
        return self.returncode

    def wait(self) -> int | None:
        """The exit code, once it has ended."""
        while self.returncode is None:
            self._reap(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _reap(self, options: int) -> None:
        with suppress(ChildProcessError, InterruptedError):
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)


def fork_module(module: str, arguments: Sequence[str], *, env: Mapping[str, str], output: int) -> Forked:
    """A child that runs a module as `python -m` does; its stdout and stderr go to the descriptor `output`.

    Raises:
        OSError: No process can be made.
    """
    ask_kernel = dies_with_parent()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        with suppress(OSError):  # the child does the same; whoever is first
            os.setpgid(pid, pid)
        return Forked(pid)
    code = 1
    try:
        os.setpgid(0, 0)
        if ask_kernel:
            ask_kernel()
        _take_over(module, arguments, env, output)
        code = _run(module)
    finally:  # whatever happened: nothing of ours may run on in the copy of the parent's stack
        if sys.exc_info()[0]:
            traceback.print_exc()
        _leave(code)


def _take_over(module: str, arguments: Sequence[str], env: Mapping[str, str], output: int) -> None:
    """Become a process of one's own: descriptors, signals, environment, name.

    Descriptors of the parent are closed, but not its objects: they stay alive on the stack and never touch numbers
    that were given out again.
    """
    signal.set_wakeup_fd(-1)
    for number in _RESET:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python starts
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(1, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)  # noqa: SIM115
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc]
    atexit._clear()
    setproctitle.setproctitle(" ".join([sys.executable, "-m", module, *arguments]))  # before its room, the environment, goes
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [module, *arguments]


def _run(module: str) -> int:
    """Run the module as the main one; its exit code."""
    main = f"{module}.__main__" if hasattr(sys.modules.get(module), "__path__") else module
    sys.modules.pop(main, None)  # it is run anew, whoever imported it before
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _leave(code: int) -> NoReturn:
    """End at once, without what the parent would do at its end."""
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)
