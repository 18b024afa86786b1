"""Which mentions are to be asked about again, because their source wants deleted ones to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from escucha.mention import Mention
from store.rows import selection, tagged
from store.tables import MentionRow, WatchRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A mention to be asked about, with the watch that heard it and that watch's brand."""

    id: int
    brand_id: int
    watch_id: int
    mention: Mention


def due(session: Session, source: str, now: datetime, limit: int) -> list[Due]:
    """Mentions of a source's watches that are due, the longest due first; all of one brand, as keys differ by brand."""
    query = (
        selection(raw=True).join(WatchRow, WatchRow.id == MentionRow.watch_id)
        .where(WatchRow.source == source, MentionRow.check_at <= now)
        .order_by(MentionRow.check_at).limit(limit)
    )
    found = [
        Due(id=row.id, brand_id=row.brand_id, watch_id=row.watch_id, mention=tagged(row).mention)
        for row in session.execute(query)
    ]
    return [one for one in found if one.brand_id == found[0].brand_id]


def sources_due(session: Session, now: datetime) -> list[str]:
    """The sources of which any mention is due."""
    query = (
        select(WatchRow.source).join(MentionRow, MentionRow.watch_id == WatchRow.id)
        .where(MentionRow.check_at <= now).distinct()
    )
    return sorted(session.scalars(query))


def postpone(session: Session, ids: Sequence[int], until: datetime | None) -> None:
    """Ask about these mentions again then, or never."""
    session.execute(update(MentionRow).where(MentionRow.id.in_(ids)).values(check_at=until))


def confirm(session: Session, ids: Sequence[int], now: datetime, until: datetime) -> None:
    """Note that these mentions still exist, and are to be asked about again `until` then."""
    session.execute(update(MentionRow).where(MentionRow.id.in_(ids)).values(confirmed_at=now, check_at=until))


def overdue(session: Session, source: str, before: datetime, limit: int) -> list[tuple[str, str]]:
    """Mentions of a source, `(source, source id)`, last confirmed before a moment: they may not be kept any longer."""
    last = func.coalesce(MentionRow.confirmed_at, MentionRow.heard_at)
    query = (
        select(MentionRow.source, MentionRow.source_id).join(WatchRow, WatchRow.id == MentionRow.watch_id)
        .where(WatchRow.source == source, MentionRow.check_at.is_not(None), last < before).limit(limit)
    )
    return [(row.source, row.source_id) for row in session.execute(query)]
