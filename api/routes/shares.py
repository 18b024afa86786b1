"""Shares of labels over HTTP: as counted, and put right for the classifier's errors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.asked import meant
from api.deps import Db, Parts
from api.schemas import ErrorOut, SharesOut, SharesQuery
from escucha.shares import Shares
from pipeline import shares

router = APIRouter(prefix="/shares", tags=["shares"])


@router.get("", response_model=SharesOut, summary="How large each share is", responses={404: {"model": ErrorOut}})
def get_shares(session: Db, parts: Parts, query: Annotated[SharesQuery, Query()]) -> Shares:
    """Each label's share of the mentions that the filter means: as the model counts them, and put right for how often
    it takes one label for another, with a 95 % interval."""
    return shares.shares(session, meant(session, query, parts.catalogue), query.kind)
