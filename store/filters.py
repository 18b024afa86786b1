"""Turns the one mention filter into conditions on rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session

from escucha.filter import MentionFilter
from escucha.text import fold
from store import brands
from store.doubts import unsure
from store.tables import BrandRow, MentionRow


def conditions(session: Session, filter: MentionFilter) -> list[ColumnElement[bool]]:
    """The conditions a mention must meet. Raises NotFound for a brand that does not exist."""
    return list(_conditions(session, filter))


def in_state(state: str) -> ColumnElement[bool]:
    """The state written out in the statement: only then does SQLite see that a partial index serves."""
    return MentionRow.state == bindparam("state", state, literal_execute=True)


def _conditions(session: Session, filter: MentionFilter) -> Iterator[ColumnElement[bool]]:
    if filter.brand is not None:
        yield MentionRow.brand_id == brands.get(session, filter.brand).id
    else:  # so that the indexes, which all begin with the brand, serve here too
        yield MentionRow.brand_id.in_(select(BrandRow.id))
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
    for word in fold(filter.text or "").split():
        yield MentionRow.folded.contains(word, autoescape=True)
