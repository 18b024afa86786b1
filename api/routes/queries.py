"""The query language over HTTP: read a query, and show what it finds before it is saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Parts
from api.schemas import ErrorOut, MentionOut, Out
from escucha.errors import TryLater
from escucha.filter import MentionFilter
from escucha.query.about import excludes_only, needs
from escucha.query.labels import labelled
from escucha.query.parse import LONGEST, parse
from escucha.query.written import written
from store.preview import COUNTED, NEWEST, SHOWN, preview

router = APIRouter(prefix="/queries", tags=["queries"], responses={404: {"model": ErrorOut}})
AT_ONCE = 2
"""Previews that run at the same time; the others wait, so that the pages always find a worker and a core."""
PATIENCE = 5.0
"""Seconds that one waits for its turn."""
_turns = BoundedSemaphore(AT_ONCE)


class QueryIn(BaseModel):
    """A query to read, and the brand whose mentions it shall be put to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(max_length=LONGEST, description="The query (docs/query-language.md).")
    brand: str | None = Field(None, max_length=100, description="A brand's short name; without it: every brand.")


class QueryOut(Out):
    """How a query is read, and what it finds."""

    canonical: str = Field(description="The query as it was understood, with every operator and parenthesis.")
    fields: list[str] = Field(description="The fields it asks about, by their English names.")
    excludes_only: bool = Field(description="It says only what is not meant: right for a search, too wide for a watch.")
    matched: int = Field(description=f"How many stored mentions it means, counted up to {COUNTED}.")
    more: bool = Field(description="There are more than `matched`.")
    looked_at: int | None = Field(
        description=f"null: all mentions were looked through; else that many of the newest (up to {NEWEST}): the query "
        "is too heavy to put to all of them at once."
    )
    items: list[MentionOut] = Field(description=f"The newest {SHOWN} of those it means.")


@contextmanager
def turn(turns: BoundedSemaphore, patience: float) -> Iterator[None]:
    """One of the turns, waited for so many seconds. Raises TryLater."""
    if not turns.acquire(timeout=patience):
        raise TryLater("Other queries are being tried. Try again in a moment.", after=patience)
    try:
        yield
    finally:
        turns.release()


@router.post("/preview", response_model=QueryOut, summary="Try a query")
def preview_query(parts: Parts, asked: QueryIn) -> dict[str, Any]:
    """Read a query and show the newest mentions that it means. Nothing is stored.

    What cannot be read is answered with `details`: `line`, `column` (both from 1) and mostly a `suggestion`.
    """
    query = labelled(asked.text, parse(asked.text), parts.catalogue)
    with turn(_turns, PATIENCE):
        found = preview(parts.store, MentionFilter(brand=asked.brand), query)
    return {
        "canonical": written(query), "fields": sorted(needs(query)), "excludes_only": excludes_only(query),
        "matched": found.matched, "more": found.more, "looked_at": found.looked_at, "items": found.items,
    }
