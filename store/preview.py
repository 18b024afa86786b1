"""What a query finds, before anything is saved with it: the newest mentions it means, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic

from sqlalchemy import func, select

from escucha.enrichment import TaggedMention
from escucha.errors import TryLater
from escucha.filter import MentionFilter
from escucha.query.match import matcher
from escucha.query.reading import Reading
from escucha.query.tree import Query
from store.engine import Store
from store.filters import conditions
from store.found import find
from store.patience import patient
from store.tables import MentionRow

SHOWN = 20
COUNTED = 1_000
"""How far matches are counted: nobody reads more than that there are very many."""
SECONDS = 2.0
"""How long the store is asked; then the newest mentions are read, for as long again."""
NEWEST = 2_000
CHUNK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The newest mentions that a query means, and how many it means: `more` than `matched`, or exactly.

    `looked_at` is None where all mentions were looked through, else the number of the newest that were.
    """

    items: tuple[TaggedMention, ...]
    matched: int
    more: bool = False
    looked_at: int | None = None


def preview(store: Store, filter: MentionFilter, query: Query, seconds: float = SECONDS) -> Preview:
    """What a query finds of the mentions that a filter means. Raises NotFound for an unknown brand."""
    try:
        return _asked(store, replace(filter, query=query), seconds)
    except TryLater:
        return of_newest(store, filter, query, seconds)


def _asked(store: Store, filter: MentionFilter, seconds: float) -> Preview:
    with store.read() as session, patient(session, seconds):
        meant = select(MentionRow.id).where(*conditions(session, filter)).limit(COUNTED + 1)
        count = session.scalar(select(func.count()).select_from(meant.subquery())) or 0
        items = find(session, filter, limit=SHOWN).items if count else ()
    return Preview(items=items, matched=min(count, COUNTED), more=count > COUNTED)


def of_newest(store: Store, filter: MentionFilter, query: Query, seconds: float) -> Preview:
    """The same of the newest mentions alone, read one by one until the time is over."""
    meant, looked_at, after, matched = matcher(query), 0, None, list[TaggedMention]()
    end = monotonic() + seconds
    with store.read() as session:
        while looked_at < NEWEST and monotonic() < end:
            page = find(session, filter, limit=CHUNK, after=after)
            for item in page.items:
                if monotonic() > end:
                    break
                looked_at += 1
                if meant(Reading.of(item)):
                    matched.append(item)
            if (after := page.next) is None:
                break
    return Preview(items=tuple(matched[:SHOWN]), matched=len(matched), looked_at=looked_at)
