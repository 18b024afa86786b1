"""The people who speak, one row per source and identity."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

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
NEWS = " OR ".join(f"coalesce(excluded.{name} <> author.{name}, excluded.{name} IS NOT NULL)" for name in TOLD)
"""Whether anything is told that was not told before: a row that would stay the same is not written."""


class Writer(NamedTuple):
    """The row of an author, and whether what they say is shown and counted nowhere."""

    id: int
    blocked: bool


def save(session: Session, heard: Sequence[tuple[str, Author]], now: datetime) -> Mapping[tuple[str, str], Writer]:
    """Save the authors of some mentions, `(source, author)`; what is kept of them by `(source, author id)`.

    What a source does not tell this time (followers, say) does not wipe out what it told before.
    """
    latest = {(source, author.id): author for source, author in heard}
    people = latest.values()
    keys = {"source": [source for source, _ in latest], "key": [key for _, key in latest]}
    bulk.upsert(session.connection(), TABLE, {
        **keys,
        "handle": [author.handle for author in people], "name": [author.name for author in people],
        "url": [author.url for author in people], "followers": [author.followers for author in people],
        "followers_at": [None if author.followers is None else now for author in people],
        "verified": [author.verified for author in people],
    }, ("source", "key"), TOLD, NEWS)  # fmt: skip
    found = bulk.matching(session.connection(), TABLE, keys, ("source", "key", "id", "blocked_at"))
    return {(source, key): Writer(id, blocked_at is not None) for source, key, id, blocked_at in found}


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
