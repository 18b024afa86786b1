"""How the listening itself is doing."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escucha.health import Health
from store.tables import BrandRow, MentionRow, WatchRow


def health(session: Session) -> Health:
    """Counts over the whole store, for the dashboard's stamp and for `escucha doctor`."""

    def how_many(row: type, *where: object) -> int:
        return session.scalar(select(func.count()).select_from(row).where(*where)) or 0  # type: ignore[arg-type]

    sample = MentionRow.brand_id.in_(select(BrandRow.id).where(BrandRow.sample))
    return Health(
        mentions=how_many(MentionRow), pending=how_many(MentionRow, MentionRow.state == "pending"),
        failed=how_many(MentionRow, MentionRow.state == "failed"), brands=how_many(BrandRow),
        watches=how_many(WatchRow), paused=how_many(WatchRow, WatchRow.state == "paused"),
        in_trouble=how_many(WatchRow, WatchRow.problem.is_not(None)), sample_mentions=how_many(MentionRow, sample),
        newest=session.scalar(select(func.max(MentionRow.created_at))),
        last_run_at=session.scalar(select(func.max(WatchRow.last_run_at))),
    )
