"""Turns rows into words: what leaves the store."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, Select, null, select

from escucha.enrichment import Enrichment, Label, Said, TaggedMention
from escucha.mention import Author, Engagement, Mention
from store.tables import AuthorRow, BrandRow, MentionRow

LABELS = ("lang", "sentiment", "stage", "pain", "touchpoint", "emotion")
SHOWN = (
    "id", "brand_id", "watch_id", "author_id", "source", "source_id", "kind", "title", "text", "declared_lang", "url",
    "created_at", "edited_at", "likes", "comments", "shares", "views", "rating", "parent_id", "place", "cluster_id",
    "hidden", "kept", "state", "note", "versions", "said",
    *(name + ending for name in LABELS for ending in ("", "_score")),
)  # fmt: skip
"""What is read of a mention to show it."""
WRITER = ("key", "handle", "name", "url", "followers", "followers_at", "verified")
"""And of its author."""


@cache
def selection(*, raw: bool = False) -> Select[*tuple[Any, ...]]:
    """The query for mentions with their authors and brands; each of its rows goes to `tagged`.

    `raw`: with what their sources answered, which may be long and is not shown.
    """
    told = MentionRow.raw if raw else null().label("raw")
    return (
        select(*(getattr(MentionRow, name) for name in SHOWN), told, BrandRow.slug,
               *(getattr(AuthorRow, name).label(f"author_{name}") for name in WRITER))
        .join(BrandRow, BrandRow.id == MentionRow.brand_id)
        .outerjoin(AuthorRow, AuthorRow.id == MentionRow.author_id)
    )


def tagged(row: Row[*tuple[Any, ...]]) -> TaggedMention:
    """A mention as a row of the query `selection` tells it."""
    told = SimpleNamespace(**row._mapping)  # faster than to look each of fifty names up in the row itself
    return TaggedMention(
        id=told.id, brand=told.slug, mention=_mention(told), enrichment=understood(told), state=told.state,
        note=told.note, cluster=told.cluster_id, hidden=told.hidden, kept=told.kept,
    )


def labels() -> Select[*tuple[Any, ...]]:
    """The query for mentions with no more than what `understood` reads, their ids and their brands' ids."""
    named = [getattr(MentionRow, name + ending) for name in LABELS for ending in ("", "_score")]
    return select(MentionRow.id, MentionRow.brand_id, MentionRow.title, MentionRow.text, MentionRow.declared_lang,
                  MentionRow.versions, MentionRow.said, *named)


def understood(row: Any) -> Enrichment:
    """What was understood of a mention, as its row, or one of the query `labels`, tells it."""
    labels: dict[str, Any] = {name: _label(getattr(row, name), getattr(row, f"{name}_score")) for name in LABELS}
    return Enrichment(
        text=as_read(row.title, row.text), declared_lang=row.declared_lang, versions=row.versions or {},
        said={kind: Said(**said) for kind, said in (row.said or {}).items()}, **labels
    )


def as_read(title: str | None, text: str) -> str:
    """What the taggers read of a mention: its title, if any, and its text."""
    return f"{title}\n{text}" if title else text


def _label(label: str | None, score: float | None) -> Label | None:
    return Label(label, score or 0.0) if label is not None else None


def _author(row: Any) -> Author | None:
    if row.author_id is None:
        return None
    return Author(id=row.author_key, handle=row.author_handle, name=row.author_name, url=row.author_url,
                  followers=row.author_followers, followers_at=row.author_followers_at, verified=row.author_verified)


def _mention(row: Any) -> Mention:
    return Mention(
        source=row.source, source_id=row.source_id, kind=row.kind, text=row.text, title=row.title,
        lang=row.declared_lang, url=row.url, created_at=row.created_at, edited_at=row.edited_at, author=_author(row),
        engagement=Engagement(likes=row.likes, comments=row.comments, shares=row.shares, views=row.views),
        rating=row.rating, parent_id=row.parent_id, place=row.place, raw=row.raw,
    )
