"""Reads the vectors of some of the mentions that a filter means, and what persons said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escucha.filter import MentionFilter
from store.filters import conditions
from store.tables import CorrectionRow, MentionRow, VectorRow

SCATTER, SLOTS = 40_503, 65_536
"""Multiplied by the first modulo the second, an id lands anywhere: a sample that is the same each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A uniform sample of the tagged mentions a filter means: `vectors` by mention id, for those that have one of the
    version asked for; `drawn` counts the sample, `total` all that it is a sample of."""

    total: int
    drawn: int
    vectors: Mapping[int, bytes]


def draw(session: Session, filter: MentionFilter, version: str, most: int) -> Sample:
    """A sample of about `most` mentions at the most, or all if there are no more."""
    done = [*conditions(session, filter), MentionRow.sentiment.is_not(None)]
    total = session.scalar(select(func.count()).select_from(MentionRow).where(*done)) or 0
    if total > most:
        done.append(MentionRow.id * SCATTER % SLOTS < SLOTS * most // total)
    reads = (VectorRow.mention_id == MentionRow.id) & (VectorRow.version == version)
    query = select(MentionRow.id, VectorRow.data).outerjoin(VectorRow, reads).where(*done)
    rows = session.execute(query).all()
    return Sample(total=total, drawn=len(rows), vectors={id: data for id, data in rows if data is not None})


def corrected(session: Session, filter: MentionFilter, kind: str) -> dict[int, str]:
    """What persons said a kind's label is, by mention, among the mentions a filter means."""
    query = (
        select(MentionRow.id, CorrectionRow.label)
        .join(CorrectionRow, CorrectionRow.mention_id == MentionRow.id)
        .where(*conditions(session, filter), CorrectionRow.kind == kind)
    )
    return {row[0]: row[1] for row in session.execute(query)}
