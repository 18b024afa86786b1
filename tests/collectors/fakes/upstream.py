"""What every programmable upstream has: items that come, change and go, and a server's ways to fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx

from collectors.clock import Clock
from collectors.http import WebOptions
from collectors.walk import By
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.mention import Mention
from escucha.source import Refusal

DATA = Path(__file__).parents[2] / "data"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = Clock(now=lambda: NOW, monotonic=lambda: 0.0, sleep=lambda seconds: None)
WEB = WebOptions(contact="equipo@lumbre.example")
Failure = tuple[int, dict[str, str]]
"""A status and headers."""
SECRET = "secreto-de-prueba"
"""What every fake's credentials hold: it must never be seen in an error, a log, a page or a cursor."""


class Upstream:
    """An upstream of one source.

    `items` are the ids (`source_id`) that exist there, oldest first. `failure` is a status and headers to answer with;
    `mangled` puts an item without its form among the others; `requests` are those it was asked. `clock` is its own and
    its source's. `befall` is called before each answer: what it does comes between two requests, and what it gives is
    the failure to answer with.
    """

    kind: ClassVar[Any]
    """The source's class."""
    enough: ClassVar[int] = 100
    """Items that make more than one page, where a source has pages."""
    deepest: ClassVar[int] = 3000
    """Items of which a complete reading shows all."""
    over_http: ClassVar[bool] = True
    edits: ClassVar[bool] = True
    """Whether an item can change (`edit`) so that a later run hears of it."""
    deletes: ClassVar[bool] = True
    """Whether an item can go (`delete`)."""
    is_log: ClassVar[bool] = False
    """Whether it tells what happened, one after the other: of what was deleted since, first that it was there."""
    keeps: ClassVar[bool] = True
    """Whether what was read can be read again from the start."""
    by: ClassVar[By] = "token"
    """How its pages hang together: see collectors.walk.newest_first."""
    tells_deletions: ClassVar[bool] = False
    """Whether a later run hears that an item went."""
    overlap: ClassVar[timedelta | None] = None
    """How old an edited item may be for the edit to be heard, counted from the newest one (None: of any age)."""
    redates: ClassVar[bool] = False
    """Whether the only time that is told of an item is that of its last change."""
    start: ClassVar[datetime] = NOW - timedelta(hours=20)
    spacing: ClassVar[timedelta] = timedelta(seconds=30)
    keys: dict[str, str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.items: list[str] = []
        self.failure: Failure | None = None
        self.mangled = False
        self.requests: list[httpx.Request] = []
        self.query = Query(text="")
        self.keys = {}
        self.clock = CLOCK
        self.befall: Callable[[], Failure | None] = lambda: self.failure
        self._moments = 0
        self._given = 0

    def add(self, count: int, together: bool = False) -> None:
        """New items appear, newer than all before; `together`: all of them at one moment."""
        raise NotImplementedError

    def edit(self, item: str, text: str) -> None:
        """The item's text changes."""
        raise NotImplementedError

    def delete(self, item: str) -> None:
        """The item goes, from `items` too."""
        raise NotImplementedError

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the upstream says. Only the path and the query count, not the host."""
        raise NotImplementedError

    def moment(self, together: bool = False) -> datetime:
        """The time of the next item: one step after the last, or the same."""
        self._moments += 0 if together and self._moments else 1
        return self.start + self._moments * self.spacing

    def place(self, at: datetime, spacing: timedelta) -> None:
        """The next moments follow that one, so far apart; at one moment (`together`), it is that one."""
        self.spacing = spacing  # type: ignore[misc]
        self.start = at - self._moments * spacing  # type: ignore[misc]

    def next_number(self) -> int:
        """A number that was never given before, whatever has gone since, from 0."""
        self._given += 1
        return self._given - 1

    @property
    def shown(self) -> list[str]:
        """The items that a complete reading gives now."""
        return self.items

    @property
    def due(self) -> list[str]:
        """Those that a run to the end must have heard of."""
        return self.shown

    @property
    def editable(self) -> list[str]:
        """The items that can change."""
        return self.items

    @property
    def deletable(self) -> list[str]:
        """The items that can go."""
        return self.items

    @property
    def reached(self) -> datetime:
        """The moment of the last item or change."""
        return self.start + self._moments * self.spacing

    def heard_again(self, newest: datetime, now: datetime) -> datetime:
        """From which moment on items are read again, so that an edit is heard."""
        return newest - self.overlap if self.overlap is not None else datetime.min.replace(tzinfo=UTC)

    def source(self) -> Any:
        """The source, asking this upstream without a network."""
        return self.kind(web=self.web, keys=self.keys, transport=self.transport(), clock=self.clock)

    @property
    def web(self) -> WebOptions:
        """Options with a pace of this upstream's own: what it asks for holds for no other."""
        return WebOptions(contact="equipo@lumbre.example", shared=str(self.folder / "pace"))

    def ids_of(self, mentions: Any) -> set[str]:
        return {mention.source_id for mention in mentions}

    def transport(self) -> httpx.MockTransport:
        """The upstream in place of the network."""
        return httpx.MockTransport(lambda request: wire(self.serve(request)))

    def serve(self, request: httpx.Request) -> httpx.Response:
        """The answer, or the failure that was set."""
        self.requests.append(request)
        if failure := self.befall():
            return httpx.Response(failure[0], headers=failure[1])
        return self.answer(request)

    @contextmanager
    def on_loopback(self) -> Iterator[str]:
        """The upstream as a real server; its address, which goes into the key `base_url`."""
        here = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = httpx.Request(
                    self.command, f"http://{self.headers['Host']}{self.path}", headers=list(self.headers.items()),
                    content=self.rfile.read(length),
                )
                response = here.serve(request)
                self.send_response(response.status_code)
                for name, value in response.headers.items():
                    if name not in ("content-length", "content-encoding", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(response.content)))
                self.end_headers()
                self.wfile.write(response.content)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def wire(response: httpx.Response) -> httpx.Response:
    """The response as it comes from a network: not yet read."""
    return httpx.Response(
        response.status_code, headers=response.headers, stream=httpx.ByteStream(response.content)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source made of recorded answers: `items` in them = mentions + refusals + passed (left out on purpose)."""

    items: int
    mentions: tuple[Mention, ...]
    refusals: tuple[Refusal, ...] = ()
    passed: int = 0


def read_all(
    items: Iterable[Any], read: Callable[[Any], Mention | None], name: Callable[[Any], str], now: datetime = NOW
) -> Reading:
    """Put recorded items through a source's own mapping and the gate."""
    found = list(items)

    def admitted(item: Any) -> Mention | None:
        mention = read(item)
        return admit(mention, now) if mention is not None else None

    mentions, refusals = admit_all(found, admitted, name)
    return Reading(items=len(found), mentions=mentions, refusals=refusals,
                   passed=len(found) - len(mentions) - len(refusals))
