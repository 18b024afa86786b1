"""Of which days everything was read, by the ledger: the gaps are shown, not hidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from escucha.source import Span
from store.tables import RunRow


def spans(session: Session, watch_id: int, since: datetime) -> list[Span]:
    """The stretches of time that a watch's runs have read in full since a moment, joined and in order."""
    query = select(RunRow.covers_from, RunRow.covers_to).where(RunRow.watch_id == watch_id, RunRow.covers_to >= since)
    return joined(Span(start, end) for start, end in session.execute(query) if start is not None and end is not None)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def calendar(spans: Sequence[Span], days: Sequence[date], zone: ZoneInfo, now: datetime) -> dict[date, float]:
    """For each day, in the brand's zone, the share that was read (0 to 1); of today, the share of what has passed."""
    return {day: _share(spans, _whole(day, zone), now) for day in days}


def _whole(day: date, zone: ZoneInfo) -> Span:
    """A local day in UTC, where a day of a clock change has its 23 or 25 hours."""
    start, end = (datetime.combine(each, time.min, zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
    return Span(start, end)


def _share(spans: Sequence[Span], day: Span, now: datetime) -> float:
    end = min(day.end, now)
    length = (end - day.start).total_seconds()
    if length <= 0:
        return 0.0
    read = sum(max(0.0, (min(span.end, end) - max(span.start, day.start)).total_seconds()) for span in spans)
    return min(read / length, 1.0)
