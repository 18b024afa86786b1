"""The journey map over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.asked import meant, own_catalogue
from api.deps import Db, Parts
from api.schemas import ErrorOut, JourneyOut
from api.selection import Filters
from escucha.journey import JourneyMap
from pipeline.journey import draw

router = APIRouter(prefix="/journey", tags=["journey"])


@router.get("", response_model=JourneyOut, summary="The journey map", responses={404: {"model": ErrorOut}})
def get_journey(session: Db, parts: Parts, query: Annotated[Filters, Query()]) -> JourneyMap:
    """Per stage: volume, sentiment with intervals, top pains, touchpoints and quotes; stages without mentions too."""
    catalogue = own_catalogue(session, query.brand, parts.catalogue)
    return draw(session, meant(session, query, parts.catalogue), catalogue)
