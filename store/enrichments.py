"""What waits to be understood, and what was understood of it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from escucha.admission import storable_json
from escucha.enrichment import Enrichment
from store.filters import in_state
from store.rows import LABELS, as_read
from store.tables import MentionRow

LEASE = timedelta(minutes=10)
MAX_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A mention that waits: its id, the version of its text, and what the taggers shall read."""

    id: int
    content: str
    enrichment: Enrichment


def claim(session: Session, n: int, now: datetime) -> list[Pending]:
    """Take up to `n` mentions that wait, oldest first, under a lease: nobody else tags them until it ends."""
    free = or_(MentionRow.leased_until.is_(None), MentionRow.leased_until < now)
    query = (
        select(MentionRow.id, MentionRow.content, MentionRow.title, MentionRow.text, MentionRow.declared_lang)
        .where(in_state("pending"), free)
        .order_by(MentionRow.id)
        .limit(n)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(query).all()
    session.execute(
        update(MentionRow).where(MentionRow.id.in_([row.id for row in rows])).values(leased_until=now + LEASE)
    )
    return [
        Pending(id=r.id, content=r.content,
                enrichment=Enrichment(text=as_read(r.title, r.text), declared_lang=r.declared_lang))
        for r in rows
    ]


def save(session: Session, tagged: Sequence[tuple[Pending, Enrichment]], now: datetime) -> None:
    """Save the labels, all of a mention at once. A mention edited since it was claimed goes on waiting."""
    rows = [_row(pending, enrichment, now) for pending, enrichment in tagged]
    _update(session, rows)


def fail(session: Session, failed: Sequence[tuple[Pending, str]], now: datetime) -> None:
    """Count a failed try, with a note; after MAX_TRIES the mention is set aside as failed and no longer waits."""
    tries = MentionRow.tries + 1
    for pending, note in failed:
        session.execute(
            update(MentionRow)
            .where(MentionRow.id == pending.id, MentionRow.content == pending.content)
            .values(tries=tries, note=note, leased_until=None, tagged_at=now,
                    state=case((tries >= MAX_TRIES, "failed"), else_="pending"))
        )


def release(session: Session, claimed: Sequence[Pending]) -> None:
    """Give claimed mentions back untouched, when the taggers could not be run at all."""
    ids = [pending.id for pending in claimed]
    session.execute(update(MentionRow).where(MentionRow.id.in_(ids)).values(leased_until=None))


def _update(session: Session, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = MentionRow.__table__
    values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if not name.startswith("row_")}
    statement = update(table).where(  # type: ignore[arg-type]
        table.c.id == bindparam("row_id"), table.c.content == bindparam("row_content")
    ).values(values)
    session.connection().execute(statement, rows)


def _row(pending: Pending, enrichment: Enrichment, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "row_id": pending.id, "row_content": pending.content, "state": "done", "note": None, "leased_until": None,
        "tagged_at": now, "versions": storable_json(dict(enrichment.versions)),
        "vector": array("f", enrichment.vector).tobytes() if enrichment.vector is not None else None,
    }
    for name in LABELS:
        label = getattr(enrichment, name)
        row[name] = label.label if label else None
        row[f"{name}_score"] = label.score if label else None
    return row
