"""What was deleted stays away: the marks of items that their source, or we, took back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from store.tables import AuthorRow, MentionRow, TombstoneRow

Key = tuple[str, str]
"""A source and an id within it."""
CHUNK = 500


def mark(key: Key) -> str:
    """What is kept of a deleted item: nothing can be read from it, but it can be known again."""
    return blake2b("\x1f".join(key).encode(), digest_size=16, person=b"escucha-gone").hexdigest()


def buried(session: Session, keys: Sequence[Key]) -> set[Key]:
    """Those of the items that were deleted before."""
    marks = {mark(key): key for key in keys}
    names, found = list(marks), set()
    for start in range(0, len(names), CHUNK):
        query = select(TombstoneRow.mark).where(TombstoneRow.mark.in_(names[start : start + CHUNK]))
        found |= {marks[name] for name in session.scalars(query)}
    return found


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


def drop(session: Session, keys: Sequence[Key]) -> int:
    """Delete these items without a mark: they may come back when they are heard again. How many mentions went."""
    return sum(_remove(session, keys[start : start + CHUNK]) for start in range(0, len(keys), CHUNK))


def _remove(session: Session, keys: Sequence[Key]) -> int:
    removed, writers = 0, set[int]()
    for source in {source for source, _ in keys}:
        ids = [identity for of, identity in keys if of == source]
        chosen = (MentionRow.source == source, MentionRow.source_id.in_(ids))
        writers |= {writer for writer in session.scalars(select(MentionRow.author_id).where(*chosen)) if writer}
        removed += int(session.execute(delete(MentionRow).where(*chosen)).rowcount)  # type: ignore[attr-defined]
    if writers:
        silent = AuthorRow.id.in_(writers) & ~select(MentionRow.id).where(MentionRow.author_id == AuthorRow.id).exists()
        session.execute(delete(AuthorRow).where(silent))
    return removed
