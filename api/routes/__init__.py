"""The API's doors, one module a noun, all under /api/v1."""

from __future__ import annotations

from fastapi import APIRouter

from api.routes import (
    backfills,
    brands,
    channels,
    corrections,
    exclusions,
    exports,
    heads,
    health,
    jobs,
    journey,
    mentions,
    queries,
    retention,
    rules,
    series,
    shares,
    sources,
    subjects,
    taxonomy,
    voices,
    watches,
)
from api.schemas import ErrorOut

router = APIRouter(
    prefix="/api/v1",
    responses={
        422: {"model": ErrorOut, "description": "A parameter or the body is off; the message says which."},
        500: {"model": ErrorOut, "description": "Something went wrong on our side; the details carry its number."},
        503: {"model": ErrorOut, "description": "The database is busy or away: try again later."},
    },
)
PARTS = (
    brands, exports, mentions, queries, series, journey, health, jobs, shares, voices, corrections, rules, heads,
    taxonomy, sources, watches, backfills, channels, retention, subjects, exclusions,
)
for part in PARTS:
    router.include_router(part.router)
