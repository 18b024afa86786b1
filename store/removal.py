"""Takes mentions out, with all that hangs on them: labels, vectors, words, counts, and authors who are silent then."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store import bulk, duplicates, fulltext, rollups
from store.tables import AuthorRow, MentionRow


def remove(session: Session, ids: Collection[int]) -> int:
    """Delete mentions; how many there were. Authors of whom nothing else is left go too."""
    return sum(_remove(session, chunk) for chunk in bulk.chunks(sorted(ids)))


def _remove(session: Session, ids: Sequence[int]) -> int:
    duplicates.left(session, ids)
    chosen = MentionRow.id.in_(ids)
    with rollups.kept(session, ids):
        rows = session.execute(select(MentionRow.seek, MentionRow.words, MentionRow.author_id).where(chosen)).all()
        fulltext.take(session.connection(), [(row.seek, row.words) for row in rows])
        session.execute(delete(MentionRow).where(chosen))
    writers = {row.author_id for row in rows if row.author_id}
    if writers:
        silent = AuthorRow.id.in_(writers) & AuthorRow.blocked_at.is_(None)
        spoke = select(MentionRow.id).where(MentionRow.author_id == AuthorRow.id).exists()
        session.execute(delete(AuthorRow).where(silent, ~spoke))
    return len(rows)
