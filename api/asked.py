"""Turns an API's filter into the store's, with days as the brand means them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from api.selection import Filters
from escucha.filter import MentionFilter
from escucha.journey import Catalogue
from store import brands


def meant(session: Session, asked: Filters, catalogue: Catalogue) -> MentionFilter:
    """The filter in the store's terms. Raises NotFound for an unknown brand, Invalid for keys and days that are off."""
    timezone = brands.get(session, asked.brand).timezone if asked.brand else "UTC"
    return asked.meant(timezone, catalogue)
