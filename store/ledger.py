"""How each watch has been doing: what its runs brought, how late it hears, and of which days everything was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escucha.brand import Run, Watch
from escucha.source import Span
from store.coverage import joined
from store.tables import MentionRow, RunRow
from store.watches import run

HEARD = 50
"""Mentions of a watch by which it is told how late it hears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A watch's last live run, its runs of a week added up, its lag, and the spans of time that it has read.

    `lag` is the median time from when something was said until we heard it, of the newest `heard` mentions that were
    said after the watch began; None where there are none.
    """

    last: Run | None = None
    week: Run | None = None
    lag: timedelta | None = None
    heard: int = 0
    spans: tuple[Span, ...] = ()


def standings(session: Session, watches: Sequence[Watch], now: datetime, since: datetime) -> dict[int, Standing]:
    """How each of these watches stands; coverage is told since a moment."""
    ids = [watch.id for watch in watches]
    last, week, lags = _last(session, ids), _week(session, ids, now), _lags(session, watches)
    covered = _covered(session, ids, since)
    return {
        number: Standing(
            last=last.get(number), week=week.get(number), spans=tuple(joined(covered[number])),
            lag=_middle(lags[number]), heard=len(lags[number]),
        )
        for number in ids
    }


def _middle(lags: Sequence[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(lag.total_seconds() for lag in lags)) if lags else None


def _last(session: Session, ids: Sequence[int]) -> dict[int, Run]:
    newest = select(func.max(RunRow.id)).where(RunRow.watch_id.in_(ids), RunRow.backfill_id.is_(None))
    query = select(RunRow).where(RunRow.id.in_(newest.group_by(RunRow.watch_id)))
    return {row.watch_id: run(row) for row in session.scalars(query)}


def _week(session: Session, ids: Sequence[int], now: datetime) -> dict[int, Run]:
    names = ("fetched", "new", "updated", "duplicate", "refused", "passed", "gone", "cost")
    sums = [func.sum(getattr(RunRow, name)).label(name) for name in names]
    query = select(RunRow.watch_id, *sums).where(RunRow.watch_id.in_(ids), RunRow.at > now - timedelta(days=7))
    return {
        row.watch_id: Run(at=now, **{name: getattr(row, name) for name in names})
        for row in session.execute(query.group_by(RunRow.watch_id))
    }


def _lags(session: Session, watches: Sequence[Watch]) -> dict[int, list[timedelta]]:
    begun = {watch.id: watch.made_at for watch in watches}
    place = func.row_number().over(partition_by=MentionRow.watch_id, order_by=MentionRow.id.desc()).label("place")
    newest = select(MentionRow.watch_id, MentionRow.created_at, MentionRow.heard_at, place).where(
        MentionRow.watch_id.in_(list(begun))
    ).subquery()
    found: dict[int, list[timedelta]] = defaultdict(list)
    for row in session.execute(select(newest).where(newest.c.place <= HEARD)):
        start = begun[row.watch_id]
        if start is not None and row.created_at >= start:
            found[row.watch_id].append(row.heard_at - row.created_at)
    return found


def _covered(session: Session, ids: Sequence[int], since: datetime) -> dict[int, list[Span]]:
    query = select(RunRow.watch_id, RunRow.covers_from, RunRow.covers_to).where(
        RunRow.watch_id.in_(ids), RunRow.covers_to >= since
    )
    found: dict[int, list[Span]] = defaultdict(list)
    for number, start, end in session.execute(query):
        if start is not None and end is not None:
            found[number].append(Span(start, end))
    return found
