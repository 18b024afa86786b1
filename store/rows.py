"""Turns rows into words: what leaves the store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from escucha.enrichment import Enrichment, Label, Said, TaggedMention
from escucha.mention import Engagement, Mention
from store.authors import author
from store.tables import AuthorRow, BrandRow, MentionRow

LABELS = ("lang", "sentiment", "stage", "pain", "touchpoint", "emotion")


def selection() -> Select[*tuple[Any, ...]]:
    """The query for mentions with their authors and brands; each of its rows goes to `tagged`."""
    return (
        select(MentionRow, AuthorRow, BrandRow.slug)
        .join(BrandRow, BrandRow.id == MentionRow.brand_id)
        .outerjoin(AuthorRow, AuthorRow.id == MentionRow.author_id)
    )


def tagged(row: MentionRow, writer: AuthorRow | None, slug: str) -> TaggedMention:
    """A mention as its row, its author's row and its brand's slug tell it."""
    return TaggedMention(
        id=row.id, brand=slug, mention=_mention(row, writer), enrichment=understood(row),
        state=row.state, note=row.note,  # type: ignore[arg-type]
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


def id_in_key(told: str) -> int:
    """An id as a page key tells it. Raises ValueError for what no row can have."""
    number = int(told)
    if not 0 <= number < 2**63:
        raise ValueError(told)
    return number


def as_read(title: str | None, text: str) -> str:
    """What the taggers read of a mention: its title, if any, and its text."""
    return f"{title}\n{text}" if title else text


def _label(label: str | None, score: float | None) -> Label | None:
    return Label(label, score or 0.0) if label is not None else None


def _mention(row: MentionRow, writer: AuthorRow | None) -> Mention:
    return Mention(
        source=row.source, source_id=row.source_id, text=row.text, created_at=row.created_at,
        kind=row.kind,  # type: ignore[arg-type]
        title=row.title, lang=row.declared_lang, url=row.url, edited_at=row.edited_at,
        author=author(writer) if writer else None,
        engagement=Engagement(likes=row.likes, comments=row.comments, shares=row.shares, views=row.views),
        rating=row.rating, parent_id=row.parent_id, place=row.place, raw=row.raw,
    )
