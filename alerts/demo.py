"""`tocsin demo`: the whole service on a recorded wire of invented outlets, served on loopback.

The wire is config/demo/wire.toml; a server of its own shows each outlet's feed or ticker page as it reads at the moment.
The service is the one `tocsin up` runs, on a data directory of its own that is emptied first.
"""

from __future__ import annotations

import html
import os
import socket
import sys
import threading
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from alerts.bootstrap import build_service
from alerts.child import Part
from alerts.settings import Settings, config_dir, load_settings
from alerts.state.server import empty
from alerts.up import run_service
from alerts.wire import LoopbackServer, WirePage, page_handler

_BANNER_S = 60.0  # a ticker line leaves the banner after this
_POLL_S = 2.0
_INTRODUCTION = """\
This is the whole service on a recorded wire: five invented outlets, served on this machine only.
Three rules ring: news from Lebanon, earthquakes anywhere, urgent news from the Middle East. The first
alert comes within ten seconds or so. Not everything rings: what was there before, the same story from
a second outlet, an edit, a word inside another word. Ctrl-C ends it; nothing else of yours is touched.

"""


@dataclass(frozen=True, slots=True)
class Outlet:
    """An invented outlet and what it publishes, in the order of time."""

    outlet_id: str
    name: str
    kind: str
    language: str
    region: str | None
    flashes: tuple[Mapping[str, Any], ...]


def read_wire(path: Path) -> tuple[Outlet, ...]:
    """The outlets of a wire file."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Outlet(
            outlet_id=row["id"],
            name=row["name"],
            kind=row.get("kind", "feed"),
            language=row["language"],
            region=row.get("region"),
            flashes=tuple(f for f in tables["flash"] if f["outlet"] == row["id"]),
        )
        for row in tables["outlet"]
    )


def page_at(outlet: Outlet, began: datetime, now: datetime) -> WirePage:
    """What an outlet shows at a moment."""
    age_s = (now - began).total_seconds()
    out = [f for f in outlet.flashes if f["at"] <= age_s]
    changed = began + timedelta(seconds=max((f["at"] for f in out), default=0))
    if outlet.kind == "ticker":
        lines = [f["title"] for f in out if age_s - f["at"] < _BANNER_S]
        changed = now if len(lines) < len(out) else changed
        return WirePage(_banner(outlet, lines).encode(), changed, "text/html; charset=utf-8")
    return WirePage(_rss(outlet, out, began).encode(), changed, "application/rss+xml; charset=utf-8")


def _rss(outlet: Outlet, flashes: Iterable[Mapping[str, Any]], began: datetime) -> str:
    latest = {f["id"]: f for f in flashes}  # the same id again is an edit
    items = "".join(_rss_item(outlet, f, began) for f in reversed(latest.values()))
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{html.escape(outlet.name)}</title>'
        f"<link>https://{outlet.outlet_id}.example/</link><language>{outlet.language}</language>{items}</channel></rss>"
    )


def _rss_item(outlet: Outlet, flash: Mapping[str, Any], began: datetime) -> str:
    date = format_datetime(began + timedelta(seconds=flash["at"]), usegmt=True)
    return (
        f'<item><guid isPermaLink="false">{flash["id"]}</guid><title>{html.escape(flash["title"])}</title>'
        f"<link>https://{outlet.outlet_id}.example/{flash['id']}</link><description>{html.escape(flash['text'])}</description>"
        f"<pubDate>{date}</pubDate></item>"
    )


def _banner(outlet: Outlet, lines: Iterable[str]) -> str:
    rows = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f'<!doctype html><html><head><title>{html.escape(outlet.name)}</title></head><body><ul class="banner">{rows}</ul></body></html>'


def serve_wire(port: int, path: Path) -> None:
    """Serve a wire file on loopback until the process ends."""
    outlets = {o.outlet_id: o for o in read_wire(path)}
    began = datetime.now(UTC)

    def page(name: str) -> WirePage | None:
        return page_at(outlets[name], began, datetime.now(UTC)) if name in outlets else None

    with LoopbackServer(page_handler(page), port):
        sys.stdout.write(f"{len(outlets)} invented outlets on loopback port {port}\n")
        sys.stdout.flush()
        threading.Event().wait()


def run(settings: Settings, *, seconds: float) -> int:
    """Run the service on the wire until Ctrl-C, or for so many seconds; the exit code."""
    data = empty(settings.data_dir.absolute() / "demo")
    port = _free_port()
    os.environ.update(
        {
            "TOCSIN_DATA_DIR": str(data),
            "TOCSIN_REDIS_URL": "",
            "TOCSIN_HTTP__ALLOW_NETWORKS": '["127.0.0.0/8"]',
            "TOCSIN_POLL__JITTER": "0",
            "TOCSIN_POLL__IS_ADAPTIVE": "false",
        }
    )
    demo_settings = load_settings()
    folder = config_dir() / "demo"
    wire = Part("wire", (str(port), str(folder / "wire.toml")), module="alerts.demo")
    sys.stdout.write(_INTRODUCTION)
    sys.stdout.flush()
    return run_service(demo_settings, first=(wire,), prepare=_prepare(folder, port), seconds=seconds or None)


def _prepare(folder: Path, port: int) -> Callable[[Settings], None]:
    def prepare(settings: Settings) -> None:
        service = build_service(settings)
        service.add_channel("console:", channel_id="screen", name="this terminal", is_operator=True)
        for outlet in read_wire(folder / "wire.toml"):
            service.add_source(_table(outlet, port))
        service.apply(folder / "rules.toml")
        service.close()

    return prepare


def _table(outlet: Outlet, port: int) -> dict[str, Any]:
    table: dict[str, Any] = {
        "id": outlet.outlet_id,
        "name": outlet.name,
        "url": f"http://127.0.0.1:{port}/{outlet.outlet_id}",
        "kind": outlet.kind,
        "language": outlet.language,
        "region": outlet.region,
        "floor_s": _POLL_S,
        "ceiling_s": _POLL_S,
    }
    if outlet.kind == "ticker":
        table["selectors"] = {"item": "ul.banner li", "canary": "ul.banner"}
    return table


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    serve_wire(int(sys.argv[1]), Path(sys.argv[2]))
