"""Which mentions are meant: the one filter that the API, the pages, exports and alerts share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from escucha.query.tree import Query

Order = Literal["newest", "engagement", "relevance", "uncertainty"]
"""How pages of mentions are ordered: the newest, the most reacted to, the most about the words that are searched for,
or the least sure of its labels comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionFilter:
    """Which mentions are meant. An empty tuple or None does not restrict; several values of a field mean any of them.

    `since` is included, `until` is not; both are aware. `query` is what is searched for (escucha.query). `state` is the
    enrichment state: pending, done or failed. `review` holds kinds of label with the score under which each is to be
    checked: then only mentions with a label to check, or with stars against their text. `once` leaves out copies of an
    earlier mention; `cluster` means that mention and its copies. `hidden` means those that are hidden as not relevant
    instead of those that are shown (what blocked authors said is never meant).
    """

    brand: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    sources: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    sentiments: tuple[str, ...] = ()
    pains: tuple[str, ...] = ()
    touchpoints: tuple[str, ...] = ()
    query: Query | None = None
    state: str | None = None
    review: tuple[tuple[str, float], ...] = ()
    once: bool = False
    cluster: int | None = None
    hidden: bool = False
