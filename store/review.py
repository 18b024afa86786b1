"""Pages through the mentions that a person should look at, the least sure first."""

from __future__ import annotations

from sqlalchemy import tuple_
from sqlalchemy.orm import Session

from escucha.enrichment import MentionPage
from escucha.errors import Invalid
from escucha.filter import MentionFilter
from store import parts
from store.doubts import doubt
from store.filters import conditions
from store.rows import id_in_key, selection, tagged
from store.tables import MentionRow


def least_sure(session: Session, filter: MentionFilter, *, limit: int = 50, after: str | None = None) -> MentionPage:
    """The mentions a filter with `review` means, the least sure first; `after` is the `next` of the page before.

    Raises:
        Invalid: `after` is not a key that a page gave, or the filter does not ask for mentions to check.
    """
    if not filter.review:
        raise Invalid("Only mentions to check can be put in the order of doubt. Ask for review=true.")
    by = doubt(filter.review)
    query = selection().add_columns(by).where(*conditions(session, filter))
    if after is not None:
        query = query.where(tuple_(by, MentionRow.id) < tuple_(*_key(after)))
    query = query.order_by(by.desc(), MentionRow.id.desc()).limit(limit + 1)
    rows = session.execute(query).all()
    items = parts.added(session, [tagged(row[0], row[1], row[2]) for row in rows[:limit]])
    more = len(rows) > limit
    return MentionPage(items=items, next=f"{rows[limit - 1][3]!r}~{items[-1].id}" if more else None)


def _key(after: str) -> tuple[float, int]:
    amount, _, number = after.partition("~")
    try:
        return float(amount), id_in_key(number)
    except ValueError:
        raise Invalid("The page key {after} is not one we gave. Start from the first page.", after=after) from None
