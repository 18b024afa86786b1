"""What goes wrong with a mailbox, by name: tricks of its server, and mails of the worst kind."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from io import RawIOBase

from escucha.errors import Refused, SourceError, TryLater
from tests.collectors.fakes.mailbox import letter
from tests.collectors.hostile.mail import GREETING, Trick
from tests.collectors.hostile.server import MOST_SENT, PATIENCE, Behaviour

Act = Callable[[RawIOBase, bytes], None]


def _trick(name: str, at: str, act: Act, error: type[Exception] | None = TryLater, before: bool = False) -> Trick:
    behaviour = Behaviour(name=name, act=lambda talk: None, fails=error is not None, error=error)
    return Trick(behaviour=behaviour, at=at, act=act, before=before)


def say(*lines: bytes) -> Act:
    """Lines in place of the answer; `%` stands for the command's tag."""

    def act(wire: RawIOBase, tag: bytes) -> None:
        wire.write(b"".join(line.replace(b"%", tag) + b"\r\n" for line in lines))

    return act


def silent(wire: RawIOBase, tag: bytes) -> None:
    while wire.read(65_536):
        pass


def close(wire: RawIOBase, tag: bytes) -> None:
    """Hang up."""


def drip(wire: RawIOBase, tag: bytes) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        wire.write(b"x")
        time.sleep(0.05)


def flood(part: bytes) -> Act:
    def act(wire: RawIOBase, tag: bytes) -> None:
        ends, sent = time.monotonic() + PATIENCE, 0
        while time.monotonic() < ends and sent < MOST_SENT:
            wire.write(part)
            sent += len(part)

    return act


def literal(told: int, sent: bytes) -> Act:
    """A mail that is said to have so many bytes."""
    head = b'* 1 FETCH (UID 10 INTERNALDATE "01-Jan-2026 00:00:00 +0000" BODY[]<0> {%d}\r\n' % told

    def act(wire: RawIOBase, tag: bytes) -> None:
        wire.write(head + sent)

    return act


SIGN_IN, EXAMINE, SEARCH, FETCH = "AUTHENTICATE", "EXAMINE", "UID SEARCH", "UID FETCH"
TRICKS = (
    _trick("silence at the greeting", GREETING, silent),
    _trick("hangs up at the greeting", GREETING, close),
    _trick("a greeting that is no IMAP", GREETING, say(b"220 smtp.example ESMTP")),
    _trick("goodbye for a greeting", GREETING, say(b"* BYE too many connections")),
    _trick("a greeting without an end", GREETING, flood(b"x" * 65_536)),
    _trick("a greeting letter by letter", GREETING, drip),
    _trick("silence at the sign-in", SIGN_IN, silent),
    _trick("hangs up at the sign-in", SIGN_IN, close),
    _trick("signs in later", SIGN_IN, say(b"% NO [UNAVAILABLE] Temporary failure")),
    _trick("password refused", SIGN_IN, say(b"% NO [AUTHENTICATIONFAILED] Invalid credentials"), Refused),
    _trick("asks back at the sign-in for ever", SIGN_IN, flood(b"+ \r\n"), SourceError),
    _trick("silence at the folder", EXAMINE, silent),
    _trick("no such folder", EXAMINE, say(b"% NO [NONEXISTENT] Unknown Mailbox"), Refused),
    _trick("folder without a sense", EXAMINE, say(b"* x EXISTS", b"* OK [UIDVALIDITY -1]", b"% BAD what"), SourceError),
    _trick("numbers begin anew", EXAMINE, say(b"* OK [UIDVALIDITY 99]"), None, before=True),
    _trick("silence at the search", SEARCH, silent),
    _trick("hangs up at the search", SEARCH, close),
    _trick("a search that breaks", SEARCH, say(b"% NO [SERVERBUG] Internal error"), SourceError),
    _trick("a search without an end", SEARCH, flood(b"* SEARCH " + b"7 " * 30_000 + b"\r\n")),
    _trick("a line without an end", SEARCH, flood(b"7 " * 30_000)),
    _trick("finds that are no numbers", SEARCH, say(b"* SEARCH x -1 NaN 1e9", b"% OK done"), None),
    _trick("finds of a billion", SEARCH, say(b"* SEARCH 999999999999999999999999", b"% OK done"), None),
    _trick("another's answer", SEARCH, say(b"ZZZZ99 OK done")),
    _trick("silence at the mails", FETCH, silent),
    _trick("hangs up at the mails", FETCH, close),
    _trick("throttled at the mails", FETCH, say(b"% NO [OVERQUOTA] Account exceeded bandwidth limits")),
    _trick("mails refused", FETCH, say(b"% BAD Could not parse command"), SourceError),
    _trick("a mail of a terabyte", FETCH, literal(10**12, b"x")),
    _trick("a mail that breaks off", FETCH, literal(5_000, b"x" * 100)),
    _trick("a mail of less than no bytes", FETCH, literal(-5, b"x\r\n")),
    _trick("mails without an end", FETCH, flood(b"* 1 FETCH (FLAGS ())\r\n" * 2_000)),
    _trick("no mail at all", FETCH, say(b"% OK done"), None),
    _trick("mails of other numbers", FETCH, say(b'* 1 FETCH (UID 4242 BODY[]<0> NIL)', b"% OK done"), None),
    _trick("mails of no form", FETCH, say(b"* 1 FETCH (((", b"* FETCH", b"* 1 FETCH (UID x BODY[] NIL)", b"% OK"),
           None),
)  # fmt: skip


def _mail(name: str, **headers: str) -> bytes:
    return letter(f"El café Lumbre, {name}", datetime.now(UTC), f"{name}@malo.example", **headers)


def _bare(headers: bytes, body: bytes) -> bytes:
    return headers + b"\r\n\r\n" + body


def _nested(depth: int) -> bytes:
    """A multipart within a multipart within a multipart…"""
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number) for number in range(depth)
    )
    inner = b"Content-Type: text/plain\r\n\r\nLumbre"
    return b"From: a@b.example\r\nMessage-ID: <hondo@malo.example>\r\n" + head + inner


@cache
def mails() -> dict[str, bytes]:
    """Mails as the world writes them, and worse."""
    plain = b"From: a@b.example\r\nSubject: Lumbre\r\nMessage-ID: <x%d@malo.example>\r\n"
    return {
        "empty": b"",
        "NUL alone": b"\0" * 5_000,
        "no headers": b"Lumbre, sin cabeceras",
        "headers alone": _mail("solo").partition(b"\r\n\r\n")[0],
        "of 10 MB": _bare(plain % 1, b"Lumbre " * 1_500_000),
        "a header of 200,000 letters": _mail("largo", Subject="x" * 200_000),
        "5,000 headers": _bare(b"\r\n".join([plain.rstrip() % 2, *[b"X-%d: y" % n for n in range(5_000)]]), b"Lumbre"),
        "charset of no name": _mail("juego", Content_Type='text/plain; charset="no-existe"'),
        "UTF-7": _mail("siete", Content_Type='text/plain; charset="utf-7"'),
        "invalid UTF-8": _mail("bytes").replace("é".encode(), b"\xff\xfe"),
        "base64 that is none": _mail("base", Content_Transfer_Encoding="base64"),
        "packing of no name": _mail("x", Content_Transfer_Encoding="x-no-existe"),
        "subject of no code": _mail("asunto", Subject="=?utf-8?Q?=FF=FE?= =?no-existe?B?AAAA?= =?utf-8?B?!!!?="),
        "of year 9999": _mail("nueve", Date="Fri, 31 Dec 9999 23:59:59 +0000"),
        "of year 1": _mail("uno", Date="Mon, 01 Jan 0001 00:00:00 +0000"),
        "of 1970": _mail("setenta", Date="Thu, 01 Jan 1970 00:00:00 +0000"),
        "of no zone": _mail("zona", Date="Thu, 01 Jan 2026 00:00:00"),
        "of +99:99": _mail("mas", Date="Thu, 01 Jan 2026 00:00:00 +9999"),
        "in words": _mail("palabras", Date="mañana por la tarde"),
        "no id": _mail("sin", Message_ID=""),
        "an id of another mail": letter("El café Lumbre, otro", datetime.now(UTC), "1@cliente.example"),
        "an id of 100,000 letters": letter("El café Lumbre", datetime.now(UTC), "x" * 100_000),
        "senders without an end": _mail("muchos", From=", ".join(f"a{n}@b.example" for n in range(5_000))),
        "a sender of no form": _mail("forma", From="<<<@@@>>>;;; \"", To="\0"),
        "parts without a boundary": _mail("partes", Content_Type="multipart/mixed"),
        "200 parts deep": _nested(200),
        "2,000 parts deep": _nested(2_000),
        "HTML of nothing but tags": _mail("html", Content_Type="text/html") + b"<div>" * 20_000,
        "quotes without an end": _mail("citas") + b"> " * 50_000 + b"\r\nOn 1 May, Ana wrote:" * 500,
        "scripts": _mail("guion", Subject="<script>alert(1)</script>\u202e", Content_Type="text/html"),
        "a header with a line break": _mail("salto", Subject="a\rb: c\nd"),
    }  # fmt: skip
