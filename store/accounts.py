"""All that is held of one person, told to them: every column of every row that is about them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables import AuthorRow, AuthorTallyRow, Base, BrandRow, CorrectionRow, MentionRow, PartRow, VectorRow

Record = Mapping[str, Any]
"""A row as it is stored, for the person whom it is about."""
DERIVED = {"words", "title_words", "leased_until"}
"""Columns that hold nothing of their own: the text once more, cut into words, and whose turn it is."""


def account(session: Session, id: int) -> Record:
    """What is held of a person besides their mentions: the row, and the counts by brand and month."""
    row = session.get(AuthorRow, id)
    tallies = select(AuthorTallyRow).where(AuthorTallyRow.author_id == id).order_by(AuthorTallyRow.month)
    return {"author": _record(row) if row is not None else None,
            "months": [_record(one) for one in session.scalars(tallies)]}


def mentions(session: Session, id: int, after: int, limit: int) -> list[Record]:
    """What a person said, with all that was understood of it, by number; from beyond the mention `after`."""
    query = (
        select(MentionRow, BrandRow.slug).join(BrandRow, BrandRow.id == MentionRow.brand_id)
        .where(MentionRow.author_id == id, MentionRow.id > after).order_by(MentionRow.id).limit(limit)
    )
    found = [{**_record(row), "brand": slug} for row, slug in session.execute(query)]
    ids = [record["id"] for record in found]
    hanging = {name: _hanging(session, table, ids)
               for name, table in (("parts", PartRow), ("corrections", CorrectionRow), ("vectors", VectorRow))}
    return [{**record, **{name: of[record["id"]] for name, of in hanging.items()}} for record in found]


def _hanging(session: Session, table: Any, ids: Sequence[int]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {id: [] for id in ids}
    for row in session.scalars(select(table).where(table.mention_id.in_(ids))):
        found[row.mention_id].append(_record(row))
    return found


def _record(row: Base) -> Record:
    told = {column.key: getattr(row, column.key) for column in row.__table__.columns if column.key not in DERIVED}
    return {name: b64encode(value).decode() if isinstance(value, bytes) else value for name, value in told.items()}
