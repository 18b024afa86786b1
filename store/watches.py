"""The watches: what is asked of which source, and when next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, insert, or_, select, update
from sqlalchemy.orm import Session

from escucha.admission import storable_json
from escucha.brand import Problem, Query, Run, Watch, WatchState
from escucha.errors import Conflict, NotFound
from escucha.source import Cursor, Quota, Refusal, Span
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


def add(
    session: Session, brand_id: int, source: str, query: Query, every: int, now: datetime, *,
    slowest: int | None = None, hook: str | None = None,
) -> Watch:
    """Start watching: the first run is due at once; one with a `hook` is sent to and never due.

    Raises:
        Conflict: the brand has this very watch.
    """
    twin = select(WatchRow.id).where(
        WatchRow.brand_id == brand_id, WatchRow.source == source, WatchRow.query == query.text
    )
    if session.scalar(twin) is not None:
        raise Conflict("This watch exists already: {source} {query}.", source=source, query=query.text)
    values = {"brand_id": brand_id, "source": source, "query": query.text, "terms": list(query.terms), "every": every,
              "pace": every, "slowest": max(every, slowest or slowest_of(every)), "made_at": now, "hook": hook,
              "next_at": now if hook is None else None}
    return get(session, session.execute(insert(WatchRow).values(values).returning(WatchRow.id)).scalar_one())


def slowest_of(every: int) -> int:
    """The longest pause between two runs where nobody says another: eight intervals, a day at most."""
    return max(every, min(8 * every, 86_400))


def by_hook(session: Session, hook: str) -> Watch:
    """The watch that is sent to under this address. Raises NotFound."""
    row = session.scalar(select(WatchRow).where(WatchRow.hook == hook))
    if row is None:
        raise NotFound("Nothing listens at this address. Copy it again from the page Sources.")
    return _watch(row)


def remove(session: Session, watch_id: int) -> None:
    """Stop watching for good; what was heard stays. Raises NotFound."""
    session.delete(_row(session, watch_id))
    session.flush()


def set_state(session: Session, watch_id: int, state: WatchState, now: datetime) -> Watch:
    """Pause a watch, or resume it: a resumed one is due at once and its past failures are forgotten."""
    row = _row(session, watch_id)
    row.state = state
    if state == "active":
        row.failures, row.problem, row.doubt, row.last_good_at = 0, None, None, now
        row.next_at = now if row.hook is None else None
    session.flush()
    return _watch(row)


def run_now(session: Session, watch_id: int, now: datetime) -> Watch:
    """Make a watch due at once, paused or not: what stopped it is tried again."""
    return set_state(session, watch_id, "active", now)


def claim_due(session: Session, now: datetime, limit: int = 50, but: Collection[int] = ()) -> list[Watch]:
    """Take the active watches that are due, under a lease: nobody else runs them until it ends or they are settled.

    `but` are those that the caller still works on.
    """
    free = or_(WatchRow.leased_until.is_(None), WatchRow.leased_until < now)
    rows = session.scalars(
        select(WatchRow)
        .where(WatchRow.state == "active", WatchRow.next_at <= now, free, WatchRow.id.not_in(but))
        .order_by(WatchRow.next_at)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyway
    ).all()
    for row in rows:
        row.leased_until = now + LEASE
    session.flush()
    return [_watch(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What one run did, as its line in the ledger keeps it: fetched = new + updated + duplicate + refused."""

    saved: Saved
    refusals: Sequence[Refusal] = ()
    passed: int = 0
    gone: int = 0
    cost: float = 0.0
    covers: Span | None = None
    problem: Problem | None = None

    @property
    def fetched(self) -> int:
        """Items that came: `passed` ones, left out on purpose, are not among them."""
        return self.saved.total + len(self.refusals)


def settle(
    session: Session, watch: Watch, ledger: Ledger, *, now: datetime, next_at: datetime, pace: int,
    cursor: Cursor | None, failures: int, state: WatchState, doubt: Problem | None = None, quota: Quota | None = None,
) -> None:
    """Close a run, in the transaction that saved its mentions: cursor moved, ledger written, lease ended.

    Where a person paused the watch meanwhile, it stays paused.
    """
    good = {"last_good_at": now} if ledger.problem is None else {}
    told = {"quota": _quota_told(quota)} if quota else {}
    session.execute(
        update(WatchRow).where(WatchRow.id == watch.id).values(
            cursor=dict(cursor) if cursor is not None else None, next_at=next_at if watch.hook is None else None,
            pace=pace, leased_until=None, last_run_at=now, failures=failures, problem=stored(ledger.problem),
            doubt=stored(doubt), state=case((WatchRow.state == "paused", "paused"), else_=state), **good, **told,
        )
    )
    write(session, watch.id, ledger, now)


def busy(session: Session, source: str, now: datetime) -> bool:
    """Whether a live run of any of a source's watches is under way."""
    leased = select(WatchRow.id).where(WatchRow.source == source, WatchRow.leased_until > now)
    return session.scalar(leased.limit(1)) is not None


def postpone(session: Session, watch_id: int, until: datetime) -> None:
    """Give a claimed watch back: it is due then."""
    session.execute(
        update(WatchRow).where(WatchRow.id == watch_id).values(leased_until=None, next_at=until)
    )


def write(session: Session, watch_id: int, ledger: Ledger, now: datetime, backfill_id: int | None = None) -> None:
    """A line in a watch's ledger."""
    session.execute(
        insert(RunRow).values(
            watch_id=watch_id, at=now, fetched=ledger.fetched, new=ledger.saved.new, updated=ledger.saved.updated,
            duplicate=ledger.saved.duplicate, refused=len(ledger.refusals), passed=ledger.passed, gone=ledger.gone,
            cost=ledger.cost, covers_from=ledger.covers.start if ledger.covers else None,
            covers_to=ledger.covers.end if ledger.covers else None, problem=stored(ledger.problem),
            refusals=_reasons(ledger.refusals), backfill_id=backfill_id,
        )
    )


def spent(session: Session, source: str, since: datetime) -> float:
    """US dollars that the runs of a source have cost since a moment."""
    total = select(func.sum(RunRow.cost)).join(WatchRow, WatchRow.id == RunRow.watch_id)
    return float(session.scalar(total.where(WatchRow.source == source, RunRow.at >= since)) or 0.0)


def runs(session: Session, watch_id: int, limit: int = 20) -> list[Run]:
    """The newest lines of a watch's ledger, newest first."""
    query = select(RunRow).where(RunRow.watch_id == watch_id).order_by(RunRow.id.desc()).limit(limit)
    return [run(row) for row in session.scalars(query)]


def last_run(session: Session, watch_id: int) -> Run | None:
    """The newest line of a watch's ledger."""
    return next(iter(runs(session, watch_id, 1)), None)


def run(row: RunRow) -> Run:
    """A line of the ledger as its row tells it."""
    refusals = (row.refusals or {}).get("refusals", [])
    return Run(
        at=row.at, fetched=row.fetched, new=row.new, updated=row.updated, duplicate=row.duplicate, refused=row.refused,
        passed=row.passed, gone=row.gone, cost=row.cost, backfill_id=row.backfill_id, problem=as_problem(row.problem),
        refusals=tuple((refusal["where"], Problem(**refusal["why"])) for refusal in refusals),
    )


def _reasons(refusals: Sequence[Refusal]) -> dict[str, Any] | None:
    kept = [
        {"where": r.where, "why": {"error": r.why.error, "message": r.why.message, "details": r.why.details}}
        for r in refusals[:KEPT_REFUSALS]
    ]
    return storable_json({"refusals": kept}) if kept else None


def stored(problem: Problem | None) -> dict[str, Any] | None:
    """A problem as a column keeps it."""
    return storable_json(asdict(problem)) if problem is not None else None


def _row(session: Session, watch_id: int) -> WatchRow:
    row = session.get(WatchRow, watch_id)
    if row is None:
        raise NotFound("There is no watch number {id}. `escucha watch list` shows them.", id=watch_id)
    return row


def _watch(row: WatchRow) -> Watch:
    return Watch(
        id=row.id, brand_id=row.brand_id, source=row.source, query=Query(text=row.query, terms=tuple(row.terms)),
        every=row.every, slowest=row.slowest, pace=row.pace, state="paused" if row.state == "paused" else "active",
        cursor=row.cursor, made_at=row.made_at, next_at=row.next_at, last_run_at=row.last_run_at,
        last_good_at=row.last_good_at, failures=row.failures, problem=as_problem(row.problem),
        doubt=as_problem(row.doubt), quota=_quota(row.quota), hook=row.hook,
    )


def as_problem(stored: dict[str, Any] | None) -> Problem | None:
    """A problem as its column keeps it."""
    return Problem(**stored) if stored else None


def _quota_told(quota: Quota) -> dict[str, Any]:
    return {**asdict(quota), "resets_at": quota.resets_at.isoformat() if quota.resets_at else None}


def _quota(stored: dict[str, Any] | None) -> Quota | None:
    if not stored:
        return None
    resets = stored.get("resets_at")
    return Quota(**{**stored, "resets_at": datetime.fromisoformat(resets) if resets else None})
