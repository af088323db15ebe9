"""The webhook: signed as the standard says, keyed, and each answer taken for what it means."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from alerts.delivery.webhook import WebhookSender, sign
from alerts.http.client import HttpClient
from alerts.http.guard import AddressGuard
from alerts.models import Envelope, Receipt, ReceiptStatus
from alerts.settings import HttpSettings
from tests.servers_http import Asked, LocalServer, Script, reply, serving, silent
from tests.standins.webhook import WebhookReceiver

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY, OLD_KEY = b"a key of 24 bytes exactly", b"the key before"
SECRET, OLD_SECRET = (f"whsec_{base64.b64encode(key).decode()}" for key in (KEY, OLD_KEY))


@pytest.fixture
def sender() -> Iterator[WebhookSender]:
    clients: list[HttpClient] = []

    def new_client() -> HttpClient:
        clients.append(HttpClient(HttpSettings(), AddressGuard(("127.0.0.0/8",))))
        return clients[-1]

    yield WebhookSender(new_client, clock=lambda: NOW)
    for client in clients:
        client.close()


def an_envelope(server: LocalServer, path: str = "/hook", *, user: str = "", delivery_id: str = "delivery-1") -> Envelope:
    return Envelope(
        delivery_id=delivery_id,
        channel_id="desk",
        url=f"webhook+http://{user}127.0.0.1:{server.port}{path}",
        title="Gate closed عاجل",
        body="Source: Harbour",
        payload={"kind": "alert", "countries": ["NL"], "urgency": 2},
    )


def answered(sender: WebhookSender, answer: bytes | Script, path: str = "/hook") -> Receipt:
    with serving(lambda _asked: answer) as server:
        return sender.send(an_envelope(server, path), timeout_s=5)


def sent(sender: WebhookSender, path: str = "/hook", **changes: str) -> Asked:
    with serving(lambda _asked: reply(204)) as server:
        receipt = sender.send(an_envelope(server, path, **changes), timeout_s=5)
        assert receipt.status is ReceiptStatus.ACCEPTED
        (asked,) = server.asked
    return asked


def test_the_body_is_json_with_fields_and_words(sender: WebhookSender) -> None:
    asked = sent(sender)
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", "/hook", "application/json")
    assert json.loads(asked.body) == {
        "kind": "alert",
        "countries": ["NL"],
        "urgency": 2,
        "delivery": "delivery-1",
        "is_repeat": False,
        "message": {"title": "Gate closed عاجل", "body": "Source: Harbour", "link": ""},
    }


def test_the_delivery_id_is_the_key_and_the_time_is_sent(sender: WebhookSender) -> None:
    headers = sent(sender).headers
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("delivery-1", str(int(NOW.timestamp())))
    assert "webhook-signature" not in headers


def test_the_signature_covers_id_time_and_body_and_the_secret_stays_here(sender: WebhookSender) -> None:
    asked = sent(sender, f"/hook?desk=night&secret={SECRET}")
    signed = f"delivery-1.{int(NOW.timestamp())}.".encode() + asked.body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"
    assert asked.path == "/hook?desk=night"


def test_the_signature_of_the_standards_own_example() -> None:
    """The vector that the reference libraries of Standard Webhooks test with."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_sign_while_the_receiver_changes_over(sender: WebhookSender) -> None:
    asked = sent(sender, f"/hook?secret={SECRET}&secret={OLD_SECRET}")
    assert len(asked.headers["webhook-signature"].split(" ")) == 2


def test_a_user_in_the_url_becomes_a_header(sender: WebhookSender) -> None:
    asked = sent(sender, user="desk:p%40ss@")
    assert asked.headers["authorization"] == f"Basic {base64.b64encode(b'desk:p@ss').decode()}"


def test_connections_are_kept(sender: WebhookSender) -> None:
    with serving(lambda _asked: reply(200)) as server:
        for number in range(5):
            sender.send(an_envelope(server, delivery_id=f"delivery-{number}"), timeout_s=5)
        assert (len(server.asked), server.connections) == (5, 1)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, ReceiptStatus.ACCEPTED) for status in (200, 201, 202, 204)),
        *((status, ReceiptStatus.PERMANENT) for status in (301, 308, 400, 401, 403, 404, 410, 422)),
        *((status, ReceiptStatus.TRANSIENT) for status in (302, 307, 408, 425, 429, 500, 502, 503, 504)),
    ],
)
def test_the_status_says_whether_trying_again_can_help(sender: WebhookSender, status: int, expected: ReceiptStatus) -> None:
    assert answered(sender, reply(status)).status is expected


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        (reply(429, retry_after="7"), 7),
        (reply(503, retry_after="120"), 120),
        (reply(429, retry_after="Sun, 01 Mar 2026 12:01:00 GMT"), 60),
        (reply(429, retry_after="Sun, 01 Mar 2020 12:01:00 GMT"), 0),
        (reply(429, retry_after="99999999999999"), 86400),
        (reply(429, retry_after="soon"), 30),
        (reply(429), 30),
        (reply(503), None),
        (reply(500, retry_after="7"), None),
        (reply(410, retry_after="7"), None),
    ],
)
def test_a_wait_that_is_asked_for_is_passed_on(sender: WebhookSender, answer: bytes, wait_s: float | None) -> None:
    assert answered(sender, answer).retry_after_s == wait_s


def test_the_services_words_are_kept_without_secrets(sender: WebhookSender) -> None:
    receipt = answered(sender, reply(403, b"no such hook: tok3n-in-path\nask the desk"), "/tok3n-in-path")
    assert receipt.detail == "HTTP 403: no such hook: *** ask the desk"


def test_silence_after_the_message_left_is_ambiguous(sender: WebhookSender) -> None:
    with serving(lambda _asked: silent(server)) as server:
        receipt = sender.send(an_envelope(server), timeout_s=0.3)
    assert receipt.status is ReceiptStatus.AMBIGUOUS


def test_a_connection_that_breaks_without_an_answer_is_ambiguous(sender: WebhookSender) -> None:
    assert answered(sender, lambda connection: connection.close()).status is ReceiptStatus.AMBIGUOUS


def test_an_answer_that_breaks_off_after_its_head_counts(sender: WebhookSender) -> None:
    broken = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this"
    assert answered(sender, lambda connection: connection.sendall(broken)).status is ReceiptStatus.ACCEPTED


def test_a_dead_host_is_transient(sender: WebhookSender) -> None:
    with serving(lambda _asked: reply(200)) as server:
        envelope = an_envelope(server)
    receipt = sender.send(envelope, timeout_s=5)
    assert (receipt.status, receipt.detail) == (ReceiptStatus.TRANSIENT, "127.0.0.1: no connection: connection refused")


def test_an_address_that_the_guard_refuses_is_permanent() -> None:
    client = HttpClient(HttpSettings(), AddressGuard())
    with serving(lambda _asked: reply(200)) as server:
        receipt = WebhookSender(lambda: client).send(an_envelope(server), timeout_s=5)
        assert (receipt.status, server.asked) == (ReceiptStatus.PERMANENT, [])
    assert "loopback" in receipt.detail
    client.close()


@pytest.mark.parametrize(
    ("status", "code"),
    [(204, ""), (301, "gone"), (400, "refused"), (401, "unauthorised"), (403, "blocked"), (404, "gone"), (410, "gone"), (413, "too_long")],
)
def test_an_answer_has_one_stable_word(sender: WebhookSender, status: int, code: str) -> None:
    assert answered(sender, reply(status)).code == code


def test_a_redirect_is_never_followed(sender: WebhookSender) -> None:
    with serving(lambda _asked: reply(307, location="/elsewhere")) as server:
        sender.send(an_envelope(server), timeout_s=5)
        assert [asked.path for asked in server.asked] == ["/hook"]


def test_a_receiver_of_standard_webhooks_takes_each_message_once() -> None:
    receiver = WebhookReceiver(KEY, clock=NOW.timestamp)
    client = HttpClient(HttpSettings(), AddressGuard(("127.0.0.0/8",)))
    ours = WebhookSender(lambda: client, clock=lambda: NOW)
    with serving(receiver.answer) as server:
        for path in (f"/?secret={SECRET}", f"/?secret={OLD_SECRET}&secret={SECRET}"):
            assert ours.send(an_envelope(server, path), timeout_s=5).status is ReceiptStatus.ACCEPTED
        refused = ours.send(an_envelope(server, f"/?secret={OLD_SECRET}"), timeout_s=5)
        receiver.is_gone = True
        gone = ours.send(an_envelope(server, f"/?secret={SECRET}"), timeout_s=5)
    client.close()
    assert (len(receiver.messages), receiver.repeats) == (1, 1)
    assert (refused.status, refused.code) == (ReceiptStatus.PERMANENT, "unauthorised")
    assert (gone.status, gone.code) == (ReceiptStatus.PERMANENT, "gone")
