"""Sends through Apprise: the message leaves in the right shape, and a failure is told for what it is."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest

from alerts.delivery import apprise_load
from alerts.delivery.apprise_sender import AppriseSender, read_log, with_key
from alerts.delivery.codes import Code
from alerts.delivery.sender import Outcome
from alerts.http.guard import AddressGuard
from alerts.models import Envelope, Receipt, ReceiptStatus
from tests.servers_http import Asked, Script, reply, serving, silent

GUARD = AddressGuard(("127.0.0.0/8",))
TOKEN = "AbCdEfGhIjKlMnO"
BODY = "Source: Harbour <b>& Co</b>\nعاجل"


@pytest.fixture
def sender() -> AppriseSender:
    return AppriseSender(GUARD)


def an_envelope(url: str, **fields: Any) -> Envelope:
    return Envelope(**{"delivery_id": "delivery-1", "channel_id": "desk", "url": url, "title": "Gate closed", "body": BODY, **fields})


def sent(sender: AppriseSender, url: str, answer: bytes = reply(200, b"{}")) -> Asked:
    """The one request that a channel URL makes; {} stands for host and port."""
    with serving(lambda _asked: answer) as server:
        receipt = sender.send(an_envelope(url.format(f"127.0.0.1:{server.port}")), timeout_s=5)
        assert (receipt.status, receipt.detail) == (ReceiptStatus.ACCEPTED, "accepted")
        (asked,) = server.asked
    return asked


def failed(sender: AppriseSender, answer: bytes | Script, path: str = "", timeout_s: float = 5) -> Receipt:
    with serving(lambda _asked: answer) as server:
        return sender.send(an_envelope(f"json://user:passw0rd@127.0.0.1:{server.port}/{path}"), timeout_s=timeout_s)


# ---------------------------------------------------------------- the right shape


def test_json_carries_title_body_and_our_key(sender: AppriseSender) -> None:
    asked = sent(sender, "json://{}/path?+X-Desk=night")
    data = json.loads(asked.body)
    assert (asked.path, data["title"], data["message"]) == ("/path", "Gate closed", BODY)
    assert (asked.headers["webhook-id"], asked.headers["x-desk"]) == ("delivery-1", "night")


def test_xml_escapes_what_the_publisher_wrote(sender: AppriseSender) -> None:
    asked = sent(sender, "xml://{}/path")
    texts = {node.tag.rpartition("}")[2]: node.text for node in ElementTree.fromstring(asked.body.decode()).iter()}
    assert (texts["Subject"], texts["Message"]) == ("Gate closed", BODY)
    assert asked.headers["webhook-id"] == "delivery-1"


def test_a_form_carries_title_and_message(sender: AppriseSender) -> None:
    asked = sent(sender, "form://{}/path")
    fields = parse_qs(asked.body.decode())
    assert (fields["title"], fields["message"]) == (["Gate closed"], [BODY])
    assert asked.headers["webhook-id"] == "delivery-1"


def test_gotify_gets_its_token_in_a_header(sender: AppriseSender) -> None:
    asked = sent(sender, f"gotify://{{}}/{TOKEN}")
    data = json.loads(asked.body)
    assert (asked.path, asked.headers["x-gotify-key"]) == ("/message", TOKEN)
    assert (data["title"], data["message"]) == ("Gate closed", BODY)


def test_mattermost_gets_one_text(sender: AppriseSender) -> None:
    asked = sent(sender, "mmost://{}/abcdefghijklmnopqrstuvwxyz")
    assert asked.path == "/hooks/abcdefghijklmnopqrstuvwxyz"
    assert json.loads(asked.body)["text"].splitlines()[0] == "Gate closed"


def test_rocket_chat_gets_one_text(sender: AppriseSender) -> None:
    asked = sent(sender, "rocket://abcdefghijklmnopq/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz@{}/#desk")
    assert "Gate closed" in json.loads(asked.body)["text"]


def test_bark_gets_title_and_body(sender: AppriseSender) -> None:
    data = json.loads(sent(sender, "bark://{}/device-key").body)
    assert (data["title"], data["body"]) == ("Gate closed", BODY)


@pytest.mark.parametrize(
    ("url", "field"), [(f"pagerduty://{TOKEN}@{TOKEN}", "dedup"), (f"opsgenie://{TOKEN}{TOKEN}{TOKEN}", "alias")]
)
def test_services_that_know_a_message_again_get_our_key(url: str, field: str) -> None:
    """Their hosts are fixed, so what is looked at is the service as it would send."""
    service = apprise_load.load(with_key(url, f"{field}=delivery-1"))
    assert getattr(service, field) == "delivery-1"


def test_signal_gets_numbers_and_message(sender: AppriseSender) -> None:
    data = json.loads(sent(sender, "signal://{}/+15551234567/+15557654321", reply(201, b"{}")).body)
    assert data["recipients"] == ["+15557654321"]
    assert "Gate closed" in data["message"]


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("status", "expected", "wait_s"),
    [
        (401, ReceiptStatus.PERMANENT, None),
        (403, ReceiptStatus.PERMANENT, None),
        (404, ReceiptStatus.PERMANENT, None),
        (410, ReceiptStatus.PERMANENT, None),
        (429, ReceiptStatus.TRANSIENT, 30),
        (500, ReceiptStatus.TRANSIENT, None),
        (503, ReceiptStatus.TRANSIENT, None),
    ],
)
def test_the_http_status_says_whether_trying_again_can_help(
    sender: AppriseSender, status: int, expected: ReceiptStatus, wait_s: float | None
) -> None:
    receipt = failed(sender, reply(status))
    assert (receipt.status, receipt.retry_after_s) == (expected, wait_s)
    assert receipt.detail.startswith(f"HTTP {status}")


def test_silence_after_the_message_left_is_ambiguous(sender: AppriseSender) -> None:
    with serving(lambda _asked: silent(server)) as server:
        receipt = sender.send(an_envelope(f"json://127.0.0.1:{server.port}/"), timeout_s=0.5)
    assert receipt.status is ReceiptStatus.AMBIGUOUS


def test_a_connection_that_breaks_without_an_answer_is_ambiguous(sender: AppriseSender) -> None:
    assert failed(sender, lambda connection: connection.close()).status is ReceiptStatus.AMBIGUOUS


def test_a_dead_host_is_transient(sender: AppriseSender) -> None:
    with serving(lambda _asked: reply(200)) as server:
        envelope = an_envelope(f"json://127.0.0.1:{server.port}/")
    assert sender.send(envelope, timeout_s=5).status is ReceiptStatus.TRANSIENT


def test_a_name_that_does_not_resolve_now_is_transient(sender: AppriseSender) -> None:
    receipt = sender.send(an_envelope("json://hooks.invalid/"), timeout_s=5)
    assert (receipt.status, receipt.detail) == (ReceiptStatus.TRANSIENT, "no connection to the service")


def test_a_host_that_the_guard_refuses_is_never_dialled() -> None:
    with serving(lambda _asked: reply(200)) as server:
        receipt = AppriseSender(AddressGuard()).send(an_envelope(f"json://127.0.0.1:{server.port}/"), timeout_s=5)
        assert (receipt.status, server.asked) == (ReceiptStatus.PERMANENT, [])
    assert "loopback" in receipt.detail


def test_a_redirect_is_never_followed(sender: AppriseSender) -> None:
    with serving(lambda _asked: reply(302, location="/elsewhere")) as server:
        receipt = sender.send(an_envelope(f"json://127.0.0.1:{server.port}/"), timeout_s=5)
        assert (receipt.status, [asked.method for asked in server.asked]) == (ReceiptStatus.TRANSIENT, ["POST"])


def test_no_secret_is_in_the_detail(sender: AppriseSender) -> None:
    receipt = failed(sender, reply(403, b"user passw0rd may not use t0k3n-path"), "t0k3n-path")
    assert receipt.detail == "HTTP 403: *** *** may not use ***"


def test_apprise_writes_no_log_of_its_own(sender: AppriseSender, capfd: pytest.CaptureFixture[str]) -> None:
    failed(sender, reply(500))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("apprise").propagate is False


def test_sends_of_one_channel_do_not_pause(sender: AppriseSender) -> None:
    """Apprise would wait 5.5 s between two messages to ntfy; the test's time limit is the proof."""
    with serving(lambda _asked: reply(200, b"{}")) as server:
        for number in range(3):
            sender.send(an_envelope(f"ntfy://127.0.0.1:{server.port}/breaking", delivery_id=f"delivery-{number}"), timeout_s=5)
        assert len(server.asked) == 3


def test_apprise_is_not_loaded_before_it_is_needed() -> None:
    program = "import sys, alerts.delivery.notify, alerts.delivery.schemes; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# ---------------------------------------------------------------- the key, the log


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("json://h.example", "json://h.example?key=1"),
        ("json://h.example/p?a=b", "json://h.example/p?a=b&key=1"),
        ("json://h.example/p#room", "json://h.example/p?key=1#room"),
        ("json://h.example/p?key=mine", "json://h.example/p?key=mine"),
    ],
)
def test_the_key_is_added_to_the_url_unless_a_person_set_one(url: str, expected: str) -> None:
    assert with_key(url, "key=1") == expected


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Socket Exception: HTTPConnectionPool(host='h', port=80): Read timed out. (read timeout=4.0)", ReceiptStatus.AMBIGUOUS),
        ("Socket Exception: ('Connection aborted.', RemoteDisconnected('closed'))", ReceiptStatus.AMBIGUOUS),
        ("Socket Exception: Max retries exceeded with url: / (Caused by ConnectTimeoutError('h timed out.'))", ReceiptStatus.TRANSIENT),
        ("Socket Exception: [Errno -2] Name or service not known", ReceiptStatus.TRANSIENT),
        ("something nobody foresaw", ReceiptStatus.TRANSIENT),
    ],
)
def test_what_broke_is_read_from_apprises_words(line: str, status: ReceiptStatus) -> None:
    assert read_log([line]).status is status


def test_a_failure_without_a_word_is_transient() -> None:
    assert read_log([]) == Outcome(ReceiptStatus.TRANSIENT, "the service did not take it", Code.UNAVAILABLE)


# ---------------------------------------------------------------- the process's own guard

_REBINDING = """
import json, socket, sys
from alerts.delivery.apprise_sender import AppriseSender
from alerts.http.guard import AddressGuard, install_socket_guard
from alerts.models import Envelope

asked = []
def resolve(host, port, *rest, **options):
    asked.append(host)
    address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port or 0)))]

socket.getaddrinfo = resolve
guard = AddressGuard(allow_ports=(0,))
install_socket_guard(guard)
envelope = Envelope(delivery_id="d", channel_id="c", url=f"json://rebind.example:{sys.argv[1]}/", title="t", body="b")
receipt = AppriseSender(guard).send(envelope, timeout_s=5)
print(json.dumps([len(asked), receipt.status, receipt.detail]))
"""


def test_a_name_that_leads_inside_after_it_was_checked_is_stopped_at_the_socket() -> None:
    with serving(lambda _asked: reply(200)) as server:
        program = [sys.executable, "-c", _REBINDING, str(server.port)]
        ran = subprocess.run(program, capture_output=True, text=True, check=False)
        assert (ran.stderr, server.connections) == ("", 0)
    looked_up, status, detail = json.loads(ran.stdout)
    assert looked_up >= 2
    assert (status, detail) == ("transient", "no connection to the service")
