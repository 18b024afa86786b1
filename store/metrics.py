"""Counts the mentions that a filter means: by label, by day, and per stage of the journey."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escucha.enrichment import TaggedMention
from escucha.filter import MentionFilter
from escucha.journey import Dimension, Every, Metric, Point, SentimentMix, Series, Tally
from escucha.statistics import sentiment_mix, share
from store import cubes
from store.filters import conditions
from store.rows import selection, tagged
from store.tables import MentionRow


def count(session: Session, filter: MentionFilter) -> int:
    """How many mentions the filter means."""
    return sum(_grouped(session, filter).values())


def mix(session: Session, filter: MentionFilter) -> SentimentMix:
    """How the mentions that the filter means feel."""
    return _mix({key: n for (key,), n in _grouped(session, filter, "sentiment").items()})


def tallies(session: Session, filter: MentionFilter, by: Dimension) -> list[Tally]:
    """How often each value of a dimension occurs, the most frequent first; mentions without one are left out."""
    feelings: dict[str, dict[str | None, int]] = defaultdict(dict)
    for (key, sentiment), n in _grouped(session, filter, by, "sentiment").items():
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
    cells: dict[str | None, dict[date, dict[str | None, int]]] = defaultdict(lambda: defaultdict(dict))
    for (day, sentiment, *key), n in _grouped(session, filter, "day", "sentiment", *([by] if by else [])).items():
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
    try:
        return cubes.first_and_last(session, filter)
    except LookupError:
        where = conditions(session, filter)
        first, last = (
            session.scalar(select(MentionRow.day).where(*where).order_by(order).limit(1))
            for order in (MentionRow.seek, MentionRow.seek.desc())
        )
        return (first, last) if first and last else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """How many mentions share a stage, a label of another kind, and a sentiment."""

    stage: str | None
    key: str | None
    sentiment: str | None
    n: int


def by_stage(session: Session, filter: MentionFilter, by: Literal["pain", "touchpoint"]) -> list[StageCount]:
    """How often each pain, or touchpoint, occurs in each stage, and how those mentions feel."""
    counted = _grouped(session, filter, "stage", by, "sentiment")
    return [
        StageCount(stage=stage, key=key, sentiment=sentiment, n=n) for (stage, key, sentiment), n in counted.items()
    ]


def voices(session: Session, filter: MentionFilter, slugs: Sequence[str]) -> dict[str, int]:
    """How many mentions each brand has in the same period and under the same filters: share of voice counts them."""
    return {slug: count(session, replace(filter, brand=slug)) for slug in slugs}


def newest_of_stage(session: Session, filter: MentionFilter, stage: str, n: int) -> list[TaggedMention]:
    """The newest mentions of one stage, from which its quotes are chosen."""
    query = (
        selection()
        .where(*conditions(session, filter), MentionRow.stage == stage)
        .order_by(MentionRow.seek.desc())
        .limit(n)
    )
    return [tagged(row) for row in session.execute(query)]


def _grouped(session: Session, filter: MentionFilter, *names: str) -> Mapping[tuple[Any, ...], int]:
    """How many mentions share the values of these columns: from the roll-ups, or counted where they cannot tell."""
    kept = cubes.grouped(session, filter, names)
    if kept is not None:
        return kept
    columns = [getattr(MentionRow, name) for name in names]
    query = select(*columns, func.count()).where(*conditions(session, filter)).group_by(*columns)
    return {tuple(values): n for *values, n in session.execute(query) if n}


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
