"""Readings of the past over HTTP: ask for one, watch it go on, cancel it, resume it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from api import listening
from api.deps import Db, Parts, Reading, Write
from api.i18n import Reader
from api.schemas import ErrorOut
from api.source_schemas import BackfillIn, BackfillOut, BackfillsOut
from escucha.brand import Backfill
from store import backfills, brands

router = APIRouter(prefix="/backfills", tags=["backfills"], responses={404: {"model": ErrorOut}})
Number = Annotated[int, Path(ge=1, lt=2**63, description="The backfill's number.")]
BrandName = Annotated[str | None, Query(max_length=100, description="A brand's short name; without it: every brand.")]
OVER: dict[int | str, dict[str, Any]] = {409: {"model": ErrorOut}}
OWN = ("id", "since", "state", "share", "reached", "fetched", "new", "made_at", "ended_at")


@router.get("", response_model=BackfillsOut, summary="Readings of the past, newest first")
def list_backfills(session: Db, reader: Reading, brand: BrandName = None) -> dict[str, Any]:
    """The newest 50: those of a brand's watches, or all."""
    brand_id = brands.get(session, brand).id if brand else None
    return {"items": [_shown(reader, one) for one in backfills.listed(session, brand_id)]}


@router.post("", response_model=BackfillsOut, status_code=201, summary="Read the past")
def ask_for(session: Write, parts: Parts, reader: Reading, asked: BackfillIn) -> dict[str, Any]:
    """Queue a reading for each watch, as far back as its source allows; the server's clock works them off."""
    brand = brands.get(session, asked.brand)
    made = listening.read_back(session, brand, asked.since, asked.source, parts.clock())
    return {"items": [_shown(reader, one) for one in made.backfills]}


@router.post("/{id}/cancel", response_model=BackfillOut, summary="Cancel a reading", responses=OVER)
def cancel(session: Write, parts: Parts, reader: Reading, id: Number) -> dict[str, Any]:
    """Stop a reading; what it has read stays."""
    return _shown(reader, backfills.cancel(session, id, parts.clock()))


@router.post("/{id}/resume", response_model=BackfillOut, summary="Resume a reading", responses=OVER)
def resume(session: Write, parts: Parts, reader: Reading, id: Number) -> dict[str, Any]:
    """Go on with one that stopped or was cancelled, where it was."""
    return _shown(reader, backfills.resume(session, id, parts.clock()))


def _shown(reader: Reader, one: Backfill) -> dict[str, Any]:
    said = reader.say(one.problem.message, **one.problem.details) if one.problem else None
    return {**{name: getattr(one, name) for name in OWN}, "watch": one.watch_id, "problem": said}
