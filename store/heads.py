"""A brand's own heads: what was fitted from its corrections and own labels, and what a person decided about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from escucha.admission import storable_json
from escucha.errors import Conflict, NotFound
from escucha.vector import Vector
from store.brands import hold
from store.tables import CorrectionRow, HeadRow, MentionRow, VectorRow

State = Literal["offered", "active", "retired", "withdrawn", "rejected", "superseded"]
"""Offered until a person decides (superseded: another was offered before anybody did); active in use; retired when
another followed it; withdrawn by an undo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHead:
    """A head as it was fitted. `reads` is the version of the vectors it understands; `weights` is what
    nlp.adapt.to_bytes made of it; `report` says how good it is beside the one it would follow."""

    kind: str
    reads: str
    classes: tuple[str, ...]
    weights: bytes
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """A head as it is kept. nlp.adapt.from_bytes(classes, weights) makes it read."""

    id: int
    brand_id: int
    kind: str
    state: State
    reads: str
    classes: tuple[str, ...]
    weights: bytes
    report: Mapping[str, Any]
    made_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What a person said that a mention's label is, with the mention's vector where it has one."""

    mention_id: int
    label: str
    vector: Vector | None


def active(session: Session, brand_id: int) -> dict[str, StoredHead]:
    """The heads in use for a brand, by kind. A kind that is absent is read by the embedded model's own head."""
    rows = session.scalars(select(HeadRow).where(HeadRow.brand_id == brand_id, HeadRow.state == "active"))
    return {row.kind: _head(row) for row in rows}


def all_heads(session: Session, brand_id: int) -> list[StoredHead]:
    """Every head of a brand, newest first."""
    rows = session.scalars(select(HeadRow).where(HeadRow.brand_id == brand_id).order_by(HeadRow.id.desc()))
    return [_head(row) for row in rows]


def get(session: Session, brand_id: int, head_id: int) -> StoredHead:
    """The brand's head of that number. Raises NotFound."""
    return _head(_row(session, brand_id, head_id))


def offer(session: Session, brand_id: int, new: NewHead, now: datetime) -> StoredHead:
    """Keep a head for a person to decide about. It takes the place of one of its kind that still waited."""
    hold(session, brand_id)
    for former in session.scalars(_of_kind(brand_id, new.kind, "offered")):
        former.state = "superseded"
    values = {
        "brand_id": brand_id, "kind": new.kind, "state": "offered", "reads": new.reads, "classes": list(new.classes),
        "weights": new.weights, "report": storable_json(dict(new.report)), "made_at": now,
    }
    return get(session, brand_id, session.execute(insert(HeadRow).values(values).returning(HeadRow.id)).scalar_one())


def accept(session: Session, brand_id: int, head_id: int, now: datetime) -> StoredHead:
    """Put an offered head to use; the one before it is retired. Raises NotFound, or Conflict if it was decided on."""
    hold(session, brand_id)
    row = _offered(session, brand_id, head_id)
    for former in session.scalars(_of_kind(brand_id, row.kind, "active")):
        former.state = "retired"
    row.state, row.decided_at = "active", now
    session.flush()
    return _head(row)


def reject(session: Session, brand_id: int, head_id: int, now: datetime) -> StoredHead:
    """Leave an offered head out of use. Raises NotFound, or Conflict if it was decided on."""
    hold(session, brand_id)
    row = _offered(session, brand_id, head_id)
    row.state, row.decided_at = "rejected", now
    session.flush()
    return _head(row)


def roll_back(session: Session, brand_id: int, kind: str, reads: str) -> StoredHead | None:
    """Take the head in use out of use; the one before it, which is returned, or else the embedded one serves again.

    One before it counts only if it reads vectors of the version `reads`.
    Raises NotFound where the brand has no head of this kind in use.
    """
    hold(session, brand_id)
    row = session.scalar(_of_kind(brand_id, kind, "active"))
    if row is None:
        raise NotFound("No head of this brand reads {kind}: the embedded model does, and there is nothing to undo.",
                       kind=kind)
    row.state = "withdrawn"
    retired = _of_kind(brand_id, kind, "retired").where(HeadRow.reads == reads)
    former = session.scalar(retired.order_by(HeadRow.decided_at.desc(), HeadRow.id.desc()))
    if former is not None:
        former.state = "active"
    session.flush()
    return _head(former) if former is not None else None


def corrected(session: Session, brand_id: int, kind: str) -> list[Corrected]:
    """The corrections of a kind that a brand's head can learn from, the oldest first; of blocked people, none."""
    query = (
        select(CorrectionRow.mention_id, CorrectionRow.label, VectorRow.version, VectorRow.data)
        .join(MentionRow, MentionRow.id == CorrectionRow.mention_id)
        .outerjoin(VectorRow, VectorRow.mention_id == CorrectionRow.mention_id)
        .where(CorrectionRow.brand_id == brand_id, CorrectionRow.kind == kind,
               MentionRow.hidden.is_distinct_from("blocked"))
        .order_by(CorrectionRow.id)
    )
    return [
        Corrected(mention_id=id, label=label, vector=Vector(version, data) if version is not None else None)
        for id, label, version, data in session.execute(query)
    ]


def strip(session: Session, brand_id: int, kind: str, key: str, without: Callable[[StoredHead], NewHead]) -> None:
    """Take a label out of the heads of a kind that are in use or could be again; those offered with it are rejected.

    `without` gives the same head as if it had never known the label.
    """
    for row in session.scalars(select(HeadRow).where(HeadRow.brand_id == brand_id, HeadRow.kind == kind)):
        if key in row.classes and row.state == "offered":
            row.state = "rejected"
        elif key in row.classes:
            bare = without(_head(row))
            row.classes, row.weights = list(bare.classes), bare.weights
    session.flush()


def _of_kind(brand_id: int, kind: str, state: State) -> Any:
    return select(HeadRow).where(HeadRow.brand_id == brand_id, HeadRow.kind == kind, HeadRow.state == state)


def _offered(session: Session, brand_id: int, head_id: int) -> HeadRow:
    row = _row(session, brand_id, head_id)
    if row.state != "offered":
        raise Conflict("Head {id} was decided on already: it is {state}. Train a new one.", id=head_id, state=row.state)
    return row


def _row(session: Session, brand_id: int, head_id: int) -> HeadRow:
    row = session.scalar(select(HeadRow).where(HeadRow.id == head_id, HeadRow.brand_id == brand_id))
    if row is None:
        raise NotFound("This brand has no head {id}. `escucha heads list` shows those it has.", id=head_id)
    return row


def _head(row: HeadRow) -> StoredHead:
    return StoredHead(
        id=row.id, brand_id=row.brand_id, kind=row.kind, state=row.state,  # type: ignore[arg-type]
        reads=row.reads, classes=tuple(row.classes), weights=row.weights, report=row.report, made_at=row.made_at,
        decided_at=row.decided_at,
    )
