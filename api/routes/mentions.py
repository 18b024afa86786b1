"""Mentions over HTTP: page through those that a filter means, or look at one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.asked import meant
from api.deps import Db, Parts
from api.schemas import ErrorOut, MentionOut, MentionsOut, MentionsQuery
from escucha.enrichment import MentionPage, TaggedMention
from store import found

router = APIRouter(prefix="/mentions", tags=["mentions"])


@router.get("", response_model=MentionsOut, summary="Mentions", responses={404: {"model": ErrorOut}})
def find_mentions(session: Db, parts: Parts, query: Annotated[MentionsQuery, Query()]) -> MentionPage:
    """The mentions that the filter means. Pages are keyed, so new mentions never shift what you have not read yet."""
    filter = meant(session, query, parts.catalogue)
    return found.find(session, filter, limit=query.limit, after=query.after, order=query.order)


@router.get("/{id}", response_model=MentionOut, summary="One mention", responses={404: {"model": ErrorOut}})
def get_mention(session: Db, id: Annotated[int, Path(ge=1, lt=2**63)]) -> TaggedMention:
    """One mention with what was understood of it."""
    return found.get(session, id)
