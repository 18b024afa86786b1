"""Saves mentions, once each, and finds them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlalchemy.orm import Session

from escucha.admission import storable_json
from escucha.brand import Brand
from escucha.enrichment import MentionPage, TaggedMention
from escucha.errors import Invalid, NotFound
from escucha.filter import MentionFilter
from escucha.mention import Mention
from escucha.text import fold
from store import authors, brands, parts
from store.filters import conditions
from store.rows import id_in_key, selection, tagged
from store.tables import MentionRow

CHUNK = 500
REACTIONS = ("likes", "comments", "shares", "views")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What became of the mentions that were handed in: total = new + updated + duplicate."""

    new: int = 0
    updated: int = 0
    duplicate: int = 0

    @property
    def total(self) -> int:
        """How many were handed in."""
        return self.new + self.updated + self.duplicate

    def __add__(self, other: Saved) -> Saved:
        return Saved(
            new=self.new + other.new, updated=self.updated + other.updated, duplicate=self.duplicate + other.duplicate
        )


def save(
    session: Session, brand: Brand, mentions: Iterable[Mention], now: datetime, watch_id: int | None = None,
    check_at: datetime | None = None,
) -> Saved:
    """Save what was heard about a brand; a mention heard before is kept once.

    An edit replaces text and reactions and queues the mention for enrichment again; other reactions alone are
    updated in place; a repeat changes nothing. `check_at` is when the source is to be asked about new ones again.
    """
    brands.hold(session, brand.id)
    saved, rest = Saved(), iter(mentions)
    while chunk := list(islice(rest, CHUNK)):
        saved += _save_chunk(session, brand, chunk, now, watch_id, check_at)
    return saved


def find(session: Session, filter: MentionFilter, *, limit: int = 50, after: str | None = None) -> MentionPage:
    """The mentions a filter means, newest first; `after` is the `next` of the page before.

    Raises:
        Invalid: `after` is not a key that a page gave.
    """
    query = selection().where(*conditions(session, filter))
    if after is not None:
        query = query.where(tuple_(MentionRow.created_at, MentionRow.id) < tuple_(*_key(after)))
    query = query.order_by(MentionRow.created_at.desc(), MentionRow.id.desc()).limit(limit + 1)
    found = [tagged(*row) for row in session.execute(query)]
    more = len(found) > limit
    return MentionPage(items=parts.added(session, found[:limit]), next=_encoded(found[limit - 1]) if more else None)


def get(session: Session, mention_id: int) -> TaggedMention:
    """One mention. Raises NotFound."""
    row = session.execute(selection().where(MentionRow.id == mention_id)).one_or_none()
    if row is None:
        raise NotFound("There is no mention number {id}. It may have been removed.", id=mention_id)
    return parts.added(session, [tagged(*row)])[0]


def _save_chunk(
    session: Session, brand: Brand, chunk: Sequence[Mention], now: datetime, watch_id: int | None,
    check_at: datetime | None,
) -> Saved:
    newest = {(mention.source, mention.source_id): mention for mention in chunk}
    known = _known(session, brand, list(newest))
    writers = authors.save(session, [(m.source, m.author) for m in newest.values() if m.author], now)
    fresh, edited, moved = [], [], []
    for key, mention in newest.items():
        row = {**_row(brand, mention, writers, now, watch_id), "check_at": check_at}
        match _change(row, known.get(key)):
            case "new":
                fresh.append(row)
            case "edit":
                edited.append(_marked(row, known[key]["id"]))
            case "reactions":
                moved.append(_marked({name: row[name] for name in REACTIONS}, known[key]["id"]))
    table = MentionRow.__table__
    if fresh:
        session.execute(insert(table), fresh)  # type: ignore[arg-type]
    for rows in (edited, moved):
        if rows:
            values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "row_id"}
            statement = update(table).where(table.c.id == bindparam("row_id")).values(values)  # type: ignore[arg-type]
            session.connection().execute(statement, rows)
    changed = len(edited) + len(moved)
    return Saved(new=len(fresh), updated=changed, duplicate=len(chunk) - len(fresh) - changed)


def _change(row: dict[str, Any], known: dict[str, Any] | None) -> Literal["new", "edit", "reactions", "same"]:
    """What a mention heard (again) means for its row. Reactions that the source no longer tells are kept."""
    if known is None:
        return "new"
    if row["content"] != known["content"]:
        return "edit"
    for name in REACTIONS:
        if row[name] is None:
            row[name] = known[name]
    return "reactions" if any(row[name] != known[name] for name in REACTIONS) else "same"


def _marked(row: dict[str, Any], row_id: int) -> dict[str, Any]:
    kept = ("brand_id", "watch_id", "source", "source_id", "heard_at", "check_at")
    return {name: value for name, value in row.items() if name not in kept} | {"row_id": row_id}


def _known(session: Session, brand: Brand, keys: list[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    columns = [MentionRow.id, MentionRow.source, MentionRow.source_id, MentionRow.content,
               *(getattr(MentionRow, name) for name in REACTIONS)]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for source in {source for source, _ in keys}:
        ids = [source_id for of, source_id in keys if of == source]
        query = select(*columns).where(
            MentionRow.brand_id == brand.id, MentionRow.source == source, MentionRow.source_id.in_(ids)
        )
        for row in session.execute(query).mappings():
            found[row["source"], row["source_id"]] = dict(row)
    return found


def _row(
    brand: Brand, mention: Mention, writers: dict[tuple[str, str], int], now: datetime, watch_id: int | None
) -> dict[str, Any]:
    return {
        "brand_id": brand.id, "watch_id": watch_id, "source": mention.source, "source_id": mention.source_id,
        "kind": mention.kind, "title": mention.title, "text": mention.text,
        "folded": fold(f"{mention.title or ''} {mention.text}"), "content": _content(mention),
        "declared_lang": mention.lang[:35] if mention.lang else None, "url": mention.url,
        "created_at": mention.created_at, "edited_at": mention.edited_at, "heard_at": now,
        "day": mention.created_at.astimezone(ZoneInfo(brand.timezone)).date(),
        "author_id": writers[mention.source, mention.author.id] if mention.author else None,
        "likes": mention.engagement.likes, "comments": mention.engagement.comments,
        "shares": mention.engagement.shares, "views": mention.engagement.views,
        "rating": mention.rating, "parent_id": mention.parent_id, "place": mention.place,
        "raw": storable_json(dict(mention.raw)) if mention.raw is not None else None,
        "state": "pending", "tries": 0, "note": None, "leased_until": None,
    }


def _content(mention: Mention) -> str:
    """What makes an edit: title, text and rating."""
    said = "\x1f".join((mention.title or "", mention.text, str(mention.rating)))
    return blake2b(said.encode(), digest_size=16).hexdigest()


def _key(after: str) -> tuple[datetime, int]:
    try:
        moment, _, number = after.partition("~")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError(moment)
        return at, id_in_key(number)
    except ValueError:
        raise Invalid("The page key {after} is not one we gave. Start from the first page.", after=after) from None


def _encoded(last: TaggedMention) -> str:
    return f"{last.mention.created_at.isoformat().replace('+00:00', 'Z')}~{last.id}"
