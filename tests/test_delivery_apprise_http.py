"""What Apprise's plugins ask for goes over connections that are kept, and nothing else is."""

from __future__ import annotations

import pytest
import requests

from alerts.delivery.apprise_http import KeptSessions
from alerts.delivery.apprise_sender import AppriseSender
from alerts.http.guard import AddressGuard
from alerts.models import ReceiptStatus
from tests.sending import an_envelope
from tests.servers_http import reply, serving, silent


class Watch:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_connection_serves_many_messages() -> None:
    sender = AppriseSender(AddressGuard(("127.0.0.0/8",)))
    with serving(lambda _asked: reply(200)) as server:
        urls = [f"json://127.0.0.1:{server.port}/{n}" for n in range(5)]
        receipts = [sender.send(an_envelope(url), timeout_s=5) for url in urls]
    assert {receipt.status for receipt in receipts} == {ReceiptStatus.ACCEPTED}
    assert ([asked.path for asked in server.asked], server.connections) == ([f"/{n}" for n in range(5)], 1)


def test_no_cookie_and_no_password_of_one_message_goes_with_the_next() -> None:
    kept = KeptSessions()
    with serving(lambda _asked: reply(200, set_cookie="who=me; Path=/")) as server:
        kept.request("POST", server.url("/a"), data=b"a", auth=("me", "secret"), headers={"X-Key": "k"})
        kept.request("POST", server.url("/b"), data=b"b")
        second = server.asked[1].headers
    assert server.connections == 1
    assert {"cookie", "authorization", "x-key"}.isdisjoint(second)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with serving(lambda _asked: reply(200)) as server:
        assert KeptSessions().request("GET", server.url()).status_code == 200


def test_certificates_that_the_environment_names_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/at/all.pem")
    with pytest.raises(OSError, match=r"/nowhere/at/all\.pem"):
        KeptSessions().request("GET", "https://127.0.0.1:9/")


@pytest.mark.parametrize(("rest_s", "connections"), [(3, 1), (5, 2)])
def test_a_connection_that_rested_too_long_is_not_trusted(rest_s: float, connections: int) -> None:
    watch = Watch()
    kept = KeptSessions(monotonic=watch)
    with serving(lambda _asked: reply(200)) as server:
        kept.request("POST", server.url())
        watch.now += rest_s
        kept.request("POST", server.url())
    assert server.connections == connections


def test_after_a_failure_the_connection_is_not_used_again() -> None:
    kept = KeptSessions()
    with serving(lambda asked: silent(server) if asked.path == "/silent" else reply(200)) as server:
        kept.request("POST", server.url("/a"))
        with pytest.raises(requests.Timeout):
            kept.request("POST", server.url("/silent"), timeout=0.1)
        assert kept.request("POST", server.url("/b")).status_code == 200
    assert server.connections == 2


def test_an_answer_that_is_read_piece_by_piece_keeps_its_session() -> None:
    kept = KeptSessions()
    with serving(lambda _asked: reply(200, b"text")) as server:
        answer = kept.request("GET", server.url(), stream=True)
        kept.request("GET", server.url())
        assert answer.raw.read() == b"text"
    assert server.connections == 2
