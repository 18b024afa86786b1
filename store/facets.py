"""Counts the choices of a page's filters in one pass: how many mentions each value would show under all the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escucha.filter import MentionFilter
from store.filters import conditions
from store.tables import MentionRow

FIELDS: Mapping[str, str] = {
    "source": "sources", "lang": "langs", "stage": "stages", "sentiment": "sentiments", "pain": "pains",
    "touchpoint": "touchpoints",
}
"""The columns, and what the filter calls the values that are chosen of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """How many mentions a filter means, and, by column, how many each value would show."""

    n: int
    counts: Mapping[str, Counter[str]]


def facets(session: Session, filter: MentionFilter) -> Facets:
    """Read each mention that the query means once, whatever is chosen, and choose afterwards.

    It serves searches and what is hidden, which no roll-up counts.
    """
    bare = replace(filter, **dict.fromkeys(FIELDS.values(), ()))  # type: ignore[arg-type]
    columns = [getattr(MentionRow, name) for name in FIELDS]
    query = select(*columns, func.count()).where(*conditions(session, bare)).group_by(*columns)
    chosen = [getattr(filter, name) for name in FIELDS.values()]
    n, counts = 0, [Counter[str]() for _ in FIELDS]
    for *values, count in session.execute(query):
        missed = [place for place, value in enumerate(values) if chosen[place] and value not in chosen[place]]
        n += 0 if missed else count
        for place, value in enumerate(values):
            if value is not None and missed in ([], [place]):
                counts[place][value] += count
    return Facets(n=n, counts=dict(zip(FIELDS, counts, strict=True)))
