"""The audit: that somebody's data was shown, blocked or erased, when and how much, with none of the data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from escucha.keeping import Act, Entry
from store.tables import AuditRow

OPEN = "author"
"""In the counts of an erasure that has not ended: the number of the author's row, which goes with the author."""


def write(
    session: Session, act: Act, now: datetime, mark: str | None = None, counts: Mapping[str, Any] | None = None
) -> int:
    """Add a line; its number."""
    row = AuditRow(at=now, act=act, mark=mark, details=dict(counts or {}) or None)
    session.add(row)
    session.flush()
    return row.id


def entries(session: Session, limit: int = 50) -> list[Entry]:
    """The newest lines, the newest first."""
    return [_entry(row) for row in session.scalars(select(AuditRow).order_by(AuditRow.id.desc()).limit(limit))]


def last(session: Session, act: Act) -> Entry | None:
    """The newest line of an act."""
    row = session.scalar(select(AuditRow).where(AuditRow.act == act).order_by(AuditRow.id.desc()).limit(1))
    return _entry(row) if row is not None else None


def unfinished(session: Session) -> dict[int, int]:
    """Erasures that began and have not ended: the numbers of their lines by the author's row."""
    rows = session.scalars(select(AuditRow).where(AuditRow.act == "erase").order_by(AuditRow.id))
    return {row.details[OPEN]: row.id for row in rows if row.details and OPEN in row.details}


def finish(session: Session, id: int, counts: Mapping[str, Any]) -> None:
    """Close the line of an erasure with what it came to."""
    session.execute(update(AuditRow).where(AuditRow.id == id).values(details=dict(counts)))


def forget_idle_nights(session: Session) -> None:
    """Take out the lines of nights in which nothing was removed."""
    rows = session.execute(select(AuditRow.id, AuditRow.details).where(AuditRow.act == "night")).all()
    idle = [id for id, counts in rows if not any((counts or {}).values())]
    session.execute(delete(AuditRow).where(AuditRow.id.in_(idle)))


def _entry(row: AuditRow) -> Entry:
    counts = {name: n for name, n in (row.details or {}).items() if name != OPEN}
    return Entry(id=row.id, at=row.at, act=row.act, mark=row.mark, counts=counts)  # type: ignore[arg-type]
