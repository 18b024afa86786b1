"""The people who speak, one row per source and identity."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, or_, select, update
from sqlalchemy.orm import Session

from escucha.mention import Author
from store import bulk
from store.tables import AuthorRow

TABLE: Table = AuthorRow.__table__  # type: ignore[assignment]
TOLD = {
    name: f"coalesce(excluded.{name}, author.{name})"
    for name in ("handle", "name", "url", "followers", "followers_at", "verified")
}
"""What is told this time, or else what was told before."""


def save(session: Session, heard: Sequence[tuple[str, Author]], now: datetime) -> dict[tuple[str, str], int]:
    """Save the authors of some mentions, `(source, author)`; their row ids by `(source, author id)`.

    What a source does not tell this time (followers, say) does not wipe out what it told before.
    """
    latest = {(source, author.id): author for source, author in heard}
    if not latest:
        return {}
    rows = [_row(source, author, now) for (source, _), author in sorted(latest.items())]
    bulk.upsert(session.connection(), TABLE, rows, ("source", "key"), TOLD)
    return _ids(session, list(latest))


def blocked(session: Session, ids: Collection[int]) -> set[int]:
    """Those of some authors, by row id, whose mentions are shown and counted nowhere."""
    query = select(AuthorRow.id).where(AuthorRow.blocked_at.is_not(None), bulk.within(session, AuthorRow.id, ids))
    return set(session.scalars(query))


def waiting(session: Session, source: str, now: datetime, cache: timedelta, limit: int) -> list[Author]:
    """Authors of a source whose followers are unknown or were told longer than `cache` ago, the longest unasked first.

    One is asked about once within `cache`, whatever was answered.
    """
    old = now - cache
    unknown = or_(AuthorRow.followers_at.is_(None), AuthorRow.followers_at < old)
    unasked = or_(AuthorRow.asked_at.is_(None), AuthorRow.asked_at < old)
    query = select(AuthorRow).where(AuthorRow.source == source, AuthorRow.blocked_at.is_(None), unknown, unasked)
    return [author(row) for row in session.scalars(query.order_by(AuthorRow.asked_at, AuthorRow.id).limit(limit))]


def known(session: Session, source: str, ids: Collection[str]) -> set[str]:
    """Those of some authors who are there."""
    return set(session.scalars(select(AuthorRow.key).where(AuthorRow.source == source, AuthorRow.key.in_(ids))))


def asked(session: Session, source: str, ids: Sequence[str], now: datetime) -> None:
    """Note that a source was asked about these authors."""
    chosen = (AuthorRow.source == source, AuthorRow.key.in_(ids))
    session.execute(update(AuthorRow).where(*chosen).values(asked_at=now))


def author(row: AuthorRow) -> Author:
    """An author as the row tells."""
    return Author(id=row.key, handle=row.handle, name=row.name, url=row.url, followers=row.followers,
                  followers_at=row.followers_at, verified=row.verified)


def _row(source: str, author: Author, now: datetime) -> dict[str, Any]:
    return {"source": source, "key": author.id, "handle": author.handle, "name": author.name, "url": author.url,
            "followers": author.followers, "verified": author.verified,
            "followers_at": now if author.followers is not None else None}


def _ids(session: Session, keys: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for source in {source for source, _ in keys}:
        wanted = [key for of, key in keys if of == source]
        known = bulk.within(session, AuthorRow.key, wanted)
        query = select(AuthorRow.key, AuthorRow.id).where(AuthorRow.source == source, known)
        found |= {(source, key): row_id for key, row_id in session.execute(query)}
    return found
