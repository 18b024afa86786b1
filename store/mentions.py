"""Saves mentions, once each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session, aliased

from escucha.admission import storable_json
from escucha.brand import Brand
from escucha.exclusion import BLOCKED, Exclusion, hidden_as, said_of
from escucha.mention import Engagement, Mention
from escucha.words import hashtags, spaced
from store import authors, brands, bulk, duplicates, exclusions, fulltext, rollups
from store.found import find as find
from store.found import get as get
from store.removal import remove as remove
from store.rollups import Counted
from store.seek import seek
from store.tables import CorrectionRow, MentionRow

CHUNK = 1_000
REACTIONS = ("likes", "comments", "shares", "views")
TABLE: Table = MentionRow.__table__  # type: ignore[assignment]
Writers = Mapping[tuple[str, str], authors.Writer]


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


class Hearing(NamedTuple):
    """What mentions that are saved together have in common: whose they are, what that brand does not want, and when and
    by which watch they were heard.
    """

    brand: Brand
    zone: ZoneInfo
    unwanted: Sequence[Exclusion]
    now: datetime
    watch_id: int | None
    check_at: datetime | None


class Known(NamedTuple):
    """A mention that is there already, as far as it tells a repeat from an edit."""

    id: int
    source: str
    source_id: str
    content: str
    likes: int | None
    comments: int | None
    shares: int | None
    views: int | None


def save(
    session: Session, brand: Brand, mentions: Iterable[Mention], now: datetime, watch_id: int | None = None,
    check_at: datetime | None = None,
) -> Saved:
    """Save what was heard about a brand; a mention heard before is kept once.

    An edit replaces text and reactions and queues the mention for enrichment again; other reactions alone are
    updated in place; a repeat changes nothing. `check_at` is when the source is to be asked about new ones again.
    """
    brands.hold(session, brand.id)
    unwanted = exclusions.of_brand(session, brand.id)
    hearing = Hearing(brand, ZoneInfo(brand.timezone), unwanted, now, watch_id, check_at)
    saved, rest = Saved(), iter(mentions)
    while chunk := list(islice(rest, CHUNK)):
        saved += _save_chunk(session, hearing, chunk)
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
    exclusions.judge(session, moved)
    return len(moved)


def _save_chunk(session: Session, hearing: Hearing, chunk: Sequence[Mention]) -> Saved:
    newest = {(mention.source, mention.source_id): mention for mention in chunk}
    known = _known(session, hearing.brand, list(newest))
    writers = authors.save(session, [(m.source, m.author) for m in newest.values() if m.author], hearing.now)
    _insert(session, hearing, [mention for key, mention in newest.items() if key not in known], writers)
    edited: dict[int, Mention] = {}
    moved: list[dict[str, Any]] = []
    for key, before in known.items():
        if _content(newest[key]) != before.content:
            edited[before.id] = newest[key]
        elif (told := _told(newest[key].engagement, before)) != before[-len(REACTIONS):]:
            reactions = dict(zip(REACTIONS, told, strict=True))
            moved.append({"row_id": before.id, **reactions, "engagement": Engagement(**reactions).total})
    _edit(session, hearing, edited, writers)
    with rollups.kept(session, [row["row_id"] for row in moved]):
        _update(session, moved)
    new, changed = len(newest) - len(known), len(edited) + len(moved)
    return Saved(new=new, updated=changed, duplicate=len(chunk) - new - changed)


def _insert(session: Session, hearing: Hearing, mentions: Sequence[Mention], writers: Writers) -> None:
    """Save new mentions with their words and counts. The brand is held, so none of them is there already."""
    if not mentions:
        return
    n, brand, connection, delta = len(mentions), hearing.brand, session.connection(), rollups.Delta()
    ids = bulk.numbers(connection, TABLE, n)
    said = _said(hearing, mentions, writers)
    row: dict[str, Sequence[Any]] = said | {
        "id": ids, "seek": [seek(mention.created_at, id) for mention, id in zip(mentions, ids, strict=True)],
        "brand_id": [brand.id] * n, "watch_id": [hearing.watch_id] * n,
        "source": [mention.source for mention in mentions], "source_id": [mention.source_id for mention in mentions],
        "heard_at": [hearing.now] * n, "check_at": [hearing.check_at] * n, "kept": [False] * n, "copy": [False] * n,
        "hidden": [
            BLOCKED if mention.author and writers[mention.source, mention.author.id].blocked
            else hidden_as(mention, brand.slug, hearing.unwanted) if hearing.unwanted else None
            for mention in mentions
        ],
    }  # fmt: skip
    bulk.insert(connection, TABLE, row)
    fulltext.put(connection, list(zip(row["seek"], row["words"], strict=True)))
    counted = zip(row["day"], row["author_id"], row["source"], row["engagement"], row["hidden"], strict=True)
    delta.add(
        Counted(brand.id or 0, day, author_id, None, source, None, None, None, None, engagement, False, hidden)
        for day, author_id, source, engagement, hidden in counted
    )
    delta.write(session)


def _edit(session: Session, hearing: Hearing, mentions: Mapping[int, Mention], writers: Writers) -> None:
    """Replace what mentions said; each leaves the mentions that it was like, and is compared again."""
    if not mentions:
        return
    ids = list(mentions)
    duplicates.left(session, ids)
    with rollups.kept(session, ids):
        query = select(MentionRow.id, MentionRow.seek, MentionRow.words, MentionRow.hidden, MentionRow.kept)
        before = {row.id: row for row in session.execute(query.where(bulk.within(session, MentionRow.id, ids)))}
        said = _said(hearing, list(mentions.values()), writers)
        rows = [
            dict(zip(said, values, strict=True)) | {
                "row_id": id, "seek": seek(mention.created_at, id), "same": None,
                "hidden": _hidden(mention, hearing, before[id].hidden, kept=before[id].kept),
            }
            for (id, mention), values in zip(mentions.items(), zip(*said.values(), strict=True), strict=True)
        ]  # fmt: skip
        fulltext.take(session.connection(), [(row.seek, row.words) for row in before.values()])
        _update(session, rows)
        fulltext.put(session.connection(), [(row["seek"], row["words"]) for row in rows])


def _update(session: Session, rows: list[dict[str, Any]]) -> None:
    if rows:
        values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "row_id"}
        session.connection().execute(update(TABLE).where(TABLE.c.id == bindparam("row_id")).values(values), rows)


def _told(now: Engagement, before: Known) -> tuple[int | None, ...]:
    """The reactions to a mention heard again. Those that the source no longer tells are kept."""
    return (
        before.likes if now.likes is None else now.likes, before.comments if now.comments is None else now.comments,
        before.shares if now.shares is None else now.shares, before.views if now.views is None else now.views,
    )  # fmt: skip


def _hidden(mention: Mention, hearing: Hearing, before: str | None, *, kept: bool) -> str | None:
    """Why an edited mention is hidden; what a person said of it stays, and so does a block."""
    relevant, blocked = said_of(before, kept=kept), before == BLOCKED
    return hidden_as(mention, hearing.brand.slug, hearing.unwanted, relevant=relevant, blocked=blocked)


def _known(session: Session, brand: Brand, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    asked: dict[str, list[Any]] = {
        "source": [source for source, _ in keys], "source_id": [source_id for _, source_id in keys],
        "brand_id": [brand.id] * len(keys),
    }  # fmt: skip
    found = map(Known._make, bulk.matching(session.connection(), TABLE, asked, Known._fields))
    return {(known.source, known.source_id): known for known in found}


def _said(hearing: Hearing, mentions: Sequence[Mention], writers: Writers) -> dict[str, list[Any]]:
    """What mentions say, as a new one and an edit put it in their rows, which wait to be enriched then."""
    n, texts = len(mentions), [f"{mention.title or ''} {mention.text}" for mention in mentions]
    return {
        "kind": [mention.kind for mention in mentions],
        "title": [mention.title for mention in mentions],
        "text": [mention.text for mention in mentions],
        "words": [spaced(text) for text in texts],
        "title_words": [spaced(mention.title) if mention.title else None for mention in mentions],
        "hashtags": [" ".join(hashtags(text)) or None for text in texts],
        "content": [_content(mention) for mention in mentions],
        "declared_lang": [mention.lang[:35] if mention.lang else None for mention in mentions],
        "url": [mention.url for mention in mentions],
        "created_at": [mention.created_at for mention in mentions],
        "edited_at": [mention.edited_at for mention in mentions],
        "day": [mention.created_at.astimezone(hearing.zone).date() for mention in mentions],
        "author_id": [writers[m.source, m.author.id].id if m.author else None for m in mentions],
        **{name: [getattr(mention.engagement, name) for mention in mentions] for name in REACTIONS},
        "engagement": [mention.engagement.total for mention in mentions],
        "rating": [mention.rating for mention in mentions],
        "parent_id": [mention.parent_id for mention in mentions],
        "place": [mention.place for mention in mentions],
        "raw": [None if mention.raw is None else storable_json(mention.raw) for mention in mentions],
        "state": ["pending"] * n, "tries": [0] * n, "note": [None] * n, "leased_until": [None] * n,
    }  # fmt: skip


def _content(mention: Mention) -> str:
    """What makes an edit: title, text and rating."""
    said = "\x1f".join((mention.title or "", mention.text, str(mention.rating)))
    return blake2b(said.encode(), digest_size=16).hexdigest()
