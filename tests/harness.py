"""An engine on a real store, with pages and a webhook of its own on loopback, a clock to set and time that can pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from alerts.bootstrap import build_areas, build_guard, build_tools
from alerts.models import Delivery, DeliveryStatus, PollState, Rule, Source
from alerts.pipeline import Sifter, Tools, deliver, poll_sources, sift
from alerts.pipeline.upkeep import Sweeper, sweep
from alerts.ports import Lane, LaneAsk, LaneEnd, PollCommit, State
from alerts.regions.areas import AreaIndex
from alerts.regions.tagger import Tagger
from alerts.service import Service
from alerts.settings import Settings
from alerts.state.redis import RedisState
from alerts.wire import LoopbackServer, WirePage, page_handler
from tests.servers_http import Asked, LocalServer, Script, reply, serving

Entry = Mapping[str, Any]


@cache
def a_tagger() -> Tagger:
    """The real tagger; its names are loaded once."""
    return Tagger.load()


@cache
def the_areas() -> AreaIndex:
    """The real areas."""
    return build_areas()


def entry(number: int = 1, title: str = "", text: str = "", *, outlet: str = "harbour", **fields: Any) -> Entry:
    """An item as a JSON Feed says it; its number makes id, link and headline."""
    return {
        "id": f"{outlet}-{number}",
        "url": f"https://{outlet}.example/news/{number}",
        "title": title or f"Harbour gate {number} closes after collision",
        "content_text": text or f"Gate {number} was closed.",
        **fields,
    }


def feed(*entries: Entry) -> bytes:
    """A JSON Feed with these items."""
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Feed", "items": entries}).encode()


@dataclass
class Clock:
    """Real time, and as far ahead of it as a test says."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**by)


@dataclass
class Sink:
    """A webhook's receiver: what came in, and what it answers next (204 when nothing else is said)."""

    answers: list[bytes | Script] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)
    server: LocalServer = field(init=False)

    def answer(self, asked: Asked) -> bytes | Script:
        """Take one message in."""
        self.got.append(json.loads(asked.body))
        return self.answers.pop(0) if self.answers else reply(204)

    @property
    def titles(self) -> list[str]:
        """The headlines that came in."""
        return [str(message["message"]["title"]) for message in self.got]


@dataclass
class Rig:
    """One worker's engine with everything around it."""

    tools: Tools
    service: Service
    clock: Clock
    pages: dict[str, WirePage]
    site: LoopbackServer
    sink: Sink
    sifter: Sifter
    woken: list[str]
    sweeper: Sweeper = field(default_factory=Sweeper)

    @property
    def store(self) -> RedisState:
        """The real store, for what no port offers."""
        assert isinstance(self.tools.state, RedisState)
        return self.tools.state

    def show(self, source_id: str, *entries: Entry) -> None:
        """Let a source's page hold these items, newest first."""
        self.serve(source_id, feed(*entries))

    def serve(self, source_id: str, body: bytes, content_type: str = "") -> None:
        """Let a source's page hold these bytes."""
        self.pages[source_id] = WirePage(body, self.clock(), content_type)

    def watch(self, source_id: str = "harbour", **fields: Any) -> Source:
        """Add a source that shows its page of the site."""
        source = Source(**{"source_id": source_id, "url": self.site.url(source_id), "name": source_id.title(), **fields})
        self.tools.state.put_source(source)
        return source

    def channel(self, channel_id: str = "desk", **fields: Any) -> None:
        """Add a channel that ends in the sink."""
        url = f"webhook+{self.sink.server.url('/' + channel_id)}"
        self.service.add_channel(url, channel_id=channel_id, **fields)

    def rule(self, query: str = "*", rule_id: str = "everything", **fields: Any) -> Rule:
        """Add a rule."""
        return self.service.add_rule(query, rule_id=rule_id, **fields)

    def poll(self, *source_ids: str) -> list[PollCommit]:
        """Poll these sources (or harbour) now."""
        return poll_sources(self.tools, source_ids or ("harbour",))

    def sift(self) -> int:
        """Sift what is on the queue."""
        return sift(self.tools, self.sifter)

    def deliver(self) -> int:
        """Expand and send until nothing is due."""
        taken = deliver(self.tools)
        while self.tools.state.waiting()["deliver"]:
            taken += deliver(self.tools)
        return taken

    def run(self, *source_ids: str) -> None:
        """Poll, sift and deliver."""
        self.poll(*source_ids)
        self.sift()
        self.deliver()

    def sweep(self) -> dict[str, int]:
        """One sweep."""
        return sweep(self.tools, self.sweeper)

    def publish(self, source_id: str, *entries: Entry) -> None:
        """Show these items and let them go all the way."""
        self.show(source_id, *entries)
        self.run(source_id)

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass for whatever is due later."""
        self.tools.state.shift_due(-seconds)

    def state_of(self, source_id: str = "harbour") -> PollState:
        """What the store knows of a source."""
        return self.tools.state.source(source_id)[1]

    def deliveries(self, status: DeliveryStatus | None = None) -> list[Delivery]:
        """Deliveries in a status, oldest first."""
        return self.tools.state.deliveries(status=status.value if status else "", limit=100_000)[::-1]

    def stages(self) -> list[str]:
        """What became of every item that was sifted, oldest first."""
        return [stage for _, _, stage in self.tools.state.archived(limit=10_000)][::-1]

    def with_tools(self, **changes: Any) -> Rig:
        """The same rig with other tools: another worker, other settings, a store that fails."""
        tools = replace(self.tools, **changes)
        return replace(self, tools=tools, service=replace(self.service, tools=tools), sifter=Sifter(a_tagger(), the_areas()))

    def with_settings(self, section: str, **changes: Any) -> Rig:
        """The same rig with other settings of one section."""
        settings = self.tools.settings
        return self.with_tools(settings=settings.model_copy(update={section: getattr(settings, section).model_copy(update=changes)}))


def rig_settings(data_dir: Path, redis_url: str) -> Settings:
    """Settings for a rig: loopback may be dialled, nothing is adaptive or random."""
    return Settings.model_validate(
        {
            "data_dir": data_dir,
            "redis_url": redis_url,
            "http": {"allow_networks": ("127.0.0.0/8",), "allow_ports": (0,), "total_timeout_s": 5.0},
            "poll": {"jitter": 0.0},
            "deliver": {"timeout_s": 2.0},
            "watch": {"disk_free_mb": 0},
        }
    )


def give_back(state: State, owner: str, *channel_ids: str) -> None:
    """Give lanes back at once."""
    state.release_lanes(owner, [LaneEnd(channel_id=channel_id) for channel_id in channel_ids])


def claim_all(state: State, owner: str, *, batch: int = 10, lease_s: float = 30.0) -> list[Lane]:
    """Claim every lane that is due."""
    asks = [LaneAsk(lane.channel) for lane in state.due_lanes(limit=1000)]
    return state.claim_lanes(owner, asks, batch=batch, lease_s=lease_s)


@contextmanager
def a_rig(redis_url: str, folder: Path) -> Iterator[Rig]:
    """A rig on this store, with its data in this folder."""
    settings, clock, sink = rig_settings(folder / "data", redis_url), Clock(), Sink()
    pages: dict[str, WirePage] = {}
    woken: list[str] = []
    with LoopbackServer(page_handler(pages.get)) as site, serving(sink.answer) as server:
        sink.server = server
        tools = build_tools(settings, owner="rig", clock=clock, wake=woken.append)
        service = Service(tools=tools, load_tagger=a_tagger, load_areas=the_areas, guard=build_guard(settings))
        try:
            yield Rig(tools, service, clock, pages, site, sink, Sifter(a_tagger(), the_areas()), woken)
        finally:
            tools.notifier.close(1.0)
            tools.sandbox.close()
            tools.fetcher.close()


@contextmanager
def watched_rig(redis_url: str, folder: Path) -> Iterator[Rig]:
    """A rig with a source that had its baseline, a channel, and a rule that matches everything."""
    with a_rig(redis_url, folder) as rig:
        rig.watch()
        rig.channel()
        rig.rule()
        rig.publish("harbour", entry(1))
        yield rig


@contextmanager
def answering(rig: Rig, source_id: str, answer: Callable[[Asked], bytes | Script]) -> Iterator[LocalServer]:
    """A source whose every answer the test decides."""
    with serving(answer) as server:
        rig.watch(source_id, url=server.url(f"/{source_id}"))
        yield server
