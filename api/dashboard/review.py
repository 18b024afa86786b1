"""What the page asks a person to check of a mention."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from api.dashboard.shell import Frame
from api.selection import unsure_below
from escucha.enrichment import MentionPage
from escucha.filter import MentionFilter
from store import mentions, metrics, review


def found(session: Session, filter: MentionFilter, limit: int, after: str | None) -> MentionPage:
    """The mentions of a page: the newest first, or, where they are to be checked, the least sure."""
    find = review.least_sure if filter.review else mentions.find
    return find(session, filter, limit=limit, after=after)


def waiting(session: Session, frame: Frame) -> int:
    """How many of the mentions that the other filters mean are to be checked."""
    return metrics.count(session, replace(frame.filter, review=unsure_below()))
