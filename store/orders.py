"""Puts the mentions that a filter means in an order, a page at a time: the newest first, or those most reacted to.

A page ends with a key that the next one goes on after, so that new mentions never shift what has not been read yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from escucha.errors import Invalid
from escucha.filter import MentionFilter
from store import brands
from store.filters import besides, conditions, span
from store.narrowing import narrowed
from store.search import ID, WORDS, by_author, check, inside, matching
from store.seek import id_of
from store.tables import MentionRow

LONGEST = 20
"""Characters of the largest number in a page's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The numbers of a page's mentions in their order, and the key to go on after (None on the last page)."""

    ids: list[int]
    next: str | None


def newest(session: Session, filter: MentionFilter, limit: int, after: str | None) -> Keys:
    """The newest first. Raises Invalid where `after` is no key of a page."""
    before = whole(after, after) if after is not None else None
    found = newest_keys(session, filter, limit + 1, before)
    return Keys(ids=[id_of(key) for key in found[:limit]], next=str(found[limit - 1]) if len(found) > limit else None)


def newest_keys(session: Session, filter: MentionFilter, n: int, before: int | None = None) -> list[int]:
    """`seek` of the `n` newest mentions that a filter means, newest first; `before`: only of those below it."""
    if filter.query is not None and session.get_bind().dialect.name == "sqlite":
        if by_author(filter.query):
            # most authors have said little: all of it is sorted at once, and the brand's index is not to be used
            where = besides(session, filter, MentionRow.brand_id + 0)
            query = select(MentionRow.seek).where(*where, check("sqlite", filter.query))
            return _newest(session, query, MentionRow.seek, filter, n, before)
        if known := narrowed(filter.query, "sqlite"):
            query = _searched().where(matching(known), *besides(session, filter))
            query = query if known.exact else query.where(check("sqlite", filter.query))
            return _newest(session, query, WORDS.c.rowid, filter, n, before)
    # a brand at a time: the index that is in this order begins with the brand
    slugs = [filter.brand] if filter.brand is not None else [brand.slug for brand in brands.all_brands(session)]
    each = (select(MentionRow.seek).where(*conditions(session, replace(filter, brand=slug))) for slug in slugs)
    return nlargest(n, chain.from_iterable(_newest(session, one, MentionRow.seek, filter, n, before) for one in each))


def most_engaged(session: Session, filter: MentionFilter, limit: int, after: str | None) -> Keys:
    """The most reacted to first, those of which it is not known last. Raises Invalid as `newest` does."""
    query = select(MentionRow.engagement, MentionRow.seek).where(*conditions(session, filter))
    if after is not None:
        query = query.where(_less(after))
    query = query.order_by(MentionRow.engagement.desc().nulls_last(), MentionRow.seek.desc())
    rows = session.execute(query.limit(limit + 1)).all()
    return page([(told if told is not None else "", seek) for told, seek in rows], limit)


def page(rows: list[tuple[Any, int]], limit: int) -> Keys:
    """A page of rows: what orders them, and `seek`. There is one row more than it holds where another page follows."""
    ids = [id_of(seek) for _, seek in rows[:limit]]
    return Keys(ids=ids, next="~".join(map(str, rows[limit - 1])) if len(rows) > limit else None)


def whole(told: str, key: str, least: int = 0) -> int:
    """A number in a page's key. Raises Invalid for one that we did not give."""
    if len(told) <= LONGEST and told.isascii() and told.removeprefix("-").isdecimal() and least <= int(told) < 2**63:
        return int(told)
    raise strange(key)


def strange(key: str) -> Invalid:
    """What is said of a key that no page gave."""
    return Invalid("The page key {after} is not one we gave. Start from the first page.", after=key)


def _less(after: str) -> ColumnElement[bool]:
    told, _, number = after.partition("~")
    unknown, seek = MentionRow.engagement.is_(None), MentionRow.seek < whole(number, after)
    if not told:
        return and_(unknown, seek)
    amount = whole(told, after, -(2**63))
    return or_(MentionRow.engagement < amount, and_(MentionRow.engagement == amount, seek), unknown)


def _searched() -> Select[int]:
    """SQLite's index first: its rows come newest first without sorting, and as many are read as are shown."""
    return select(WORDS.c.rowid).select_from(WORDS.join(MentionRow.__table__, MentionRow.id == ID))


def _newest(
    session: Session, query: Select[int], seek: Any, filter: MentionFilter, n: int, before: int | None
) -> list[int]:
    low, high = span(filter)
    ends = [key for key in (high, before) if key is not None]
    query = query.where(*inside(seek, (low, min(ends, default=None)))).order_by(seek.desc()).limit(n)
    return list(session.scalars(query))
