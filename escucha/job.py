"""A long piece of work over the mentions stored: what was asked for, how far it is, and what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

How = Literal["all", "heads"]
HOWS: tuple[How, ...] = get_args(How)
"""`all`: the taggers read every text again. `heads`: the brand's own heads read the vectors stored, and a text is read
again only where its vector or its labels come from other taggers than today's."""

JobState = Literal["waiting", "running", "done", "cancelled"]
MOVED = ("sentiment", "stage", "pain", "touchpoint")
"""The kinds whose changes a job counts from label to label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Mentions of `brand` (its short name; None: of every brand) are tagged again.

    `stale` leaves out what today's taggers have read already. Of `total` mentions `done` are dealt with, up to the
    mention `after_id`; `changed` have another label than before, `failed` kept their labels because a tagger could not
    read them. `moves` maps a kind to former label → new label → mentions. `problem` is why it does not go on.
    """

    id: int
    brand: str | None
    brand_id: int | None
    how: How
    stale: bool
    state: JobState
    total: int
    done: int
    changed: int
    failed: int
    after_id: int
    until_id: int
    made_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    moves: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    problem: Mapping[str, Any] | None = None

    @property
    def open(self) -> bool:
        """Whether there is still something to do."""
        return self.state in ("waiting", "running")

    def pace(self, now: datetime) -> float | None:
        """Mentions a second since it began, pauses included; None before the first."""
        if self.started_at is None or not self.done:
            return None
        return self.done / max(((self.ended_at or now) - self.started_at).total_seconds(), 0.001)

    def left(self, now: datetime) -> timedelta | None:
        """How long it will take to the end at the pace it has had; None where that cannot be told."""
        pace = self.pace(now)
        return timedelta(seconds=(self.total - self.done) / pace) if pace and self.open else None
