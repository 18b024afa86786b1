"""Whom we listen for, what we ask, and how often: brands, queries and watches."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from escucha.errors import EscuchaError
from escucha.source import Cursor, Quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A brand, its other names, the brands it competes with (by slug) and the languages its customers write."""

    slug: str
    name: str
    aliases: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("es", "en", "pt")
    timezone: str = "America/Mexico_City"
    sample: bool = False
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a watch asks of a source: a feed's address, a hashtag, a search, a file's path — in `text`.

    `terms` are the words a mention must contain (any of them, whole words, accents and case aside) for sources
    that cannot search by themselves; empty means take everything. `since` is how far back a first reading goes (None:
    as the source does by itself), and `most` the number of items that a run may pay for (None: no bound).
    """

    text: str
    terms: tuple[str, ...] = ()
    since: datetime | None = None
    most: int | None = None


WatchState = Literal["active", "paused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A query put to one source on a schedule.

    It is asked at most every `every` and at least every `slowest` seconds, now every `pace`, by how much is new.
    `next_at` is the whole schedule. `cursor` is where the source goes on from. `failures` counts failed runs in a
    row, since `last_good_at`; `problem` is the last error's key, template and details, shown in the reader's language.
    `doubt` is a remark on a run that did not fail. `hook` is the address of a watch that is sent to.
    """

    id: int
    brand_id: int
    source: str
    query: Query
    every: int
    slowest: int = 0
    pace: int = 0
    state: WatchState = "active"
    cursor: Cursor | None = None
    made_at: datetime | None = None
    next_at: datetime | None = None
    last_run_at: datetime | None = None
    last_good_at: datetime | None = None
    failures: int = 0
    problem: Problem | None = None
    doubt: Problem | None = None
    quota: Quota | None = None
    hook: str | None = None

    @property
    def health(self) -> Health:
        """How it does: "paused" and "failing" tell themselves; "doubtful" answers may hide a block."""
        if self.state == "paused":
            return "paused"
        if self.problem is not None:
            return "failing"
        return "doubtful" if self.doubt is not None else "good" if self.last_run_at else "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One line of a watch's ledger: fetched = new + updated + duplicate + refused.

    `passed` items were read besides and left out on purpose; `gone` are deletions. `refusals` lists the first refused
    items, each with its reason. `cost` is in US dollars.
    """

    at: datetime
    fetched: int = 0
    new: int = 0
    updated: int = 0
    duplicate: int = 0
    refused: int = 0
    passed: int = 0
    gone: int = 0
    cost: float = 0.0
    backfill_id: int | None = None
    problem: Problem | None = None
    refusals: tuple[tuple[str, Problem], ...] = ()


Health = Literal["new", "good", "doubtful", "failing", "paused"]
BackfillState = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A reading of a watch's past, back to `since`.

    `reached` is how far it has come, `fetched` and `new` what it found; `next_at` is when it goes on.
    """

    id: int
    watch_id: int
    since: datetime
    state: BackfillState
    made_at: datetime
    next_at: datetime
    cursor: Cursor | None = None
    reached: datetime | None = None
    fetched: int = 0
    new: int = 0
    failures: int = 0
    ended_at: datetime | None = None
    problem: Problem | None = None

    @property
    def open(self) -> bool:
        """Whether there is more to read."""
        return self.state in ("waiting", "running")

    @property
    def share(self) -> float:
        """How much of the time asked for is read, from 0 to 1."""
        if self.state == "done":
            return 1.0
        asked = (self.made_at - self.since).total_seconds()
        read = (self.made_at - (self.reached or self.made_at)).total_seconds()
        return min(max(read / asked, 0.0), 1.0) if asked > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where people reach a brand: how many mentions came in (`volume`), whether we watch it, and what a person says.

    `present` is whether the brand is there, `attended` whether anybody answers, `owner` the unit that does; None where
    nobody has said.
    """

    name: str
    volume: int = 0
    watched: bool = False
    present: bool | None = None
    attended: bool | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a run stopped, in parts that can be stored and translated: the error's key, template and details."""

    error: str
    message: str
    details: dict[str, object] = field(default_factory=dict)

    @staticmethod
    def of(error: EscuchaError) -> Problem:
        """An error as it is stored."""
        return Problem(error=error.error, message=error.message, details=dict(error.details))
