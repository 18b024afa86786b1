"""The keys of sources that were entered in the page: encrypted, and never shown again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.orm import Session

from store.tables import CredentialRow
from store.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A key as it was entered: for a brand or (None) for every brand, and when."""

    value: str = field(repr=False)
    brand_id: int | None
    at: datetime


def held(session: Session, vault: Vault, source: str, brand_id: int | None) -> dict[str, Held]:
    """A source's keys for a brand by name: those entered for it, and for the rest those entered for every brand.

    Raises:
        ConfigError: they were encrypted with another secret key.
    """
    of_it = _for(brand_id) | CredentialRow.brand_id.is_(None)
    query = select(CredentialRow).where(CredentialRow.source == source, of_it)
    rows = sorted(session.scalars(query), key=lambda row: row.brand_id is not None)  # the brand's own come last and win
    return {row.name: Held(value=vault.open(row.sealed), brand_id=row.brand_id, at=row.at) for row in rows}


def keys_of(session: Session, vault: Vault, source: str, brand_id: int | None) -> dict[str, str]:
    """The values of `held`."""
    return {name: one.value for name, one in held(session, vault, source, brand_id).items()}


def entered(session: Session, source: str, brand_id: int | None) -> dict[str, datetime]:
    """Which keys are entered for exactly this brand (None: for every brand), and since when; never their values."""
    query = select(CredentialRow.name, CredentialRow.at).where(CredentialRow.source == source, _for(brand_id))
    return {row.name: row.at for row in session.execute(query)}


def owners(session: Session, source: str) -> list[tuple[int | None, datetime]]:
    """Whose keys of a source are entered (None: everybody's), and when the newest of each was."""
    newest = func.max(CredentialRow.at)
    query = select(CredentialRow.brand_id, newest).where(CredentialRow.source == source)
    return [(row[0], row[1]) for row in session.execute(query.group_by(CredentialRow.brand_id))]


def put(
    session: Session, vault: Vault, source: str, brand_id: int | None, values: Mapping[str, str], now: datetime
) -> None:
    """Keep these keys in place of those of the same names."""
    remove(session, source, brand_id, tuple(values))
    rows = [{"source": source, "brand_id": brand_id, "name": name, "sealed": vault.seal(value), "at": now}
            for name, value in values.items()]
    if rows:
        session.execute(insert(CredentialRow), rows)


def remove(session: Session, source: str, brand_id: int | None, names: tuple[str, ...] | None = None) -> int:
    """Forget keys of a source (None: all of them); how many there were."""
    chosen = [CredentialRow.source == source, _for(brand_id)]
    if names is not None:
        chosen.append(CredentialRow.name.in_(names))
    return int(session.execute(delete(CredentialRow).where(*chosen)).rowcount)  # type: ignore[attr-defined]


def owner_of(session: Session, source: str, name: str, brand_id: int) -> int | None:
    """Whose key of that name a brand uses: its own (the brand's id), or everybody's (None)."""
    return brand_id if name in entered(session, source, brand_id) else None


def _for(brand_id: int | None) -> ColumnElement[bool]:
    return CredentialRow.brand_id.is_(None) if brand_id is None else CredentialRow.brand_id == brand_id
