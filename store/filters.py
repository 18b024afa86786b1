"""Turns the one mention filter into conditions on rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from escucha.exclusion import BLOCKED
from escucha.filter import MentionFilter
from store import brands
from store.doubts import unsure
from store.search import Span, condition
from store.seek import from_moment
from store.tables import AuthorRow, BrandRow, MentionRow

SECOND = timedelta(seconds=1)


def conditions(session: Session, filter: MentionFilter) -> list[ColumnElement[bool]]:
    """The conditions a mention must meet. Raises NotFound for a brand that does not exist."""
    found = list(besides(session, filter))
    if filter.query is not None:
        found.append(condition(session.get_bind().dialect.name, filter.query, span(filter)))
    return found


def span(filter: MentionFilter) -> Span:
    """The period of a filter as keys. They tell whole seconds, so that this narrows and does not decide."""
    return (
        from_moment(filter.since) if filter.since is not None else None,
        from_moment(filter.until + SECOND) if filter.until is not None else None,
    )


def in_state(state: str) -> ColumnElement[bool]:
    """The state written out in the statement: only then does SQLite see that a partial index serves."""
    return MentionRow.state == bindparam("state", state, literal_execute=True)


def _not_relevant() -> ColumnElement[bool]:
    """Whether a mention is hidden, but not because of its author."""
    away = select(AuthorRow.id).where(AuthorRow.id == MentionRow.author_id, AuthorRow.blocked_at.is_not(None))
    return and_(MentionRow.hidden.is_not(None), MentionRow.hidden != BLOCKED, ~away.exists())


def besides(
    session: Session, filter: MentionFilter,
    brand_id: ColumnElement[int] | InstrumentedAttribute[int] = MentionRow.brand_id,
) -> Iterator[ColumnElement[bool]]:
    """All conditions but the query. Raises NotFound for a brand that does not exist."""
    yield _not_relevant() if filter.hidden else MentionRow.hidden.is_(None)
    if filter.brand is not None:
        known = session.scalar(select(BrandRow.id).where(BrandRow.slug == filter.brand))
        yield brand_id == (known if known is not None else brands.get(session, filter.brand).id)
    else:  # so that the indexes, which all begin with the brand, serve here too
        yield brand_id.in_(select(BrandRow.id))
    if filter.since is not None:
        yield MentionRow.created_at >= filter.since
    if filter.until is not None:
        yield MentionRow.created_at < filter.until
    chosen: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (MentionRow.source, filter.sources), (MentionRow.lang, filter.langs), (MentionRow.stage, filter.stages),
        (MentionRow.sentiment, filter.sentiments), (MentionRow.pain, filter.pains),
        (MentionRow.touchpoint, filter.touchpoints),
    )
    for column, values in chosen:
        if values:
            yield column.in_(values)
    if filter.state is not None:
        yield in_state(filter.state)
    if filter.review:
        yield unsure(filter.review)
    if filter.once:
        yield MentionRow.copy.is_(False)
    if filter.cluster is not None:
        yield MentionRow.cluster_id == filter.cluster
