"""Where mentions stand among the others: their brand's local day, who says the same, and the answer they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables import MentionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A mention's brand's local `day`; the number of the first of those that say nearly the same (`cluster`), and
    whether it is not that one (`copy`); `raw` is its source's own object, where it was asked for and is still kept."""

    day: date
    cluster: int | None
    copy: bool
    raw: Mapping[str, Any] | None = None


def of(session: Session, ids: Sequence[int], raw: bool = False) -> dict[int, Standing]:
    """Where these mentions stand, by their numbers; one that is gone is left out."""
    columns: list[Any] = [MentionRow.id, MentionRow.day, MentionRow.cluster_id, MentionRow.copy]
    query = select(*columns, *([MentionRow.raw] if raw else [])).where(MentionRow.id.in_(ids))
    return {
        id: Standing(day=day, cluster=cluster, copy=copy, raw=rest[0] if rest else None)
        for id, day, cluster, copy, *rest in session.execute(query)
    }
