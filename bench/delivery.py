"""One story for 10,000 subscribers: how fast it is told, what it costs, and who else has to wait.

    ./run.sh bench bench/delivery.py
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pycurl

from alerts.models import Bell, Change, ChangeKind, Channel, Item, Rule, Tagged
from alerts.pipeline import Tools, deliver
from alerts.state.redis import RedisState
from alerts.text.fingerprint import content_id
from bench._rig import ROOT, machine, store_of, workplace


@contextmanager
def sinks() -> Iterator[tuple[str, int]]:
    """The base URL of the HTTP sink and the port of the SMTP sink."""
    with subprocess.Popen([sys.executable, "-m", "bench._sinks"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            http, smtp = (process.stdout.readline() if process.stdout else "0 0").split()
            yield f"http://127.0.0.1:{http}", int(smtp)
        finally:
            process.kill()


def a_bell(story: str, urgency: int, *query_ids: str) -> Bell:
    now = datetime.now(UTC)
    item = Item(source_id="wire", title=f"Harbour of {story} closed after collision", text="The port office said so. " * 5, url="https://wire.example/1")
    change = Change(kind=ChangeKind.NEW, item_id=content_id(story), item=item, polled_at=now, found_at=now)
    return Bell(
        bell_id=content_id("bell", story), story_id=content_id("story", story), occasion="first", query_ids=query_ids, rules_version=1,
        tagged=Tagged(change=change, urgency=urgency, countries=("LB",)), source_name="Wire", source_ids=("wire",), item_ids=(content_id(story),), rung_at=now,
    )


def ring(tools: Tools, bell: Bell) -> None:
    """As the sift commit does."""
    state = RedisState(store_of(tools))
    state.put_bell(bell)
    state.run_command("ZADD", state.prefix + "fanouts", time.time(), bell.bell_id)
    state.close()


def subscribe(tools: Tools, number: int, url: str, query: str) -> None:
    rules = []
    for n in range(number):
        who = f"{query}{n:05}"
        tools.state.put_channel(Channel(channel_id=who, subscriber_id=who, url=tools.keys.seal(url.format(who))))
        rules.append((Rule(rule_id=who, subscriber_id=who, query="harbour", name="Harbours"), query))
    for start in range(0, number, 1000):
        tools.state.put_rules(rules[start : start + 1000])


def report(base: str) -> dict:
    curl = pycurl.Curl()
    got: list[bytes] = []
    curl.setopt(pycurl.URL, f"{base}/report")
    curl.setopt(pycurl.WRITEFUNCTION, got.append)
    curl.perform()
    return json.loads(b"".join(got))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=10_000)
    given = parser.parse_args()
    with sinks() as (base, smtp), workplace() as tools:
        subscribe(tools, given.number, f"webhook+{base}/ok/{{}}", "bulk")
        subscribe(tools, 1, f"webhook+{base}/ok/{{}}", "fast")
        client = store_of(tools)
        client.config_set("slowlog-log-slower-than", 3000)
        client.config_set("slowlog-max-len", 1000)
        client.slowlog_reset()
        urgent = {}

        def later() -> None:
            time.sleep(1.0)
            urgent["at"] = time.time()
            ring(tools, a_bell("Tarifa", 1, "fast"))

        ring(tools, a_bell("Lemvig", 4, "bulk"))
        threading.Thread(target=later).start()
        began, cpu = time.monotonic(), time.process_time()
        done = 0
        while done < given.number + 1:
            done += deliver(tools)
        took, spent = time.monotonic() - began, time.process_time() - cpu
        told = report(base)["accepted"]
        print(machine())
        print(f"{given.number / took:.0f}/s, {spent / given.number * 1e6:.0f} us CPU each, {len(told)} told, urgent after", told["/ok/fast00000"][0][0] - urgent["at"])
        for row in client.slowlog_get(5):
            print(row["duration"], row["command"][:60])


if __name__ == "__main__":
    main()
