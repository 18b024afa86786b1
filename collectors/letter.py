"""A mail as a mention, without the addresses of people; and a Google Alert as the articles that it links to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr, parsedate_to_datetime
from hashlib import sha256
from typing import Any

from collectors.alerts import Article, articles_in
from collectors.imap import Mail
from collectors.markup import language
from collectors.reply import own_words, own_words_in
from escucha.admission import is_future
from escucha.errors import Unreadable
from escucha.mention import Author, Mention

SOURCE = "mailbox"
ALERTS = "googlealerts-noreply@google.com"
FIRST_MAIL = datetime(1990, 1, 1, tzinfo=UTC)
"""What claims to be older has a clock that was never set."""
LONGEST_HEADER = 2_000
"""Characters of a header: the standard parser takes time by the square of that."""
MOST_PARTS = 1_000
MOST_WORK = 2_000_000
"""Lines of a mail by its parts within parts: each line is compared with the ends of all of them."""
MANGLED = (
    MessageError, LookupError, ValueError, TypeError, AttributeError, AssertionError, OverflowError, RecursionError,
)
"""What the standard parser raises on mails as the world writes them (UnicodeError is a ValueError)."""

_AUTOMATIC = re.compile(
    r"(auto(matic)?[- ]?(response|reply)|out of (the )?office|respuesta automática|fuera de (la )?oficina|"
    r"resposta automática|fora do escritório)\b[^:]{0,20}:", re.I
)  # fmt: skip
_CONTENT = re.compile(rb"(?im)^(content-[a-z-]{1,40}:[^\n]*+(?:\n[ \t][^\n]*+)*+)")
_PART = re.compile(rb"boundary", re.I)
_BLANK = re.compile(rb"\r?\n\r?\n")
_SPACED = re.compile(rb"^([!-9;-~]+)[ \t]+:")
_HEADER_LINE = re.compile(rb"[!-9;-~]+:|[ \t]")
_IDS = re.compile(r"<([^<>]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail, parsed; or, of a Google Alert, one article in it."""

    mail: Mail
    message: EmailMessage
    article: Article | None = None

    @property
    def is_alert(self) -> bool:
        """Whether Google Alerts sent it."""
        return sender(self.message)[1] == ALERTS


def letters(mail: Mail) -> Iterator[Letter]:
    """The mail, or each article of a Google Alert. Never raises: what is wrong with a mail shows when it is mapped."""
    try:
        message = _parsed(_mended(mail.body or b""))
    except MANGLED:
        yield Letter(mail=replace(mail, body=None), message=EmailMessage())
        return
    letter = Letter(mail=mail, message=message)
    articles = articles_in(_part(message, "html"), _part(message, "plain")) if letter.is_alert else []
    yield from [Letter(mail=mail, message=message, article=article) for article in articles] or [letter]


def _parsed(body: bytes) -> EmailMessage:
    """The mail. Raises ValueError for one that is nested in a way that only an attack is."""
    bounds = len(_PART.findall(body))
    if bounds * body.count(b"\n") > MOST_WORK or (bounds and body.count(b"\n--") > MOST_PARTS):
        raise ValueError("nested")
    return message_from_bytes(body, policy=default)


def letter_name(letter: Letter) -> str:
    """How a refused mail is named to a person: its number in the folder."""
    return f"mail {letter.mail.uid}"


def letter_raw(letter: Letter) -> dict[str, Any]:
    """What is kept of a mail beside its words: no address of a person, neither writer nor reader."""
    kept = {
        "uid": letter.mail.uid, "message_id": header(letter.message, "Message-ID"),
        "in_reply_to": _answered(letter.message), "date": header(letter.message, "Date"),
        "received": letter.mail.received.isoformat() if letter.mail.received else None,
    }
    return {name: value for name, value in kept.items() if value}


def to_mention(letter: Letter, own: str, now: datetime) -> Mention | None:
    """Map a mail; None for what a machine answered, and for what was written from the mailbox itself (`own`).

    Raises:
        Unreadable: the mail has no content that can be read, or no date.
    """
    if letter.mail.body is None:
        raise Unreadable("This mail cannot be read. Open it in your mail program to see what is wrong with it.")
    if letter.is_alert:
        return _to_article(letter, now)
    message = letter.message
    name, address = sender(message)
    if is_automatic(message) or (own and address == own.strip().lower()):
        return None
    text, written = words(message), _written(letter, now)
    return Mention(
        source=SOURCE,
        source_id=_identity(message, address, written, text),
        kind="message",
        title=header(message, "Subject") or None,
        text=text,
        lang=language(header(message, "Content-Language").partition(",")[0]),
        created_at=written,
        author=_author(name, address),
        parent_id=_answered(message),
        raw=letter_raw(letter),
    )


def _to_article(letter: Letter, now: datetime) -> Mention:
    article = letter.article
    if article is None:
        raise Unreadable("No links were found in this mail of Google Alerts. It may be a notice, or have a new form.")
    publisher = article.publisher
    return Mention(
        source=SOURCE,
        source_id=article.url,
        kind="article",
        title=article.title,
        text=article.text,
        url=article.url,
        created_at=_written(letter, now),
        author=Author(id=publisher, handle=publisher, name=publisher) if publisher else None,
        raw={**letter_raw(letter), "alert": header(letter.message, "Subject")},
    )


def header(message: EmailMessage, name: str) -> str:
    """The first header of that name as text on one line; empty where there is none.

    Headers in raw bytes are read as UTF-8, or as what old programs write; what the parser cannot take is kept as is.
    """
    return _decoded(_raw(message, name))


def _raw(message: EmailMessage, name: str) -> str:
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    if any("\ud800" <= character <= "\udfff" for character in raw):
        raw = _text(raw.encode("utf-8", "surrogateescape"))
    return " ".join(raw[:LONGEST_HEADER].split())


def _decoded(raw: str) -> str:
    try:
        parts = decode_header(raw)
    except MANGLED:
        return raw
    said = "".join(part if isinstance(part, str) else _text(part, charset) for part, charset in parts)
    return " ".join(said.split())


def sender(message: EmailMessage) -> tuple[str, str]:
    """The name and the lower-case address of the writer; empty where it tells none."""
    try:  # decoded only afterwards: a name may hold what looks like an address
        name, address = parseaddr(_raw(message, "From"))
    except MANGLED:
        return "", ""
    return _decoded(name), address.strip().lower()


def is_automatic(message: EmailMessage) -> bool:
    """Whether a machine wrote it: an auto-reply, a bounce, or bulk mail."""
    said = header(message, "Auto-Submitted").lower()
    return (
        (bool(said) and not said.startswith("no"))
        or any(header(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))
        or header(message, "Precedence").lower() in ("bulk", "junk", "auto_reply")
        or header(message, "Content-Type").lower().startswith("multipart/report")
        or header(message, "Return-Path") == "<>"
        or bool(_AUTOMATIC.match(header(message, "Subject")))
    )


def words(message: EmailMessage) -> str:
    """What the writer says themselves: from the plain text, or else from the HTML."""
    text = own_words(_part(message, "plain"))
    return text or own_words_in(_part(message, "html"))


def _part(message: EmailMessage, kind: str) -> str:
    """The first body of a kind, whatever its charset claims to be."""
    try:
        found = message.get_body((kind,))
    except MANGLED:
        return ""
    if not isinstance(found, EmailMessage):
        return ""
    try:
        text = found.get_content()
    except MANGLED:  # a charset that nobody knows
        return _text(_bytes(found))
    return text if isinstance(text, str) and "\ufffd" not in text else _text(_bytes(found))


def _bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _text(body: bytes, charset: str | None = None) -> str:
    for name in (charset or "utf-8", "utf-8"):
        try:
            return body.decode(name)
        except (LookupError, UnicodeError):
            continue
    return body.decode("cp1252", "replace")


def _mended(body: bytes) -> bytes:
    """With headers that the standard parser takes: else it ends them early, and addresses in them count as words.

    Goes: the line "From ana@x Mon Nov 7 …" of mail programs, blanks before a colon, and lines that are no headers.
    """
    end = _BLANK.search(body)
    head, rest = (body[: end.start()], body[end.start() :]) if end else (body, b"")
    lines = [_SPACED.sub(rb"\1:", line) for line in head.splitlines(keepends=True)]
    whole = b"".join(line for line in lines if _HEADER_LINE.match(line)) + rest
    return _CONTENT.sub(lambda found: found[0][:LONGEST_HEADER], whole)


def _written(letter: Letter, now: datetime) -> datetime:
    """When it was written; where the mail tells nothing sensible, when the server got it."""
    received = letter.mail.received
    told = _date(header(letter.message, "Date"))
    latest = received + timedelta(days=1) if received else None
    if told and told >= FIRST_MAIL and not is_future(told, now) and (latest is None or told <= latest):
        return told
    if received is None:
        raise Unreadable("This mail has no date. It is skipped.")
    return received


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except MANGLED:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _identity(message: EmailMessage, address: str, written: datetime, text: str) -> str:
    """The Message-ID without its brackets, else a hash of what does not change."""
    own = header(message, "Message-ID").strip("<> ")
    if own:
        return own
    told = "\n".join((address, written.isoformat(), header(message, "Subject"), text))
    return sha256(told.encode(errors="replace")).hexdigest()[:32]


def _answered(message: EmailMessage) -> str | None:
    found = _IDS.search(header(message, "In-Reply-To"))
    return found[1].strip() or None if found else None


def _author(name: str, address: str) -> Author | None:
    """The writer by a fingerprint of the address: the same person is known again, and cannot be written to."""
    if not address:
        return None
    mark = sha256(f"{SOURCE}:{address}".encode(errors="replace")).hexdigest()
    shown = name if name and "@" not in name else None
    return Author(id=mark, handle=shown or mark[:12], name=shown)
