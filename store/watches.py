"""The watches: what is asked of which source, and when next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from escucha.admission import storable_json
from escucha.brand import Problem, Query, Watch, WatchState
from escucha.errors import Conflict, NotFound
from escucha.source import Cursor, Refusal
from store.mentions import Saved
from store.tables import RunRow, WatchRow

LEASE = timedelta(minutes=10)
KEPT_REFUSALS = 100


def all_watches(session: Session) -> list[Watch]:
    """Every watch, oldest first."""
    return [_watch(row) for row in session.scalars(select(WatchRow).order_by(WatchRow.id))]


def of_brand(session: Session, brand_id: int) -> list[Watch]:
    """The watches of one brand, oldest first."""
    rows = session.scalars(select(WatchRow).where(WatchRow.brand_id == brand_id).order_by(WatchRow.id))
    return [_watch(row) for row in rows]


def get(session: Session, watch_id: int) -> Watch:
    """The watch of that number. Raises NotFound."""
    return _watch(_row(session, watch_id))


def add(session: Session, brand_id: int, source: str, query: Query, every: int, now: datetime) -> Watch:
    """Start watching: the first run is due at once. Raises Conflict if the brand has this very watch."""
    twin = select(WatchRow.id).where(
        WatchRow.brand_id == brand_id, WatchRow.source == source, WatchRow.query == query.text
    )
    if session.scalar(twin) is not None:
        raise Conflict("This watch exists already: {source} {query}.", source=source, query=query.text)
    values = {"brand_id": brand_id, "source": source, "query": query.text, "terms": list(query.terms), "every": every,
              "next_at": now}
    return get(session, session.execute(insert(WatchRow).values(values).returning(WatchRow.id)).scalar_one())


def set_state(session: Session, watch_id: int, state: WatchState, now: datetime) -> Watch:
    """Pause a watch, or resume it: a resumed one is due at once and its past failures are forgotten."""
    row = _row(session, watch_id)
    row.state = state
    if state == "active":
        row.next_at, row.failures, row.problem = now, 0, None
    session.flush()
    return _watch(row)


def claim_due(session: Session, now: datetime, limit: int = 50) -> list[Watch]:
    """Take the active watches that are due, under a lease: nobody else runs them until it ends or they are settled."""
    free = or_(WatchRow.leased_until.is_(None), WatchRow.leased_until < now)
    rows = session.scalars(
        select(WatchRow)
        .where(WatchRow.state == "active", WatchRow.next_at <= now, free)
        .order_by(WatchRow.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyway
    ).all()
    for row in rows:
        row.leased_until = now + LEASE
    session.flush()
    return [_watch(row) for row in rows]


def settle(
    session: Session, watch: Watch, *, now: datetime, next_at: datetime, cursor: Cursor | None, failures: int,
    state: WatchState, problem: Problem | None, saved: Saved, refusals: Sequence[Refusal],
) -> None:
    """Close a run, in the transaction that saved its mentions: cursor moved, ledger written, lease ended."""
    session.execute(
        update(WatchRow).where(WatchRow.id == watch.id).values(
            cursor=dict(cursor) if cursor is not None else None, next_at=next_at, leased_until=None,
            last_run_at=now, failures=failures, state=state, problem=_stored(problem),
        )
    )
    session.execute(
        insert(RunRow).values(
            watch_id=watch.id, at=now, fetched=saved.total + len(refusals), new=saved.new, updated=saved.updated,
            duplicate=saved.duplicate, refused=len(refusals), problem=_stored(problem), refusals=_reasons(refusals),
        )
    )


def last_run(session: Session, watch_id: int) -> RunRow | None:
    """The newest line of a watch's ledger."""
    return session.scalar(select(RunRow).where(RunRow.watch_id == watch_id).order_by(RunRow.id.desc()).limit(1))


def _reasons(refusals: Sequence[Refusal]) -> dict[str, Any] | None:
    kept = [
        {"where": r.where, "why": {"error": r.why.error, "message": r.why.message, "details": r.why.details}}
        for r in refusals[:KEPT_REFUSALS]
    ]
    return storable_json({"refusals": kept}) if kept else None


def _stored(problem: Problem | None) -> dict[str, Any] | None:
    return storable_json(asdict(problem)) if problem is not None else None


def _row(session: Session, watch_id: int) -> WatchRow:
    row = session.get(WatchRow, watch_id)
    if row is None:
        raise NotFound("There is no watch number {id}. `escucha watch list` shows them.", id=watch_id)
    return row


def _watch(row: WatchRow) -> Watch:
    return Watch(
        id=row.id, brand_id=row.brand_id, source=row.source, query=Query(text=row.query, terms=tuple(row.terms)),
        every=row.every, state="paused" if row.state == "paused" else "active", cursor=row.cursor, next_at=row.next_at,
        last_run_at=row.last_run_at, failures=row.failures, problem=Problem(**row.problem) if row.problem else None,
    )
