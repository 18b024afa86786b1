"""What waits to be compared with what was heard before, and the bands by which near copies are found again.

Of mentions that are exact copies only the newest holds bands: whoever is near to one is near to all. A band takes no
more than MOST mentions, so that the thousandth text of a campaign costs no more than the hundredth.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.orm import Session

from store import brands, bulk
from store.rows import as_read
from store.tables import BandRow, MentionRow

MOST = 64
"""Mentions in a band."""
TABLE: Table = BandRow.__table__  # type: ignore[assignment]
Key = tuple[int, str]
"""A brand and the hash that exact copies share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A mention that is to be compared: its id and brand, the version of its text, and the text."""

    id: int
    brand_id: int
    content: str
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A mention with which a new one may be compared: its text, and its cluster's number (its own if it has none)."""

    text: str
    cluster: int


def waiting(session: Session, n: int) -> list[Waiting]:
    """Up to `n` mentions that nobody has compared yet, by number."""
    query = (
        select(MentionRow.id, MentionRow.brand_id, MentionRow.content, MentionRow.title, MentionRow.text)
        .where(MentionRow.same.is_(None)).order_by(MentionRow.id).limit(n)
    )  # fmt: skip
    return [
        Waiting(id=row.id, brand_id=row.brand_id, content=row.content, text=as_read(row.title, row.text))
        for row in session.execute(query)
    ]


def unchanged(session: Session, batch: Sequence[Waiting]) -> list[Waiting]:
    """Those of them that still wait and say what they said. Their brands are held until the transaction ends.

    A brand is held by whoever saves, compares or removes its mentions: two that compare would not see each other's.
    """
    for brand_id in sorted({one.brand_id for one in batch}):
        brands.hold(session, brand_id)
    asked = MentionRow.id.in_([one.id for one in batch]) & MentionRow.same.is_(None)
    current = {row.id: row.content for row in session.execute(select(MentionRow.id, MentionRow.content).where(asked))}
    return [one for one in batch if current.get(one.id) == one.content]


def twins(session: Session, brand_id: int, hashes: Collection[str], without: Collection[int] = ()) -> dict[str, int]:
    """The newest mention of a brand that has each hash, if any but those `without` has it."""
    asked = bulk.within(session, MentionRow.same, sorted(hashes))
    query = (
        select(MentionRow.same, func.max(MentionRow.id))
        .where(MentionRow.brand_id == brand_id, asked, MentionRow.same.is_not(None), MentionRow.id.not_in(without))
        .group_by(MentionRow.same)
    )
    return {same: id for same, id in session.execute(query) if same}


def holders(session: Session, brand_id: int, bands: Collection[int]) -> dict[int, tuple[int, ...]]:
    """The mentions of a brand that hold each of these bands."""
    asked = bulk.within(session, BandRow.band, sorted(bands))
    query = select(BandRow.band, BandRow.mention_id).where(BandRow.brand_id == brand_id, asked)
    found: dict[int, list[int]] = {}
    for band, mention_id in session.execute(query):
        found.setdefault(band, []).append(mention_id)
    return {band: tuple(ids) for band, ids in found.items()}


def read(session: Session, ids: Collection[int]) -> dict[int, Compared]:
    """What the mentions of these numbers say, and of which cluster they are."""
    found: dict[int, Compared] = {}
    for chunk in bulk.chunks(sorted(ids)):
        query = select(MentionRow.id, MentionRow.title, MentionRow.text, MentionRow.cluster_id)
        for row in session.execute(query.where(MentionRow.id.in_(chunk))):
            found[row.id] = Compared(as_read(row.title, row.text), row.cluster_id or row.id)
    return found


def put(session: Session, brand_id: int, held: Mapping[int, Collection[int]]) -> None:
    """Let mentions of a brand hold these bands."""
    pairs = sorted((band, id) for id, bands in held.items() for band in bands)
    bulk.insert(session.connection(), TABLE, {
        "brand_id": [brand_id] * len(pairs), "band": [band for band, _ in pairs], "mention_id": [id for _, id in pairs],
    })  # fmt: skip


def take(session: Session, ids: Collection[int]) -> None:
    """Take all bands from mentions."""
    for chunk in bulk.chunks(sorted(ids)):
        session.execute(delete(BandRow).where(BandRow.mention_id.in_(chunk)))


def hand_over(session: Session, leaving: Mapping[int, Key]) -> set[int]:
    """Give what leaving mentions hold to the newest of their exact copies; those of them that have such a copy.

    Whoever has none loses the bands.
    """
    heirs: dict[Key, int] = {}
    for brand_id in {brand_id for brand_id, _ in leaving.values()}:
        hashes = {same for of, same in leaving.values() if of == brand_id and same}
        heirs |= {(brand_id, same): id for same, id in twins(session, brand_id, hashes, leaving).items()}
    for id in session.scalars(select(BandRow.mention_id).distinct().where(BandRow.mention_id.in_(leaving))).all():
        if leaving[id] in heirs:
            heir = heirs[leaving[id]]
            session.execute(update(BandRow).where(BandRow.mention_id == id).values(mention_id=heir))
    take(session, leaving)
    return {id for id, key in leaving.items() if key in heirs}


def prune(session: Session, before: datetime, n: int = bulk.CHUNK) -> int:
    """Take the bands from up to `n` mentions heard before a moment; how many there were. The first heard have the
    lowest numbers, so that nothing else is looked at."""
    oldest = select(BandRow.mention_id).distinct().order_by(BandRow.mention_id).limit(n).subquery()
    past = select(MentionRow.id).where(MentionRow.id.in_(select(oldest.c.mention_id)), MentionRow.heard_at < before)
    ids = session.scalars(past).all()
    take(session, ids)
    return len(ids)
