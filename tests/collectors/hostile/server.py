"""A server on the loopback interface that stands before an upstream and misbehaves in a way that has a name."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

PATIENCE = 4.0
"""Seconds after which the server lets go of a connection, whoever is wrong."""
MOST_SENT = 96_000_000
"""Bytes that an endless answer sends at most."""

Honest = Callable[[httpx.Request], httpx.Response]


@dataclass(slots=True)
class Seen:
    """A request as it came, and how many seconds it kept its connection busy (0: it still does)."""

    request: httpx.Request
    seconds: float = 0.0


@dataclass(kw_only=True)
class Talk:
    """One request on its connection, for a behaviour to answer as badly as it likes.

    `number` counts the requests since the behaviour began, from 1; `memory` is what the behaviour remembers of them.
    """

    connection: socket.socket
    request: httpx.Request
    number: int
    memory: dict[str, Any]
    ask: Honest
    stays: bool = field(default=False, init=False)
    """Whether the connection may carry another request."""

    def honest(self) -> httpx.Response:
        """What the upstream says; what it cannot make sense of it calls a bad request."""
        try:
            return self.ask(self.request)
        except (AssertionError, LookupError, ValueError, TypeError, AttributeError):
            return httpx.Response(400, text="bad request")

    def say(self, *parts: bytes) -> None:
        for part in parts:
            self.connection.sendall(part)

    def answer(self, body: bytes = b"", status: str = "200 OK", headers: dict[str, str] | None = None) -> None:
        """An answer in good form, whatever is in it."""
        self.say(head(status, {"Content-Length": str(len(body)), **(headers or {})}), body)
        self.stays = True

    def repeat(self, response: httpx.Response, body: bytes | None = None) -> None:
        """A response of the upstream, perhaps with another body."""
        told = {name: value for name, value in response.headers.items()
                if name not in ("content-length", "content-encoding", "transfer-encoding")}
        line = f"{response.status_code} {response.reason_phrase}"
        self.answer(response.content if body is None else body, line, told)

    def reset(self) -> None:
        """Break the connection off, so that the other side hears of it as an error."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def drip(self, part: bytes, seconds: float = 0.05) -> None:
        """Send the same few bytes again and again, until the other side has had enough."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            self.say(part)
            time.sleep(seconds)

    def flood(self, part: bytes) -> None:
        """Send the same bytes as fast as they are taken, until the other side has had enough."""
        ends, sent = time.monotonic() + PATIENCE, 0
        while time.monotonic() < ends and sent < MOST_SENT:
            self.say(part)
            sent += len(part)

    def fall_silent(self) -> None:
        """Say nothing until the other side goes."""
        with suppress(OSError):
            while self.connection.recv(65_536):
                pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One way to misbehave.

    `act` answers each request but the first `honest_first`. `refuses`: nobody listens at all. `waits`: it costs the
    other side time. `of_body`: only the body is unusual. A run that `fails` reads nothing, says so with such an `error`
    (and how long to wait, `after`, if the behaviour `speaks_of_after`) and loses nothing; one that is `harmless` reads
    everything; any other is lied to.
    """

    name: str
    act: Callable[[Talk], None]
    honest_first: int = 0
    refuses: bool = False
    waits: bool = False
    fails: bool = False
    harmless: bool = False
    error: type[Exception] | None = None
    after: float | None = None
    speaks_of_after: bool = False
    of_body: bool = False


HONEST = Behaviour(name="honest", act=lambda talk: talk.repeat(talk.honest()), harmless=True)


class HostileServer:
    """Serves an upstream on 127.0.0.1, through a behaviour that can be changed; `seen` are its requests since then."""

    def __init__(self, ask: Honest, behaviour: Behaviour = HONEST) -> None:
        self.ask = ask
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._listens = False
        self.behave(behaviour)

    @property
    def address(self) -> str:
        return f"http://{self.host}"

    def behave(self, behaviour: Behaviour) -> None:
        """From now on like this."""
        self.behaviour, self.seen, self._asked, self._memory = behaviour, list[Seen](), 0, dict[str, Any]()
        if not behaviour.refuses and not self._listens:
            self._listens = True
            self._socket.listen(64)
            threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Let go of every connection."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(PATIENCE)
        with connection, suppress(OSError):
            while (request := read_request(connection, self.address)) is not None and self._reply(connection, request):
                pass
        with self._lock:
            self._open.discard(connection)

    def _reply(self, connection: socket.socket, request: httpx.Request) -> bool:
        begun = time.monotonic()
        with self._lock:
            self._asked += 1
            talk = Talk(connection=connection, request=request, number=self._asked, memory=self._memory,
                        ask=self._asked_alone)
            seen, behaviour = Seen(request), self.behaviour
            self.seen.append(seen)
        try:
            (HONEST if talk.number <= behaviour.honest_first else behaviour).act(talk)
        finally:
            seen.seconds = time.monotonic() - begun
        return talk.stays

    def _asked_alone(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            return self.ask(request)


@contextmanager
def serving(ask: Honest, behaviour: Behaviour = HONEST) -> Iterator[HostileServer]:
    """A server for a while."""
    server = HostileServer(ask, behaviour)
    try:
        yield server
    finally:
        server.close()


def head(status: str, headers: dict[str, str]) -> bytes:
    """The first lines of an answer."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("utf-8")


def read_request(connection: socket.socket, address: str) -> httpx.Request | None:
    """The next request of a connection, or None where the other side has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return None
        data += part
    first, _, rest = data.partition(b"\r\n\r\n")
    lines = first.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    length = int({name.lower(): value for name, value in headers}.get("content-length") or 0)
    while len(rest) < length:
        part = connection.recv(65_536)
        if not part:
            return None
        rest += part
    method, target, _ = lines[0].split(" ", 2)
    return httpx.Request(method, f"{address}{target}", headers=headers, content=rest)
