"""Each brand's own labels: what it added to the catalogue, and its own words for what ships."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from escucha.errors import Conflict, NotFound
from escucha.journey import Catalogue
from escucha.taxonomy import OwnLabel, merged
from store.tables import CorrectionRow, OwnLabelRow, RuleRow


def of_brand(session: Session, brand_id: int) -> tuple[OwnLabel, ...]:
    """A brand's own labels and words, the oldest first."""
    rows = session.scalars(select(OwnLabelRow).where(OwnLabelRow.brand_id == brand_id).order_by(OwnLabelRow.id))
    return tuple(_label(row) for row in rows)


def catalogue(session: Session, brand_id: int | None, shipped: Catalogue) -> Catalogue:
    """The catalogue as a brand has it: in its own words, and with its own labels; as it ships for no brand."""
    return merged(shipped, of_brand(session, brand_id)) if brand_id is not None else shipped


def add(session: Session, brand_id: int, own: OwnLabel, now: datetime) -> None:
    """Save a label that the brand adds, or its words for one that ships. Raises Conflict if it has this key already."""
    if _row(session, brand_id, own.kind, own.key) is not None:
        raise Conflict("There is a {kind} called {name} already. Choose another name.", kind=own.kind, name=own.key)
    session.add(OwnLabelRow(
        brand_id=brand_id, kind=own.kind, key=own.key, label=dict(own.label), meaning=dict(own.meaning),
        examples=list(own.examples), made_at=now,
    ))
    session.flush()


def rename(session: Session, brand_id: int, words: OwnLabel, now: datetime) -> OwnLabel:
    """Save other words for a label, whether it ships or the brand added it; the label as it is then, examples kept."""
    row = _row(session, brand_id, words.kind, words.key)
    if row is None:
        add(session, brand_id, words, now)
        return words
    row.label, row.meaning = dict(words.label), dict(words.meaning)
    session.flush()
    return _label(row)


def remove(session: Session, brand_id: int, kind: str, key: str) -> OwnLabel:
    """Take an own label, or own words, out; what it was. Raises NotFound where the brand has no such thing."""
    row = _row(session, brand_id, kind, key)
    if row is None:
        raise NotFound("This brand has no {kind} of its own called {key}, and no own words for it.", kind=kind, key=key)
    removed = _label(row)
    session.delete(row)
    session.flush()
    return removed


def corrected(session: Session, brand_id: int, kind: str, key: str) -> list[int]:
    """The mentions that a person gave this label."""
    return list(session.scalars(select(CorrectionRow.mention_id).where(
        CorrectionRow.brand_id == brand_id, CorrectionRow.kind == kind, CorrectionRow.label == key
    )))


def rules_with(session: Session, brand_id: int, kind: str, key: str) -> list[str]:
    """The names of the rules that give this label or ask for it."""
    return list(session.scalars(select(RuleRow.name).where(
        RuleRow.brand_id == brand_id, RuleRow.kind == kind, or_(RuleRow.label == key, RuleRow.only == key)
    ).order_by(RuleRow.id)))


def _row(session: Session, brand_id: int, kind: str, key: str) -> OwnLabelRow | None:
    return session.scalar(select(OwnLabelRow).where(
        OwnLabelRow.brand_id == brand_id, OwnLabelRow.kind == kind, OwnLabelRow.key == key
    ))


def _label(row: OwnLabelRow) -> OwnLabel:
    return OwnLabel(
        kind=row.kind, key=row.key, label=row.label, meaning=row.meaning,  # type: ignore[arg-type]
        examples=tuple(row.examples),
    )
