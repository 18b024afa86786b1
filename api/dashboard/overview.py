"""The overview: the key figures of a period, its volume by day, its stages and pains, and the newest mentions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from api.dashboard.charts import Bar, Spec, volume
from api.dashboard.compare import Figure, Measured, figures
from api.dashboard.labels import SIGN
from api.dashboard.shell import Frame
from api.selection import moments, previous
from escucha.enrichment import TaggedMention
from escucha.filter import MentionFilter
from escucha.journey import NO_LABEL, Every, JourneyMap, Series, Tally
from escucha.voice import Voice
from pipeline.journey import draw
from pipeline.voices import voices
from store import mentions, metrics

STACK = ("negative", "neutral", "positive")
"""From the axis upwards: what hurts stands on the line, where its change is easiest to see."""
NEWEST = 5
DAYS_BY_DAY, DAYS_BY_WEEK = 92, 731


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRow:
    """A line of the chart's table: a bucket, its address, and count and address per sentiment."""

    label: str
    n: int
    href: str
    cells: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything the page shows. `chart` is None where nothing was heard."""

    figures: tuple[Figure, ...]
    compared: str | None
    every: Every
    chart: Spec | None
    rows: tuple[VolumeRow, ...]
    journey: JourneyMap
    pains: tuple[Tally, ...]
    newest: tuple[TaggedMention, ...]
    voices: tuple[Voice, ...]


def overview(session: Session, frame: Frame) -> Overview:
    """Read and lay out the page of a frame."""
    filter = frame.filter
    every = bucket(frame.days, metrics.days(session, filter))
    journey = draw(session, filter, frame.labels.catalogue)
    now = Measured(mentions=journey.n, mix=metrics.mix(session, filter))
    before, compared = _before(session, frame)
    rows = volume_rows(frame, metrics.series(session, filter, "mentions", "sentiment", every), every)
    words = {key: f"{SIGN[key]} {frame.labels.of('sentiment', key)}" for key in STACK}
    return Overview(
        figures=figures(frame.reader, now, before), compared=compared, every=every, rows=rows, journey=journey,
        chart=volume([bar for row in rows for bar in row.cells if bar.n], words, frame.reader) if rows else None,
        pains=tuple(pain for pain in metrics.tallies(session, filter, "pain") if pain.key != NO_LABEL),
        newest=mentions.find(session, filter, limit=NEWEST).items, voices=voices(session, filter, frame.brand),
    )


def bucket(asked: tuple[date | None, date | None], heard: tuple[date, date] | None) -> Every:
    """Days for a quarter, weeks for two years, months beyond; where the period is open, what was heard bounds it."""
    first, last = asked[0] or (heard and heard[0]), asked[1] or (heard and heard[1])
    length = (last - first).days + 1 if first and last else 0
    return "day" if length <= DAYS_BY_DAY else "week" if length <= DAYS_BY_WEEK else "month"


def volume_rows(frame: Frame, series: Sequence[Series], every: Every) -> tuple[VolumeRow, ...]:
    """The table behind the chart: one row a bucket, stacked in the order of STACK."""
    counts = {(one.key, point.at): point.n for one in series for point in one.points}
    starts = sorted({point.at for one in series for point in one.points})
    return tuple(
        _row(frame, date.fromisoformat(at), [counts.get((key, at), 0) for key in STACK], every) for at in starts
    )


def _row(frame: Frame, at: date, counts: list[int], every: Every) -> VolumeRow:
    end, bars, low = _end(at, every), [], 0
    first, last = _within(frame, at, end - timedelta(days=1))
    for key, n in zip(STACK, counts, strict=True):
        bars.append(Bar(
            at=at, end=end, sentiment=f"{SIGN[key]} {frame.labels.of('sentiment', key)}", n=n, low=low, high=low + n,
            href=frame.between(first, last, sentiment=[key]),
        ))
        low += n
    return VolumeRow(label=frame.reader.day(at), n=low, href=frame.between(first, last), cells=tuple(bars))


def _within(frame: Frame, first: date, last: date) -> tuple[date, date]:
    """A bucket's days, no further than the period's own: its link counts what its bar counts."""
    start, stop = frame.days
    return max(first, start or first), min(last, stop or last)


def _end(at: date, every: Every) -> date:
    if every == "month":
        return (at + timedelta(days=32)).replace(day=1)
    return at + timedelta(days=7 if every == "week" else 1)


def _before(session: Session, frame: Frame) -> tuple[Measured | None, str | None]:
    """The period of equal length before, and its dates; nothing where listening began only after its start."""
    days = previous(frame.days)
    if days is None:
        return None, None
    since, until = moments(*days, frame.brand.timezone)
    filter = replace(frame.filter, since=since, until=until)
    if not metrics.count(session, MentionFilter(brand=frame.brand.slug, until=since)):
        return None, None
    first, last = frame.reader.day(days[0], "d MMM"), frame.reader.day(days[1])
    words = frame.reader.say("{first} to {last}", first=first, last=last)
    return Measured(mentions=metrics.count(session, filter), mix=metrics.mix(session, filter)), words
