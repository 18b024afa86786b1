"""Puts the mentions that a person should look at in order, the least sure first."""

from __future__ import annotations

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from escucha.errors import Invalid
from escucha.filter import MentionFilter
from store.doubts import doubt
from store.filters import conditions
from store.orders import Keys, page, strange, whole
from store.tables import MentionRow


def least_sure(session: Session, filter: MentionFilter, limit: int, after: str | None) -> Keys:
    """The mentions a filter with `review` means, the least sure first.

    Raises:
        Invalid: `after` is not a key that a page gave, or the filter does not ask for mentions to check.
    """
    if not filter.review:
        raise Invalid("Only mentions to check can be put in the order of doubt. Ask for review=true.")
    by = doubt(filter.review)
    query = select(by, MentionRow.seek).where(*conditions(session, filter))
    if after is not None:
        query = query.where(tuple_(by, MentionRow.seek) < tuple_(*_key(after)))
    query = query.order_by(by.desc(), MentionRow.seek.desc()).limit(limit + 1)
    return page([(repr(amount), seek) for amount, seek in session.execute(query)], limit)


def _key(after: str) -> tuple[float, int]:
    amount, _, number = after.partition("~")
    try:
        return float(amount), whole(number, after)
    except ValueError:
        raise strange(after) from None
