"""Saves mentions, once each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session, aliased

from escucha.admission import storable_json
from escucha.brand import Brand
from escucha.mention import Engagement, Mention
from escucha.words import hashtags, words
from store import authors, brands, bulk, duplicates, fulltext, rollups
from store.found import find as find
from store.found import get as get
from store.removal import remove as remove
from store.rollups import Counted
from store.seek import seek
from store.tables import CorrectionRow, MentionRow

CHUNK = 1_000
REACTIONS = ("likes", "comments", "shares", "views")
TABLE: Table = MentionRow.__table__  # type: ignore[assignment]


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


def move(session: Session, ids: Collection[int], brand: Brand) -> int:
    """Give mentions to another brand, as its own local days count them; how many went.

    What that brand has heard already is removed instead, and what a person said of a label goes along.
    """
    brands.hold(session, brand.id)
    zone, chosen = ZoneInfo(brand.timezone), MentionRow.id.in_(ids)
    there = aliased(MentionRow)
    twin = (there.brand_id == brand.id, there.source == MentionRow.source, there.source_id == MentionRow.source_id)
    known = session.scalars(select(MentionRow.id).where(chosen, select(there.id).where(*twin).exists())).all()
    remove(session, [id for id in known if id in set(ids)])
    going = session.execute(select(MentionRow.id, MentionRow.created_at).where(chosen)).all()
    moved = [id for id, _ in going]
    duplicates.left(session, moved)
    with rollups.kept(session, moved):
        _update(session, [
            {"row_id": id, "brand_id": brand.id, "watch_id": None, "day": at.astimezone(zone).date(), "same": None}
            for id, at in going
        ])  # fmt: skip
        session.execute(update(CorrectionRow).where(CorrectionRow.mention_id.in_(moved)).values(brand_id=brand.id))
    return len(moved)


def _save_chunk(
    session: Session, brand: Brand, chunk: Sequence[Mention], now: datetime, watch_id: int | None,
    check_at: datetime | None,
) -> Saved:
    newest = {(mention.source, mention.source_id): mention for mention in chunk}
    known = _known(session, brand, list(newest))
    writers = authors.save(session, [(m.source, m.author) for m in newest.values() if m.author], now)
    zone = ZoneInfo(brand.timezone)
    fresh, edited, moved = [], [], []
    for key, mention in newest.items():
        row = {**_row(brand, zone, mention, writers, now, watch_id), "check_at": check_at}
        match _change(row, known.get(key)):
            case "new":
                fresh.append(row)
            case "edit":
                edited.append(_marked(row, known[key]["id"]))
            case "reactions":
                moved.append(_marked({name: row[name] for name in (*REACTIONS, "engagement")}, known[key]["id"]))
    _insert(session, fresh, authors.blocked(session, set(writers.values())))
    _edit(session, edited, {row["id"]: row for row in known.values()})
    with rollups.kept(session, [row["row_id"] for row in moved]):
        _update(session, moved)
    changed = len(edited) + len(moved)
    return Saved(new=len(fresh), updated=changed, duplicate=len(chunk) - len(fresh) - changed)


def _insert(session: Session, rows: list[dict[str, Any]], blocked: set[int]) -> None:
    """Save new mentions with their words and counts. The brand is held, so none of them is there already."""
    connection, delta = session.connection(), rollups.Delta()
    for id, row in zip(bulk.numbers(connection, TABLE, len(rows)), rows, strict=True):
        row |= {"id": id, "seek": seek(row["created_at"], id), "same": None, "cluster_id": None, "copy": False,
                "hidden": "blocked" if row["author_id"] in blocked else None, "kept": False}
    bulk.insert(connection, TABLE, rows)
    fulltext.put(connection, [(row["seek"], row["words"]) for row in rows])
    delta.add(
        Counted(row["brand_id"], row["day"], row["author_id"], None, row["source"], None, None, None, None,
                row["engagement"], row["copy"], row["hidden"])
        for row in rows
    )  # fmt: skip
    delta.write(session)


def _edit(session: Session, rows: list[dict[str, Any]], known: Mapping[int, dict[str, Any]]) -> None:
    """Replace what mentions said; each leaves the mentions that it was like, and is compared again."""
    ids = [row["row_id"] for row in rows]
    duplicates.left(session, ids)
    for row in rows:
        row |= {"seek": seek(row["created_at"], row["row_id"]), "same": None}
    with rollups.kept(session, ids):
        fulltext.take(session.connection(), [(known[id]["seek"], known[id]["words"]) for id in ids])
        _update(session, rows)
        fulltext.put(session.connection(), [(row["seek"], row["words"]) for row in rows])


def _update(session: Session, rows: list[dict[str, Any]]) -> None:
    if rows:
        values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "row_id"}
        session.connection().execute(update(TABLE).where(TABLE.c.id == bindparam("row_id")).values(values), rows)


def _change(row: dict[str, Any], known: dict[str, Any] | None) -> Literal["new", "edit", "reactions", "same"]:
    """What a mention heard (again) means for its row. Reactions that the source no longer tells are kept."""
    if known is None:
        return "new"
    if row["content"] != known["content"]:
        return "edit"
    for name in REACTIONS:
        if row[name] is None:
            row[name] = known[name]
    row["engagement"] = Engagement(**{name: row[name] for name in REACTIONS}).total
    return "reactions" if any(row[name] != known[name] for name in REACTIONS) else "same"


def _marked(row: dict[str, Any], row_id: int) -> dict[str, Any]:
    kept = ("brand_id", "watch_id", "source", "source_id", "heard_at", "check_at")
    return {name: value for name, value in row.items() if name not in kept} | {"row_id": row_id}


def _known(session: Session, brand: Brand, keys: list[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    columns = [MentionRow.id, MentionRow.source, MentionRow.source_id, MentionRow.content, MentionRow.seek,
               MentionRow.words, *(getattr(MentionRow, name) for name in REACTIONS)]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for source in {source for source, _ in keys}:
        ids = [source_id for of, source_id in keys if of == source]
        query = select(*columns).where(
            MentionRow.brand_id == brand.id, MentionRow.source == source,
            bulk.within(session, MentionRow.source_id, ids),
        )
        for row in session.execute(query).mappings():
            found[row["source"], row["source_id"]] = dict(row)
    return found


def _row(
    brand: Brand, zone: ZoneInfo, mention: Mention, writers: dict[tuple[str, str], int], now: datetime,
    watch_id: int | None,
) -> dict[str, Any]:
    said = f"{mention.title or ''} {mention.text}"
    return {
        "brand_id": brand.id, "watch_id": watch_id, "source": mention.source, "source_id": mention.source_id,
        "kind": mention.kind, "title": mention.title, "text": mention.text,
        "words": " ".join(words(said)), "title_words": " ".join(words(mention.title)) if mention.title else None,
        "hashtags": " ".join(hashtags(said)) or None, "content": _content(mention),
        "declared_lang": mention.lang[:35] if mention.lang else None, "url": mention.url,
        "created_at": mention.created_at, "edited_at": mention.edited_at, "heard_at": now,
        "day": mention.created_at.astimezone(zone).date(),
        "author_id": writers[mention.source, mention.author.id] if mention.author else None,
        "likes": mention.engagement.likes, "comments": mention.engagement.comments,
        "shares": mention.engagement.shares, "views": mention.engagement.views,
        "engagement": mention.engagement.total,
        "rating": mention.rating, "parent_id": mention.parent_id, "place": mention.place,
        "raw": storable_json(dict(mention.raw)) if mention.raw is not None else None,
        "state": "pending", "tries": 0, "note": None, "leased_until": None,
    }


def _content(mention: Mention) -> str:
    """What makes an edit: title, text and rating."""
    said = "\x1f".join((mention.title or "", mention.text, str(mention.rating)))
    return blake2b(said.encode(), digest_size=16).hexdigest()
