"""Series over HTTP: a metric over time, for all mentions or per value of a dimension."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.asked import meant
from api.deps import Db, Parts
from api.schemas import ErrorOut, SeriesListOut, SeriesQuery
from escucha.journey import Series
from store import metrics

router = APIRouter(prefix="/series", tags=["series"])


@router.get("", response_model=SeriesListOut, summary="A metric over time", responses={404: {"model": ErrorOut}})
def get_series(session: Db, parts: Parts, query: Annotated[SeriesQuery, Query()]) -> dict[str, list[Series]]:
    """The metric per bucket, from the first to the last mention that the filter means."""
    filter = meant(session, query, parts.catalogue)
    return {"items": metrics.series(session, filter, query.metric, query.by, query.every)}
