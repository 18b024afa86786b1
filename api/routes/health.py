"""Health over HTTP: what is stored, what waits, what is in trouble."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import Db
from api.schemas import HealthOut
from escucha.health import Health
from store import health

router = APIRouter(prefix="/health", tags=["health"])


@router.get("", response_model=HealthOut, summary="How the listening is doing")
def get_health(session: Db) -> Health:
    """Counts over the whole store, and the times of the newest mention and of the last collection."""
    return health.health(session)
