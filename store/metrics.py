"""Counts the mentions that a filter means: by label, by day, and per stage of the journey."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escucha.enrichment import TaggedMention
from escucha.filter import MentionFilter
from escucha.journey import Dimension, Every, Metric, Point, SentimentMix, Series, Tally
from escucha.statistics import sentiment_mix, share
from store.filters import conditions
from store.rows import selection, tagged
from store.tables import MentionRow


def count(session: Session, filter: MentionFilter) -> int:
    """How many mentions the filter means."""
    return session.scalar(select(func.count()).select_from(MentionRow).where(*conditions(session, filter))) or 0


def mix(session: Session, filter: MentionFilter) -> SentimentMix:
    """How the mentions that the filter means feel."""
    rows = _grouped(session, filter, MentionRow.sentiment)
    return _mix({row[0]: row[1] for row in rows})


def tallies(session: Session, filter: MentionFilter, by: Dimension) -> list[Tally]:
    """How often each value of a dimension occurs, the most frequent first; mentions without one are left out."""
    feelings: dict[str, dict[str | None, int]] = defaultdict(dict)
    for key, sentiment, n in _grouped(session, filter, _column(by), MentionRow.sentiment):
        if key is not None:
            feelings[key][sentiment] = n
    return ranked(feelings)


def ranked(feelings: Mapping[str, Mapping[str | None, int]]) -> list[Tally]:
    """Tallies from counts per key and sentiment, the most frequent first."""
    rows = [Tally(key=key, n=sum(by.values()), net=_mix(by).net) for key, by in feelings.items()]
    return sorted(rows, key=lambda tally: (-tally.n, tally.key))


def series(session: Session, filter: MentionFilter, metric: Metric, by: Dimension | None, every: Every) -> list[Series]:
    """A metric over time, one series per value of a dimension, or one for all.

    Buckets are the brand's local days, weeks from Monday, or months; a bucket without mentions has n 0, and no value
    unless the metric is a count. They run from the first to the last mention that the filter means.
    """
    columns = [MentionRow.day, MentionRow.sentiment] + ([_column(by)] if by else [])
    cells: dict[str | None, dict[date, dict[str | None, int]]] = defaultdict(lambda: defaultdict(dict))
    for day, sentiment, *key, n in _grouped(session, filter, *columns):
        if not by or key[0] is not None:
            bucket = cells[key[0] if by else None][_start(day, every)]
            bucket[sentiment] = bucket.get(sentiment, 0) + n
    days = [day for buckets in cells.values() for day in buckets]
    starts = _starts(min(days), max(days), every) if days else []
    return [
        Series(metric=metric, key=key, points=tuple(_point(metric, day, buckets.get(day, {})) for day in starts))
        for key, buckets in sorted(cells.items(), key=lambda cell: cell[0] or "")
    ]


def days(session: Session, filter: MentionFilter) -> tuple[date, date] | None:
    """The first and the last local day on which a mention that the filter means was made; None without any."""
    where = conditions(session, filter)
    first, last = (
        session.scalar(select(MentionRow.day).where(*where).order_by(order, MentionRow.id).limit(1))
        for order in (MentionRow.created_at, MentionRow.created_at.desc())
    )
    return (first, last) if first and last else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """How many mentions share a stage, sentiment, pain and touchpoint."""

    stage: str | None
    sentiment: str | None
    pain: str | None
    touchpoint: str | None
    n: int


def stage_counts(session: Session, filter: MentionFilter) -> list[StageCount]:
    """Everything the journey map counts, in one pass."""
    columns = (MentionRow.stage, MentionRow.sentiment, MentionRow.pain, MentionRow.touchpoint)
    return [
        StageCount(stage=stage, sentiment=sentiment, pain=pain, touchpoint=touchpoint, n=n)
        for stage, sentiment, pain, touchpoint, n in _grouped(session, filter, *columns)
    ]


def newest_of_stage(session: Session, filter: MentionFilter, stage: str, n: int) -> list[TaggedMention]:
    """The newest mentions of one stage, from which its quotes are chosen."""
    query = (
        selection()
        .where(*conditions(session, filter), MentionRow.stage == stage)
        .order_by(MentionRow.created_at.desc(), MentionRow.id.desc())
        .limit(n)
    )
    return [tagged(*row) for row in session.execute(query)]


def _grouped(session: Session, filter: MentionFilter, *columns: Any) -> Iterable[Any]:
    query = select(*columns, func.count()).where(*conditions(session, filter)).group_by(*columns)
    return session.execute(query).all()


def _column(by: Dimension) -> Any:
    return getattr(MentionRow, by)


def _mix(by: Mapping[str | None, int]) -> SentimentMix:
    return sentiment_mix(by.get("positive", 0), by.get("neutral", 0), by.get("negative", 0))


def _point(metric: Metric, day: date, by: Mapping[str | None, int]) -> Point:
    at, feeling = day.isoformat(), _mix(by)
    if metric == "mentions":
        n = sum(by.values())
        return Point(at=at, value=n, n=n)
    if metric == "net_sentiment":
        return Point(at=at, value=feeling.net, n=feeling.n, low=feeling.net_low, high=feeling.net_high)
    part = share((feeling.positive if metric == "positive_share" else feeling.negative).count, feeling.n)
    if not part.n:
        return Point(at=at, value=None, n=0)
    return Point(at=at, value=part.share, n=part.n, low=part.low, high=part.high)


def _start(day: date, every: Every) -> date:
    if every == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if every == "month" else day


def _starts(first: date, last: date, every: Every) -> list[date]:
    starts, day = [], first
    while day <= last:
        starts.append(day)
        day = _start(day + timedelta(days={"day": 1, "week": 7, "month": 31}[every]), every)
    return starts
