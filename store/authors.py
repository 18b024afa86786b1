"""The people who speak, one row per source and identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from escucha.mention import Author
from store.tables import AuthorRow


def save(session: Session, heard: Sequence[tuple[str, Author]]) -> dict[tuple[str, str], int]:
    """Save the authors of some mentions, `(source, author)`; their row ids by `(source, author id)`.

    What a source does not tell this time (followers, say) does not wipe out what it told before.
    """
    latest = {(source, author.id): author for source, author in heard}
    if not latest:
        return {}
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else pg_insert
    statement = insert(AuthorRow)
    told = {
        name: func.coalesce(getattr(statement.excluded, name), getattr(AuthorRow, name))
        for name in ("handle", "name", "url", "followers", "verified")
    }
    upsert = statement.on_conflict_do_update(index_elements=["source", "key"], set_=told)
    session.connection().execute(upsert, [_row(source, author) for (source, _), author in sorted(latest.items())])
    return _ids(session, list(latest))


def _row(source: str, author: Author) -> dict[str, Any]:
    return {"source": source, "key": author.id, "handle": author.handle, "name": author.name, "url": author.url,
            "followers": author.followers, "verified": author.verified}


def _ids(session: Session, keys: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for source in {source for source, _ in keys}:
        wanted = [key for of, key in keys if of == source]
        query = select(AuthorRow.key, AuthorRow.id).where(AuthorRow.source == source, AuthorRow.key.in_(wanted))
        found |= {(source, key): row_id for key, row_id in session.execute(query)}
    return found
