"""A brand's channels over HTTP: which exist, how much comes in by each, and who attends to it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from api.channels import listed, noted, title
from api.deps import Db, House, Parts, Write
from api.schemas import ErrorOut
from api.source_schemas import ChannelIn, ChannelsOut
from escucha.brand import Brand, Channel
from store import brands

router = APIRouter(prefix="/channels", tags=["channels"], responses={404: {"model": ErrorOut}})
NOTED = ("name", "volume", "watched", "present", "attended", "owner")


@router.get("", response_model=ChannelsOut, summary="A brand's channels")
def list_channels(session: Db, parts: Parts, brand: Annotated[str, Query(max_length=100)]) -> dict[str, Any]:
    """Every channel that was heard in 30 days, is watched, or was noted by a person."""
    return _shown(session, parts, brands.get(session, brand))


@router.put("", response_model=ChannelsOut, summary="Note what is known of a channel")
def put_channel(session: Write, parts: Parts, asked: ChannelIn) -> dict[str, Any]:
    """Keep what a person says of a channel, in place of what was said before."""
    brand = brands.get(session, asked.brand)
    noted(session, brand, Channel(name=asked.name, present=asked.present, attended=asked.attended, owner=asked.owner))
    return _shown(session, parts, brand)


def _shown(session: Session, parts: House, brand: Brand) -> dict[str, Any]:
    found = listed(session, brand, parts.clock())
    return {"items": [{**{name: getattr(one, name) for name in NOTED}, "title": title(one.name)} for one in found]}
