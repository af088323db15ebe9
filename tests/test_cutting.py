"""The connection is cut after the store carried a commit out: redis-py repeats it, and nothing is written twice."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from alerts.models import Delivery, DeliveryStatus
from alerts.ports import Expansion, Outcome, Verdict
from alerts.state.redis import RedisState, connect
from tests.builders import a_bell, a_change, a_channel, a_delivery, a_poll_commit, a_rule, a_sift_commit, a_source, a_story, an_alert
from tests.harness import claim_all, entry, watched_rig


@dataclass
class Cutter:
    """A way to the store that loses answers: of the next request with a marker in it, or of every n-th one."""

    url: str = ""
    marker: bytes = b""
    every: int = 1
    seen: int = 0
    cuts: int = 0

    def is_cut(self, request: bytes, answer: bytes) -> bool:
        """Whether this answer is lost; the store's refusals (a script it does not know) come through."""
        if not self.marker or self.marker not in request or answer.startswith(b"-"):
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.cuts += 1
        if self.every == 1:
            self.marker = b""
        return True

    def carry(self, client: socket.socket, store: socket.socket) -> None:
        """Pass requests and answers on until one side closes or an answer is cut."""
        request = b""
        while True:
            ready, _, _ = select.select([client, store], [], [], 10)
            if client in ready:
                said = client.recv(65536)
                if not said:
                    return
                request += said
                store.sendall(said)
            if store in ready:
                answer = store.recv(65536)
                if not answer or self.is_cut(request, answer):
                    return
                request = b""
                client.sendall(answer)


@contextmanager
def cutting(store_url: str) -> Iterator[Cutter]:
    """A cutter before a store on a unix socket."""
    path = store_url.removeprefix("unix://").partition("?")[0]
    cutter = Cutter()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as store:
                store.connect(path)
                cutter.carry(self.request, store)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        cutter.url = f"redis://127.0.0.1:{server.server_address[1]}/0"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield cutter
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def cutter(valkey_url: str) -> Iterator[Cutter]:
    with cutting(valkey_url) as made:
        yield made


@pytest.fixture
def cut(cutter: Cutter) -> Iterator[RedisState]:
    """The store behind the cutter, with a source, a rule and a channel."""
    state = RedisState(connect(cutter.url))
    state.prepare()
    state.put_source(a_source())
    state.put_rules([(a_rule(), "q1")])
    state.put_channel(a_channel())
    yield state
    state.close()


def sifted(state: RedisState) -> tuple[str, int]:
    """(entry id, fence) of one item that is ready to be committed."""
    state.commit_polls([a_poll_commit(changes=[a_change()])])
    lease = state.hold_sifter("a", 5)
    assert lease
    return state.read_items("a", 1)[0].entry_id, lease.fence


def rung(state: RedisState) -> Expansion:
    """The fan-out of one bell, ready to be committed."""
    entry_id, fence = sifted(state)
    state.commit_sifts([a_sift_commit(entry_id, fence, bells=(a_bell(),))])
    alert = an_alert(a_bell())
    return Expansion(bell_id=a_bell().bell_id, expected_cursor="0:", cursor="", alerts=[alert], deliveries=[a_delivery(alert)])


def claimed(state: RedisState, lease_s: float = 30.0) -> Delivery:
    """The one delivery, claimed to be sent."""
    [lane] = claim_all(state, "d", lease_s=lease_s)
    return lane.parcels[0].delivery


def test_a_poll_commit_whose_answer_was_lost_is_already_done(cutter: Cutter, cut: RedisState) -> None:
    cutter.marker = b"request-of-this-poll"
    commit = a_poll_commit(request_id="request-of-this-poll", changes=[a_change()])
    assert cut.commit_polls([commit]) == [Outcome.ALREADY]
    assert cutter.cuts == 1
    assert len(cut.read_items("a", 10)) == 1
    assert cut.source("harbour")[1].revision == 1


def test_commits_sent_together_are_each_done_once(cutter: Cutter, cut: RedisState) -> None:
    sources = [f"outlet-{n}" for n in range(5)]
    for source_id in sources:
        cut.put_source(a_source(source_id))
    cutter.marker = b"together"
    commits = [a_poll_commit(source_id, request_id=f"together-{source_id}", changes=[a_change()]) for source_id in sources]
    assert set(cut.commit_polls(commits)) <= {Outcome.DONE, Outcome.ALREADY}
    assert cutter.cuts == 1
    assert len(cut.read_items("a", 10)) == 5


def test_a_sift_commit_whose_answer_was_lost_is_already_done(cutter: Cutter, cut: RedisState) -> None:
    entry_id, fence = sifted(cut)
    cutter.marker = a_story().story_id.encode()
    assert cut.commit_sifts([a_sift_commit(entry_id, fence, bells=(a_bell(),))]) == [Outcome.ALREADY]
    assert cutter.cuts == 1
    assert cut.counters()["bells"] == 1
    assert len(cut.archived(limit=10)) == 1


def test_a_chunk_of_a_fan_out_whose_answer_was_lost_is_already_done(cutter: Cutter, cut: RedisState) -> None:
    expansion = rung(cut)
    cutter.marker = expansion.deliveries[0].delivery_id.encode()
    assert cut.commit_expansions([expansion]) == [Outcome.ALREADY]
    assert cutter.cuts == 1
    assert (cut.counters()["alerts"], cut.counters()["deliveries"]) == (1, 1)


def test_a_result_whose_answer_was_lost_is_already_recorded(cutter: Cutter, cut: RedisState) -> None:
    cut.commit_expansions([rung(cut)])
    sent = replace(claimed(cut), status=DeliveryStatus.SENT)
    cutter.marker = sent.delivery_id.encode()
    assert cut.record("d", [Verdict(delivery=sent)]) == [Outcome.ALREADY]
    assert cutter.cuts == 1
    assert cut.counters()["delivery_sent"] == 1


def test_a_claim_whose_answer_was_lost_comes_again_when_its_lease_has_ended(cutter: Cutter, cut: RedisState) -> None:
    cut.commit_expansions([rung(cut)])
    cutter.marker = b"the-claimer"
    assert claim_all(cut, "the-claimer") == []
    cut.shift_due(-60)
    assert cut.sweep()["freed_lanes"] == 1
    assert claimed(cut).is_repeat


def test_with_every_fifth_answer_lost_each_item_still_rings_once(cutter: Cutter, tmp_path: Path) -> None:
    with watched_rig(cutter.url, tmp_path) as rig:
        cutter.marker, cutter.every = b"EVALSHA", 5
        rig.show("harbour", *(entry(n) for n in range(6, 0, -1)))
        rig.poll()
        for _ in range(10):
            rig.sift()
            rig.deliver()
            rig.wait(60)
            rig.sweep()
        assert cutter.cuts > 3
        assert sorted(set(rig.sink.titles)) == [entry(n)["title"] for n in range(2, 7)]
        assert len({message["delivery"] for message in rig.sink.got}) == 5
        assert all(message["is_repeat"] for message in rig.sink.got[5:])
        assert {d.status for d in rig.deliveries()} == {DeliveryStatus.SENT}
