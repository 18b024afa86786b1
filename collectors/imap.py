"""A mail folder, read over IMAP: nothing in it is changed, not even marked as read."""

from __future__ import annotations

import base64
import imaplib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
import httpx

from collectors.clock import WALL, Clock
from collectors.guard import GuardedBackend
from escucha.errors import Refused, SourceError, TryLater

MOST_BYTES = 262_144
"""Of each mail so many bytes are fetched: its words come first, its attachments after them."""
BATCH = 50
"""Mails that are fetched together."""
CHUNK = 65_536
_LATER = re.compile(
    r"unavailable|throttled|\[limit|\[inuse|overquota|too many|try again|temporar|bandwidth|exceeded|server busy", re.I
)
_APP_PASSWORD = re.compile(r"application-specific|app password|web ?login|webalert|basic auth|less secure", re.I)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a mailbox is and how it may be reached: see WebOptions for `deadline`, `max_bytes` and `allow_hosts`.

    The deadline is for signing in, and again for each batch of mails.
    """

    host: str
    port: int = 993
    tls: bool = True
    allow_hosts: tuple[str, ...] = ()
    deadline: float = 30.0
    max_bytes: int = 5_000_000
    clock: Clock = WALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who signs in: with a password, or with an access token in its place."""

    user: str
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as it lies in its folder: when the server got it, and its bytes (None: it came without any)."""

    uid: int
    received: datetime | None
    body: bytes | None


class Folder:
    """An opened folder. `validity` changes when its numbers (`uid`) begin anew; `last` is the highest it gave out."""

    def __init__(self, connection: _Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self.validity = self._told("UIDVALIDITY") or 0
        self.last = (self._told("UIDNEXT") or 1) - 1

    def _told(self, name: str) -> int | None:
        _, values = self._connection.response(name)
        said = values[0] if values else None
        return int(said) if isinstance(said, bytes) and said.isdigit() else None

    def uids(self, after: int, since: datetime | None) -> list[int]:
        """The mails with a higher number, oldest first; `since` leaves out those that came before that day."""
        asked = ["UID", f"{after + 1}:*"]
        if since is not None:
            asked += ["SINCE", f"{since.day:02}-{_MONTHS[since.month - 1]}-{since.year}"]
        with _translated(self._connection.door):
            self._connection.renew()
            answer, lines = self._connection.uid("SEARCH", *asked)
        self._check(answer, lines)
        found = [int(word) for line in lines if isinstance(line, bytes) for word in line.split() if word.isdigit()]
        return sorted({uid for uid in found if uid > after})  # "n:*" names the last one even if it is below n

    def mails(self, uids: Sequence[int]) -> list[Mail]:
        """The mails of those numbers that still exist, in order."""
        with _translated(self._connection.door):
            self._connection.renew()
            answer, parts = self._connection.uid(
                "FETCH", ",".join(map(str, uids)), f"(UID INTERNALDATE BODY.PEEK[]<0.{MOST_BYTES}>)"
            )
        self._check(answer, parts)
        found = {mail.uid: mail for mail in _mails(parts)}
        if not found and len(uids) > 1:  # one may have been deleted meanwhile; not all of several
            raise TryLater("The answer of {host} cannot be read. Nothing is lost: the watch goes on by itself.",
                           host=self._connection.door.host)
        return [found[uid] for uid in uids if uid in found]

    def _check(self, answer: str, said: Iterable[object]) -> None:
        if answer != "OK":
            raise _trouble(self._connection.door.host, _words(said))


@contextmanager
def opened(door: Door, login: Login, folder: str) -> Iterator[Folder]:
    """Sign in and open a folder to read it only.

    Raises:
        TryLater: the server is down, too slow, or asks for patience.
        Refused: it does not let us in, has no such folder, or lies in a private network.
    """
    connection: _Connection | None = None
    try:
        with _translated(door):
            connection = _Connection(door)
            _sign_in(connection, login)
            answer, said = connection.select(_quoted(_utf7(folder)), readonly=True)
        if answer != "OK":
            raise _no_folder(door.host, folder, _words(said))
        yield Folder(connection, folder)
    finally:
        if connection is not None:
            with suppress(imaplib.IMAP4.error, httpcore.TimeoutException, httpcore.NetworkError, OSError):
                connection.logout()
            connection.shutdown()


class _Connection(imaplib.IMAP4):
    """The standard client over the guarded network: it connects to the address that was checked, in bounded time."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._ends = 0.0
        self._read = b""
        self._stream: httpcore.NetworkStream | None = None
        self.renew()
        try:
            super().__init__(door.host, door.port)
        except BaseException:
            self.shutdown()
            raise

    def renew(self) -> None:
        """The deadline, and what one command may bring, begin anew."""
        self._ends = self.door.clock.monotonic() + self.door.deadline
        self._room = BATCH * MOST_BYTES + self.door.max_bytes

    def _left(self) -> float:
        seconds = self._ends - self.door.clock.monotonic()
        if seconds <= 0:
            raise httpcore.ReadTimeout("deadline")
        return seconds

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:  # noqa: ARG002
        """Connect (the standard client calls this)."""
        stream = GuardedBackend(self.door.allow_hosts, self._left).connect_tcp(host, port)
        self._stream = stream.start_tls(httpx.create_ssl_context(trust_env=False), host) if self.door.tls else stream

    def read(self, size: int) -> bytes:
        """So many bytes."""
        self._fill(lambda: len(self._read) >= size, size)
        return self._take(size)

    def readline(self) -> bytes:
        """A line with its end."""
        self._fill(lambda: b"\n" in self._read, self.door.max_bytes)
        return self._take(self._read.index(b"\n") + 1)

    def _fill(self, enough: Callable[[], bool], most: int) -> None:
        if most > self.door.max_bytes:
            raise self.abort("too long")
        while not enough():
            if len(self._read) > most or self._stream is None:
                raise self.abort("too long")
            chunk = self._stream.read(CHUNK)
            self._room -= len(chunk)
            if not chunk or self._room < 0:
                raise self.abort("the end")
            self._read += chunk

    def _take(self, size: int) -> bytes:
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def send(self, data: Any) -> None:
        """Send bytes."""
        if self._stream is None:
            raise self.abort("closed")
        self._stream.write(bytes(data))

    def shutdown(self) -> None:
        """Close the connection."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _sign_in(connection: _Connection, login: Login) -> None:
    try:
        if login.token:
            said = iter([f"user={login.user}\x01auth=Bearer {login.token}\x01\x01".encode()])
            connection.authenticate("XOAUTH2", lambda _: next(said, b""))  # a refusal is asked about once: say nothing
        elif "AUTH=PLAIN" in connection.capabilities:
            connection.authenticate("PLAIN", lambda _: f"\0{login.user}\0{login.password}".encode())
        else:
            connection.login(_quoted(login.user), login.password)
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, UnicodeError) as error:
        raise _not_let_in(connection.door.host, _words(error.args), bool(login.token)) from None


def _not_let_in(host: str, said: str, by_token: bool) -> SourceError:
    if _LATER.search(said):
        return _trouble(host, said)
    if by_token:
        return Refused(
            "{host} did not accept the access to this mailbox. Sign in again with its provider, enter the new token "
            "and resume the watch.",
            host=host,
        )
    if _APP_PASSWORD.search(said):
        return Refused(
            "{host} wants an app password for this mailbox, not the one you sign in with. Create one in the security "
            "settings of the account and enter it; with Microsoft 365 use a token.",
            host=host,
        )
    return Refused(
        "{host} did not accept the user or the password. With Gmail and most others an app password is needed: create "
        "one in the security settings of the account, enter it and resume the watch.",
        host=host,
    )


def _no_folder(host: str, folder: str, said: str) -> SourceError:
    if _LATER.search(said):
        return _trouble(host, said)
    return Refused(
        "The mailbox at {host} has no folder {folder}. Write its name as the mail program shows it, with the folders "
        "it lies in: INBOX, or Quejas/2026.",
        host=host, folder=folder,
    )


def _trouble(host: str, said: str) -> TryLater:
    limited = re.search(r"throttled|\[limit|overquota|too many|bandwidth|exceeded", said, re.I)
    return TryLater(
        "The mail server {host} asks for patience. Nothing is lost: the watch goes on by itself.",
        host=host, after=900.0 if limited else None,
    )


@contextmanager
def _translated(door: Door) -> Iterator[None]:
    """Turn the client's and the network's errors into ours; the server's words are left out, as they may quote us."""
    try:
        yield
    except httpcore.TimeoutException:
        raise TryLater(
            "{host} did not answer within {seconds} seconds. Nothing is lost: the watch goes on by itself.",
            host=door.host, seconds=door.deadline,
        ) from None
    except httpcore.ConnectError:
        raise TryLater(
            "{host} cannot be reached. Check that the address is right; if it is, the watch goes on by itself.",
            host=door.host,
        ) from None
    except (imaplib.IMAP4.error, httpcore.NetworkError, OSError) as error:
        raise _broken(door.host, _words(error.args)) from None


def _broken(host: str, said: str) -> TryLater:
    if _LATER.search(said):
        return _trouble(host, said)
    return TryLater("The answer of {host} broke off. Nothing is lost: the watch goes on by itself.", host=host)


def _words(said: Iterable[object]) -> str:
    return " ".join(part.decode(errors="replace") if isinstance(part, bytes) else str(part) for part in said)


def _mails(parts: Iterable[object]) -> Iterator[Mail]:
    """The mails of a FETCH answer: a tuple (what stands before the bytes, the bytes), then what stands after them."""
    open_mail: tuple[str, bytes | None] | None = None
    for part in parts:
        if isinstance(part, tuple):
            yield from _mail(open_mail)
            open_mail = (_words(part[:1]), part[1])
        elif isinstance(part, bytes):
            if re.match(rb"\d+ \(", part):
                yield from _mail(open_mail)
                open_mail = (_words([part]), None)
            elif open_mail is not None:
                open_mail = (f"{open_mail[0]} {_words([part])}", open_mail[1])
    yield from _mail(open_mail)


def _mail(told: tuple[str, bytes | None] | None) -> Iterator[Mail]:
    uid = re.search(r"\bUID (\d+)", told[0]) if told else None
    if told is None or uid is None or "BODY[" not in told[0].upper():
        return  # the server's own news of a mail's flags
    received = re.search(r'INTERNALDATE "([^"]+)"', told[0])
    yield Mail(uid=int(uid[1]), received=_moment(received[1]) if received else None, body=told[1])


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _utf7(name: str) -> str:
    """A folder's name as IMAP writes it (RFC 3501, 5.1.3): Campañas is Campa&APE-as."""

    def packed(found: re.Match[str]) -> str:
        if found[0] == "&":
            return "&-"
        return f"&{base64.b64encode(found[0].encode('utf-16-be')).decode().rstrip('=').replace('/', ',')}-"

    return re.sub(r"&|[^\x20-\x7e]+", packed, name)
