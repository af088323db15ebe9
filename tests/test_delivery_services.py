"""Every service behind Apprise: a message leaves for it in the shape that it takes, with its secret where it belongs.

Hosts that are fixed are class attributes of Apprise's plugins: they lead to a stand-in here. The native senders have tests
of their own; what each service is asked stands in one row of a table.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from apprise.plugins import opsgenie, pagerduty
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from alerts.delivery import apprise_load
from alerts.delivery.apprise_sender import AppriseSender
from alerts.delivery.services import SCHEMES
from alerts.models import ReceiptStatus
from tests.sending import LOOPBACK, an_envelope
from tests.servers_http import Asked, reply, serving
from tests.standins.smtp import tls_of_server

SECRET = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
LONG = SECRET + SECRET
SID = "AC" + "1234567890" * 3 + "12"
TITLE, BODY = "Gate <closed>", "Source: Harbour & Co"

# Services with tests of their own: native senders, and those whose URL names the host (test_delivery_apprise.py).
ELSEWHERE = {
    *("console", "webhook", "tgram", "ntfy", "discord", "mastodon", "mailto"),
    *("json", "xml", "form", "gotify", "bark", "mmost", "rocket", "signal"),
}


@dataclass(frozen=True)
class Case:
    """What one service is asked. `{}` in the URL is the stand-in's host and port; `attribute` leads there otherwise."""

    url: str
    path: str
    text: Callable[[Any], str]
    attribute: str = ""
    answer: dict[str, Any] | bytes = b"ok"
    status: int = 200
    secret: str = SECRET


CASES = {
    "slack": Case(
        "slack://T1JJ3T3L2/A1BRTD4JD/abcdefghijklmnopqrstuvwx/#room",
        "/T1JJ3T3L2/A1BRTD4JD/abcdefghijklmnopqrstuvwx",
        lambda d: f"{d['attachments'][0]['title']}\n{d['attachments'][0]['text']}",
        "webhook_url",
        secret="abcdefghijklmnopqrstuvwx",
    ),
    "wxteams": Case(f"wxteams://{LONG}{SECRET[:16]}", f"/{LONG}{SECRET[:16]}", lambda d: d["markdown"].replace("\\", ""), "notify_url"),
    "gchat": Case(
        f"gchat://workspace/{SECRET}/token", "/?token=token&key={SECRET}", lambda d: str(d["text"]), "notify_url", answer={"name": "m"}
    ),
    "zulip": Case(
        f"zulip://desk@organisation/{SECRET}/editor@desk.example",
        "/",
        lambda d: f"{d['topic']}\n{d['content']}",
        "notify_url",
        answer={"result": "success"},
    ),
    "line": Case(f"line://{SECRET}/U123456", "/", lambda d: str(d["messages"][0]["text"]), "notify_url", answer={}),
    "lark": Case(f"lark://{SECRET}", f"/{SECRET}", lambda d: str(d["content"]["text"]), "notify_url", answer={"code": 0}),
    "feishu": Case(f"feishu://{SECRET}", "/", lambda d: str(d["content"]["text"]), "notify_url", answer={"code": 0}),
    "dingtalk": Case(f"dingtalk://{SECRET}/", "/", lambda d: str(d["text"]["content"]), "notify_url", answer={"errcode": 0}),
    "twilio": Case(
        f"twilio://{SID}:{SECRET}@15551234567/15557654321", "/", lambda d: str(d["Body"]), "notify_sms_url", answer={"sid": "S"}, status=201
    ),
    "pover": Case(
        f"pover://{SECRET[:30]}@{SECRET[:30]}",
        "/",
        lambda d: f"{d['title']}\n{d['message']}",
        "notify_url",
        answer={"status": 1},
        secret=SECRET[:30],
    ),
    "pbul": Case(f"pbul://{SECRET}", "/", lambda d: f"{d['title']}\n{d['body']}", "notify_url", answer={"iden": "x"}),
    "matrix": Case(
        f"matrix://desk:{SECRET}@{{}}/#room",
        "/_matrix/client/v3/rooms/",
        lambda d: str(d["body"]),
        answer={"access_token": "t0ken", "user_id": "@desk:h", "home_server": "h", "room_id": "!r:h", "event_id": "e", "joined_rooms": []},
        secret="t0ken",
    ),
    "nctalk": Case(
        f"nctalk://desk:{SECRET}@{{}}/room", "/ocs/v2.php/apps/spreed/api/v1/chat/room", lambda d: str(d["message"]), status=201
    ),
}


@contextmanager
def led_to(service: Any, attribute: str, url: str) -> Iterator[None]:
    """A plugin's fixed address, replaced while a test sends."""
    with pytest.MonkeyPatch.context() as patch:
        if attribute:
            patch.setattr(service, attribute, url)
        yield


def sent(case: Case, **fields: Any) -> Asked:
    """The request that carries the message."""
    answer = case.answer if isinstance(case.answer, bytes) else json.dumps(case.answer).encode()
    said = reply(case.status, answer if case.status != 204 else b"", content_type="application/json")
    with serving(lambda _asked: said) as server:
        url = case.url.format(f"127.0.0.1:{server.port}")
        plugin = apprise_load.plugin(url.partition(":")[0])
        with led_to(plugin, case.attribute, server.url("/")):
            receipt = AppriseSender(LOOPBACK).send(an_envelope(url, title=TITLE, body=BODY, **fields), timeout_s=5)
        assert (receipt.status, receipt.detail) == (ReceiptStatus.ACCEPTED, "accepted")
        wanted = case.path.format(SECRET=SECRET).partition("?")[0]
        return [asked for asked in server.asked if asked.path.replace("//", "/").startswith(wanted)][-1]


def fields_of(asked: Asked) -> Any:
    """The body as JSON or as a form."""
    text = asked.body.decode()
    try:
        return json.loads(text)
    except ValueError:
        return {name: values[0] for name, values in parse_qs(text).items()}


@pytest.mark.parametrize("service", CASES)
def test_title_and_body_arrive_as_text(service: str) -> None:
    case = CASES[service]
    asked = sent(case)
    said = case.text(fields_of(asked)).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert TITLE in said
    assert BODY in said


@pytest.mark.parametrize("service", sorted(CASES.keys() - {"zulip", "nctalk", "twilio", "pbul", "feishu", "dingtalk", "gchat"}))
def test_the_secret_goes_where_the_service_looks_for_it(service: str) -> None:
    """The others put it into Basic authorization, or into the part of their address that leads to the stand-in here."""
    asked = sent(CASES[service])
    everything = f"{asked.path} {asked.headers} {asked.body.decode()}"
    assert CASES[service].secret in everything


@pytest.mark.parametrize("service", ["zulip", "nctalk", "twilio", "pbul"])
def test_accounts_are_sent_as_basic_authorization(service: str) -> None:
    assert sent(CASES[service]).headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("url", "table", "key"),
    [
        (f"pagerduty://{SECRET}@{SECRET}", pagerduty.PAGERDUTY_API_LOOKUP, "dedup_key"),
        (f"opsgenie://{SECRET}abcd", opsgenie.OPSGENIE_API_LOOKUP, "alias"),
    ],
)
def test_an_incident_carries_our_key_so_that_a_repeat_is_the_same_one(url: str, table: dict[str, str], key: str) -> None:
    with serving(lambda _asked: reply(202, b'{"status": "success", "requestId": "r", "result": "ok"}')) as server:
        with pytest.MonkeyPatch.context() as patch:
            for region in table:
                patch.setitem(table, region, server.url("/"))
            for _ in range(2):
                receipt = AppriseSender(LOOPBACK).send(an_envelope(url, title=TITLE, body=BODY), timeout_s=5)
                assert receipt.status is ReceiptStatus.ACCEPTED
        bodies = [fields_of(asked) for asked in server.asked if asked.method == "POST"]
    assert [body[key] for body in bodies] == ["0123456789abcdef0123"] * 2
    assert all(TITLE in json.dumps(body) for body in bodies)


def test_a_teams_workflow_gets_a_card_over_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server_tls, _ = tls_of_server(tmp_path, "127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "mail.crt"))
    with serving(lambda _asked: reply(202), tls=server_tls) as server:
        url = f"workflow://127.0.0.1:{server.port}/{SECRET}/{SECRET}"
        receipt = AppriseSender(LOOPBACK).send(an_envelope(url, title=TITLE, body=BODY), timeout_s=5)
        assert receipt.status is ReceiptStatus.ACCEPTED
        (asked,) = server.asked
    card = json.dumps(fields_of(asked)["attachments"][0]["content"])
    assert asked.path.startswith(f"/workflows/{SECRET}/")
    assert TITLE in card
    assert BODY in card


# ---------------------------------------------------------------- mqtt, on the real broker


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Debian's broker on a port of loopback; where it is not installed CI fails, a laptop skips."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        message = "mosquitto is not installed; Debian: apt install mosquitto"
        if os.environ.get("CI") == "true":
            raise AssertionError(message)
        pytest.skip(message)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n", encoding="utf-8")
    with subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("mosquitto does not listen")


def test_mqtt_publishes_to_a_real_broker(tmp_path: Path) -> None:
    got: list[tuple[str, str]] = []
    subscribed, arrived = threading.Event(), threading.Event()

    def on_message(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        got.append((message.topic, message.payload.decode()))
        arrived.set()

    with mosquitto(tmp_path) as port:
        reader = mqtt.Client(CallbackAPIVersion.VERSION2)
        reader.on_message = on_message
        reader.on_subscribe = lambda *_: subscribed.set()
        reader.on_connect = lambda client, *_: client.subscribe("desk/alerts", qos=1)
        reader.connect("127.0.0.1", port)
        reader.loop_start()
        assert subscribed.wait(10)
        receipt = AppriseSender(LOOPBACK).send(an_envelope(f"mqtt://127.0.0.1:{port}/desk/alerts", title=TITLE, body=BODY), timeout_s=5)
        assert receipt.status is ReceiptStatus.ACCEPTED
        assert arrived.wait(10)
        reader.loop_stop()
        reader.disconnect()
    ((topic, text),) = got
    assert topic == "desk/alerts"
    assert TITLE in text
    assert BODY in text


def test_no_service_of_the_table_is_without_such_a_test() -> None:
    keys = {service.key for service in SCHEMES.values()}
    assert keys == ELSEWHERE | (CASES.keys() - {"feishu"}) | {"pagerduty", "opsgenie", "workflow", "mqtt"}
