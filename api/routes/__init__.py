"""The API's doors, one module a noun, all under /api/v1."""

from __future__ import annotations

from fastapi import APIRouter

from api.routes import brands, health, journey, mentions, series
from api.schemas import ErrorOut

router = APIRouter(
    prefix="/api/v1",
    responses={
        422: {"model": ErrorOut, "description": "A parameter or the body is off; the message says which."},
        500: {"model": ErrorOut, "description": "Something went wrong on our side; the details carry its number."},
        503: {"model": ErrorOut, "description": "The database is busy or away: try again later."},
    },
)
for part in (brands, mentions, series, journey, health):
    router.include_router(part.router)
