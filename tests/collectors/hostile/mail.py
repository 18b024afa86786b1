"""The siege of a mailbox: an IMAP server that misbehaves at one of its commands, and mails of the worst kind."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path

from collectors.http import WebOptions
from escucha.source import Cursor
from pipeline.pull import Haul, Order, pull
from tests.collectors.fakes.mailbox import MailboxUpstream
from tests.collectors.hostile.memory import Peak
from tests.collectors.hostile.promises import Case
from tests.collectors.hostile.server import HONEST, PATIENCE, Behaviour
from tests.collectors.hostile.siege import LATE, SOON
from tests.collectors.hostile.today import come_to_now, upstream_today

GREETING = "greeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trick:
    """A behaviour at one command: `act` gets the wire and the command's tag, in the place of the honest answer.

    `at` is a word of the command, or the greeting. With `before` the honest answer follows all the same.
    """

    behaviour: Behaviour
    at: str
    act: Callable[[RawIOBase, bytes], None]
    before: bool = False


class MailServer:
    """An IMAP server on 127.0.0.1 in front of a mailbox, which plays a trick or none."""

    def __init__(self, box: MailboxUpstream) -> None:
        self.box = box
        self.trick: Trick | None = None
        self._open: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        """Hand what the client says to the honest mailbox, and its answers back, but for the trick."""
        outer, inner = _joined()
        self._open += [connection, outer, inner]
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.box._talk, args=(inner,), daemon=True).start()
        with suppress(OSError, ValueError), connection, outer, connection.makefile("rwb", buffering=0) as wire:
            trick = self.trick
            if trick and trick.at == GREETING:
                trick.act(wire, b"*")
                if not trick.before:
                    return
            threading.Thread(target=_pump, args=(outer, connection), daemon=True).start()
            with connection.makefile("rb") as lines:
                for line in lines:
                    if trick and trick.at.encode() in line.upper():
                        trick.act(wire, line.partition(b" ")[0])
                        if not trick.before:
                            return
                    outer.sendall(line)


def _joined() -> tuple[socket.socket, socket.socket]:
    """Two ends of one TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        outer = socket.create_connection(server.getsockname())
        inner, _ = server.accept()
    outer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return outer, inner


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


class MailSiege:
    """A mailbox with a hostile server, and what a first honest reading left in its watch."""

    def __init__(self, folder: Path) -> None:
        box = upstream_today("mailbox", folder)
        assert isinstance(box, MailboxUpstream)
        box.add(4)
        self._box, self._folder, self._turns = box, folder, 0
        self.server = MailServer(box)
        first = self._pull(box, None)
        self.cursor = json.dumps(first.cursor)
        self.known = {mention.source_id for mention in first.mentions}
        assert len(self.known) == 4, first.problem

    def endure(self, trick: Trick | None, mails: tuple[bytes, ...] = ()) -> Case:
        """One run under siege over three new mails, and hostile `mails` among them; then honest ones."""
        box = deepcopy(self._box)
        come_to_now(box, 5)
        for mail in mails:
            box.put(mail, datetime.now(UTC))
        box.add(3)
        self.server.box, self.server.trick = box, trick
        behaviour = trick.behaviour if trick else HONEST
        given = json.loads(self.cursor)
        deadline = SOON if behaviour.fails else LATE
        peak, begun = Peak(), time.monotonic()
        haul = self._pull(box, given, deadline)
        case = Case(
            behaviour=behaviour, haul=haul, before=json.loads(self.cursor), seconds=time.monotonic() - begun,
            # Signing in, the search and each batch have a deadline of their own.
            deadline=deadline * 3, memory=peak.grown(), changed=json.dumps(given) != self.cursor,
            known=self.known | {mention.source_id for mention in haul.mentions},
        )
        self.server.trick = None
        box.add(2)
        case.later = [self._pull(box, json.loads(json.dumps(haul.cursor)))]
        case.known |= {mention.source_id for mention in case.later[0].mentions}
        ours = set(box.items)
        case.real = ours
        case.known &= ours  # mails of the worst kind may be taken or refused
        # A server that hides mails owes those that come later; every other owes all.
        case.wanted = ours if behaviour.fails or behaviour.harmless else set(box.items[-2:])
        return case

    def _pull(self, box: MailboxUpstream, cursor: Cursor | None, deadline: float = LATE) -> Haul:
        self._turns += 1
        web = WebOptions(
            allow_hosts=(f"127.0.0.1:{self.server.port}",), pace=0, deadline=deadline, max_bytes=1_000_000,
            shared=str(self._folder / f"pace-{self._turns}"),
        )
        keys = {**box.keys, "port": str(self.server.port)}
        return pull(Order(source="mailbox", query=box.query, cursor=cursor, web=web, keys=keys), datetime.now(UTC))

    def close(self) -> None:
        self.server.close()
