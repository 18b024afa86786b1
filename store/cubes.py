"""Answers counts from the roll-ups where they hold what is asked: hundreds of rows are read then, not a million."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from escucha.filter import MentionFilter
from store import brands
from store.rollups import DIMENSIONS, PARTED
from store.tables import TallyRow

Chosen = Mapping[str, tuple[str, ...]]
DAY = timedelta(days=1)


def grouped(session: Session, filter: MentionFilter, names: Collection[str]) -> Counter[tuple[Any, ...]] | None:
    """How many mentions share the values of `names` ("day", "sentiment", or labels), in their order.

    None where no roll-up holds it: the filter searches text, looks at states or doubts, cuts days in pieces, or it
    takes more labels together than any cube has. Raises NotFound for a brand that does not exist.
    """
    chosen = _chosen(filter)
    wanted = {*names, *chosen} - {"day", "sentiment"}
    dimension = _narrowest(wanted)
    span = _days(session, filter)
    if dimension is None or span is None or _beyond(filter):
        return None
    columns: dict[str, Any] = {"sentiment": TallyRow.sentiment}
    columns |= {"day": TallyRow.day} if "day" in names else {}
    columns |= {"key": TallyRow.key} if wanted else {}
    n = func.sum(TallyRow.n - TallyRow.copies if filter.once else TallyRow.n)
    query = select(*columns.values(), n).where(TallyRow.dimension == dimension, *_where(session, filter, span))
    found: Counter[tuple[Any, ...]] = Counter()
    for *values, count in session.execute(query.group_by(*columns.values())):
        told = dict(zip(columns, values, strict=True))
        told |= zip(DIMENSIONS[dimension], told.get("key", "").split(PARTED), strict=False)
        if count and all(told[name] in values for name, values in chosen.items()):
            found[tuple(told[name] or None for name in names)] += int(count)
    return found


def first_and_last(session: Session, filter: MentionFilter) -> tuple[date, date] | None:
    """The first and last local day with a mention, of a filter that chooses no more than brand and days."""
    span = _days(session, filter)
    if span is None or _beyond(filter) or _chosen(filter):
        raise LookupError("the roll-ups do not hold this")
    where = (TallyRow.dimension == "", TallyRow.n > 0, *_where(session, filter, span))
    first, last = session.execute(select(func.min(TallyRow.day), func.max(TallyRow.day)).where(*where)).one()
    return (first, last) if first and last else None


def _chosen(filter: MentionFilter) -> Chosen:
    asked = {"source": filter.sources, "lang": filter.langs, "stage": filter.stages, "sentiment": filter.sentiments,
             "pain": filter.pains, "touchpoint": filter.touchpoints}  # fmt: skip
    return {name: values for name, values in asked.items() if values}


def _beyond(filter: MentionFilter) -> bool:
    """Whether a filter asks for more than labels, days and copies."""
    return bool(filter.query is not None or filter.state is not None or filter.review
                or filter.cluster is not None or filter.hidden)


def _narrowest(wanted: Collection[str]) -> str | None:
    """The cube with the fewest labels that has all of these."""
    fitting = [name for name, labels in DIMENSIONS.items() if set(wanted) <= set(labels)]
    return min(fitting, key=lambda name: len(DIMENSIONS[name]), default=None)


def _where(
    session: Session, filter: MentionFilter, span: tuple[date | None, date | None]
) -> list[ColumnElement[bool]]:
    known = [brands.get(session, filter.brand)] if filter.brand is not None else brands.all_brands(session)
    first, end = span
    where: list[ColumnElement[bool]] = [TallyRow.brand_id.in_([brand.id for brand in known])]
    where += [TallyRow.day >= first] if first else []
    where += [TallyRow.day < end] if end else []
    where += [TallyRow.sentiment.in_(filter.sentiments)] if filter.sentiments else []
    return where


def _days(session: Session, filter: MentionFilter) -> tuple[date | None, date | None] | None:
    """The filter's moments as whole local days of its brand (the last one excluded); None where they cut a day."""
    if filter.since is None and filter.until is None:
        return None, None
    if filter.brand is None:  # each brand has its own days
        return None
    zone = ZoneInfo(brands.get(session, filter.brand).timezone)
    found = [_day(moment, zone) if moment else None for moment in (filter.since, filter.until)]
    cut = [moment for moment, day in zip((filter.since, filter.until), found, strict=True) if moment and day is None]
    return None if cut else (found[0], found[1])


def _day(moment: datetime, zone: ZoneInfo) -> date | None:
    """The local day that begins at a moment, if one does."""
    day = moment.astimezone(zone).date()
    starts = datetime.combine(day, time.min, zone).astimezone(UTC)
    return day if starts == moment.astimezone(UTC) else None
