"""Says of mentions which a person should look at: labels under their threshold, stars against the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, or_

from escucha.review import FEW_STARS, MANY_STARS
from store.tables import CorrectionRow, MentionRow

Below = Sequence[tuple[str, float]]
"""Kinds of label, each with the score under which it is to be checked."""


def unsure(below: Below) -> ColumnElement[bool]:
    """Whether a mention has a label to check; what a person has corrected has none (its score is 1)."""
    return or_(*(_score(kind) < score for kind, score in below), contradicting())


def contradicting() -> ColumnElement[bool]:
    """Whether a mention's stars say another thing than its text, and nobody has decided which is right."""
    decided = (
        exists().where(CorrectionRow.mention_id == MentionRow.id, CorrectionRow.kind == "sentiment")
        .correlate(MentionRow)
    )  # fmt: skip
    return and_(
        or_(
            and_(MentionRow.rating <= FEW_STARS, MentionRow.sentiment == "positive"),
            and_(MentionRow.rating >= MANY_STARS, MentionRow.sentiment == "negative"),
        ),
        ~decided,
    )


def doubt(below: Below) -> ColumnElement[Any]:
    """How far a mention's scores lie under their thresholds, added up; stars against the text count as 1."""
    parts = [case((_score(kind) < score, score - _score(kind)), else_=0.0) for kind, score in below]
    total: ColumnElement[Any] = case((contradicting(), 1.0), else_=0.0)
    for part in parts:
        total = total + part
    return total


def _score(kind: str) -> Any:
    return getattr(MentionRow, f"{kind}_score")
