"""A fetch is bounded in time and memory, polite, and stays out of the inner network."""

from __future__ import annotations

import gzip
import resource
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import httpx
import pytest

from collectors.clock import Clock
from collectors.guard import is_allowed, is_public
from collectors.http import Web, WebOptions, user_agent
from collectors.pace import Pace
from collectors.verdict import judge, retry_after
from escucha.errors import Refused, TryLater
from tests.collectors.fakes import wire

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
Handler = Callable[[socket.socket, bytes], None]


class Loopback:
    """A server on 127.0.0.1 whose every answer is written by `handler`; `seen` are the requests' heads."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.seen: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = connection.recv(65_536)
            self.seen.append(head)
            self._handler(connection, head)

    def close(self) -> None:
        self._socket.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@contextmanager
def serving(handler: Handler) -> Iterator[Loopback]:
    server = Loopback(handler)
    try:
        yield server
    finally:
        server.close()


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> Handler:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    data = "\r\n".join([*lines, "", ""]).encode() + body
    return lambda connection, head: connection.sendall(data)


def web(server: Loopback, **options: object) -> Web:
    defaults = {"deadline": 2.0, "pace": 0.0, "allow_hosts": (f"127.0.0.1:{server.port}",)}
    return Web(WebOptions(**{**defaults, **options}), clock=Clock(now=lambda: NOW), pace=Pace())


def test_a_page_arrives_with_its_validators_and_an_honest_user_agent() -> None:
    with serving(answer(b"hola", ETag='"1"', Last_Modified="Fri, 20 Nov 2026 10:00:00 GMT")) as server:
        got = web(server, contact="equipo@lumbre.example").get(server.url)
    assert got.body == b"hola"
    assert got.validators == {"etag": '"1"', "last-modified": "Fri, 20 Nov 2026 10:00:00 GMT"}
    assert b"User-Agent: Escucha/" in server.seen[0]
    assert b"(+equipo@lumbre.example)" in server.seen[0]


def test_validators_make_the_next_request_conditional() -> None:
    with serving(answer(status="304 Not Modified")) as server:
        got = web(server).get(server.url, validators={"etag": '"1"', "last-modified": "ayer"})
    assert got.unchanged
    assert b'If-None-Match: "1"' in server.seen[0]
    assert b"If-Modified-Since: ayer" in server.seen[0]


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_slow_drip_ends_at_the_deadline(part: str) -> None:
    def drip(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 900\r\n\r\n" if part == "body" else b"X-A: "))
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.2)

    with serving(drip) as server:
        start = time.monotonic()
        with pytest.raises(TryLater, match="did not answer within"):
            web(server, deadline=1.0).get(server.url)
    assert time.monotonic() - start < 1.5


def test_a_gzip_bomb_is_refused_without_filling_memory() -> None:
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(400)) + bomb.flush()
    with serving(answer(packed, Content_Encoding="gzip")) as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(Refused, match="larger than"):
            web(server, max_bytes=1_000_000).get(server.url)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32_000  # KiB, of 400 MiB unpacked


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [(gzip.compress(b"hola", mtime=0), "gzip"), (zlib.compress(b"hola"), "deflate"),
     (zlib.compress(b"hola")[2:-4], "deflate")],
)
def test_packed_answers_are_unpacked(packed: bytes, encoding: str) -> None:
    with serving(answer(packed, Content_Encoding=encoding)) as server:
        assert web(server).get(server.url).body == b"hola"


@pytest.mark.parametrize("broken", [gzip.compress(b"hola" * 99, mtime=0)[:20], b"no es gzip"])
def test_broken_packing_passes_by_itself(broken: bytes) -> None:
    with serving(answer(broken, Content_Encoding="gzip")) as server, pytest.raises(TryLater):
        web(server).get(server.url)


def test_an_endless_answer_is_cut() -> None:
    def endless(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with serving(endless) as server, pytest.raises(Refused, match="larger than"):
        web(server, max_bytes=500_000).get(server.url)


def test_an_answer_that_breaks_off_is_tried_again_within_the_run() -> None:
    answers = iter(
        [b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\ncorto", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]
    )
    with serving(lambda connection, head: connection.sendall(next(answers))) as server:
        assert web(server, deadline=5.0).get(server.url).body == b"ok"


def test_an_outage_is_asked_three_times_and_then_left_for_later() -> None:
    with serving(answer(status="503 Service Unavailable")) as server:
        with pytest.raises(TryLater, match="HTTP 503"):
            web(server, deadline=10.0).get(server.url)
        assert len(server.seen) == 3


def test_a_429_is_not_repeated() -> None:
    with serving(answer(status="429 Too Many Requests", Retry_After="7")) as server:
        with pytest.raises(TryLater) as caught:
            web(server).get(server.url)
        assert (caught.value.after, len(server.seen)) == (7.0, 1)


def test_a_redirect_to_the_metadata_address_is_refused() -> None:
    metadata = answer(status="302 Found", Location="http://169.254.169.254/latest/meta-data/")
    with serving(metadata) as server, pytest.raises(Refused, match="private network"):
        web(server).get(server.url)


def test_a_redirect_to_a_file_is_refused() -> None:
    with serving(answer(status="302 Found", Location="file:///etc/passwd")) as server, pytest.raises(Refused):
        web(server).get(server.url)


def test_a_redirect_loop_ends() -> None:
    with serving(answer(status="302 Found", Location="/")) as server:
        with pytest.raises(Refused, match="circles"):
            web(server).get(server.url)
        assert len(server.seen) == 6


def test_a_token_does_not_follow_a_redirect_to_another_host() -> None:
    with serving(answer(b"ok")) as other:
        with serving(answer(status="302 Found", Location=other.url)) as server:
            open_both = (f"127.0.0.1:{server.port}", f"127.0.0.1:{other.port}")
            web(server, allow_hosts=open_both).get(server.url, headers={"Authorization": "Bearer secreto"})
        assert b"secreto" in server.seen[0]
        assert b"secreto" not in other.seen[0]


INNER = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[fec0::1]",
    "[ff02::1]",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "localhost",
    "user@127.0.0.1",
    "example.com@127.0.0.1",
    "１２７.０.０.１",
    "127。0。0。1",
    "192.0.2.1",
    "198.18.0.1",
]


@pytest.mark.parametrize("host", INNER)
def test_no_spelling_of_an_inner_address_is_visited(host: str) -> None:
    with pytest.raises((Refused, TryLater)) as caught:
        Web(WebOptions(deadline=2.0, pace=0.0)).get(f"http://{host}:9/")
    assert isinstance(caught.value, Refused) or "cannot be reached" in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "１２７.０.０.１"])
def test_a_listening_inner_server_is_never_asked(host: str) -> None:
    with serving(answer(b"secreto interno")) as server:
        with pytest.raises(Refused):
            Web(WebOptions(deadline=2.0, pace=0.0)).get(f"http://{host}:{server.port}/")
        assert server.seen == []


def test_public_addresses_are_public() -> None:
    assert all(map(is_public, ["93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"]))


def test_an_opened_host_is_open_on_its_port_alone() -> None:
    assert is_allowed("127.0.0.1", 80, ("127.0.0.1:80",))
    assert not is_allowed("127.0.0.1", 81, ("127.0.0.1:80",))
    assert is_allowed("Interno.example", 81, ("interno.example",))


@pytest.mark.parametrize(
    "url", ["ftp://a.example/x", "file:///etc/passwd", "javascript:1", "hola", "", "http://", "http://[::bad"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="no web address"):
        Web(WebOptions()).get(url)


def test_an_error_names_the_host_and_never_the_token() -> None:
    with serving(answer(status="404 Not Found")) as server, pytest.raises(Refused) as caught:
        web(server).get(f"{server.url}feed?token=secreto", headers={"Authorization": "Bearer secreto"})
    assert "127.0.0.1" in str(caught.value)
    assert "secreto" not in str(caught.value) + repr(caught.value.details)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "1000000000"}, 86_400.0),
        ({"retry-after": "9" * 400}, 86_400.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:10:00 GMT"}, 600.0),
        ({"retry-after": "Sun, 22 Nov 2020 12:10:00 GMT"}, 0.0),
        ({"retry-after": "Sun, 22 Nov 9999 12:10:00 GMT"}, 86_400.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "mañana"}, None),
        ({"retry-after": "١٢"}, None),
        ({"x-ratelimit-reset": "2026-11-22T12:01:00.500Z"}, 60.5),
        ({"x-ratelimit-reset": "349"}, None),
        ({"retry-after": "5", "x-ratelimit-reset": "2026-11-22T13:00:00Z"}, 5.0),
        ({}, None),
    ],
)
def test_every_form_of_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, None),
        (304, None),
        (429, TryLater),
        (408, TryLater),
        (500, TryLater),
        (503, TryLater),
        (522, TryLater),
        (599, TryLater),
        (400, Refused),
        (401, Refused),
        (403, Refused),
        (404, Refused),
        (410, Refused),
        (451, Refused),
    ],
)
def test_a_status_says_who_acts_next(status: int, kind: type | None) -> None:
    error = judge(status, {}, NOW, "diario.example")
    assert error is None if kind is None else type(error) is kind


def test_two_requests_to_one_host_keep_their_distance_and_other_hosts_do_not_wait() -> None:
    slept: list[float] = []
    clock = Clock(now=lambda: NOW, monotonic=lambda: 100.0, sleep=slept.append)
    transport = httpx.MockTransport(lambda request: wire(httpx.Response(200, text="ok")))
    visitor = Web(WebOptions(pace=2.0), clock=clock, pace=Pace(), transport=transport)
    for url in ("https://a.example/1", "https://a.example/2", "https://b.example/", "https://a.example/3"):
        visitor.get(url)
    assert slept == [2.0, 4.0]


def test_a_contact_that_no_header_can_carry_is_cleaned() -> None:
    assert user_agent("María\r\nX-Evil: 1").isascii()
    assert "\n" not in user_agent("a\nb")
    assert "+" not in user_agent("")
