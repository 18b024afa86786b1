"""Finds mentions again: pages of those that a filter means, in an order, or one by its number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from escucha.enrichment import MentionPage, TaggedMention
from escucha.errors import NotFound
from escucha.exclusion import BLOCKED
from escucha.filter import MentionFilter, Order
from store import parts
from store.orders import Keys, most_engaged, newest
from store.relevance import most_relevant
from store.review import least_sure
from store.rows import selection, tagged
from store.tables import AuthorRow, MentionRow

ORDERS: Mapping[Order, Callable[[Session, MentionFilter, int, str | None], Keys]] = {
    "newest": newest, "engagement": most_engaged, "relevance": most_relevant, "uncertainty": least_sure,
}


def find(
    session: Session, filter: MentionFilter, *, limit: int = 50, after: str | None = None, order: Order = "newest"
) -> MentionPage:
    """A page of the mentions a filter means, without raw answers; `after` is the `next` of the page before.

    Raises:
        Invalid: `after` is not a key that a page gave in this order, or "uncertainty" is asked of a filter that does
            not ask for mentions to check.
    """
    keys = ORDERS[order](session, filter, limit, after)
    return MentionPage(items=loaded(session, keys.ids), next=keys.next)


def get(session: Session, mention_id: int) -> TaggedMention:
    """One mention, raw answer included. Raises NotFound."""
    found = loaded(session, [mention_id], raw=True)
    if not found:
        raise NotFound("There is no mention number {id}. It may have been removed.", id=mention_id)
    return found[0]


def loaded(session: Session, ids: Sequence[int], *, raw: bool = False) -> tuple[TaggedMention, ...]:
    """The mentions of these numbers in their order; one that has gone, or whose author is blocked, is left out.

    `raw`: with what their sources answered.
    """
    if not ids:
        return ()
    shown = (MentionRow.hidden.is_distinct_from(BLOCKED), AuthorRow.blocked_at.is_(None))
    rows = session.execute(selection(raw=raw).where(MentionRow.id.in_(ids), *shown))
    found = {row.id: tagged(row) for row in rows}
    return parts.added(session, [found[id] for id in ids if id in found])
