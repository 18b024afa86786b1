"""One thing one person said: a post, a comment, a review, an article, a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from escucha.errors import Invalid

Kind = Literal["post", "comment", "review", "article", "message", "survey"]
KINDS: tuple[Kind, ...] = ("post", "comment", "review", "article", "message", "survey")


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who said it. `followers`, told at `followers_at`, is None where the source does not tell: unknown is not 0."""

    id: str
    handle: str
    name: str | None = None
    url: str | None = None
    followers: int | None = None
    followers_at: datetime | None = None
    verified: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """How others reacted; None where the source does not tell."""

    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    views: int | None = None

    @property
    def total(self) -> int | None:
        """Likes + comments + shares (views are not a reaction), or None where none of them is known."""
        known = [n for n in (self.likes, self.comments, self.shares) if n is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One thing one person said, as its source gave it.

    `(source, source_id)` is its identity. `text` is plain text. `lang` is the language the source *declares*
    (BCP 47, lower case), which is often wrong: what we detect is in the Enrichment. `rating` runs from 1 to 5.
    `raw` is the source's own object, kept until retention drops it. Times are aware; they are brought to UTC.

    Raises:
        Invalid: a time without a zone, an empty identity, or a rating outside 1..5.
    """

    source: str
    source_id: str
    text: str
    created_at: datetime
    kind: Kind = "post"
    title: str | None = None
    lang: str | None = None
    url: str | None = None
    edited_at: datetime | None = None
    author: Author | None = None
    engagement: Engagement = field(default_factory=Engagement)
    rating: float | None = None
    parent_id: str | None = None
    place: str | None = None
    raw: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not self.source or not self.source_id:
            raise Invalid("A mention needs a source and an id within it.")
        object.__setattr__(self, "created_at", as_utc(self.created_at))
        if self.edited_at is not None:
            object.__setattr__(self, "edited_at", as_utc(self.edited_at))
        if self.rating is not None and not 1 <= self.rating <= 5:
            raise Invalid("The rating {rating} is outside 1 to 5.", rating=self.rating)


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC. Raises Invalid for a time without a zone, which would be a guess."""
    if moment.tzinfo is None:
        raise Invalid("The time {moment} has no time zone.", moment=moment.isoformat())
    return moment.astimezone(UTC)
