"""The keys a source is asked with: those of the settings, and those that were entered in the page."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from store import credentials
from store.vault import Vault

Settled = Mapping[str, Mapping[str, str]]
"""Credentials of the settings, by source name."""


def keys_for(
    session: Session, vault: Vault | None, settled: Settled, source: str, brand_id: int | None
) -> dict[str, str]:
    """A source's keys for a brand; what the settings say wins over what the page was told.

    Raises:
        ConfigError: stored keys were encrypted with another secret key.
    """
    stored = credentials.keys_of(session, vault, source, brand_id) if vault else {}
    return {**stored, **settled.get(source, {})}
