"""What was deleted stays away: the marks of items that their source, or we, took back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from store import removal
from store.tables import MentionRow, TombstoneRow

Key = tuple[str, str]
"""A source and an id within it."""
CHUNK = 500


def mark(key: Key) -> str:
    """What is kept of a deleted item: nothing can be read from it, but it can be known again."""
    return blake2b("\x1f".join(key).encode(), digest_size=16, person=b"escucha-gone").hexdigest()


def buried(session: Session, keys: Sequence[Key]) -> set[Key]:
    """Those of the items that were deleted before."""
    return _marked(session, {mark(key): key for key in keys})


def bury(session: Session, keys: Iterable[Key], now: datetime) -> int:
    """Delete these items with all that was understood of them, for every brand; how many mentions went.

    Authors of whom nothing else is left go too. What is deleted never comes back by itself.
    """
    unique = list(dict.fromkeys(keys))
    removed = 0
    for start in range(0, len(unique), CHUNK):
        chunk = unique[start : start + CHUNK]
        insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else pg_insert
        session.execute(
            insert(TombstoneRow).on_conflict_do_nothing(), [{"mark": mark(key), "at": now} for key in chunk]
        )
        removed += _remove(session, chunk)
    return removed


def author_mark(key: Key) -> str:
    """What is kept of an erased author: it tells whether somebody is that author, and nothing else."""
    return blake2b("\x1f".join(key).encode(), digest_size=16, person=b"escucha-who").hexdigest()


def bury_author(session: Session, key: Key, now: datetime) -> None:
    """Note that what this author says is not to be collected again."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else pg_insert
    session.execute(insert(TombstoneRow).on_conflict_do_nothing(), [{"mark": author_mark(key), "at": now}])


def buried_authors(session: Session, keys: Iterable[Key]) -> set[Key]:
    """Those of the authors who were erased."""
    return _marked(session, {author_mark(key): key for key in keys})


def any_since(session: Session, moment: datetime | None) -> bool:
    """Whether anything was deleted after a moment (None: ever)."""
    query = select(TombstoneRow.mark).limit(1)
    return session.scalar(query if moment is None else query.where(TombstoneRow.at > moment)) is not None


def drop(session: Session, keys: Sequence[Key]) -> int:
    """Delete these items without a mark: they may come back when they are heard again. How many mentions went."""
    return sum(_remove(session, keys[start : start + CHUNK]) for start in range(0, len(keys), CHUNK))


def _marked(session: Session, marks: Mapping[str, Key]) -> set[Key]:
    names, found = list(marks), set[Key]()
    for start in range(0, len(names), CHUNK):
        query = select(TombstoneRow.mark).where(TombstoneRow.mark.in_(names[start : start + CHUNK]))
        found |= {marks[name] for name in session.scalars(query)}
    return found


def _remove(session: Session, keys: Sequence[Key]) -> int:
    removed = 0
    for source in {source for source, _ in keys}:
        ids = [identity for of, identity in keys if of == source]
        chosen = select(MentionRow.id).where(MentionRow.source == source, MentionRow.source_id.in_(ids))
        removed += removal.remove(session, session.scalars(chosen).all())
    return removed
