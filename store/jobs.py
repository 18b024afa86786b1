"""The jobs that tag history again: asked for, worked off step by step, and resumed where they were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Select, insert, or_, select, update
from sqlalchemy.orm import Session

from escucha.admission import storable_json
from escucha.errors import Conflict, EscuchaError, NotFound
from escucha.job import How, Job
from store.tables import BrandRow, JobRow

LEASE = timedelta(seconds=60)
"""How long a job rests after the process that worked on it died without a word. A saved batch renews it."""
KIND = "retag"
OPEN = ("waiting", "running")


def add(
    session: Session, brand_id: int | None, how: How, now: datetime, *, stale: bool, total: int, until_id: int
) -> int:
    """Queue a job over the mentions up to `until_id`; its id. One of the same kind that has not begun serves again."""
    waiting = session.scalars(select(JobRow).where(JobRow.state == "waiting", JobRow.brand_id.is_(None)
                                                   if brand_id is None else JobRow.brand_id == brand_id))
    asked = {"how": how, "stale": stale, "until": until_id}
    for row in waiting:
        if {**row.asked, "until": until_id} == asked:
            row.asked, row.total = asked, total
            session.flush()
            return row.id
    values = {"kind": KIND, "brand_id": brand_id, "state": "waiting", "asked": asked, "total": total, "done": 0,
              "changed": 0, "failed": 0, "after_id": 0, "made_at": now}
    return session.execute(insert(JobRow).values(values).returning(JobRow.id)).scalar_one()


def get(session: Session, job_id: int) -> Job:
    """The job of that number. Raises NotFound."""
    row = session.execute(_selection().where(JobRow.id == job_id)).one_or_none()
    if row is None:
        raise NotFound("There is no job number {id}. `escucha jobs list` shows those there are.", id=job_id)
    return _job(*row)


def all_jobs(session: Session, brand_id: int | None = None, limit: int = 50) -> list[Job]:
    """The newest jobs first: those of a brand and those of every brand; or all."""
    query = _selection().order_by(JobRow.id.desc()).limit(limit)
    if brand_id is not None:
        query = query.where(or_(JobRow.brand_id == brand_id, JobRow.brand_id.is_(None)))
    return [_job(*row) for row in session.execute(query)]


def claim(session: Session, now: datetime, job_id: int | None = None) -> Job | None:
    """Take the oldest job that is open and that nobody works on (or that one) under a lease; None if there is none."""
    free = or_(JobRow.leased_until.is_(None), JobRow.leased_until < now)
    query = select(JobRow.id).where(JobRow.state.in_(OPEN), free).order_by(JobRow.id).limit(1)
    if job_id is not None:
        query = query.where(JobRow.id == job_id)
    found = session.scalar(query.with_for_update(skip_locked=True))
    if found is None:
        return None
    row = session.get_one(JobRow, found, populate_existing=True)
    row.state, row.started_at, row.leased_until = "running", row.started_at or now, now + LEASE
    session.flush()
    return get(session, found)


def advance(
    session: Session, job: Job, after_id: int, now: datetime, *, done: int, changed: int, failed: int,
    moves: Mapping[str, Mapping[str, Mapping[str, int]]],
) -> Job | None:
    """The job with another batch behind it, in the transaction that saves the batch's labels.

    None where it was cancelled, or somebody else has gone on with it: then the caller must undo the transaction.
    """
    values = {
        "after_id": after_id, "done": JobRow.done + done, "changed": JobRow.changed + changed,
        "failed": JobRow.failed + failed, "result": storable_json(dict(moves)), "problem": None,
        "leased_until": now + LEASE,
    }
    return get(session, job.id) if _update(session, job, values) else None


def finish(session: Session, job: Job, now: datetime) -> Job | None:
    """The job, done; None where it was cancelled meanwhile."""
    over = {"state": "done", "ended_at": now, "leased_until": None, "problem": None}
    return get(session, job.id) if _update(session, job, over) else None


def rest(session: Session, job: Job, problem: EscuchaError | None = None) -> None:
    """Let go of a job that is to go on later, with what stood in its way."""
    said = {"message": problem.message, "details": storable_json(problem.details)} if problem else None
    _update(session, job, {"leased_until": None, "problem": said})


def cancel(session: Session, job_id: int, now: datetime) -> Job:
    """Stop a job; what it has tagged stays so. Raises NotFound, or Conflict where it is over already."""
    job = get(session, job_id)
    if not job.open:
        raise Conflict("Job {id} is over already.", id=job_id)
    session.execute(update(JobRow).where(JobRow.id == job_id, JobRow.state.in_(OPEN))
                    .values(state="cancelled", ended_at=now, leased_until=None))
    session.expire_all()
    return get(session, job_id)


def _update(session: Session, job: Job, values: Mapping[str, Any]) -> bool:
    """Change the row if it still is as the job says."""
    changed = session.execute(
        update(JobRow).where(JobRow.id == job.id, JobRow.state == "running", JobRow.after_id == job.after_id)
        .values(**values).execution_options(synchronize_session=False)
    )
    session.expire_all()
    assert isinstance(changed, CursorResult)  # noqa: S101 (for the type checker)
    return changed.rowcount == 1


def _selection() -> Select[*tuple[Any, ...]]:
    return select(JobRow, BrandRow.slug).outerjoin(BrandRow, BrandRow.id == JobRow.brand_id)


def _job(row: JobRow, slug: str | None) -> Job:
    return Job(
        id=row.id, brand=slug, brand_id=row.brand_id, how=row.asked["how"], stale=row.asked["stale"],
        state=row.state,  # type: ignore[arg-type]
        total=row.total, done=row.done, changed=row.changed, failed=row.failed, after_id=row.after_id,
        until_id=row.asked["until"], made_at=row.made_at, started_at=row.started_at, ended_at=row.ended_at,
        moves=row.result or {}, problem=row.problem,
    )
