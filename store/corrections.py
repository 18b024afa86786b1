"""What persons said that labels are, and the labels that count because of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from escucha.correction import effective
from escucha.enrichment import Enrichment, Label
from escucha.errors import NotFound
from escucha.rule import KINDS
from store import rollups, rules
from store.rows import labels, understood
from store.tables import CorrectionRow, MentionRow


def correct(session: Session, mention_id: int, kind: str, label: str, now: datetime) -> None:
    """Save what a person says a label is; it counts at once. Raises NotFound for a mention that does not exist."""
    brand_id = _locked(session, mention_id)
    row = session.scalar(_one(mention_id, kind))
    if row is None:
        session.add(CorrectionRow(mention_id=mention_id, brand_id=brand_id, kind=kind, label=label, at=now))
    else:
        row.label, row.at = label, now
    session.flush()
    refresh(session, [mention_id])


def undo(session: Session, mention_id: int, kind: str) -> None:
    """Take a correction back: a rule's or the model's own answer counts again. Raises NotFound where there is none."""
    _locked(session, mention_id)
    row = session.scalar(_one(mention_id, kind))
    if row is None:
        raise NotFound("Nobody has corrected the {kind} of mention {id}.", kind=kind, id=mention_id)
    session.execute(delete(CorrectionRow).where(CorrectionRow.id == row.id))
    refresh(session, [mention_id])


def of(session: Session, ids: Collection[int]) -> Mapping[int, Mapping[str, str]]:
    """The corrected labels of mentions by kind; a mention without any gets an empty mapping."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    query = select(CorrectionRow).where(CorrectionRow.mention_id.in_(ids))
    for row in session.scalars(query.execution_options(populate_existing=True)):
        found[row.mention_id][row.kind] = row.label
    return found


def refresh(session: Session, ids: Collection[int]) -> int:
    """Work out the labels that count of these mentions again; how many mentions have other labels than before.

    The rows are locked first: what a person or a rule changes meanwhile is either read here or waits its turn.
    """
    query = labels().where(MentionRow.id.in_(ids)).order_by(MentionRow.id).with_for_update()
    rows = session.execute(query).all()
    by_brand = rules.of_brands(session, {row.brand_id for row in rows})
    corrections = of(session, ids)
    changed, fresh = 0, []
    for row in rows:
        before = understood(row)
        # A rule is for what the model has read.
        after = effective(before, by_brand[row.brand_id] if before.versions else (), corrections[row.id])
        if after != before:
            fresh.append(_row(row.id, after))
            changed += any(_label(before, kind) != _label(after, kind) for kind in KINDS)
    if fresh:
        with rollups.kept(session, [row["id"] for row in fresh]):
            session.execute(update(MentionRow), fresh)
    return changed


def _row(mention_id: int, settled: Enrichment) -> dict[str, Any]:
    said = {kind: asdict(answer) for kind, answer in settled.said.items()}
    row: dict[str, Any] = {"id": mention_id, "said": said or None}
    for kind in KINDS:
        label: Label | None = getattr(settled, kind)
        row |= {kind: label.label if label else None, f"{kind}_score": label.score if label else None}
    return row


def _label(enrichment: Enrichment, kind: str) -> str | None:
    label: Label | None = getattr(enrichment, kind)
    return label.label if label else None


def _locked(session: Session, mention_id: int) -> int:
    """The mention's brand. Brand before mention, as everybody locks them, or two would wait for each other."""
    brand_id = session.scalar(select(MentionRow.brand_id).where(MentionRow.id == mention_id))
    if brand_id is None:
        raise NotFound("There is no mention number {id}. It may have been removed.", id=mention_id)
    rules.held(session, [brand_id])
    session.execute(select(MentionRow.id).where(MentionRow.id == mention_id).with_for_update())
    return brand_id


def _one(mention_id: int, kind: str) -> Select[CorrectionRow]:
    return select(CorrectionRow).where(CorrectionRow.mention_id == mention_id, CorrectionRow.kind == kind)
