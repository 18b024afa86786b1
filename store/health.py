"""How the listening itself is doing."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from escucha.health import Health
from store.filters import in_state
from store.tables import BrandRow, MentionRow, WatchRow


def health(session: Session) -> Health:
    """Counts over the whole store, for the dashboard's stamp and for `escucha doctor`."""

    def how_many(row: type, *where: object) -> int:
        return session.scalar(select(func.count()).select_from(row).where(*where)) or 0  # type: ignore[arg-type]

    of_brand = select(func.max(MentionRow.created_at)).where(MentionRow.brand_id == BrandRow.id)
    newest = of_brand.correlate(BrandRow).scalar_subquery()  # per brand, because every index begins with it
    sample = MentionRow.brand_id.in_(select(BrandRow.id).where(BrandRow.sample))
    return Health(
        mentions=how_many(MentionRow), pending=how_many(MentionRow, in_state("pending")),
        failed=how_many(MentionRow, in_state("failed")), brands=how_many(BrandRow),
        watches=how_many(WatchRow), paused=how_many(WatchRow, WatchRow.state == "paused"),
        in_trouble=how_many(WatchRow, WatchRow.problem.is_not(None)), sample_mentions=how_many(MentionRow, sample),
        newest=session.scalar(select(func.max(newest)).select_from(BrandRow)),
        last_run_at=session.scalar(select(func.max(WatchRow.last_run_at))),
    )
