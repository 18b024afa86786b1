"""Turns an API's filter into the store's, with days as the brand means them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from api.selection import Filters
from escucha.filter import MentionFilter
from escucha.journey import Catalogue
from store import brands, taxonomy


def meant(session: Session, asked: Filters, catalogue: Catalogue) -> MentionFilter:
    """The filter in the store's terms. Raises NotFound for an unknown brand, Invalid for keys and days that are off."""
    timezone = brands.get(session, asked.brand).timezone if asked.brand else "UTC"
    return asked.meant(timezone, own_catalogue(session, asked.brand, catalogue))


def own_catalogue(session: Session, slug: str | None, shipped: Catalogue) -> Catalogue:
    """The catalogue as a brand has it, or as it ships where none is named. Raises NotFound for an unknown brand."""
    return taxonomy.catalogue(session, brands.get(session, slug).id, shipped) if slug else shipped
