"""What the notifier promises: one receipt an envelope, order in a lane, and lanes that never wait for each other."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from alerts.delivery.dispatch import Senders
from alerts.delivery.governor import Governor, Limit
from alerts.delivery.notify import ThreadNotifier
from alerts.delivery.sender import Sender
from alerts.errors import ConfigError, DeliveryError
from alerts.http.guard import AddressGuard
from alerts.models import Envelope, Receipt, ReceiptStatus
from alerts.ports import Notifier
from alerts.settings import DeliverSettings, Settings
from tests.servers_http import reply, serving

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GUARD = AddressGuard(("127.0.0.0/8",))
ACCEPTED, TRANSIENT, PERMANENT, AMBIGUOUS, SKIPPED = ReceiptStatus
Outcome = ReceiptStatus | Exception | Callable[[], object]


class Scripted:
    """A sender that does what its script says for each delivery id, and accepts the rest."""

    def __init__(self, **script: Outcome) -> None:
        self.script = script
        self.sent: list[str] = []

    def send(self, envelope: Envelope, *, timeout_s: float) -> Receipt:
        self.sent.append(envelope.delivery_id)
        outcome = self.script.get(envelope.delivery_id, ACCEPTED)
        if isinstance(outcome, Exception):
            raise outcome
        if not isinstance(outcome, ReceiptStatus):
            outcome()
            outcome = ACCEPTED
        return Receipt(delivery_id=envelope.delivery_id, status=outcome, at=NOW)


class Seen:
    """What the callbacks of one lane were told."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.ends = 0
        self.ended = threading.Event()

    def end(self) -> None:
        self.ends += 1
        self.ended.set()

    @property
    def statuses(self) -> dict[str, ReceiptStatus]:
        return {receipt.delivery_id: receipt.status for receipt in self.receipts}

    def wait(self) -> Seen:
        assert self.ended.wait(20), "the lane did not end"
        return self


def a_settings(*, lanes: int = 4, timeout_s: float = 5.0) -> Settings:
    return Settings(deliver=DeliverSettings(lanes=lanes, timeout_s=timeout_s))


def a_notifier(sender: Sender, *, lanes: int = 4, timeout_s: float = 5.0, governor: Governor | None = None) -> ThreadNotifier:
    return ThreadNotifier(
        a_settings(lanes=lanes, timeout_s=timeout_s), GUARD, sender_of=lambda _url: sender, governor=governor, clock=lambda: NOW
    )


def an_envelope(delivery_id: str, url: str = "console:") -> Envelope:
    return Envelope(delivery_id=delivery_id, channel_id="desk", url=url, title="Gate closed", body="")


def submitted(notifier: Notifier, *delivery_ids: str, url: str = "console:") -> Seen:
    seen = Seen()
    notifier.submit([an_envelope(i, url) for i in delivery_ids], seen.receipts.append, seen.end)
    return seen


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging sender waits for; opened at the end, so that no thread outlives its test."""
    event = threading.Event()
    yield event
    event.set()


def test_a_lane_is_sent_in_order_and_every_envelope_gets_one_receipt() -> None:
    sender = Scripted()
    seen = submitted(a_notifier(sender), "a", "b", "c").wait()
    assert sender.sent == ["a", "b", "c"]
    assert [(r.delivery_id, r.status) for r in seen.receipts] == [("a", ACCEPTED), ("b", ACCEPTED), ("c", ACCEPTED)]
    assert seen.ends == 1


@pytest.mark.parametrize("failure", [TRANSIENT, AMBIGUOUS])
def test_after_a_failure_that_may_pass_the_rest_of_the_lane_is_skipped(failure: ReceiptStatus) -> None:
    sender = Scripted(b=failure)
    seen = submitted(a_notifier(sender), "a", "b", "c", "d").wait()
    assert seen.statuses == {"a": ACCEPTED, "b": failure, "c": SKIPPED, "d": SKIPPED}
    assert sender.sent == ["a", "b"]


def test_a_permanent_failure_does_not_hold_up_the_next_envelope() -> None:
    seen = submitted(a_notifier(Scripted(a=PERMANENT)), "a", "b").wait()
    assert seen.statuses == {"a": PERMANENT, "b": ACCEPTED}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DeliveryError("chat not found", permanent=True), PERMANENT),
        (DeliveryError("no answer", is_ambiguous=True), AMBIGUOUS),
        (DeliveryError("busy", retry_after_s=7), TRANSIENT),
        (ConfigError("not a URL"), PERMANENT),
        (RuntimeError("a defect in a plugin"), TRANSIENT),
    ],
)
def test_a_failure_is_a_receipt_never_an_exception(error: Exception, status: ReceiptStatus) -> None:
    seen = submitted(a_notifier(Scripted(a=error)), "a").wait()
    (receipt,) = seen.receipts
    assert receipt.status is status
    assert str(error) in receipt.detail
    assert receipt.retry_after_s == getattr(error, "retry_after_s", None)


def test_an_unexpected_failure_tells_no_secret() -> None:
    notifier = a_notifier(Scripted(a=RuntimeError("cannot post to json://hooks.example/t0k3n-path")))
    seen = submitted(notifier, "a", url="json://hooks.example/t0k3n-path").wait()
    assert "t0k3n-path" not in seen.receipts[0].detail


def test_lanes_never_wait_for_each_other(gate: threading.Event) -> None:
    notifier = a_notifier(Scripted(slow=gate.wait))
    slow = submitted(notifier, "slow")
    assert submitted(notifier, "a", "b").wait().statuses == {"a": ACCEPTED, "b": ACCEPTED}
    assert not slow.ended.is_set()
    gate.set()
    assert slow.wait().statuses == {"slow": ACCEPTED}


def test_places_count_what_is_being_sent(gate: threading.Event) -> None:
    notifier = a_notifier(Scripted(slow=gate.wait), lanes=2)
    assert (notifier.places(), notifier.is_idle()) == (2, True)
    slow = submitted(notifier, "slow")
    assert (notifier.places(), notifier.is_idle()) == (1, False)
    gate.set()
    slow.wait()
    notifier.close(5)
    assert (notifier.places(), notifier.is_idle()) == (2, True)


def test_a_lane_beyond_the_places_waits_for_one(gate: threading.Event) -> None:
    sender = Scripted(slow=gate.wait)
    notifier = a_notifier(sender, lanes=1)
    submitted(notifier, "slow")
    late = submitted(notifier, "late")
    assert notifier.places() == 0
    gate.set()
    assert late.wait().statuses == {"late": ACCEPTED}
    assert sender.sent == ["slow", "late"]


def test_wait_returns_when_a_lane_has_ended() -> None:
    notifier = a_notifier(Scripted())
    submitted(notifier, "a")
    notifier.wait(60)
    assert notifier.is_idle()


def test_wait_returns_after_its_time_when_nothing_ends() -> None:
    a_notifier(Scripted()).wait(0.01)


def test_a_lane_that_hangs_is_given_up_at_two_deadlines_and_frees_its_place(gate: threading.Event) -> None:
    sender = Scripted(hung=gate.wait)
    notifier = a_notifier(sender, lanes=1, timeout_s=0.05)
    seen = submitted(notifier, "hung", "next").wait()
    assert seen.statuses == {"hung": AMBIGUOUS, "next": SKIPPED}
    assert submitted(notifier, "other").wait().statuses == {"other": ACCEPTED}
    gate.set()
    notifier.close(5)
    assert (len(seen.receipts), seen.ends, sender.sent) == (2, 1, ["hung", "other"])


def test_the_rest_of_a_lane_is_skipped_when_its_time_is_over() -> None:
    pause = threading.Event()
    notifier = a_notifier(Scripted(slow=lambda: pause.wait(0.2)), timeout_s=0.1)
    seen = submitted(notifier, "slow", "next").wait()
    assert seen.statuses["next"] is SKIPPED


def test_a_limit_beyond_the_deadline_is_a_reschedule() -> None:
    governor = Governor({"console": (Limit("url", 0.01, 1),)}, monotonic=lambda: 0.0)
    sender = Scripted()
    seen = submitted(a_notifier(sender, governor=governor), "a", "b", "c").wait()
    assert seen.statuses == {"a": ACCEPTED, "b": TRANSIENT, "c": SKIPPED}
    assert seen.receipts[1].retry_after_s == pytest.approx(100)
    assert sender.sent == ["a"]


def test_a_limit_within_the_deadline_only_paces_its_own_lane() -> None:
    governor = Governor({"console": (Limit("url", 50, 1),)})
    assert submitted(a_notifier(Scripted(), governor=governor), "a", "b", "c").wait().statuses == dict.fromkeys("abc", ACCEPTED)


def test_an_empty_lane_ends() -> None:
    assert submitted(a_notifier(Scripted())).wait().receipts == []


def test_after_closing_everything_is_skipped() -> None:
    notifier = a_notifier(Scripted())
    notifier.close(1)
    assert submitted(notifier, "a", "b").wait().statuses == {"a": SKIPPED, "b": SKIPPED}


def test_closing_waits_for_what_is_being_sent(gate: threading.Event) -> None:
    notifier = a_notifier(Scripted(slow=gate.set))
    seen = submitted(notifier, "slow")
    gate.wait()
    notifier.close(5)
    assert seen.statuses == {"slow": ACCEPTED}


def test_many_lanes_at_once_each_get_their_receipts() -> None:
    notifier = a_notifier(Scripted(), lanes=8)
    lanes = [submitted(notifier, *(f"{n}-{k}" for k in range(5))) for n in range(40)]
    assert [len(lane.wait().receipts) for lane in lanes] == [5] * 40
    notifier.close(5)
    assert notifier.places() == 8


def test_the_real_senders_are_found_by_the_url() -> None:
    senders = Senders(a_settings(), GUARD, stream=io.StringIO())
    kinds = {url: type(senders.sender_of(url)).__name__ for url in ("console:", "json://h.example", "mailto://h.example", "tgram://x")}
    assert kinds == {
        "console:": "ConsoleSender",
        "json://h.example": "AppriseSender",
        "mailto://h.example": "MailSender",
        "tgram://x": "ServiceSender",
    }
    native = {id(senders.sender_of(f"{scheme}://x")) for scheme in ("webhook+https", "tgram", "ntfys", "discord")}
    assert len(native) == 4
    with pytest.raises(ConfigError, match="not allowed"):
        senders.sender_of("syslog://")


def test_a_webhook_and_apprise_leave_through_the_real_senders() -> None:
    notifier = ThreadNotifier(a_settings(), GUARD, stream=io.StringIO())
    with serving(lambda _asked: reply(200)) as server:
        for scheme in ("webhook+http", "json"):
            seen = submitted(notifier, "delivery-1", url=f"{scheme}://127.0.0.1:{server.port}/{scheme}").wait()
            assert seen.statuses == {"delivery-1": ACCEPTED}
        keys = [(asked.path, asked.headers["webhook-id"]) for asked in server.asked]
        assert keys == [("/webhook+http", "delivery-1"), ("/json", "delivery-1")]
    notifier.close(5)
