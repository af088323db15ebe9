"""The HTTP client: many answers at once, each at its time, and redirects that are told."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from alerts.http.client import Batch, HttpClient, Request
from tests.servers_http import Asked, asking, echo, forever, loopback_client, reply, serving, silent


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """A client that may dial loopback."""
    made = loopback_client()
    yield made
    made.close()


# ---------------------------------------------------------------- answers


def test_every_request_gets_one_response_with_its_key(http: HttpClient) -> None:
    with serving(echo) as server:
        requests = [Request(url=server.url(f"/{n}"), key=n) for n in range(20)]
        found = {response.request.key: response.body for response in http.perform(requests)}
    assert found == {n: f"GET /{n} ".encode() for n in range(20)}


def test_a_response_carries_status_headers_and_url(http: HttpClient) -> None:
    answer = b'HTTP/1.1 404 Not Found\r\nETag: "a"\r\nVARY: x\r\nvary: y\r\nEmpty:\r\ncontent-length: 2\r\n\r\nno'
    with serving(lambda _asked: answer) as server:
        response = http.send(Request(url=server.url("/a?b=c")))
    assert (response.status, response.body, response.error) == (404, b"no", "")
    assert response.headers == {"etag": '"a"', "vary": "x, y", "empty": "", "content-length": "2"}
    assert response.url == server.url("/a?b=c")


def test_interim_answers_are_neither_status_nor_hop(http: HttpClient) -> None:
    response = asking(http, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(200, b"body", x_one="1"))
    assert (response.status, response.body, response.hops, "link" in response.headers) == (200, b"body", (), False)


def test_headers_are_sent_and_do_not_stick_to_the_next_request(http: HttpClient) -> None:
    with serving(echo) as server:
        http.send(Request(url=server.url(), headers={"If-None-Match": '"a"', "X-Empty": "", "X-Name": "é"}))
        http.send(Request(url=server.url()))
    first, second = (asked.headers for asked in server.asked)
    assert (first["if-none-match"], first["x-empty"], first["x-name"]) == ('"a"', "", "é")
    assert not {"if-none-match", "x-empty", "x-name"} & set(second)
    assert first["user-agent"].startswith("Tocsin/")


def test_the_contact_stands_in_the_user_agent() -> None:
    http = loopback_client(user_agent="Bell/1", contact="desk@example.org")
    with serving(echo) as server:
        http.send(Request(url=server.url()))
    http.close()
    assert server.asked[0].headers["user-agent"] == "Bell/1 desk@example.org"


def test_methods_do_not_leak_from_one_request_into_the_next(http: HttpClient) -> None:
    with serving(lambda asked: reply(body=b"") if asked.method == "HEAD" else echo(asked)) as server:
        posted = http.send(Request(url=server.url(), method="POST", body=b"alert", headers={"Content-Type": "text/plain"}))
        empty = http.send(Request(url=server.url(), method="POST"))
        changed = http.send(Request(url=server.url(), method="PATCH", body=b"change"))
        put = http.send(Request(url=server.url(), method="PUT", body=b"whole"))
        head = http.send(Request(url=server.url(), method="HEAD"))
        again = http.send(Request(url=server.url(), method="POST", body=b"again"))
        got = http.send(Request(url=server.url()))
    bodies = [r.body for r in (posted, empty, changed, put, head, again, got)]
    assert bodies == [b"POST / alert", b"POST / ", b"PATCH / change", b"PUT / whole", b"", b"POST / again", b"GET / "]
    assert [asked.method for asked in server.asked] == ["POST", "POST", "PATCH", "PUT", "HEAD", "POST", "GET"]
    assert server.asked[0].headers["content-type"] == "text/plain"


def test_a_long_post_is_not_held_up_by_expect(http: HttpClient) -> None:
    with serving(echo) as server:
        http.send(Request(url=server.url(), method="POST", body=bytes(2_000_000)))
    assert "expect" not in server.asked[0].headers


def test_connections_are_kept_for_the_next_request(http: HttpClient) -> None:
    with serving(echo) as server:
        for _ in range(5):
            http.send(Request(url=server.url()))
        assert server.connections == 1


def test_a_host_is_never_asked_by_more_than_its_share_at_once() -> None:
    def slowly(asked: Asked) -> bytes:
        time.sleep(0.01)
        return echo(asked)

    http = loopback_client(max_per_host=3)
    with serving(slowly) as server:
        assert len(list(http.perform(Request(url=server.url(f"/{n}")) for n in range(15)))) == 15
        assert (server.most_at_once <= 3, server.connections <= 3) == (True, True)
    http.close()


def test_a_request_starts_at_its_due_time_not_before(http: HttpClient) -> None:
    arrived: dict[str, float] = {}

    def note(asked: Asked) -> bytes:
        arrived[asked.path] = time.monotonic()
        return echo(asked)

    with serving(note) as server:
        due = time.monotonic() + 0.15
        requests = [Request(url=server.url("/later"), start_at=due), Request(url=server.url("/now"))]
        order = [response.request.url for response in http.perform(requests)]
    assert order == [server.url("/now"), server.url("/later")]
    assert arrived["/later"] >= due


def test_a_slow_consumer_makes_no_transfer_time_out() -> None:
    http = loopback_client(total_timeout_s=0.5, connect_timeout_s=0.4, max_per_host=32)
    with serving(echo) as server:
        seen = []
        for response in http.perform(Request(url=server.url(f"/{n}")) for n in range(8)):
            seen.append(response.error)
            time.sleep(0.6 if len(seen) < 2 else 0)
    http.close()
    assert seen == [""] * 8


def test_a_transfer_that_hangs_still_times_out_under_a_slow_consumer() -> None:
    http = loopback_client(total_timeout_s=0.3, max_per_host=32)
    with serving(lambda asked: echo(asked) if asked.path == "/quick" else silent(server)) as server:
        ended = []
        for response in http.perform([Request(url=server.url("/hang")), Request(url=server.url("/quick"))]):
            ended.append((response.request.url, response.is_timeout))
            time.sleep(0.35)
    http.close()
    assert ended == [(server.url("/quick"), False), (server.url("/hang"), True)]


def test_a_call_inside_the_loop_over_another_call_loses_nothing(http: HttpClient) -> None:
    with serving(echo) as server:
        inner, outer = [], []
        for response in http.perform([Request(url=server.url(f"/outer{n}")) for n in range(6)]):
            outer.append(response.body)
            inner.append(http.send(Request(url=server.url(f"/inner{len(outer)}"))).body)
    assert sorted(outer) == [f"GET /outer{n} ".encode() for n in range(6)]
    assert inner == [f"GET /inner{n} ".encode() for n in range(1, 7)]


def test_leaving_the_loop_early_leaves_the_client_usable(http: HttpClient) -> None:
    with serving(lambda asked: forever(server, b"x") if asked.path == "/endless" else echo(asked)) as server:
        answers = http.perform([Request(url=server.url("/a")), Request(url=server.url("/endless"), timeout_s=60)])
        assert next(answers).body == b"GET /a "
        answers.close()  # type: ignore[attr-defined]
        assert [r.body for r in http.perform([Request(url=server.url(f"/{n}")) for n in range(3)])] != []


# ---------------------------------------------------------------- batches


def test_a_batch_takes_more_requests_while_others_hang(http: HttpClient) -> None:
    with serving(lambda asked: silent(server) if asked.path == "/hang" else echo(asked)) as server:
        batch = Batch([Request(url=server.url("/hang"))])
        assert list(http.collect(batch, 0)) == []
        batch.add([Request(url=server.url("/quick"))])
        answers = http.collect(batch, 5)
        assert (next(answers).body, batch.in_flight) == (b"GET /quick ", 1)
        http.abandon(batch)
        assert (list(answers), batch.in_flight) == ([], 0)


def test_collecting_from_an_empty_batch_returns_at_once(http: HttpClient) -> None:
    assert list(http.collect(Batch(), 60)) == []


def test_transfers_do_not_time_out_between_two_collections() -> None:
    http = loopback_client(total_timeout_s=0.2, connect_timeout_s=0.1)
    with serving(echo) as server:
        batch = Batch([Request(url=server.url())])
        found = list(http.collect(batch, 0))
        time.sleep(0.3)
        found += http.collect(batch, 5)
    http.close()
    assert [response.error for response in found] == [""]


# ---------------------------------------------------------------- redirects


def redirecting(asked: Asked) -> bytes:
    """/301/308/end answers 301 to /308/end, and so on."""
    status, _, rest = asked.path[1:].partition("/")
    return reply(int(status), location=f"/{rest}") if status.isdecimal() else echo(asked)


def test_redirects_are_followed_and_each_hop_is_told(http: HttpClient) -> None:
    with serving(redirecting) as server:
        response = http.send(Request(url=server.url("/301/308/302/end")))
    assert response.hops == ((301, "/308/302/end"), (308, "/302/end"), (302, "/end"))
    assert (response.status, response.url, response.body) == (200, server.url("/end"), b"GET /end ")


def test_a_redirect_loop_ends_with_an_error(http: HttpClient) -> None:
    response = asking(http, reply(302, location="/again"))
    assert response.error == "127.0.0.1: too many redirects"
    assert response.status == 302


def test_a_post_is_never_redirected(http: HttpClient) -> None:
    with serving(redirecting) as server:
        response = http.send(Request(url=server.url("/307/end"), method="POST", body=b"alert"))
    assert (response.status, response.headers["location"], len(server.asked)) == (307, "/end", 1)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        pytest.param("http://169.254.169.254/latest/meta-data/", "link-local", id="cloud credentials"),
        pytest.param("http://0x7f.2/", "loopback", id="a loopback address in disguise"),
        pytest.param("http://[::ffff:10.0.0.1]/", "private", id="a mapped private address"),
    ],
)
def test_a_redirect_to_a_refused_address_is_not_dialled(location: str, words: str) -> None:
    http = loopback_client(allow_networks=("127.0.0.1/32",))
    response = asking(http, reply(302, location=location))
    http.close()
    assert (response.is_refused, words in response.error, response.body) == (True, True, b"")
    assert not response.error.startswith("127.0.0.1")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://me:secret@127.0.0.1/", "http://"])
def test_a_redirect_to_something_that_is_not_plain_http_is_an_error(http: HttpClient, location: str) -> None:
    response = asking(http, reply(302, location=location))
    assert response.error.startswith("127.0.0.1: ")
    assert ("secret" in response.error, response.body) == (False, b"")
