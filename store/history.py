"""The mentions that were understood already, as they are read for being tagged again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Text, cast, func, select
from sqlalchemy.orm import Session

from escucha.correction import own
from escucha.enrichment import Enrichment, Part
from escucha.job import Job
from escucha.rule import KINDS
from escucha.vector import Vector
from store import parts
from store.enrichments import Pending
from store.filters import in_state
from store.rows import understood
from store.tables import MentionRow, VectorRow

Versions = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """A tagged mention: what the taggers would read (`pending`), and what the model alone understood (`known`)."""

    pending: Pending
    known: Enrichment


def extent(session: Session, brand_id: int | None) -> tuple[int, int]:
    """How many tagged mentions a brand (None: every brand) has, and the greatest id among them."""
    where = _where(brand_id)
    n, last = session.execute(select(func.count(), func.max(MentionRow.id)).where(*where)).one()
    return n, last or 0


def by_versions(session: Session, brand_id: int | None) -> list[tuple[int, dict[str, str], int]]:
    """Brand, versions of the taggers, and how many of the brand's mentions those have tagged."""
    import json

    said = cast(MentionRow.versions, Text)
    query = select(MentionRow.brand_id, said, func.count()).where(*_where(brand_id))
    rows = session.execute(query.group_by(MentionRow.brand_id, said))
    return [(brand, json.loads(text) if text else {}, n) for brand, text, n in rows]


def ahead(session: Session, job: Job, n: int) -> list[tuple[int, int, dict[str, str]]]:
    """The next `n` mentions before a job: their ids, brands and versions."""
    query = (
        select(MentionRow.id, MentionRow.brand_id, MentionRow.versions)
        .where(*_where(job.brand_id), MentionRow.id > job.after_id, MentionRow.id <= job.until_id)
        .order_by(MentionRow.id).limit(n)
    )
    return [(id, brand_id, versions or {}) for id, brand_id, versions in session.execute(query)]


def read(session: Session, ids: Sequence[int]) -> list[Tagged]:
    """These mentions with all that was understood of them, vectors and parts included."""
    query = select(MentionRow).where(MentionRow.id.in_(ids)).order_by(MentionRow.id)
    vectors, spoken = _vectors(session, ids), parts.of(session, ids)
    return [_tagged(row, vectors.get(row.id), spoken.get(row.id, ())) for row in session.scalars(query)]


def labels(session: Session, ids: Collection[int]) -> dict[int, tuple[str | None, ...]]:
    """The labels in force of these mentions, in the order of KINDS."""
    columns = [getattr(MentionRow, kind) for kind in KINDS]
    rows = session.execute(select(MentionRow.id, *columns).where(MentionRow.id.in_(ids)))
    return {row[0]: tuple(row[1:]) for row in rows}


def differences(
    before: Mapping[int, Sequence[str | None]], after: Mapping[int, Sequence[str | None]]
) -> tuple[int, Counter[tuple[str, str, str]]]:
    """How many mentions have other labels than before, and how many went from which label of a kind to which."""
    changed, moved = 0, Counter[tuple[str, str, str]]()
    for id, old in before.items():
        new = after.get(id, old)
        changed += list(old) != list(new)
        for kind, was, now in zip(KINDS, old, new, strict=True):
            if was != now:
                moved[kind, was or "", now or ""] += 1
    return changed, moved


def _where(brand_id: int | None) -> list[ColumnElement[bool]]:
    ours = [MentionRow.brand_id == brand_id] if brand_id is not None else []
    return [in_state("done"), *ours]


def _tagged(row: MentionRow, vector: Vector | None, said: Sequence[Part]) -> Tagged:
    known = replace(own(understood(row)), vector=vector, parts=tuple(said))
    fresh = Enrichment(text=known.text, declared_lang=known.declared_lang)
    pending = Pending(id=row.id, brand_id=row.brand_id, content=row.content, enrichment=fresh)
    return Tagged(pending=pending, known=known)


def _vectors(session: Session, ids: Sequence[int]) -> dict[int, Vector]:
    rows = session.execute(
        select(VectorRow.mention_id, VectorRow.version, VectorRow.data).where(VectorRow.mention_id.in_(ids))
    )
    return {id: Vector(version, data) for id, version, data in rows}

