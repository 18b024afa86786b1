"""Whom we listen for, what we ask, and how often: brands, queries and watches."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from escucha.source import Cursor


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

    `next_at` is the whole schedule. `cursor` is where the source goes on from. `failures` counts failed runs in a
    row; `problem` is the last error's key, template and details, shown in the reader's language.
    """

    id: int
    brand_id: int
    source: str
    query: Query
    every: int
    state: WatchState = "active"
    cursor: Cursor | None = None
    next_at: datetime | None = None
    last_run_at: datetime | None = None
    failures: int = 0
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a run stopped, in parts that can be stored and translated: the error's key, template and details."""

    error: str
    message: str
    details: dict[str, object] = field(default_factory=dict)
