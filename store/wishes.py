"""What people asked for that a backup from before does not know: items deleted, and authors blocked.

Restoring a backup must not undo them: who was forgotten stays forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, inspect, select
from sqlalchemy.orm import Session

from store import bulk, subjects, tombstones
from store.tables import AuthorRow, MentionRow, TombstoneRow

BLOCKED = ("source", "key", "handle", "blocked_at")
CHUNK = 500
GRAVES: Table = TombstoneRow.__table__  # type: ignore[assignment]
PEOPLE: Table = AuthorRow.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The marks of deleted items with the time, and the authors who are blocked."""

    deleted: Mapping[str, datetime]
    blocked: Sequence[Mapping[str, Any]]


def read(connection: Connection) -> Wishes:
    """What a database, of this version or an older one, knows of them."""
    there = inspect(connection)
    columns = {name: {column["name"] for column in there.get_columns(name)} if there.has_table(name) else set()
               for name in ("tombstone", "author")}
    deleted = connection.execute(select(GRAVES.c.mark, GRAVES.c.at)).all() if columns["tombstone"] else []
    query = select(*(PEOPLE.c[name] for name in BLOCKED)).where(PEOPLE.c.blocked_at.is_not(None))
    blocked = connection.execute(query).mappings().all() if "blocked_at" in columns["author"] else []
    return Wishes(deleted={row.mark: row.at for row in deleted}, blocked=[dict(row) for row in blocked])


def keep(session: Session, wishes: Wishes) -> int:
    """Fulfil them in a database that was restored; how many mentions that took out of sight."""
    return _delete(session, wishes.deleted) + _block(session, wishes.blocked)


def _delete(session: Session, deleted: Mapping[str, datetime]) -> int:
    known = set(session.scalars(select(TombstoneRow.mark)))
    rows = [{"mark": mark, "at": at} for mark, at in deleted.items() if mark not in known]
    if not rows:
        return 0
    bulk.insert(session.connection(), GRAVES, bulk.columns(rows))
    marks = {row["mark"] for row in rows}
    said = session.execute(select(MentionRow.source, MentionRow.source_id).distinct())
    return tombstones.drop(session, [key for source, id in said if tombstones.mark(key := (source, id)) in marks])


def _block(session: Session, blocked: Sequence[Mapping[str, Any]]) -> int:
    told = {"blocked_at": "excluded.blocked_at"}
    bulk.upsert(session.connection(), PEOPLE, bulk.columns(blocked), ("source", "key"), told)
    hidden = 0
    for person in blocked:
        of = select(AuthorRow.id).where(AuthorRow.source == person["source"], AuthorRow.key == person["key"])
        id = session.scalars(of).one()
        while gone := subjects.hide(session, id, CHUNK):
            hidden += gone
    return hidden
