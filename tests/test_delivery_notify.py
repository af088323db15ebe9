"""What the notifier promises: one receipt an envelope, order in a lane, and lanes that never wait for each other."""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from alerts.delivery.codes import Code
from alerts.delivery.dispatch import Senders
from alerts.delivery.notify import LaneNotifier
from alerts.delivery.sender import Sender
from alerts.errors import ConfigError, DeliveryError
from alerts.http.guard import AddressGuard
from alerts.models import Envelope, Receipt, ReceiptStatus
from alerts.ports import Load, Progress
from alerts.settings import DeliverSettings, HttpSettings, Settings
from tests.servers_http import reply, serving, silent

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
    """What became of one lane."""

    def __init__(self, notifier: LaneNotifier) -> None:
        self.notifier = notifier
        self.receipts: list[Receipt] = []
        self.ends = 0

    @property
    def statuses(self) -> dict[str, ReceiptStatus]:
        return {receipt.delivery_id: receipt.status for receipt in self.receipts}

    def wait(self) -> Seen:
        """Let the notifier work until this lane has ended."""
        end = time.monotonic() + 20
        while not self.ends and time.monotonic() < end:
            collect(self.notifier, 0.1)
        assert self.ends == 1, "the lane did not end"
        return self


def collect(notifier: LaneNotifier, wait_s: float) -> None:
    """Hand what became of lanes to whoever waits for it."""
    note(notifier.collect(wait_s))


def note(progress: Sequence[Progress]) -> None:
    for one in progress:
        assert isinstance(one.key, Seen)
        one.key.receipts += one.receipts
        one.key.ends += one.is_over


def a_settings(*, lanes: int = 4, timeout_s: float = 5.0, **deliver: int) -> Settings:
    loopback = HttpSettings(allow_networks=("127.0.0.0/8",), allow_ports=(0,))
    return Settings(http=loopback, deliver=DeliverSettings(lanes=lanes, timeout_s=timeout_s, **deliver))


def a_notifier(sender: Sender, *, lanes: int = 4, timeout_s: float = 5.0) -> LaneNotifier:
    return LaneNotifier(a_settings(lanes=lanes, timeout_s=timeout_s), GUARD, sender_of=lambda _url: sender, clock=lambda: NOW)


def an_envelope(delivery_id: str, url: str = "console:") -> Envelope:
    return Envelope(delivery_id=delivery_id, channel_id="desk", url=url, title="Gate closed", body="")


def submitted(notifier: LaneNotifier, *delivery_ids: str, url: str = "console:", looks_past: bool = False) -> Seen:
    seen = Seen(notifier)
    notifier.submit([Load(seen, tuple(an_envelope(i, url) for i in delivery_ids), looks_past=looks_past)])
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
    assert not slow.ends
    gate.set()
    assert slow.wait().statuses == {"slow": ACCEPTED}


def free(notifier: LaneNotifier, url: str = "console:", *, is_urgent: bool = True) -> int:
    """How many lanes to this URL find a place now."""
    places, number = notifier.places(), 0
    while places.take(url, is_urgent=is_urgent):
        number += 1
    return number


def test_places_count_what_is_being_sent(gate: threading.Event) -> None:
    notifier = a_notifier(Scripted(slow=gate.wait), lanes=2)
    assert (free(notifier), notifier.is_idle()) == (2, True)
    slow = submitted(notifier, "slow")
    assert (free(notifier), notifier.is_idle()) == (1, False)
    gate.set()
    slow.wait()
    assert (free(notifier), notifier.is_idle()) == (2, True)


def test_a_quarter_of_the_places_is_kept_for_what_is_urgent() -> None:
    notifier = LaneNotifier(a_settings(lanes=8, transfers=100, per_host=20), GUARD, stream=io.StringIO())
    one, other = "webhook+https://one.example/", "webhook+https://other.example/"
    assert (free(notifier, is_urgent=False), free(notifier)) == (5, 6), "two thirds of them to one service"
    assert (free(notifier, one, is_urgent=False), free(notifier, one)) == (15, 20)
    places = notifier.places()
    taken = [places.take(url, is_urgent=False) for url in (one, other) for _ in range(16)]
    assert taken == [*[True] * 15, False] * 2, "one host does not take the places of another"
    assert places.take(one, is_urgent=True)
    assert not places.is_full


def test_a_mail_server_that_hangs_leaves_places_for_others(gate: threading.Event) -> None:
    notifier = a_notifier(Scripted(**{f"hung{n}": gate.wait for n in range(6)}), lanes=9)
    sick, other = "mailto://me@sick.example", "mailto://me@other.example"
    places = notifier.places()
    assert [places.take(sick, is_urgent=False) for _ in range(6)] == [*[True] * 5, False]
    hanging = [submitted(notifier, f"hung{n}", url=sick) for n in range(5)]
    assert not notifier.places().take(sick, is_urgent=False)
    assert notifier.places().take(other, is_urgent=False)
    assert submitted(notifier, "quick", url=other).wait().statuses == {"quick": ACCEPTED}
    assert not any(lane.ends for lane in hanging)
    gate.set()
    note(notifier.close(5))


def test_services_that_keep_us_waiting_get_a_thread_each(gate: threading.Event) -> None:
    notifier = a_notifier(Scripted(**{f"slow{n}": gate.wait for n in range(4)}), lanes=6)
    lanes = [submitted(notifier, f"slow{n}") for n in range(4)]
    assert submitted(notifier, "quick").wait().statuses == {"quick": ACCEPTED}
    gate.set()
    assert [lane.wait().ends for lane in lanes] == [1] * 4


def test_a_service_that_hangs_holds_up_no_other_while_there_is_much_to_compute(gate: threading.Event) -> None:
    computing = threading.Thread(target=lambda: deque(iter(gate.is_set, True), maxlen=0), daemon=True)
    computing.start()
    notifier = a_notifier(Scripted(**{f"hung{n}": gate.wait for n in range(3)}), lanes=8)
    hanging = [submitted(notifier, f"hung{n}") for n in range(3)]
    assert submitted(notifier, "quick").wait().statuses == {"quick": ACCEPTED}
    assert not any(lane.ends for lane in hanging)
    gate.set()
    note(notifier.close(5))
    computing.join()


def test_a_lane_beyond_the_places_waits_for_one(gate: threading.Event) -> None:
    sender = Scripted(slow=gate.wait)
    notifier = a_notifier(sender, lanes=1)
    submitted(notifier, "slow")
    late = submitted(notifier, "late")
    assert free(notifier) == 0
    gate.set()
    assert late.wait().statuses == {"late": ACCEPTED}
    assert sender.sent == ["slow", "late"]


def test_collect_returns_when_something_has_come() -> None:
    notifier = a_notifier(Scripted())
    seen = submitted(notifier, "a")
    while not notifier.is_idle():
        collect(notifier, 60)
    assert seen.statuses == {"a": ACCEPTED}


def test_collect_returns_at_once_when_nothing_is_being_sent() -> None:
    assert a_notifier(Scripted()).collect(60) == []


def test_a_lane_that_hangs_is_given_up_at_two_deadlines_and_frees_its_place(gate: threading.Event) -> None:
    sender = Scripted(hung=gate.wait)
    notifier = a_notifier(sender, lanes=1, timeout_s=0.05)
    seen = submitted(notifier, "hung", "next").wait()
    assert seen.statuses == {"hung": AMBIGUOUS, "next": SKIPPED}
    assert submitted(notifier, "other").wait().statuses == {"other": ACCEPTED}
    gate.set()
    note(notifier.close(5))
    assert (len(seen.receipts), seen.ends, sender.sent) == (2, 1, ["hung", "other"])


def test_the_rest_of_a_lane_is_skipped_when_its_time_is_over() -> None:
    pause = threading.Event()
    notifier = a_notifier(Scripted(slow=lambda: pause.wait(0.2)), timeout_s=0.1)
    seen = submitted(notifier, "slow", "next").wait()
    assert seen.statuses["next"] is SKIPPED


def test_after_the_first_failure_the_second_is_tried_when_the_message_may_be_to_blame() -> None:
    seen = submitted(a_notifier(Scripted(a=TRANSIENT)), "a", "b", looks_past=True).wait()
    assert seen.statuses == {"a": TRANSIENT, "b": ACCEPTED}
    seen = submitted(a_notifier(Scripted(a=TRANSIENT, b=TRANSIENT)), "a", "b", "c", looks_past=True).wait()
    assert seen.statuses == {"a": TRANSIENT, "b": TRANSIENT, "c": SKIPPED}


def test_when_the_channel_itself_is_dead_the_rest_of_the_lane_is_skipped() -> None:
    with serving(lambda _asked: reply(410)) as server:
        notifier = LaneNotifier(a_settings(), GUARD, stream=io.StringIO())
        seen = submitted(notifier, "a", "b", url=f"webhook+http://127.0.0.1:{server.port}/").wait()
    assert seen.statuses == {"a": PERMANENT, "b": SKIPPED}
    assert seen.receipts[0].code == Code.GONE


def test_one_envelope_is_sent_at_once_past_all_lanes(gate: threading.Event) -> None:
    notifier = a_notifier(Scripted(slow=gate.wait), lanes=1)
    submitted(notifier, "slow")
    assert notifier.send(an_envelope("now")).status is ACCEPTED


def test_an_empty_lane_ends() -> None:
    assert submitted(a_notifier(Scripted())).wait().receipts == []


def test_after_closing_everything_is_skipped() -> None:
    notifier = a_notifier(Scripted())
    notifier.close(1)
    assert submitted(notifier, "a", "b").wait().statuses == {"a": SKIPPED, "b": SKIPPED}


def test_closing_waits_for_what_is_being_sent(gate: threading.Event) -> None:
    notifier = a_notifier(Scripted(slow=gate.set))
    seen = submitted(notifier, "slow", "next")
    gate.wait()
    note(notifier.close(5))
    assert seen.statuses["slow"] is ACCEPTED
    assert notifier.is_idle()


def test_many_lanes_at_once_each_get_their_receipts() -> None:
    notifier = a_notifier(Scripted(), lanes=8)
    lanes = [submitted(notifier, *(f"{n}-{k}" for k in range(5))) for n in range(40)]
    assert [len(lane.wait().receipts) for lane in lanes] == [5] * 40
    assert free(notifier) == 6


def test_webhooks_need_no_thread_and_do_not_wait_for_each_other() -> None:
    with serving(lambda asked: silent(server) if asked.path == "/silent" else reply(204)) as server:
        notifier = LaneNotifier(a_settings(timeout_s=0.5), GUARD, stream=io.StringIO())
        base = f"webhook+http://127.0.0.1:{server.port}"
        hanging = submitted(notifier, "hanging", "behind", url=f"{base}/silent")
        others = [submitted(notifier, f"{n}-a", f"{n}-b", url=f"{base}/{n}") for n in range(30)]
        threads = threading.active_count()
        assert all(set(other.wait().statuses.values()) == {ACCEPTED} for other in others)
        assert not hanging.ends
        assert threading.active_count() <= threads + len(server.asked)
        assert hanging.wait().statuses == {"hanging": AMBIGUOUS, "behind": SKIPPED}
        notifier.close(1)


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
    notifier = LaneNotifier(a_settings(), GUARD, stream=io.StringIO())
    with serving(lambda _asked: reply(200)) as server:
        for scheme in ("webhook+http", "json"):
            seen = submitted(notifier, "delivery-1", url=f"{scheme}://127.0.0.1:{server.port}/{scheme}").wait()
            assert seen.statuses == {"delivery-1": ACCEPTED}
        keys = [(asked.path, asked.headers["webhook-id"]) for asked in server.asked]
        assert keys == [("/webhook+http", "delivery-1"), ("/json", "delivery-1")]
    notifier.close(5)
