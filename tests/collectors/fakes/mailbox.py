"""An IMAP server on the loopback interface with one mailbox: enough of IMAP4rev1 for a client that only reads."""

from __future__ import annotations

import base64
import mailbox
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import BinaryIO

from collectors.clock import Clock
from collectors.imap import Mail
from collectors.letter import letter_name, letters, to_mention
from collectors.mailbox import MailboxSource
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

USER = "hola@lumbre.example"
IDLE = 2.0
"""Seconds after which a server that nobody connects to ends by itself."""


@dataclass
class Stored:
    """A mail in the folder. `body` None is one of which the server gives no content."""

    uid: int
    received: datetime
    body: bytes | None


class MailboxUpstream(Upstream):
    """A mailbox whose mails never change. Nor does a mail that is deleted unsay anything, so no deletion is told.

    `commands` are what the client said, without its secrets; `denied` is what it hears when it signs in.
    """

    kind = MailboxSource
    over_http = False
    edits = False
    deletes = False
    enough = 120

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.keys = {"host": "127.0.0.1", "tls": "no", "user": USER, "password": SECRET}
        self.query = Query(text="INBOX")
        self.folders: dict[str, list[Stored]] = {"INBOX": []}
        self.validity = 7
        self.capabilities = "IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2"
        self.denied = ""
        self.silent = False
        self.tells_next = True
        self.commands: list[str] = []
        self.signed_in: list[str] = []

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            at = self.moment(together)
            identity = f"{len(self.items) + 1}@cliente.example"
            self.put(letter(f"El café Lumbre número {identity}", at, identity), at)
            self.items.append(identity)

    def put(self, body: bytes, received: datetime = NOW, folder: str = "INBOX") -> None:
        """A mail arrives; numbers go up by two, so that there is room for a mangled one."""
        mails = self.folders.setdefault(folder, [])
        mails.append(Stored(mails[-1].uid + 2 if mails else 2, received, body))

    def source(self, clock: Clock | None = None, deadline: float = 30.0) -> MailboxSource:
        server = socket.create_server(("127.0.0.1", 0))
        port = server.getsockname()[1]
        threading.Thread(target=self._listen, args=(server,), daemon=True).start()
        web = replace(self.web, allow_hosts=(f"127.0.0.1:{port}",), deadline=deadline)
        return MailboxSource(web=web, keys={**self.keys, "port": str(port)}, clock=clock or self.clock)

    def _listen(self, server: socket.socket) -> None:
        server.settimeout(IDLE)
        with server, suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError, ValueError), connection, connection.makefile("rwb") as wire:
            _Session(self, wire).talk()

    def mails(self, folder: str) -> list[Stored]:
        """What lies in a folder, with a mangled mail among the others where one was asked for."""
        mails = self.folders[folder]
        broken = [Stored(mails[0].uid + 1, mails[0].received, None)] if self.mangled and mails else []
        return sorted([*mails, *broken], key=lambda mail: mail.uid)


class _Session:
    """One client's conversation."""

    def __init__(self, box: MailboxUpstream, wire: BinaryIO) -> None:
        self.box = box
        self.wire = wire
        self.folder = ""

    def say(self, line: str) -> None:
        self.wire.write(line.encode() + b"\r\n")
        self.wire.flush()

    def hear(self) -> str:
        return self.wire.readline().decode().rstrip("\r\n")

    def talk(self) -> None:
        self.say("* OK listo")
        while line := self.hear():
            if self.box.silent:
                self.wire.read()  # until the client hangs up
            tag, _, command = line.partition(" ")
            name = command.partition(" ")[0].upper()
            self.box.commands.append("LOGIN" if name == "LOGIN" else command)
            if not self.answer(tag, name, command):
                return

    def answer(self, tag: str, name: str, command: str) -> bool:
        """Whether the conversation goes on."""
        if name == "CAPABILITY":
            self.say(f"* CAPABILITY {self.box.capabilities}")
            self.say(f"{tag} OK hecho")
        elif name in ("AUTHENTICATE", "LOGIN"):
            self.sign_in(tag, command)
        elif name == "EXAMINE":
            self.examine(tag, command)
        elif name == "UID":
            self.by_uid(tag, command)
        elif name == "LOGOUT":
            self.say("* BYE adiós")
            self.say(f"{tag} OK hecho")
            return False
        else:
            self.say(f"{tag} BAD {name}")
        return True

    def sign_in(self, tag: str, command: str) -> None:
        if command.upper().startswith("LOGIN"):
            said = " ".join(re.findall(r'"((?:\\.|[^"\\])*)"', command)).replace("\\", "")
        else:
            self.say("+ ")
            said = base64.b64decode(self.hear()).decode().strip("\0\x01").replace("\0", " ").replace("\x01", " ")
            if self.box.denied and "XOAUTH2" in command:
                self.say("+ " + base64.b64encode(b'{"status":"400"}').decode())
                self.hear()
        self.box.signed_in.append(said)
        self.say(f"{tag} NO {self.box.denied}" if self.box.denied else f"{tag} OK hecho")

    def examine(self, tag: str, command: str) -> None:
        name = command.partition(" ")[2].strip('"')
        if name not in self.box.folders:
            self.say(f"{tag} NO [NONEXISTENT] Unknown Mailbox: {name}")
            return
        self.folder = name
        mails = self.box.folders[name]
        self.say(f"* {len(mails)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.box.validity}]")
        if self.box.tells_next:
            self.say(f"* OK [UIDNEXT {mails[-1].uid + 2 if mails else 2}]")
        self.say(f"{tag} OK [READ-ONLY]")

    def by_uid(self, tag: str, command: str) -> None:
        mails = self.box.mails(self.folder)
        if self.box.befall():
            self.say(f"{tag} NO [UNAVAILABLE] luego")
            return
        if command.upper().startswith("UID SEARCH"):
            found = " ".join(str(mail.uid) for mail in mails if self.is_asked(mail, command, mails))
            self.say(f"* SEARCH {found}".rstrip())
        else:
            asked = {int(uid) for uid in command.split()[2].split(",")}
            self.say("* 1 FETCH (FLAGS (\\Seen))")  # news that nobody asked for
            for number, mail in enumerate(mails, 1):
                if mail.uid in asked:
                    self.fetch(number, mail, command)
        self.say(f"{tag} OK hecho")

    def is_asked(self, mail: Stored, command: str, mails: list[Stored]) -> bool:
        first = int(re.findall(r"UID (\d+):\*", command)[0])
        since = re.search(r"SINCE (\d\d-\w{3}-\d{4})", command)
        day = datetime.strptime(since[1], "%d-%b-%Y").replace(tzinfo=UTC).date() if since else None
        # "n:*" is the last mail where n lies above it (RFC 3501, 6.4.8).
        return (mail.uid >= first or mail is mails[-1]) and (day is None or mail.received.date() >= day)

    def fetch(self, number: int, mail: Stored, command: str) -> None:
        received = f"{mail.received:%d-%b-%Y %H:%M:%S} +0000"
        head = f'* {number} FETCH (INTERNALDATE "{received}" BODY[]<0>'
        if mail.body is None:
            self.say(f"{head} NIL UID {mail.uid})")
            return
        body = mail.body[: int(re.findall(r"<0\.(\d+)>", command)[0])]
        self.wire.write(f"{head} {{{len(body)}}}\r\n".encode() + body)
        self.say(f" UID {mail.uid})")


def letter(text: str, at: datetime, identity: str, **headers: str) -> bytes:
    """A mail as a customer's program sends it."""
    told = {
        "From": "Ana Ruiz <Ana.Ruiz@Cliente.example>", "To": USER, "Subject": "Mi pedido de café",
        "Date": format_datetime(at), "Message-ID": f"<{identity}>", "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"', "Content-Transfer-Encoding": "8bit",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value)
    return f"{head}\r\n{text}\r\n".encode()


def recorded_mails(folder: Path) -> Iterator[Mail]:
    """All recorded mails, alone and in boxes, as a server that got them now would give them."""
    for file in sorted(folder.glob("mailbox/recorded/*.eml")):
        yield Mail(uid=1, received=NOW, body=file.read_bytes())
    for file in sorted(folder.glob("mailbox/recorded/*.mbox")):
        box = mailbox.mbox(file, create=False)
        yield from (Mail(uid=1, received=NOW, body=box.get_bytes(key)) for key in range(len(box)))
        box.close()


def recorded(folder: Path) -> Reading:
    """All recorded mails through the source's own mapping."""
    found = [letter for mail in recorded_mails(folder) for letter in letters(mail)]
    return read_all(found, lambda letter: to_mention(letter, USER, NOW), letter_name)
