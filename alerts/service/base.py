"""The service as a whole: what a person can do, and how it is: status, doctor, metrics, backup."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from alerts.errors import AlertsError, ConfigError, StateError
from alerts.pipeline.health import ALIVE_S, QUEUES, problems
from alerts.service.files import FileDesk
from alerts.service.sources import SourceView
from alerts.settings import read_text
from alerts.state import backup

_LONGEST_BACKUP = 4_000_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of the doctor; `advice` says what to do when it is not ok."""

    check: str
    is_ok: bool
    detail: str
    advice: str = ""


class Service(FileDesk):
    """Everything a person can do; the shells (cli, web, bot) only call this."""

    def status(self) -> dict[str, Any]:
        """Numbers for a glance: sources by health, queues, workers, alerts and deliveries."""
        state = self.tools.state
        health: dict[str, int] = {}
        for view in self.sources():
            health[view.health] = health.get(view.health, 0) + 1
        return {
            "sources": health,
            "rules": len(state.rules()),
            "channels": len(state.channels()),
            "waiting": state.waiting(),
            "backlog": state.lag(),
            "workers": {owner: {"queue": q, "idle_s": round(s, 1)} for owner, (q, s) in sorted(state.progress().items())},
            "counters": state.counters(),
            "problems": self.health()["problems"],
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def health(self) -> dict[str, Any]:
        """`ok` and what speaks against it, for /healthz; never raises."""
        try:
            found = problems(self.tools.state)
        except StateError as error:
            found = [str(error)]
        return {"ok": not found, "problems": found}

    def metrics(self) -> Iterator[Metric]:
        """Prometheus metrics, read from the store at each scrape."""
        state = self.tools.state
        for name, value in sorted(state.counters().items()):
            yield CounterMetricFamily(f"tocsin_{name}", f"{name} since the store was made", value=value)
        waiting = GaugeMetricFamily("tocsin_waiting", "ready to be worked on, by queue", labels=["queue"])
        for queue, number in state.waiting().items():
            waiting.add_metric([queue], number)
        yield waiting
        backlog = GaugeMetricFamily("tocsin_backlog", "not yet done, by kind", labels=["kind"])
        for kind, number in state.lag().items():
            backlog.add_metric([kind], number)
        yield backlog
        idle = GaugeMetricFamily("tocsin_worker_idle_seconds", "since the last progress", labels=["queue", "worker"])
        for owner, (queue, seconds) in state.progress().items():
            idle.add_metric([queue, owner], seconds)
        yield idle
        yield self._source_metrics()

    def _source_metrics(self) -> Metric:
        sources = GaugeMetricFamily("tocsin_sources", "sources by health", labels=["health"])
        views = [view.health for view in self.sources()]
        for health in sorted(set(views)):
            sources.add_metric([health], views.count(health))
        return sources

    def doctor(self) -> list[Finding]:
        """Check store, clock, workers, disk, sources, channels and rules; what to do about each."""
        findings = [self._check_store()]
        if not findings[0].is_ok:
            return findings
        return [
            *findings,
            self._check_clock(),
            *self._check_workers(),
            self._check_disk(),
            *self._check_sources(),
            *self._check_channels(),
            self._check_rules_rung(),
            self._check_dead_letters(),
        ]

    def _check_store(self) -> Finding:
        try:
            info = self.tools.state.info()
        except StateError as error:
            return Finding("store", False, str(error), "start Tocsin with `tocsin up`, or correct redis_url")
        name = "Valkey" if "valkey_version" in info else "Redis"
        detail = f"{name} {info.get('valkey_version') or info.get('redis_version')}, {info.get('used_memory_human', '?')} used"
        if info.get("aof_enabled") not in ("1", "True"):
            return Finding("store", False, f"{detail}, append-only file is off", "set `appendonly yes` and `appendfsync always`")
        if info.get("maxmemory_policy") != "noeviction":
            return Finding("store", False, f"{detail}, may evict keys", "set `maxmemory-policy noeviction`: alerts must not be evicted")
        return Finding("store", True, detail)

    def _check_clock(self) -> Finding:
        apart = abs((self.tools.state.now() - datetime.now(UTC)).total_seconds())
        advice = "set both clocks by NTP: leases and due times follow the store's clock"
        return Finding("clock", apart < 5, f"the store's clock differs by {apart:.1f} s", "" if apart < 5 else advice)

    def _check_workers(self) -> Iterator[Finding]:
        progress = self.tools.state.progress()
        for queue in QUEUES:
            idle = [s for q, s in progress.values() if q == queue]
            is_ok = bool(idle) and min(idle) < ALIVE_S
            detail = f"last progress {min(idle):.0f} s ago" if idle else "never seen"
            yield Finding(f"worker {queue}", is_ok, detail, "" if is_ok else f"start `tocsin up`, or `tocsin worker --queue {queue}` alone")

    def _check_disk(self) -> Finding:
        free_mb = shutil.disk_usage(self.tools.settings.data_dir).free // 1_000_000
        is_ok = free_mb >= self.tools.settings.watch.disk_free_mb
        return Finding("disk", is_ok, f"{free_mb} MB free", "" if is_ok else "make room: a full disk stops every write")

    def _check_sources(self) -> Iterator[Finding]:
        views = self.sources()
        if not views:
            yield Finding("sources", False, "there are none", "`tocsin sources add URL`, or apply config/sources.toml")
        for view in views:
            if view.health in ("failing", "blind", "gone"):
                yield Finding(f"source {view.source.source_id}", False, f"{view.health}: {view.why}", _about_source(view))
        if views and all(v.health in ("ok", "new", "paused") for v in views):
            yield Finding("sources", True, f"{len(views)} sources, none failing")

    def _check_channels(self) -> Iterator[Finding]:
        channels = self.tools.state.channels()
        if not channels:
            yield Finding("channels", False, "there are none: nobody can be told", "`tocsin channels add ID URL`")
        elif not any(c.is_operator for c in channels):
            yield Finding("channels", False, "no operator channel: warnings of the service reach nobody", "add one with `--operator`")
        else:
            yield Finding("channels", True, f"{len(channels)} channels")
        for channel in channels:
            if not channel.is_enabled:
                name = channel.channel_id
                advice = f"`tocsin channels add {name} URL` with a better URL, or `tocsin channels enable {name}`"
                yield Finding(f"channel {name}", False, f"disabled: {channel.error or 'by hand'}", advice)

    def _check_rules_rung(self) -> Finding:
        enabled = [r for r in self.tools.state.rules() if r.is_enabled]
        return Finding("rules", bool(enabled), f"{len(enabled)} enabled", "" if enabled else "`tocsin rules add QUERY`")

    def _check_dead_letters(self) -> Finding:
        items, sent = self.tools.state.lag()["dead_items"], len(self.tools.state.deliveries(status="dead", limit=100))
        about_items = "`tocsin items --dead` shows the items, `tocsin items --retry ENTRY` tries one again" if items else ""
        about_deliveries = "`tocsin deliveries list --status dead`: mend the channel, then `tocsin deliveries replay ID`" if sent else ""
        advice = "; ".join(filter(None, (about_items, about_deliveries)))
        return Finding("dead letters", not advice, f"{items} items and {sent} deliveries were given up", advice)

    def close(self) -> None:
        """Give everything back."""
        self.tools.notifier.close(0.0)
        self.tools.sandbox.close()
        self.tools.fetcher.close()

    def backup(self, path: Path) -> int:
        """Write everything to a new file (mode 0600: it holds the keys of the channels); how many lines.

        Raises:
            ConfigError: The file exists or cannot be written.
        """
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; name a file that does not exist yet") from error
        with os.fdopen(handle, "w", encoding="utf-8") as file, _whole(path):
            lines = sum(bool(file.write(line + "\n")) for line in self.tools.state.dump())
            file.write(backup.keys_line(self.tools.keys.export()) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return lines

    def restore(self, path: Path) -> int:
        """Read a backup into an empty store; how many keys. Raises: ConfigError, StateError."""
        lines = read_text(path, limit=_LONGEST_BACKUP).splitlines()
        try:
            backup.check_header(lines[0] if lines else "")
            keys, rows = backup.split_keys(list(enumerate(lines[1:], 2)))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
        self.tools.keys.adopt(keys)  # first: channels that nobody can open would be of no use
        restored = self.tools.state.restore(rows)
        self.tools.baselines.note([view.source.source_id for view in self.sources() if view.state.is_baselined])
        return restored


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Removes a file that was not written to its end. Raises: ConfigError when the disk is why."""
    try:
        yield
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ConfigError(f"{path}: {error.strerror}; nothing was kept") from error
    except AlertsError:
        path.unlink(missing_ok=True)
        raise


def _about_source(view: SourceView) -> str:
    """What a person can do about a source that is not well."""
    show, probe = f"`tocsin sources show {view.source.source_id}`", f"`tocsin sources probe {view.source.url}`"
    if view.health == "gone":
        return f"`tocsin sources remove {view.source.source_id}`, or find its new address with {probe}"
    if view.health == "blind":
        return f"look at {show}, then at the page: did its selectors or address change?"
    return f"look at {show}; {probe} says what is there now"
