"""The columns of every export: names that stay, in an order that stays; a new one is added at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from escucha.enrichment import Label, TaggedMention
from store.standing import Standing

Type = Literal["text", "whole", "number", "truth", "time", "day"]
Value = str | int | float | bool | datetime | date | None
DIGITS = 4
"""Decimals of a score: more would only be noise."""
COLUMNS: Mapping[str, Type] = {
    "brand": "text", "id": "whole", "source": "text", "source_id": "text", "kind": "text", "created_at": "time",
    "day": "day", "edited_at": "time", "title": "text", "text": "text", "url": "text", "place": "text",
    "parent_id": "text", "lang": "text",
    "author_id": "text", "author_handle": "text", "author_name": "text", "author_url": "text",
    "author_followers": "whole", "author_followers_at": "time", "author_verified": "truth",
    "likes": "whole", "comments": "whole", "shares": "whole", "views": "whole", "engagement": "whole",
    "rating": "number",
    "lang_detected": "text", "lang_detected_score": "number", "sentiment": "text", "sentiment_score": "number",
    "stage": "text", "stage_score": "number", "pain": "text", "pain_score": "number", "touchpoint": "text",
    "touchpoint_score": "number", "emotion": "text", "emotion_score": "number",
    "state": "text", "cluster": "whole", "copy": "truth",
}  # fmt: skip
"""Each with what its values are. docs/exports.md says what they mean."""
NAMES: tuple[str, ...] = tuple(COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A mention on its way into a file."""

    tagged: TaggedMention
    standing: Standing


def row(exported: Exported) -> tuple[Value, ...]:
    """A mention's values in the order of COLUMNS; None is what is not known."""
    tagged, standing = exported.tagged, exported.standing
    said, tags, reactions = tagged.mention, tagged.enrichment, tagged.mention.engagement
    return (
        tagged.brand, tagged.id, said.source, said.source_id, said.kind, said.created_at, standing.day, said.edited_at,
        said.title, said.text, said.url, said.place, said.parent_id, said.lang, *_author(exported),
        reactions.likes, reactions.comments, reactions.shares, reactions.views, reactions.total, said.rating,
        *_label(tags.lang), *_label(tags.sentiment), *_label(tags.stage), *_label(tags.pain), *_label(tags.touchpoint),
        *_label(tags.emotion), tagged.state, standing.cluster, standing.copy,
    )  # fmt: skip


def _author(exported: Exported) -> tuple[Value, ...]:
    author = exported.tagged.mention.author
    if author is None:
        return (None,) * 7
    return (author.id, author.handle, author.name, author.url, author.followers, author.followers_at, author.verified)


def _label(label: Label | None) -> tuple[Value, Value]:
    return (label.label, round(label.score, DIGITS)) if label else (None, None)


def written(value: Any) -> Any:
    """A time in UTC and a day as ISO 8601 writes them; any other value as it is."""
    if isinstance(value, datetime):
        return value.isoformat().removesuffix("+00:00") + "Z"
    return value.isoformat() if isinstance(value, date) else value
