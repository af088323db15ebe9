"""E-mail: kept connections, an answer for each recipient, threads by story, and nothing that a header could smuggle in."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.delivery import mail_url
from alerts.delivery.codes import Code
from alerts.delivery.mail import MailSender
from alerts.delivery.mail_body import mail_of
from alerts.delivery.schemes import check_channel_url
from alerts.delivery.smtp import Account, Answer, SmtpPool
from alerts.errors import ConfigError
from alerts.http.guard import AddressGuard
from alerts.models import Receipt, ReceiptStatus
from tests.sending import LOOPBACK, NOW, an_envelope
from tests.servers_http import reply, reset, serving
from tests.standins.smtp import Mail, MailServer, mail_server, tls_of_server

TO = "editor@desk.example"


def url_of(port: int, *, user: str = "", **fields: str) -> str:
    query = {"smtp": "127.0.0.1", "from": "alerts@desk.example", "to": TO, "mode": "insecure", **fields}
    return f"mailto://{user}127.0.0.1:{port}?" + "&".join(f"{name}={value}" for name, value in query.items())


@contextmanager
def a_sender(guard: AddressGuard = LOOPBACK, **pool: Any) -> Iterator[MailSender]:
    made = SmtpPool(guard, **pool)
    yield MailSender(made, clock=lambda: NOW)
    made.close()


@pytest.fixture
def sender() -> Iterator[MailSender]:
    with a_sender() as made:
        yield made


@pytest.fixture(params=[False, True], ids=["one by one", "pipelining"])
def box(request: pytest.FixtureRequest) -> Iterator[MailServer]:
    with mail_server(MailServer(is_pipelining=request.param)) as box:
        yield box


def send(sender: MailSender, box: MailServer, *, to: str = TO, timeout_s: float = 5, **fields: Any) -> Receipt:
    return sender.send(an_envelope(url_of(box.port, to=to), **fields), timeout_s=timeout_s)


# ---------------------------------------------------------------- what is sent


def test_a_mail_is_text_and_html(sender: MailSender, box: MailServer) -> None:
    receipt = send(sender, box, title="Gate <closed> عاجل")
    assert (receipt.status, receipt.detail, receipt.code) == (ReceiptStatus.ACCEPTED, "accepted", "")
    (mail,) = box.mails
    message = mail.message
    assert (mail.sender, mail.recipients, message["subject"]) == ("alerts@desk.example", [TO], "Gate <closed> عاجل")
    text, rich = message.iter_parts()
    assert (text.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().splitlines() == ["Source: Harbour (unconfirmed: one origin)", "https://harbour.example/1"]
    page = rich.get_content()
    assert "<b>Source:</b> Harbour" in page
    assert '<a href="https://harbour.example/1">' in page
    assert 'dir="auto">Gate &lt;closed&gt; عاجل<' in page
    assert "@@" not in page


def test_mails_about_a_story_form_a_thread(sender: MailSender, box: MailServer) -> None:
    story = {"kind": "alert", "story": "s1"}
    for number, occasion in enumerate(("first", "escalation:urgency:1", "correction")):
        send(sender, box, delivery_id=f"d{number}", payload={**story, "occasion": occasion})
    send(sender, box, delivery_id="d9", payload={**story, "story": "s2", "occasion": "first"})
    messages = [mail.message for mail in box.mails]
    root = messages[0]["message-id"]
    assert [message["references"] for message in messages] == [None, root, root, None]
    assert [message["in-reply-to"] for message in messages] == [None, root, root, None]
    assert len({message["message-id"] for message in messages}) == 4
    assert all(message["message-id"].endswith("@desk.example>") for message in messages)


def test_a_repeat_has_the_id_of_the_first_attempt(sender: MailSender, box: MailServer) -> None:
    send(sender, box)
    send(sender, box, is_repeat=True)
    assert len({mail.message["message-id"] for mail in box.mails}) == 1


def test_one_click_ends_the_mails_only_where_there_is_an_address(sender: MailSender, box: MailServer) -> None:
    send(sender, box, delivery_id="d1", unsubscribe_url="https://alerts.example/unsubscribe/token")
    send(sender, box, delivery_id="d2", unsubscribe_url="http://alerts.example/unsubscribe/token")
    send(sender, box, delivery_id="d3")
    secure, plain, without = (mail.message for mail in box.mails)
    assert secure["list-unsubscribe"] == "<https://alerts.example/unsubscribe/token>"
    assert secure["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert plain["list-unsubscribe"] is without["list-unsubscribe"] is without["list-unsubscribe-post"] is None
    assert "To end these mails: http://" in box.mails[1].text
    assert "end these mails" not in box.mails[2].text


@given(title=st.text(max_size=200), body=st.text(max_size=500), name=st.text(max_size=40).filter(str.isprintable))
def test_no_text_becomes_a_header_or_a_command(title: str, body: str, name: str) -> None:
    target = mail_url.MailTarget(Account("h", 25, "insecure"), "a@desk.example", name, (TO,))
    content = mail_of(an_envelope("mailto://x", title=title, body=body), target, NOW)
    head = content.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert set(names) <= {
        *(b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"Importance", b"MIME-Version", b"Content-Type"),
    }
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")


def lines_of(text: str) -> list[str]:
    """The lines of a text without blank ones at its end."""
    lines = text.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


@given(title=st.text(max_size=300), body=st.text(max_size=800), name=st.text(max_size=60).filter(str.isprintable))
def test_what_was_said_is_what_is_read(title: str, body: str, name: str) -> None:
    target = mail_url.MailTarget(Account("h", 25, "insecure"), "a@desk.example", name, (TO,))
    mail = Mail("", [], mail_of(an_envelope("mailto://x", title=title, body=body), target, NOW))
    assert all(len(line) <= 998 for line in mail.content.split(b"\r\n"))
    said = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", title).split()
    assert "".join(mail.message["subject"].split()) == ("".join(said) or "Tocsin")
    assert mail.message["from"].addresses[0].addr_spec == "a@desk.example"
    assert lines_of(mail.text) == lines_of(body or title)
    (html,) = [part for part in mail.message.iter_parts() if part.get_content_type() == "text/html"]
    assert html.get_content().rstrip().endswith("</html>")


def test_a_line_that_is_a_dot_ends_no_mail(sender: MailSender, box: MailServer) -> None:
    send(sender, box, body="first\n.\n.second\nlast")
    assert box.mails[0].text.splitlines() == ["first", ".", ".second", "last"]


# ---------------------------------------------------------------- the URL


@pytest.mark.parametrize(
    "url",
    [
        "mailto://127.0.0.1:25?from=alerts@desk.example&to=a%0d%0aRCPT%20TO@x.example",
        "mailtos://desk:pw@mail.example?name=Desk%0d%0aBcc:x@y.example",
    ],
)
def test_control_characters_are_refused_when_a_channel_is_saved(url: str) -> None:
    with pytest.raises(ConfigError, match="control character"):
        check_channel_url(url, AddressGuard(("0.0.0.0/0",)), resolve=False)


def test_a_provider_that_apprise_knows_needs_only_user_and_password() -> None:
    target = mail_url.parse("mailtos://desk.editor:pass@gmail.com")
    assert (target.account.host, target.account.port, target.account.mode) == ("smtp.gmail.com", 587, "starttls")
    assert (target.sender, target.to) == ("desk.editor@gmail.com", ("desk.editor@gmail.com",))


def test_copies_and_replies_go_where_the_url_says() -> None:
    target = mail_url.parse("mailtos://u:p@mail.example?to=a@x.example,b@x.example&cc=c@x.example&bcc=d@x.example&reply=r@x.example&name=Desk")
    assert target.recipients == ("a@x.example", "b@x.example", "c@x.example", "d@x.example")
    message = mail_of(an_envelope("mailto://x"), target, NOW).decode()
    assert "d@x.example" not in message
    assert 'From: "Desk" <u@mail.example>' in message
    assert "Reply-To: r@x.example" in message


def test_headers_that_are_ours_cannot_be_set() -> None:
    assert mail_url.parse("mailtos://u:p@mail.example?+X-Desk=night").headers == (("X-Desk", "night"),)
    with pytest.raises(ConfigError, match="cannot be a header"):
        mail_url.parse("mailtos://u:p@mail.example?+Bcc=x@y.example")


# ---------------------------------------------------------------- connections


def test_connections_are_kept(sender: MailSender, box: MailServer) -> None:
    for number in range(5):
        send(sender, box, delivery_id=f"d{number}")
    assert (box.counts["mails"], box.counts["greetings"]) == (5, 1)


def test_a_mail_that_nobody_takes_leaves_the_connection_as_it_was(sender: MailSender, box: MailServer) -> None:
    box.refuses = {TO: "550 5.1.1 no such user"}
    assert send(sender, box, delivery_id="refused").code == Code.BOUNCED
    box.refuses = {}
    assert send(sender, box, delivery_id="taken").status is ReceiptStatus.ACCEPTED
    assert (box.counts["mails"], box.counts["greetings"]) == (1, 1)


def test_one_account_has_no_more_than_eight_connections(sender: MailSender) -> None:
    with mail_server(MailServer(pause_s=0.02)) as box, ThreadPoolExecutor(20) as threads:
        receipts = list(threads.map(lambda n: send(sender, box, delivery_id=f"d{n}"), range(60)))
    assert {receipt.status for receipt in receipts} == {ReceiptStatus.ACCEPTED}
    assert (box.counts["mails"], box.counts["greetings"]) == (60, 8)


def test_a_server_that_keeps_all_its_connections_busy_is_transient(sender: MailSender) -> None:
    with mail_server(MailServer(pause_s=1.0)) as box, ThreadPoolExecutor(8) as threads:
        others = [threads.submit(send, sender, box, delivery_id=f"d{n}") for n in range(8)]
        while box.counts["greetings"] < 8:
            threading.Event().wait(0.01)
        late = send(sender, box, timeout_s=0.1)
        assert {other.result().status for other in others} == {ReceiptStatus.ACCEPTED}
    assert late.status is ReceiptStatus.TRANSIENT
    assert "were in use until the deadline" in late.detail


def test_a_server_that_dropped_the_connection_meanwhile_is_dialled_again(sender: MailSender) -> None:
    with mail_server(MailServer()) as box:
        send(sender, box)
        port = box.port
    again = MailServer()
    with mail_server(again, port=port):
        assert send(sender, again, delivery_id="d2").status is ReceiptStatus.ACCEPTED
    assert again.counts["mails"] == 1


@pytest.mark.parametrize("is_implicit", [False, True])
def test_tls_and_log_in(tmp_path: Path, is_implicit: bool) -> None:
    server, client = tls_of_server(tmp_path, "127.0.0.1")
    mode = "ssl" if is_implicit else "starttls"
    with mail_server(MailServer(user="desk:passw0rd"), tls=server, is_implicit=is_implicit) as box, a_sender(tls=client) as sender:
        urls = [url_of(box.port, user=f"desk:{password}@", mode=mode) for password in ("passw0rd", "wr0ng")]
        right, wrong = (sender.send(an_envelope(url), timeout_s=5) for url in urls)
    assert (right.status, box.counts["mails"]) == (ReceiptStatus.ACCEPTED, 1)
    assert (wrong.status, wrong.code) == (ReceiptStatus.PERMANENT, Code.UNAUTHORISED)
    assert "wr0ng" not in wrong.detail


def test_a_certificate_that_nobody_vouches_for_stops_the_mail(tmp_path: Path) -> None:
    server, _ = tls_of_server(tmp_path, "127.0.0.1")
    with mail_server(MailServer(), tls=server) as box, a_sender(tls=ssl.create_default_context()) as sender:
        receipt = sender.send(an_envelope(url_of(box.port, mode="starttls")), timeout_s=5)
    assert (receipt.status, receipt.code, box.mails) == (ReceiptStatus.TRANSIENT, Code.NO_TLS, [])


def test_a_server_without_encryption_gets_no_mail_that_wants_it(sender: MailSender, box: MailServer) -> None:
    receipt = sender.send(an_envelope(url_of(box.port, mode="starttls")), timeout_s=5)
    assert (receipt.status, receipt.code, box.mails) == (ReceiptStatus.TRANSIENT, Code.NO_TLS, [])


def test_an_address_that_the_guard_refuses_is_never_dialled(box: MailServer) -> None:
    with a_sender(AddressGuard()) as sender:
        receipt = send(sender, box)
    assert (receipt.status, receipt.code, box.counts["greetings"]) == (ReceiptStatus.PERMANENT, Code.ADDRESS_REFUSED, 0)


def test_a_name_that_leads_inside_is_refused_at_the_dial(box: MailServer) -> None:
    with a_sender(AddressGuard()) as sender:
        receipt = sender.send(an_envelope(url_of(box.port, smtp="localhost")), timeout_s=5)
    assert (receipt.status, receipt.code) == (ReceiptStatus.PERMANENT, Code.ADDRESS_REFUSED)


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("says", "status", "code"),
    [
        ("550 5.1.1 no such user here", ReceiptStatus.PERMANENT, Code.BOUNCED),
        ("550 unknown", ReceiptStatus.PERMANENT, Code.BOUNCED),
        ("554 5.7.1 relaying denied", ReceiptStatus.PERMANENT, Code.REFUSED),
        ("552 5.2.2 mailbox full", ReceiptStatus.PERMANENT, Code.REFUSED),
        ("451 4.3.0 try again later", ReceiptStatus.TRANSIENT, Code.GREYLISTED),
        ("452 4.3.1 out of space", ReceiptStatus.TRANSIENT, Code.UNAVAILABLE),
    ],
)
def test_the_mail_servers_refusal_is_told(sender: MailSender, box: MailServer, says: str, status: ReceiptStatus, code: str) -> None:
    box.refuses[TO] = says
    receipt = send(sender, box)
    assert (receipt.status, receipt.code, receipt.detail) == (status, code, f"SMTP {says[:3]}: {says[4:]}")


def test_greylisting_passes_at_the_second_attempt(sender: MailSender, box: MailServer) -> None:
    box.is_greylisting = True
    first, second = send(sender, box), send(sender, box)
    assert (first.status, first.code) == (ReceiptStatus.TRANSIENT, Code.GREYLISTED)
    assert (second.status, box.counts["mails"]) == (ReceiptStatus.ACCEPTED, 1)


def test_a_recipient_who_has_it_is_not_told_again(sender: MailSender, box: MailServer) -> None:
    late, gone = "late@desk.example", "gone@desk.example"
    box.refuses = {late: "450 4.2.0 greylisted", gone: "550 5.1.1 unknown"}
    first = send(sender, box, to=f"{TO},{late},{gone}")
    box.refuses = {}
    second = send(sender, box, to=f"{TO},{late},{gone}")
    assert first.status is ReceiptStatus.TRANSIENT
    assert (second.status, second.code) == (ReceiptStatus.ACCEPTED, Code.SOME_BOUNCED)
    assert [mail.recipients for mail in box.mails] == [[TO], [late]]


def test_what_the_server_says_to_the_text_counts(sender: MailSender, box: MailServer) -> None:
    box.says_to_data = "554 5.6.0 this looks like advertising"
    refused = send(sender, box)
    box.says_to_data = "451 4.7.1 later"
    later = send(sender, box)
    assert (refused.status, refused.code) == (ReceiptStatus.PERMANENT, Code.REFUSED)
    assert later.status is ReceiptStatus.TRANSIENT


def test_a_server_that_is_not_there_is_transient(sender: MailSender) -> None:
    with serving(lambda _asked: reply(200)) as server:
        port = server.port
    receipt = sender.send(an_envelope(url_of(port)), timeout_s=5)
    assert (receipt.status, receipt.code) == (ReceiptStatus.TRANSIENT, Code.NO_CONNECTION)


def test_a_name_that_does_not_resolve_is_transient(sender: MailSender) -> None:
    receipt = sender.send(an_envelope(url_of(25, smtp="mail.invalid")), timeout_s=5)
    assert (receipt.status, receipt.code) == (ReceiptStatus.TRANSIENT, Code.NO_CONNECTION)


@contextmanager
def talking(*lines: bytes, then: Any = None) -> Iterator[int]:
    """A server that says these lines, one after each command, and then does something else; its port."""
    def script(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as commands:
            for line in lines:
                connection.sendall(line)
                commands.readline()
            if then:
                then(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: script(listening.accept()[0]), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
    thread.join(5)


_UP_TO_TEXT = (b"220 hello\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n")


def test_a_break_after_the_text_left_is_ambiguous(sender: MailSender) -> None:
    with talking(*_UP_TO_TEXT, then=reset) as port:
        receipt = sender.send(an_envelope(url_of(port)), timeout_s=5)
    assert (receipt.status, receipt.code) == (ReceiptStatus.AMBIGUOUS, Code.NO_ANSWER)


def test_a_break_before_the_text_left_is_transient(sender: MailSender) -> None:
    with talking(*_UP_TO_TEXT[:3], then=reset) as port:
        receipt = sender.send(an_envelope(url_of(port)), timeout_s=5)
    assert (receipt.status, receipt.code) == (ReceiptStatus.TRANSIENT, Code.NO_CONNECTION)


_TOGETHER = (b"220 hello\r\n", b"250-hello\r\n250 PIPELINING\r\n")


def test_a_server_that_would_take_the_text_for_nobody_gets_none(sender: MailSender) -> None:
    said = b"250 ok\r\n550 5.1.1 no such user\r\n354 go on\r\n"
    with talking(*_TOGETHER, said, b"", b"", b"554 5.5.1 no recipients\r\n", b"250 flushed\r\n") as port:
        receipt = sender.send(an_envelope(url_of(port)), timeout_s=5)
    assert (receipt.status, receipt.code) == (ReceiptStatus.PERMANENT, Code.BOUNCED)


def test_a_break_amid_commands_that_went_together_is_transient(sender: MailSender) -> None:
    with talking(*_TOGETHER, b"250 ok\r\n", b"", b"", then=reset) as port:
        receipt = sender.send(an_envelope(url_of(port)), timeout_s=5)
    assert (receipt.status, receipt.code) == (ReceiptStatus.TRANSIENT, Code.NO_CONNECTION)


def test_a_server_that_says_nothing_is_given_up(sender: MailSender) -> None:
    with talking(then=lambda connection: connection.recv(1)) as port:
        receipt = sender.send(an_envelope(url_of(port)), timeout_s=0.3)
    assert (receipt.status, receipt.detail) == (ReceiptStatus.TRANSIENT, "no connection: no answer within the deadline")


def dripping(connection: socket.socket) -> None:
    """A greeting that never ends, byte by byte."""
    with suppress(OSError):
        for _ in range(200):
            connection.sendall(b"2")
            threading.Event().wait(0.05)


def test_a_server_that_drips_is_given_up_at_the_deadline(sender: MailSender) -> None:
    with talking(then=dripping) as port:
        receipt = sender.send(an_envelope(url_of(port)), timeout_s=0.4)
    assert (receipt.status, receipt.detail) == (ReceiptStatus.TRANSIENT, "no connection: no answer within the deadline")


@pytest.mark.parametrize(
    ("status", "words", "code"),
    [(250, "ok", ""), (0, "reset", Code.NO_CONNECTION), (535, "bad", Code.UNAUTHORISED), (552, "5.3.4 too big", Code.TOO_LONG)],
)
def test_an_answer_has_one_word(status: int, words: str, code: str) -> None:
    assert Answer(status, words).code == code
