"""The service under chaos: started as a person starts it, killed in any of its parts, its log torn."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

PARTS = {
    "store": ("valkey-server", "redis-server"),
    "beat": (" beat ",),
    "poll": ("-Q poll",),
    "sift": ("-Q sift",),
    "deliver": ("-Q deliver",),
    "web": ("alerts.cli web",),
}
KINDS = (*PARTS, "supervisor")


class Service:
    """`tocsin up` on a directory of its own."""

    def __init__(self, folder: Path, sources: Sequence[tuple[str, str]], channels: Sequence[tuple[str, str]]) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        config = folder / "config"
        config.mkdir(parents=True)
        own = Path(__file__).parents[2] / "config"
        shutil.copy(own / "regions.toml", config)
        (config / "tocsin.toml").write_text("")
        (config / "sources.toml").write_text(
            "".join(f'[[source]]\nid = "{i}"\nurl = "{url}"\nfloor_s = 1\nceiling_s = 1\n' for i, url in sources)
        )
        rows = "".join(f'[[channel]]\nid = "{i}"\nurl = "{url}"\n' for i, url in channels)
        (config / "rules.toml").write_text(rows + '[[rule]]\nid = "planted"\nquery = "planted"\n')

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self._folder / "data"

    def environment(self) -> dict[str, str]:
        """What its processes are started with."""
        own = {
            "TOCSIN_DATA_DIR": str(self.data),
            "TOCSIN_CONFIG_DIR": str(self._folder / "config"),
            "TOCSIN_HTTP__ALLOW_NETWORKS": '["127.0.0.0/8"]',
            "TOCSIN_HTTP__MAX_PER_HOST": "32",
            "TOCSIN_POLL__JITTER": "0",
            "TOCSIN_POLL__IS_ADAPTIVE": "false",
            "TOCSIN_WEB__PORT": "0",
        }
        return {**{k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}, **own}

    def start(self) -> None:
        """Start the supervisor."""
        with (self._folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "alerts.cli", "up"]
            self._process = subprocess.Popen(command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self) -> None:
        """Stop it as a person does."""
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def kill(self, kind: str) -> bool:
        """kill -9 one part; False when it is not running just now."""
        if kind == "supervisor":
            self._kill_supervisor()
            self.start()
            return True
        for process in self._children():
            with suppress(psutil.NoSuchProcess):
                if any(mark in " ".join([*process.cmdline(), ""]) for mark in PARTS[kind]):
                    process.kill()
                    return True
        return False

    def tear(self, random: Random) -> int:
        """kill -9 everything and cut the tail of the store's log, as a power cut does; how many bytes."""
        self._kill_supervisor()
        [log] = sorted((self.data / "store" / "appendonlydir").glob("*.incr.aof"))[-1:]
        cut = min(random.randint(1, 4000), log.stat().st_size // 4)
        with log.open("r+b") as file:
            file.truncate(log.stat().st_size - cut)
        self.start()
        return cut

    def _kill_supervisor(self) -> None:
        children = self._children()
        if self._process:
            self._process.kill()
            self._process.wait()
        _, alive = psutil.wait_procs(children, timeout=10)
        for process in alive:
            raise AssertionError(f"{process} outlived its supervisor")

    def _children(self) -> list[psutil.Process]:
        if self._process is None:
            return []
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self._process.pid).children(recursive=True)
        return []

    def wait_until_up(self, timeout_s: float) -> None:
        """Return when every part runs."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            lines = [" ".join([*p.cmdline(), ""]) for p in self._children() if p.is_running()]
            if all(any(mark in line for line in lines for mark in marks) for marks in PARTS.values()):
                return
            time.sleep(0.1)
        raise AssertionError(f"the service did not come up within {timeout_s} s; see {self._folder / 'log'}")
