"""One story for 10,000 subscribers: how fast it is told, what it costs, who else has to wait; and sick channels among healthy ones.

    ./run.sh bench bench/delivery.py
    .venv/bin/python bench/delivery.py --sick-s 300 --hang-s 15      # the sick ones at full length: six minutes

First the tools by themselves, then the deliverer's own loop, from the bell to the last acceptance in the store: `a second` is all of
it by the wall clock, `CPU us` what one delivery costs this process; compare figures of one run only. Meanwhile urgent stories for
somebody else are rung: `urgent s` is the longest time until one was accepted. `store ms` is the slowest call of the store in the
run, by its own slow log; `noise ms` is how much longer the slowest of a control was than its median, a script that only counts,
asked ten times a second: what the machine adds to a call. Mail goes to a server that takes commands together, as most do
(RFC 2920). Then a receiver that allows 50 a second, kept by a limit of 45: `exceeded` is its own count. Last, one
channel that hangs, one that answers 429 and one whose connections are closed, among healthy ones, while stories come in: times from the
bell to the acceptance, and whether the sick ones were told everything in its order once they were well.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import apprise
import pycurl
import redis
import requests

from alerts.delivery import apprise_load
from alerts.delivery.governor import Governor
from alerts.models import Bell, Change, ChangeKind, Channel, DeliveryStatus, Item, Rule, Tagged
from alerts.pipeline import Tools, deliver
from alerts.settings import DeliverSettings
from alerts.state.redis import RedisState
from alerts.text.fingerprint import content_id
from bench._rig import ROOT, machine, percentile, store_of, table, workplace

_BODY = json.dumps({"title": "Harbour of Lemvig closed after collision", "text": "The port office said so. " * 20}).encode()
_AT_ONCE = 64
_URGENT_EVERY_S = 0.7
_CONTROL = "local n = 0 for i = 1, 100000 do n = n + i end return n"  # about a millisecond, and touches nothing
_SICK = ("hang", "limit", "dead")
_HEALTHY = 20

# ---------------------------------------------------------------- the receiving end


@contextmanager
def sinks() -> Iterator[tuple[str, int]]:
    """The base URL of the HTTP sink and the port of the SMTP sink."""
    with subprocess.Popen([sys.executable, "-m", "bench._sinks"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            http, smtp = (process.stdout.readline() if process.stdout else "0 0").split()
            yield f"http://127.0.0.1:{http}", int(smtp)
        finally:
            process.kill()


def report(base: str) -> dict[str, Any]:
    """What came in since the last report."""
    found: dict[str, Any] = requests.get(f"{base}/report", timeout=30).json()
    return found


# ---------------------------------------------------------------- the tools by themselves


def measured(work: Callable[[], object], number: int) -> tuple[float, float]:
    """(a second, microseconds of CPU each) of some work on so many."""
    began, cpu = time.monotonic(), time.process_time()
    work()
    return number / (time.monotonic() - began), (time.process_time() - cpu) / number * 1e6


def raw_posts(url: str, number: int) -> None:
    """POSTs by bare libcurl, 64 at once."""
    multi, left, under_way = pycurl.CurlMulti(), number, 0
    handles = [pycurl.Curl() for _ in range(min(_AT_ONCE, number))]
    for handle in handles:
        for option, value in ((pycurl.URL, url), (pycurl.POSTFIELDS, _BODY), (pycurl.WRITEFUNCTION, lambda _data: None)):
            handle.setopt(option, value)
    free = list(handles)
    while left or under_way:
        while free and left:
            multi.add_handle(free.pop())
            left, under_way = left - 1, under_way + 1
        multi.perform()
        _, ended, _ = multi.info_read()
        for handle in ended:
            multi.remove_handle(handle)
            free.append(handle)
            under_way -= 1
        if not ended:
            multi.select(0.1)


def requests_posts(url: str, number: int) -> None:
    """POSTs by requests over one kept connection."""
    with requests.Session() as session:
        for _ in range(number):
            session.post(url, data=_BODY, timeout=30)


def apprise_posts(url: str, number: int) -> None:
    """Messages by Apprise, a service made for each, as its users do."""
    for _ in range(number):
        service = apprise.Apprise.instantiate(url.replace("http://", "json://"), asset=apprise_load.asset())
        service.notify(title="Harbour closed", body="The port office said so. " * 20)


def references(base: str, number: int) -> list[tuple[object, ...]]:
    """The rows of the tools by themselves."""
    peers = {
        "raw pycurl POST, 64 at once": raw_posts,
        "requests, one kept connection": requests_posts,
        "Apprise json://": apprise_posts,
    }
    rows: list[tuple[object, ...]] = []
    for name, post in peers.items():
        post(f"{base}/ok/reference", 3)
        rows.append((name, *measured(lambda post=post: post(f"{base}/ok/reference", number), number), "", "", ""))  # type: ignore[misc]
    report(base)
    return rows


# ---------------------------------------------------------------- stories and who is told


def a_bell(story: str, urgency: int, query_id: str) -> Bell:
    """The bell of a story about a harbour."""
    now = datetime.now(UTC)
    item_id = content_id("item", story)
    text = "The port office said so. " * 12
    item = Item(source_id="wire", title=f"Harbour of {story} closed after collision", text=text, url="https://wire.example/1")
    change = Change(kind=ChangeKind.NEW, item_id=item_id, item=item, polled_at=now, found_at=now)
    return Bell(
        bell_id=content_id("bell", story, query_id),
        story_id=content_id("story", story),
        occasion="first",
        query_ids=(query_id,),
        rules_version=1,
        tagged=Tagged(change=change, urgency=urgency, countries=("LB",)),
        source_name="Wire",
        source_ids=("wire",),
        item_ids=(item_id,),
        rung_at=now,
    )


def ring(tools: Tools, story: str, urgency: int, query_id: str) -> None:
    """Ring the bell of a story, as the sift commit does."""
    state, bell = RedisState(store_of(tools)), a_bell(story, urgency, query_id)
    state.put_bell(bell)
    state.run_command("ZADD", state.prefix + "fanouts", time.time(), bell.bell_id)
    state.close()


def subscribe(tools: Tools, names: list[str], url: str, query_id: str) -> None:
    """A subscriber, a channel and a rule for each name, all with one query; {} in the URL is the name."""
    for name in names:
        tools.state.put_channel(Channel(channel_id=name, subscriber_id=name, url=tools.keys.seal(url.format(name))))
    rules = [(Rule(rule_id=name, subscriber_id=name, query="harbour", name="Harbours"), query_id) for name in names]
    for start in range(0, len(rules), 1000):
        tools.state.put_rules(rules[start : start + 1000])


def work_until(tools: Tools, done: Callable[[], bool]) -> None:
    """Let the deliverer work, as its worker does, until something is so."""
    while not done():
        if not deliver(tools):
            time.sleep(0.005)


def counted(tools: Tools) -> int:
    """Deliveries that were accepted, by the store's own count."""
    return tools.state.counters().get("delivery_sent", 0)


# ---------------------------------------------------------------- one story for many


def fan_out(tools: Tools, base: str, number: int, name: str, url: str) -> tuple[object, ...]:
    """The row of one story for so many channels of one kind."""
    subscribe(tools, [f"bulk{n}" for n in range(number)], url, "bulk")
    subscribe(tools, ["fast"], f"webhook+{base}/ok/{{}}", "fast")
    client, before, rung, over = store_of(tools), counted(tools), [], threading.Event()
    for option, value in (("slowlog-log-slower-than", 300), ("slowlog-max-len", 20_000)):
        client.config_set(option, value)
    client.slowlog_reset()

    def urgent() -> None:
        while not over.wait(_URGENT_EVERY_S):
            rung.append(time.time())
            ring(tools, f"Tarifa {len(rung)}", 1, "fast")

    def control() -> None:
        with store_of(tools) as own:
            while not over.wait(0.1):
                own.eval(_CONTROL, 0)

    watches = [threading.Thread(target=urgent), threading.Thread(target=control)]
    ring(tools, "Lemvig", 4, "bulk")
    for watch in watches:
        watch.start()
    rate, cpu = measured(lambda: work_until(tools, lambda: counted(tools) - before >= number + len(rung)), number)
    over.set()
    for watch in watches:
        watch.join()
    work_until(tools, lambda: counted(tools) - before >= number + len(rung))
    accepted = [at for at, _ in report(base)["accepted"].get("/ok/fast", [])]
    waits = [there - at for at, there in zip(rung, accepted, strict=False)]
    return name, rate, cpu, max(waits, default=0.0), *_slowest(client)


def _slowest(client: redis.Redis) -> tuple[float, float]:
    """The slowest call of a script of ours, and how much the slowest control took beyond its median, in ms."""
    rows = [(str(row["command"]), row["duration"] / 1000) for row in client.slowlog_get(20_000)]
    ours = [ms for command, ms in rows if "EVALSHA" in command]
    control = [ms for command, ms in rows if "EVAL " in command]
    return max(ours, default=0.0), max(control, default=0.0) - percentile(control, 0.5)


def limited(tools: Tools, base: str, number: int) -> tuple[object, ...]:
    """The row of a receiver that counts: 50 a second, kept by a limit of 45."""
    subscribe(tools, [f"paced{n}" for n in range(number)], f"webhook+{base}/rate/50/{{}}", "paced")
    paced, before = replace(tools, governor=Governor({"webhook": (("host", 45, 1),)})), counted(tools)
    ring(tools, "Varberg", 4, "paced")
    rate, cpu = measured(lambda: work_until(paced, lambda: counted(tools) - before >= number), number)
    return f"a limit of 45 a second: {report(base)['exceeded']} exceeded", rate, cpu, "", "", ""


# ---------------------------------------------------------------- sick among healthy


def sick(tools: Tools, base: str, seconds: float, rate: float) -> list[tuple[object, ...]]:
    """The rows of the healthy channels and of each sick one, which is well after so many seconds."""
    healthy = [f"healthy{n}" for n in range(_HEALTHY)]
    subscribe(tools, healthy, f"webhook+{base}/ok/{{}}", "ward")
    for kind in _SICK:
        subscribe(tools, [kind], f"webhook+{base}/sick/{kind}/{seconds:g}/{{}}", "ward")
    stories, begun = round((seconds + 5) * rate), time.monotonic()
    wanted = counted(tools) + stories * (_HEALTHY + len(_SICK))

    def tell() -> None:
        for n in range(stories):
            time.sleep(max(0.0, begun + n / rate - time.monotonic()))
            ring(tools, f"{n}", 4, "ward")

    teller = threading.Thread(target=tell)
    teller.start()
    work_until(tools, lambda: counted(tools) >= wanted)
    teller.join()
    report(base)
    return [_fared(tools, "healthy channels", healthy), *(_fared(tools, f"the one that was sick: {kind}", [kind]) for kind in _SICK)]


def _fared(tools: Tools, name: str, channels: list[str]) -> tuple[object, ...]:
    """How long deliveries took, from the bell to the acceptance, and whether each channel was told in order."""
    waits, in_order = list[float](), True
    for channel in channels:
        found = tools.state.deliveries(status=DeliveryStatus.SENT.value, channel_id=channel, limit=100_000)
        sent = sorted((d.created_at, d.sent_at) for d in found if d.created_at and d.sent_at)
        waits += [(there - rung).total_seconds() for rung, there in sent]
        in_order = in_order and [there for _, there in sent] == sorted(there for _, there in sent)
    return name, len(waits), percentile(waits, 0.5), percentile(waits, 0.99), max(waits, default=0.0), "yes" if in_order else "NO"


# ---------------------------------------------------------------- the whole


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=10_000, metavar="SUBSCRIBERS")
    parser.add_argument("--slow-number", type=int, default=2000, metavar="SUBSCRIBERS", help="through Apprise and by mail")
    parser.add_argument("--sick-s", type=float, default=20.0, help="how long channels are sick")
    parser.add_argument("--hang-s", type=float, default=3.0, help="deadline of a send while one hangs")
    parser.add_argument("--rate", type=float, default=2.0, metavar="STORIES", help="a second, while channels are sick")
    given = parser.parse_args()
    print(machine(), flush=True)
    head = ("", "a second", "CPU us", "urgent s", "store ms", "noise ms")
    with sinks() as (base, smtp):
        rows = references(base, given.slow_number)
        mail = f"mailto://127.0.0.1:{smtp}?mode=insecure&from=desk@desk.example&to={{}}@reader.example"
        kinds = (
            ("ours, webhook", f"webhook+{base}/ok/{{}}", given.number),
            ("ours, Apprise json://", base.replace("http", "json") + "/ok/{}", given.slow_number),
            ("ours, e-mail, kept connections", mail, given.slow_number),
        )
        for name, url, number in kinds:
            with workplace() as tools:
                rows.append(fan_out(tools, base, number, name, url))
        with workplace() as tools:
            rows.append(limited(tools, base, 300))
        print(f"\n{table(head, rows)}\n", flush=True)
        with workplace(deliver=DeliverSettings(timeout_s=given.hang_s, breaker_s=min(60.0, given.sick_s / 4))) as tools:
            fared = sick(tools, base, given.sick_s, given.rate)
        print(table(("seconds from the bell to the acceptance", "deliveries", "p50", "p99", "max", "in order"), fared))


if __name__ == "__main__":
    main()
