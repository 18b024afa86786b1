"""The parts of mentions: which stretch of a text says what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from escucha.enrichment import Label, Part, TaggedMention
from store.tables import PartRow


def of(session: Session, mention_ids: Sequence[int]) -> dict[int, tuple[Part, ...]]:
    """The parts of these mentions in the order of their text, in one query; a mention without parts is left out."""
    found: dict[int, list[Part]] = defaultdict(list)
    query = select(PartRow).where(PartRow.mention_id.in_(mention_ids)).order_by(PartRow.mention_id, PartRow.start)
    for row in session.scalars(query):
        found[row.mention_id].append(_part(row))
    return {id: tuple(parts) for id, parts in found.items()}


def added(session: Session, items: Sequence[TaggedMention]) -> tuple[TaggedMention, ...]:
    """The mentions with their parts. One that waits to be read (again) has none: its text may have changed."""
    known = of(session, [item.id for item in items if item.state == "done"])
    return tuple(
        replace(item, enrichment=replace(item.enrichment, parts=known[item.id])) if item.id in known else item
        for item in items
    )


def _part(row: PartRow) -> Part:
    return Part(
        start=row.start, end=row.end, sentiment=_label(row.sentiment, row.sentiment_score),
        pain=_label(row.pain, row.pain_score), touchpoint=_label(row.touchpoint, row.touchpoint_score),
    )


def _label(label: str | None, score: float | None) -> Label | None:
    return Label(label, score or 0.0) if label is not None else None
