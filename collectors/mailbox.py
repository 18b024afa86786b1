"""A mailbox: the mails that customers write to it, and the articles that Google Alerts sends there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx

from collectors.bookmark import bookmark, notes_of
from collectors.clock import WALL, Clock
from collectors.http import Web, WebOptions
from collectors.imap import BATCH, Door, Folder, Login, Mail, opened
from collectors.letter import Letter, letter_name, letter_raw, letters, to_mention
from collectors.mail_access import access_token
from collectors.pace import pace_at
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.errors import Refused
from escucha.mention import Mention
from escucha.note import Note
from escucha.source import Credential, Cursor, Page, SourceFacts, Span
from escucha.text import mentions_any

FIRST = timedelta(days=30)
RUN_BATCHES = 20
"""A run reads 1,000 mails; what is left is read by the next, which follows at once."""
PORT = 993


class MailboxSource:
    """Reads a folder over IMAP by the numbers that its server gives to mails, read-only and without marking them."""

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="mailbox",
        title="Mailbox (IMAP)",
        own=True,
        query_hint="INBOX",
        query_about=Note("The folder to read, as your mail program shows it; empty means the inbox."),
        access="own key",
        needs=Note(
            "A mailbox of your own with IMAP switched on, best one for customers' mail alone. With Gmail and most "
            "others an app password; with Microsoft 365 a token. No cost."
        ),
        keeps=Note(
            "Mails are private: keep them no longer than your privacy notice says. Addresses are never stored, only a "
            "fingerprint of them; quoted mails and signatures are cut off."
        ),
        blind=Note(
            "Attachments, other folders, and how many people somebody reaches. A mail that you delete in the mailbox "
            "stays here: tidying up unsays nothing. To forget a person, erase their mentions here."
        ),
        reach=Note("Everything that is still in the folder; a new watch begins 30 days back."),
        needs_credentials=(
            Credential(name="host", about=Note("The mail server, like imap.gmail.com."), secret=False, leads=True),
            Credential(name="user", about=Note("The mailbox's address, or the name that you sign in with."),
                       secret=False),
            Credential(name="password", about=Note("The app password. Leave it empty where you use a token."),
                       optional=True),
            Credential(name="token", about=Note("An access token (XOAUTH2) in place of the password; it lives an hour "
                                                "or so. Better enter a refresh token."), optional=True),
            Credential(name="refresh_token", about=Note("The refresh token of Google or Microsoft, with the app's id "
                                                        "and secret."), optional=True),
            Credential(name="client_id", about=Note("The id of your app at Google or Microsoft."), secret=False,
                       optional=True),
            Credential(name="client_secret", about=Note("The secret of your app at Google or Microsoft."),
                       optional=True),
            Credential(name="tenant", about=Note("Microsoft 365 alone: your organisation's id or domain, where the app "
                                                 "signs in by itself."), secret=False, optional=True),
        ),
        fastest=60,
    )  # fmt: skip

    def __init__(
        self,
        *,
        web: WebOptions,
        keys: Mapping[str, str],
        transport: httpx.BaseTransport | None = None,
        clock: Clock = WALL,
    ) -> None:
        self._options = web
        self._keys = dict(keys)
        self._transport = transport
        self._clock = clock

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        """Mails with a higher number than the cursor's, 50 a page. Numbers that began anew are read from the start.

        Raises:
            TryLater, Refused: the server cannot be reached, or does not let us read the folder.
        """
        name, door = folder_of(query.text), self._door()
        login = self._login(door.host)
        pace_at(self._options.shared).wait(door.host, self._options.pace, self._clock)
        with opened(door, login, name) as folder:
            notes = notes_of(query, cursor)
            known = notes if notes.get("validity") == folder.validity else {}
            yield from self._read(query, folder, known)

    def _read(self, query: Query, folder: Folder, notes: Mapping[str, Any]) -> Iterator[Page]:
        now, uid = self._clock.now(), int(notes.get("uid", 0))
        begun = datetime.fromisoformat(notes["since"]) if "since" in notes else query.since or now - FIRST
        first = not notes or "since" in notes
        left = folder.uids(uid, begun if first else None)
        start = begun if first else datetime.fromisoformat(notes["read_at"])
        under_way = {"since": begun.isoformat()} if first else {"read_at": notes["read_at"]}
        for batch in range(1, RUN_BATCHES + 1):
            asked, left = left[:BATCH], left[BATCH:]
            mails = folder.mails(asked) if asked else []
            if left:
                place: dict[str, Any] = {"uid": asked[-1], **under_way}
            else:
                highest = max([uid, folder.last, *asked])
                place = {"uid": highest, "read_at": now.isoformat(), **({} if highest else under_way)}
            kept = bookmark(query, validity=folder.validity, **place)
            more = bool(left) and batch == RUN_BATCHES
            yield self._page(query, mails, kept, more, None if left else Span(min(start, now), now))
            if not left:
                return

    def _page(self, query: Query, mails: Sequence[Mail], cursor: Cursor, more: bool, covers: Span | None) -> Page:
        found = [letter for mail in mails for letter in letters(mail)]

        def read(letter: Letter) -> Mention | None:
            mention = to_mention(letter, self._keys.get("user", ""), self._clock.now())
            if mention is None:
                return None
            mention = admit(mention, self._clock.now())
            return mention if mentions_any(f"{mention.title or ''} {mention.text}", query.terms) else None

        mentions, refusals = admit_all(found, read, letter_name, letter_raw)
        unique = {mention.source_id: mention for mention in mentions}
        passed = len(found) - len(mentions) - len(refusals)
        return Page(
            mentions=tuple(unique.values()), refusals=refusals, passed=passed, cursor=cursor, more=more, covers=covers
        )

    def _door(self) -> Door:
        """Where the mailbox is. Without TLS only where an administrator opened that very host and port."""
        host, port = self._key("host").strip(), self._keys.get("port", "").strip() or str(PORT)
        if not port.isdigit() or not 0 < int(port) < 65_536 or any(not c.isprintable() or c in "/ @" for c in host):
            raise Refused("{host} is no mail server. Write its name alone, like imap.gmail.com.", host=host)
        tls = self._keys.get("tls") != "no"
        if not tls and f"{host}:{port}" not in self._options.allow_hosts:
            raise Refused(
                "Mail is only read over an encrypted connection. An administrator can make an exception for {host}:"
                "{port} in web.allow_hosts.",
                host=host, port=port,
            )
        return Door(
            host=host, port=int(port), tls=tls, allow_hosts=self._options.allow_hosts, clock=self._clock,
            deadline=self._options.deadline, max_bytes=self._options.max_bytes,
        )

    def _login(self, host: str) -> Login:
        user = self._key("user")
        web = Web(
            self._options, clock=self._clock, transport=self._transport, credential=self._keys.get("refresh_token", "")
        )
        token = access_token(host, self._keys, web)
        login = Login(user=user, token=token, password="" if token else self._key("password"))
        if not all(part.isprintable() for part in (login.user, login.password, login.token)):
            raise Refused("The user or password of the mailbox holds a line break or the like. Enter it again.")
        return login

    def _key(self, name: str) -> str:
        """A credential that the source cannot do without. Raises Refused, saying which is missing."""
        value = self._keys.get(name, "")
        if not value:
            raise Refused(
                "{source} needs {name}. Enter it on the page Sources, or in the settings as keys.{key}.{name}.",
                source=self.facts.title, key=self.facts.name, name=name,
            )
        return value


def folder_of(text: str) -> str:
    """The folder that a query names; INBOX where it names none.

    Raises:
        Refused: it cannot be a folder's name.
    """
    name = text.strip() or "INBOX"
    if not name.isprintable() or len(name) > 200:
        raise Refused("{text} is no folder of a mailbox. Write its name, like INBOX or Quejas/2026.", text=name[:60])
    return name
