"""Share of voice over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.asked import meant
from api.deps import Db, Parts
from api.schemas import ErrorOut, VoicesOut, VoicesQuery
from escucha.voice import Voice
from pipeline.voices import voices
from store import brands

router = APIRouter(prefix="/share-of-voice", tags=["shares"])


@router.get("", response_model=VoicesOut, summary="Share of voice", responses={404: {"model": ErrorOut}})
def get_voices(session: Db, parts: Parts, query: Annotated[VoicesQuery, Query()]) -> dict[str, tuple[Voice, ...]]:
    """The brand's share among itself and its rivals that are listened to: the same period and filters for all, and a
    repeated text counts once. Empty where no rival is listened to."""
    brand = brands.get(session, query.brand)
    return {"items": voices(session, meant(session, query, parts.catalogue), brand)}
