"""People of whom something is held, as one source knows them: found, blocked and erased."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from escucha.exclusion import BLOCKED, PERSON
from escucha.keeping import Subject
from store import exclusions, tombstones
from store.tables import (
    AuthorRow,
    AuthorTallyRow,
    BrandRow,
    CorrectionRow,
    MentionRow,
    TombstoneRow,
)

Key = tuple[str, str]
"""A source and an author's id within it."""


def find(session: Session, source: str, named: str) -> list[Subject]:
    """The people of a source whose id, handle or address this is, case and a leading @ aside; an id counts first."""
    exact = session.scalar(_named(source).where(AuthorRow.key == named))
    if exact is not None:
        return [_subject(session, exact)]
    bare = named.strip().removeprefix("@").lower()
    forms = (bare, f"@{bare}")
    told = (func.lower(AuthorRow.key), func.lower(AuthorRow.handle), func.lower(AuthorRow.url))
    query = _named(source).where(or_(*(column.in_(forms) for column in told))).order_by(AuthorRow.id)
    return [_subject(session, row) for row in session.scalars(query)]


def get(session: Session, id: int) -> Subject | None:
    """The person of that row."""
    row = session.get(AuthorRow, id)
    return _subject(session, row) if row is not None else None


def blocked(session: Session, keys: Iterable[Key]) -> set[Key]:
    """Those of some people, `(source, key)`, who are blocked."""
    wanted, found = set(keys), set[Key]()
    for source in {source for source, _ in wanted}:
        ids = [key for of, key in wanted if of == source]
        query = select(AuthorRow.key).where(
            AuthorRow.source == source, AuthorRow.key.in_(ids), AuthorRow.blocked_at.is_not(None)
        )
        found |= {(source, key) for key in session.scalars(query)}
    return found


def mark_blocked(session: Session, id: int, at: datetime | None) -> None:
    """Note since when a person is blocked; None: no longer."""
    session.execute(update(AuthorRow).where(AuthorRow.id == id).values(blocked_at=at))


def hide(session: Session, id: int, limit: int) -> int:
    """Take what a blocked person said out of sight and out of all counts, up to `limit` mentions; how many it was."""
    others = or_(MentionRow.hidden.is_(None), MentionRow.hidden.not_in((BLOCKED, PERSON)))
    return _judged(session, id, limit, others, AuthorRow.blocked_at.is_not(None))


def show(session: Session, id: int, limit: int) -> int:
    """Bring back what was hidden because of a block that is over, up to `limit` mentions; how many it was.

    What the brands' exclusions mean stays hidden.
    """
    return _judged(session, id, limit, MentionRow.hidden == BLOCKED, AuthorRow.blocked_at.is_(None))


def all_blocked(session: Session) -> list[int]:
    """The rows of the people who are blocked."""
    return list(session.scalars(select(AuthorRow.id).where(AuthorRow.blocked_at.is_not(None)).order_by(AuthorRow.id)))


def returned(session: Session) -> list[int]:
    """The rows of people who were erased and are here again, as after a backup from before was restored."""
    marks = set(session.scalars(select(TombstoneRow.mark)))
    people = session.execute(select(AuthorRow.id, AuthorRow.source, AuthorRow.key).order_by(AuthorRow.id))
    return [row.id for row in people if tombstones.author_mark((row.source, row.key)) in marks] if marks else []


def keys_of(session: Session, id: int) -> list[Key]:
    """What a person said, as `(source, source id)`."""
    query = select(MentionRow.source, MentionRow.source_id).where(MentionRow.author_id == id)
    return [(row.source, row.source_id) for row in session.execute(query.distinct())]


def erase_some(session: Session, id: int, now: datetime, limit: int) -> int:
    """Delete up to `limit` things that a person said, for every brand, so that they do not come back; how many went."""
    query = select(MentionRow.source, MentionRow.source_id).where(MentionRow.author_id == id)
    keys = [(row.source, row.source_id) for row in session.execute(query.order_by(MentionRow.id).limit(limit))]
    return tombstones.bury(session, keys, now)


def remove(session: Session, id: int) -> None:
    """Delete the person's own row, and what may be left of their counts."""
    session.execute(delete(AuthorTallyRow).where(AuthorTallyRow.author_id == id))
    session.execute(delete(AuthorRow).where(AuthorRow.id == id))


def _named(source: str) -> Select[AuthorRow]:
    return select(AuthorRow).where(AuthorRow.source == source)


def _subject(session: Session, row: AuthorRow) -> Subject:
    own = MentionRow.author_id == row.id
    n, first, last = session.execute(
        select(func.count(), func.min(MentionRow.created_at), func.max(MentionRow.created_at)).where(own)
    ).one()
    spoken_of = BrandRow.id.in_(select(MentionRow.brand_id).where(own))
    brands = select(BrandRow.slug).where(spoken_of).order_by(BrandRow.slug)
    corrections = select(func.count()).select_from(CorrectionRow).where(
        CorrectionRow.mention_id.in_(select(MentionRow.id).where(own))
    )
    clusters = select(MentionRow.cluster_id).where(own, MentionRow.cluster_id.is_not(None))
    echoes = select(func.count()).select_from(MentionRow).where(
        MentionRow.cluster_id.in_(clusters), MentionRow.author_id.is_distinct_from(row.id)
    )
    return Subject(
        id=row.id, source=row.source, key=row.key, handle=row.handle, name=row.name, url=row.url,
        blocked_at=row.blocked_at, mentions=n, first=first, last=last, brands=tuple(session.scalars(brands)),
        corrections=session.scalar(corrections) or 0, echoes=session.scalar(echoes) or 0,
    )


def _judged(
    session: Session, id: int, limit: int, so_far: ColumnElement[bool], person: ColumnElement[bool]
) -> int:
    """Work out again whether up to `limit` of a person's mentions are hidden; how many there were."""
    query = select(MentionRow.id).join(AuthorRow, AuthorRow.id == MentionRow.author_id)
    chosen = query.where(MentionRow.author_id == id, so_far, person).order_by(MentionRow.id).limit(limit)
    ids = session.scalars(chosen).all()
    exclusions.judge(session, ids)
    return len(ids)
