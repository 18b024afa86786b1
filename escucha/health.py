"""How the listening itself is doing: what is stored, what waits, which watches are in trouble."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Counts over the whole store. `newest` is the time of the newest mention, `last_run_at` of the last collection."""

    mentions: int
    pending: int
    failed: int
    brands: int
    watches: int
    paused: int
    in_trouble: int
    sample_mentions: int
    newest: datetime | None
    last_run_at: datetime | None
