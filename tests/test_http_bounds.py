"""What the HTTP client refuses, and the bounds that hold against servers that mean harm."""

from __future__ import annotations

import gzip
import socket
import struct
import zlib
from collections.abc import Iterator

import pytest

from alerts.http.client import HttpClient, Request
from tests.servers_http import BODY_LIMIT, Script, asking, echo, forever, loopback_client, raw, reply, reset, serving, silent

ZEROS = bytes(10_000_000)
# 40,000,000 zero bytes, as brotli writes them.
BROTLI_BOMB = bytes.fromhex("cfffff7ff82700e2b14020f7fe9ffffffff04f00c4610180eefd7ffe6789e19f0088c32200dd2831")
# One zstd frame of 300 blocks, each "repeat this byte 128 KB" (RFC 8878, 3.1.1.2).
ZSTD_BOMB = (
    bytes.fromhex("28b52ffd0058")
    + b"".join(struct.pack("<I", (131072 << 3) | (1 << 1))[:3] + b"\0" for _ in range(300))
    + bytes.fromhex("010000")
)


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """A client that may dial loopback."""
    made = loopback_client()
    yield made
    made.close()


def packed(encoding: str, body: bytes) -> bytes:
    """An answer in a content encoding."""
    return reply(body=body, content_encoding=encoding)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1\r\nHost: x/", "control characters"),
        ("http://127.0.0.1/a b", "spaces"),
        ("http://me:secret@127.0.0.1/", "user name or password"),
        ("http://me@127.0.0.1/", "user name or password"),
        ("ftp://127.0.0.1/", "only http:// and https://"),
        ("file:///etc/passwd", "only http:// and https://"),
        ("127.0.0.1/", "only http:// and https://"),
        ("", "only http:// and https://"),
        ("http://", "not a host"),
        ("http://127.0.0.1:99999/", "ort number"),
        ("http://[::1/", "no URL"),
        ("http://[fe80::1%25lo]/", "not a host"),
        ("http://127.0.0.1/" + "a" * 9000, "longer than"),
    ],
)
def test_a_url_that_cannot_be_asked_is_an_error_not_an_exception(http: HttpClient, url: str, words: str) -> None:
    response = http.send(Request(url=url))
    assert (response.status, words in response.error, response.is_sent) == (0, True, False)
    assert "secret" not in response.error


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\n": "a"}, {"X Y": "a"}, {"": "a"}])
def test_a_header_that_would_break_the_request_is_an_error(http: HttpClient, headers: dict[str, str]) -> None:
    assert "header" in http.send(Request(url="http://127.0.0.1/", headers=headers)).error


def test_a_get_with_a_body_and_an_unknown_method_are_errors(http: HttpClient) -> None:
    assert "no body" in http.send(Request(url="http://127.0.0.1/", body=b"x")).error
    assert "method 'BREW'" in http.send(Request(url="http://127.0.0.1/", method="BREW")).error  # type: ignore[arg-type]


def test_a_url_in_another_script_is_asked_in_ascii(http: HttpClient) -> None:
    with serving(echo) as server:
        http.send(Request(url=server.url("/عاجل?q=é&r=%20")))
    assert server.asked[0].path == "/%D8%B9%D8%A7%D8%AC%D9%84?q=%C3%A9&r=%20"


def test_loopback_is_refused_unless_a_setting_allows_it() -> None:
    http = loopback_client(allow_networks=())
    with serving(echo) as server:
        response = http.send(Request(url=server.url()))
    http.close()
    assert (response.is_refused, response.is_sent, server.connections) == (True, False, 0)
    assert response.error == "127.0.0.1: refused by the address guard: 127.0.0.1 is a loopback address"


def test_the_proxy_of_the_environment_is_not_used(http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert asking(http, reply(body=b"direct")).body == b"direct"


# ---------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", gzip.compress(ZEROS), id="gzip"),
        pytest.param("deflate", zlib.compress(ZEROS), id="deflate"),
        pytest.param("br", BROTLI_BOMB, id="brotli"),
        pytest.param("zstd", ZSTD_BOMB, id="zstd"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(ZEROS)), id="gzip in gzip"),
        pytest.param("br, gzip", gzip.compress(BROTLI_BOMB), id="brotli in gzip"),
        pytest.param("gzip, gzip, gzip, gzip, gzip, gzip, gzip", gzip.compress(ZEROS), id="a tower of encodings"),
    ],
)
def test_a_bomb_ends_at_the_body_limit_or_is_not_decoded(http: HttpClient, encoding: str, body: bytes) -> None:
    response = asking(http, packed(encoding, body))
    assert "over 1,000,000 bytes" in response.error or "cannot be read" in response.error
    assert len(response.body) <= BODY_LIMIT


def test_a_small_bomb_is_known_by_its_ratio(http: HttpClient) -> None:
    response = asking(http, packed("gzip", gzip.compress(bytes(900_000))))
    assert ("over 100 times as many" in response.error, response.is_truncated) == (True, True)


def test_an_honestly_compressed_page_passes(http: HttpClient) -> None:
    page = b"".join(b"<item><title>Headline %d</title></item>" % n for n in range(5000))
    response = asking(http, packed("gzip", gzip.compress(page)))
    assert (response.error, response.body) == ("", page)


def test_a_damaged_compressed_body_is_an_error(http: HttpClient) -> None:
    response = asking(http, packed("gzip", gzip.compress(b"x" * 1000)[:-20] + b"\xff" * 20))
    assert response.error == "127.0.0.1: the body is compressed in a way that cannot be read"


def test_a_body_that_never_ends_is_cut_at_the_limit(http: HttpClient) -> None:
    with serving(lambda _asked: forever(server, bytes(10_000))) as server:
        response = http.send(Request(url=server.url()))
    assert (response.is_truncated, len(response.body) <= BODY_LIMIT) == (True, True)
    assert response.error == "127.0.0.1: the body is over 1,000,000 bytes (http.max_body_bytes)"


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["silent", "in a header", "in the body"]
)
def test_a_slow_loris_is_abandoned_at_the_total_timeout(http: HttpClient, start: bytes) -> None:
    def loris(connection: socket.socket) -> None:
        connection.sendall(start)
        while start and not server.stopping.wait(0.02):
            connection.sendall(b"x")
        server.stopping.wait(10)

    with serving(lambda _asked: loris) as server:
        response = http.send(Request(url=server.url(), timeout_s=0.2))
    assert (response.is_timeout, response.is_sent, "no complete answer within" in response.error) == (True, True, True)


def test_one_hanging_host_delays_no_other(http: HttpClient) -> None:
    with serving(lambda _asked: silent(stuck)) as stuck, serving(echo) as server:
        requests = [Request(url=stuck.url(), timeout_s=0.5), Request(url=server.url(host="localhost"))]
        ended = [(response.request.url, response.is_timeout) for response in http.perform(requests)]
    assert ended == [(server.url(host="localhost"), False), (stuck.url(), True)]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(reset, "the connection broke while receiving", id="reset"),
        pytest.param(raw(b""), "the connection was closed without an answer", id="closed at once"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"), "the body was cut short", id="half a body"),
        pytest.param(raw(b"SSH-2.0-OpenSSH\r\n"), "something other than HTTP", id="another protocol"),
    ],
)
def test_a_connection_that_breaks_is_an_error_in_words(http: HttpClient, script: Script, words: str) -> None:
    response = asking(http, script)
    assert (words in response.error, response.is_sent) == (True, True)
    assert "secret-path" not in response.error


def test_a_body_cut_short_is_told_from_a_whole_one(http: HttpClient) -> None:
    cut = asking(http, raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"))
    assert (cut.is_truncated, cut.body, cut.error != "") == (True, b"half", True)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"X: " + b"a" * 2_000_000, id="one of 2 MB"),
        pytest.param(b"\r\n".join(b"X-%d: %s" % (n, b"a" * 100) for n in range(20_000)), id="20,000 of them"),
    ],
)
def test_huge_headers_are_an_error(http: HttpClient, head: bytes) -> None:
    response = asking(http, raw(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n"))
    assert ("headers" in response.error, response.body) == (True, b"")


def test_nobody_listening_is_an_error_in_words(http: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    response = http.send(Request(url=f"http://127.0.0.1:{port}/"))
    assert (response.error, response.is_sent) == ("127.0.0.1: no connection: connection refused", False)


def test_a_name_that_does_not_exist_is_an_error_in_words(http: HttpClient) -> None:
    host = f"{'x' * 70}.invalid"  # too long for a name, so that no resolver is asked
    assert http.send(Request(url=f"http://{host}/")).error == f"{host}: the name does not resolve; check its spelling"
