"""Webhook: surveys, helpdesks and automations (Zapier, Make, n8n) send us what people say, at an address of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collectors.dates import read_count, read_moment, read_rating
from collectors.http import WebOptions
from collectors.mapping import EXAMPLE, Cells, OwnShape, Shape, read_mapping
from collectors.signature import verify
from collectors.typeform import TypeformShape
from escucha.admission import admit, admit_all
from escucha.brand import Query
from escucha.errors import ConfigError, Invalid, Refused, Unreadable
from escucha.mention import KINDS, Author, Engagement, Kind, Mention
from escucha.note import Note
from escucha.source import Credential, Cursor, Delivery, Page, SourceFacts
from escucha.text import mentions_any

MAX_BODY = 1_000_000
"""Bytes of one delivery."""
MAX_ITEMS = 1000
"""Items of one delivery."""
MAX_DEPTH = 32
"""Lists and objects inside each other."""
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_SUFFIXED = re.compile(r"application/\S+\+json")

Item = tuple[int, Any]
"""An item with its number in its delivery, from 1."""


class WebhookSource:
    """Is not asked: what is sent is checked (collectors.signature) and read (collectors.mapping).

    `keys` hold `secret`, `secret_before` (still valid while the senders change over) and `timezone` (of times without
    one). The query's text says how deliveries are made: `generic`, `typeform`, or a mapping.
    """

    facts: ClassVar[SourceFacts] = SourceFacts(
        name="webhook",
        title="Webhook",
        query_hint="generic",
        query_about=Note(
            "What is sent: “generic” for our own field names (Zapier, Make and n8n can use them), “typeform”, or a "
            "mapping that says where each field is."
        ),
        needs=Note("A secret that you enter both here and where deliveries come from. Nothing is paid."),
        keeps=Note("What you send, as long as your own rules allow: people who answered a survey were told for what."),
        blind=Note("Everything that is not sent. A deletion is noticed only where the sender says so."),
        reach=Note("From the first delivery on; the past only if the sender sends it again."),
        needs_credentials=(
            Credential(name="secret", about=Note("The secret that signs deliveries; the same as at the sender.")),
            Credential(
                name="secret_before", optional=True,
                about=Note("The secret before, still accepted while you enter the new one at the senders."),
            ),
            Credential(
                name="timezone", secret=False, optional=True,
                about=Note("The time zone of times sent without one, like America/Mexico_City; else UTC."),
            ),
        ),
        pushed=True,
        followers_in_answer="yes",
    )

    def __init__(self, *, web: WebOptions, keys: Mapping[str, str]) -> None:  # noqa: ARG002 (it asks nobody)
        self._keys = dict(keys)

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 (there is nothing to ask)
        """Nothing: it is sent to. Raises Refused where the query's text does not say what is sent."""
        read_shape(query.text)
        return iter(())

    def receive(self, query: Query, delivery: Delivery) -> Page:
        """The mentions in a delivery, those told deleted in `gone`; the same delivery gives the same ids again.

        Raises:
            Refused: the signature does not fit.
            Invalid: it is too large, no JSON, or of another form than the query says.
            ConfigError: the query or the time zone is off, which is not the sender's fault.
        """
        if len(delivery.body) > MAX_BODY:
            raise too_large()
        verify(delivery, (self._keys.get("secret", ""), self._keys.get("secret_before", "")))
        shape, zone = self._plan(query)
        items = list(enumerate(shape.items(read_document(delivery)), 1))
        if len(items) > MAX_ITEMS:
            raise Invalid("The delivery holds {count} items; at most {limit} go in one. Split it.", count=len(items),
                          limit=MAX_ITEMS)
        return Reader(shape, zone, query, delivery).page(items)

    def _plan(self, query: Query) -> tuple[Shape, ZoneInfo]:
        try:
            return read_shape(query.text), ZoneInfo(self._keys.get("timezone") or "UTC")
        except Refused as error:
            raise ConfigError(error.message, **error.details) from None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError("There is no time zone {zone}. Write one like America/Mexico_City.",
                              zone=self._keys["timezone"]) from None


def read_shape(text: str) -> Shape:
    """How deliveries are made, as a query's text says it. Raises Refused, with an example."""
    words = text.split()
    if text.strip().startswith("{"):
        return read_mapping(text)
    if words and words[0].lower() == "typeform":
        return TypeformShape(only=frozenset(words[1:]))
    if words and words[0].lower() == "generic" and len(words) <= 2:
        return OwnShape(prefix=words[1] if len(words) == 2 else "")
    raise Refused(
        "A hook does not know {text}. Write generic (or generic and a name of one word, where there are several), "
        "typeform, or a mapping such as {example}",
        text=text[:60] or "…", example=EXAMPLE,
    )


def too_large() -> Invalid:
    """What a delivery above the bound is told."""
    return Invalid("The delivery has more than {limit} bytes. Split it into smaller ones.", limit=MAX_BODY)


def wrong_kind(content_type: str) -> Invalid | None:
    """What a delivery of another kind than JSON is told, or None where it is JSON or JSON lines."""
    kind = _media_type(content_type)
    if kind in ("application/json", "text/json", *LINES) or _SUFFIXED.fullmatch(kind):
        return None
    return Invalid("The delivery is {kind}. Send JSON, with the header Content-Type: application/json.",
                   kind=kind[:60] or "…")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def read_document(delivery: Delivery) -> Any:
    """The JSON of a delivery; JSON lines become a list. Raises Invalid."""
    kind = delivery.headers.get("content-type", "")
    wrong = wrong_kind(kind)
    if wrong is not None:
        raise wrong
    try:
        text = delivery.body.decode("utf-8-sig")
        if _media_type(kind) in LINES:
            document = [json.loads(line, parse_constant=_no_number) for line in text.split("\n") if line.strip()]
        else:
            document = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Invalid("The delivery cannot be read as JSON in UTF-8. Check its body, and send it again.") from None
    if _is_deep(document):
        raise Invalid("The delivery nests more than {limit} lists and objects. Send a flatter one.", limit=MAX_DEPTH)
    return document


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _is_deep(document: Any) -> bool:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [part for value in level for part in _inside(value)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Sequence[Any]:
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [part for part in parts if isinstance(part, Mapping | list)]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the items of one delivery."""

    shape: Shape
    zone: ZoneInfo
    query: Query
    delivery: Delivery

    def page(self, items: Sequence[Item]) -> Page:
        """The page of a delivery: each item passes the gate or is refused alone."""
        gone: dict[str, None] = {}
        passed = 0

        def read(item: Item) -> Mention | None:
            nonlocal passed
            cells = self.shape.cells(item[1])
            if cells is not None and _is_deleted(cells):
                gone[self._identity(item, cells)] = None
                return None
            mention = admit(self._mention(item, cells), self.delivery.at) if cells is not None else None
            if mention is not None and mentions_any(f"{mention.title or ''} {mention.text}", self.query.terms):
                gone.pop(mention.source_id, None)  # what is sent again after its deletion is there again
                return mention
            passed += 1
            return None

        mentions, refusals = admit_all(items, read, _name, lambda item: self.shape.raw(item[1]))
        unique = {mention.source_id: mention for mention in mentions if mention.source_id not in gone}
        return Page(mentions=tuple(unique.values()), refusals=refusals, passed=passed, gone=tuple(gone))

    def _mention(self, item: Item, cells: Cells) -> Mention:
        rating = _rating(cells)
        return Mention(
            source="webhook",
            source_id=self._identity(item, cells),
            text=_text(cells, "text"),
            title=_text(cells, "title") or None,
            created_at=self._moment(cells, "created_at") or self.delivery.at,
            edited_at=self._moment(cells, "edited_at"),
            kind=_kind(cells, rating),
            lang=_text(cells, "lang").lower().replace("_", "-") or None,
            url=_text(cells, "url") or None,
            author=_author(cells),
            engagement=Engagement(**{
                name: _count(cells.get(f"engagement.{name}")) for name in ("likes", "comments", "shares", "views")
            }),
            rating=rating,
            parent_id=self._own(_identifier(cells, "parent_id")) or None,
            place=_text(cells, "place") or None,
            raw=self.shape.raw(item[1]),
        )

    def _identity(self, item: Item, cells: Cells) -> str:
        """The item's own id; else its place in a numbered delivery; else what it says, who said it and when."""
        own = _identifier(cells, "source_id")
        if own:
            return self._own(own)
        if _is_deleted(cells):
            raise Unreadable("The field {field} is missing: it says what was deleted.", field="source_id")
        delivery = self.delivery.headers.get("webhook-id", "")
        told = [delivery, str(item[0])] if delivery else [
            str(cells.get(name, "")) for name in ("text", "title", "rating", "author.id", "author.name", "created_at")
        ]
        return self._own(sha256("\x1f".join(told).encode(errors="replace")).hexdigest()[:32])

    def _own(self, identity: str) -> str:
        return f"{self.shape.prefix}:{identity}" if identity and self.shape.prefix else identity

    def _moment(self, cells: Cells, name: str) -> datetime | None:
        value = cells.get(name)
        if value in (None, ""):
            return None
        try:
            return read_moment(value, self.zone)
        except Unreadable:
            raise Unreadable("The field {field} holds no date that can be read. Write it as 2026-03-25T10:00:00Z.",
                             field=name) from None


def _name(item: Item) -> str:
    return f"item {item[0]}"


def _is_deleted(cells: Cells) -> bool:
    return cells.get("deleted") in (True, "true")


def _text(cells: Cells, name: str) -> str:
    value = cells.get(name, "")
    if not isinstance(value, str):
        raise Unreadable("The field {field} has to be a text. Correct it where the delivery is made.", field=name)
    return value.strip()


def _identifier(cells: Cells, name: str) -> str:
    value = cells.get(name, "")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(cells, name)


def _rating(cells: Cells) -> float | None:
    value = cells.get("rating")
    try:
        return None if value is None else read_rating(value)
    except Unreadable:
        raise Unreadable("The field {field} has to be a rating from 1 to 5, or name its scale, like 8/10.",
                         field="rating") from None


def _kind(cells: Cells, rating: float | None) -> Kind:
    told = _text(cells, "kind").lower()
    if not told:
        return "message" if rating is None else "review"
    kind = next((kind for kind in KINDS if kind == told), None)
    if kind is None:
        raise Unreadable("The field {field} has to be one of: {choices}.", field="kind", choices=", ".join(KINDS))
    return kind


def _author(cells: Cells) -> Author | None:
    told = {name: _identifier(cells, f"author.{name}") for name in ("id", "handle", "name")}
    identity = next((value for value in told.values() if value), "")
    if not identity:
        return None
    verified = cells.get("author.verified")
    return Author(
        id=identity, handle=told["handle"] or told["name"] or identity, name=told["name"] or None,
        url=_text(cells, "author.url") or None, followers=_count(cells.get("author.followers")),
        verified=verified if isinstance(verified, bool) else None,
    )


def _count(value: Any) -> int | None:
    if isinstance(value, str):
        return read_count(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
