"""Brands over HTTP: list them, look at one, add one."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import Db, Write
from api.schemas import BrandIn, BrandOut, BrandsOut, ErrorOut
from escucha.brand import Brand
from store import brands

router = APIRouter(prefix="/brands", tags=["brands"])


@router.get("", response_model=BrandsOut, summary="Every brand")
def list_brands(session: Db) -> dict[str, list[Brand]]:
    """Every brand we listen for, by name."""
    return {"items": brands.all_brands(session)}


@router.get("/{slug}", response_model=BrandOut, summary="One brand", responses={404: {"model": ErrorOut}})
def get_brand(session: Db, slug: str) -> Brand:
    """The brand of that short name."""
    return brands.get(session, slug)


@router.post("", response_model=BrandOut, status_code=201, summary="Add a brand", responses={409: {"model": ErrorOut}})
def add_brand(session: Write, asked: BrandIn, response: Response) -> Brand:
    """Add a brand to listen for; its short name must be free."""
    added = brands.add(session, Brand(
        slug=asked.slug, name=asked.name, aliases=tuple(asked.aliases), rivals=tuple(asked.rivals),
        languages=tuple(asked.languages), timezone=asked.timezone,
    ))
    response.headers["Location"] = f"/api/v1/brands/{added.slug}"
    return added
