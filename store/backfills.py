"""Readings of a watch's past: asked for, worked off step by step beside the live runs, resumed where they were."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, case, insert, or_, select, update
from sqlalchemy.orm import Session

from escucha.brand import Backfill, Problem
from escucha.errors import Conflict, NotFound
from escucha.source import Cursor
from store.tables import BackfillRow, WatchRow
from store.watches import Ledger, as_problem, stored, write

LEASE = timedelta(minutes=10)
OPEN = ("waiting", "running")


def ask(session: Session, watch_id: int, since: datetime, now: datetime) -> Backfill:
    """Queue a reading back to `since`; one that is open and goes as far serves again."""
    query = select(BackfillRow).where(
        BackfillRow.watch_id == watch_id, BackfillRow.state.in_(OPEN), BackfillRow.since <= since
    )
    row = session.scalar(query.limit(1))
    if row is not None:
        return _backfill(row)
    values = {"watch_id": watch_id, "since": since, "state": "waiting", "made_at": now, "next_at": now}
    return get(session, session.execute(insert(BackfillRow).values(values).returning(BackfillRow.id)).scalar_one())


def get(session: Session, backfill_id: int) -> Backfill:
    """The backfill of that number. Raises NotFound."""
    row = session.get(BackfillRow, backfill_id, populate_existing=True)
    if row is None:
        raise NotFound("There is no backfill number {id}. `escucha backfills list` shows those there are.",
                       id=backfill_id)
    return _backfill(row)


def listed(session: Session, brand_id: int | None = None, limit: int = 50) -> list[Backfill]:
    """The newest first: those of a brand's watches, or all."""
    query = select(BackfillRow).join(WatchRow, WatchRow.id == BackfillRow.watch_id)
    if brand_id is not None:
        query = query.where(WatchRow.brand_id == brand_id)
    return [_backfill(row) for row in session.scalars(query.order_by(BackfillRow.id.desc()).limit(limit))]


def claim(session: Session, now: datetime, only: int | None = None) -> Backfill | None:
    """Take the open backfill that is due the longest (or that one) under a lease; None if none is due."""
    free = or_(BackfillRow.leased_until.is_(None), BackfillRow.leased_until < now)
    query = select(BackfillRow).where(BackfillRow.state.in_(OPEN), BackfillRow.next_at <= now, free)
    if only is not None:
        query = query.where(BackfillRow.id == only)
    row = session.scalar(query.order_by(BackfillRow.next_at).limit(1).with_for_update(skip_locked=True))
    if row is None:
        return None
    row.state, row.leased_until = "running", now + LEASE
    session.flush()
    return _backfill(row)


def busy(session: Session, source: str, now: datetime) -> bool:
    """Whether a step of a backfill of any of a source's watches is under way."""
    leased = select(BackfillRow.id).join(WatchRow, WatchRow.id == BackfillRow.watch_id).where(
        WatchRow.source == source, BackfillRow.leased_until > now
    )
    return session.scalar(leased.limit(1)) is not None


def postpone(session: Session, backfill: Backfill, until: datetime) -> None:
    """Give a claimed backfill back: it is due then."""
    session.execute(update(BackfillRow).where(BackfillRow.id == backfill.id).values(leased_until=None, next_at=until))


def settle(
    session: Session, backfill: Backfill, ledger: Ledger, *, now: datetime, next_at: datetime, cursor: Cursor | None,
    reached: datetime | None, over: bool, failures: int,
) -> None:
    """Close a step, in the transaction that saved its mentions. A cancelled one keeps what it found.

    `over` says that no step follows: where the ledger has a problem, because a person must act.
    """
    state = ("failed" if ledger.problem else "done") if over else "running"
    changed = session.execute(
        update(BackfillRow).where(BackfillRow.id == backfill.id).values(
            state=case((BackfillRow.state == "cancelled", "cancelled"), else_=state),
            cursor=dict(cursor) if cursor is not None else None, reached=reached or backfill.reached,
            fetched=BackfillRow.fetched + ledger.fetched, new=BackfillRow.new + ledger.saved.new, failures=failures,
            next_at=next_at, ended_at=now if over else None, leased_until=None, problem=stored(ledger.problem),
        ).execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)  # noqa: S101 (for the type checker)
    if changed.rowcount:  # the watch may have been removed meanwhile
        write(session, backfill.watch_id, ledger, now, backfill.id)


def cancel(session: Session, backfill_id: int, now: datetime) -> Backfill:
    """Stop a backfill; what it has read stays. Raises NotFound, or Conflict where it is over already."""
    if not get(session, backfill_id).open:
        raise Conflict("Backfill {id} is over already.", id=backfill_id)
    session.execute(update(BackfillRow).where(BackfillRow.id == backfill_id).values(state="cancelled", ended_at=now))
    session.expire_all()
    return get(session, backfill_id)


def resume(session: Session, backfill_id: int, now: datetime) -> Backfill:
    """Go on with one that failed or was cancelled, where it was. Raises NotFound, or Conflict where it is done."""
    found = get(session, backfill_id)
    if found.state == "done":
        raise Conflict("Backfill {id} is over already.", id=backfill_id)
    again = {"state": "waiting", "next_at": now, "ended_at": None, "failures": 0, "problem": None}
    session.execute(update(BackfillRow).where(BackfillRow.id == backfill_id).values(**again))
    session.expire_all()
    return get(session, backfill_id)


def _backfill(row: BackfillRow) -> Backfill:
    problem: Problem | None = as_problem(row.problem)
    return Backfill(
        id=row.id, watch_id=row.watch_id, since=row.since, state=row.state,  # type: ignore[arg-type]
        made_at=row.made_at, next_at=row.next_at, cursor=row.cursor, reached=row.reached, fetched=row.fetched,
        new=row.new, failures=row.failures, ended_at=row.ended_at, problem=problem,
    )
