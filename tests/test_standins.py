"""The stand-ins themselves: what tests and benchmarks lean on refuses what the real service refuses."""

from __future__ import annotations

import json
import smtplib
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.servers_http import Asked
from tests.standins.host import Hosted, hosted
from tests.standins.telegram import TOKEN, TelegramApi


class Ticking:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(api: TelegramApi, chat: str = "5", method: str = "sendMessage", **fields: Any) -> tuple[int, dict[str, Any]]:
    """(status, body) of one call."""
    body = json.dumps({"chat_id": chat, "text": "Gate closed", **fields}).encode()
    said = api.answer(Asked("POST", f"/bot{TOKEN}/{method}", {}, body))
    head, _, content = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(content)


def test_telegram_counts_what_goes_beyond_its_limits() -> None:
    clock = Ticking()
    api = TelegramApi(clock=clock)
    assert [told(api, str(chat))[0] for chat in range(1, 32)] == [200] * 30 + [429]
    clock.now = 1.0
    assert told(api, "1")[0] == 200
    status, body = told(api, "1")
    assert (status, body["parameters"]) == (429, {"retry_after": 1})
    assert api.violations == {"bot": 1, "chat": 1}


def test_telegram_lets_twenty_a_minute_into_a_group() -> None:
    clock = Ticking()
    api = TelegramApi(clock=clock)
    for number in range(20):
        clock.now = float(number)
        assert told(api, "-100")[0] == 200
    clock.now = 20.0
    status, body = told(api, "-100")
    assert (status, body["parameters"], api.violations) == (429, {"retry_after": 40}, {"group": 1})
    clock.now = 30.0
    assert (told(api, "-100")[0], api.violations["impatient"]) == (429, 1)
    clock.now = 60.0
    assert told(api, "-100")[0] == 200


@pytest.mark.parametrize("kind", ["webhook", "telegram", "ntfy", "discord"])
def test_a_stand_in_runs_as_a_process_and_reports(kind: str) -> None:
    with hosted(kind) as standin:
        assert isinstance(standin.report(), dict)


def status_of(standin: Hosted, path: str, key: str) -> int:
    """What a webhook's receiver in another process answers."""
    request = Request(f"http://127.0.0.1:{standin.port}{path}", b"{}", {"webhook-id": key})
    try:
        with urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except HTTPError as error:
        error.close()
        return error.code


def test_a_hosted_webhook_counts_keys_and_misbehaves_where_it_is_told() -> None:
    with hosted("webhook") as standin:
        standin.behave("busy", "/sick")
        assert [status_of(standin, path, "k1") for path in ("/well", "/well", "/sick")] == [204, 204, 429]
        standin.behave("reset", "/sick")
        with pytest.raises(OSError, match=r"closed|reset"):
            status_of(standin, "/sick", "k2")
        assert standin.report() == {"messages": 1, "repeats": 1, "refused": {}}


def test_a_hosted_mail_server_counts_mails() -> None:
    with hosted("smtp") as standin:
        with smtplib.SMTP("127.0.0.1", standin.port) as client:
            client.sendmail("a@desk.example", ["b@desk.example"], b"Subject: x\r\n\r\ny")
        assert standin.report()["mails"] == 1
