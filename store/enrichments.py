"""What waits to be understood, and what was understood of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from escucha.admission import storable_json
from escucha.correction import corrected
from escucha.enrichment import Enrichment, Part
from store import corrections, rollups
from store.filters import in_state
from store.rows import LABELS, as_read
from store.tables import MentionRow, PartRow, VectorRow

LEASE = timedelta(minutes=10)
MAX_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A mention that waits: its id and brand, the version of its text, and what the taggers shall read."""

    id: int
    brand_id: int
    content: str
    enrichment: Enrichment


def claim(session: Session, n: int, now: datetime) -> list[Pending]:
    """Take up to `n` mentions that wait, oldest first, under a lease: nobody else tags them until it ends.

    What a blocked person said waits until it may be read again.
    """
    free = or_(MentionRow.leased_until.is_(None), MentionRow.leased_until < now)
    query = (
        select(MentionRow.id, MentionRow.brand_id, MentionRow.content, MentionRow.title, MentionRow.text,
               MentionRow.declared_lang)
        .where(in_state("pending"), free, MentionRow.hidden.is_distinct_from("blocked"))
        .order_by(MentionRow.id)
        .limit(n)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(query).all()
    session.execute(
        update(MentionRow).where(MentionRow.id.in_([row.id for row in rows])).values(leased_until=now + LEASE)
    )
    return [
        Pending(id=r.id, brand_id=r.brand_id, content=r.content,
                enrichment=Enrichment(text=as_read(r.title, r.text), declared_lang=r.declared_lang))
        for r in rows
    ]


def save(session: Session, tagged: Sequence[tuple[Pending, Enrichment]], now: datetime) -> None:
    """Save all that was understood of each mention at once. One edited since it was claimed goes on waiting.

    A person's correction stays in force; what the taggers say of it goes to `said`.
    """
    unchanged = _unchanged(session, tagged)
    persons = corrections.of(session, unchanged)
    tagged = [(p, corrected(enrichment, persons[p.id])) for p, enrichment in tagged if p.id in unchanged]
    current = [(pending.id, enrichment) for pending, enrichment in tagged]
    with rollups.kept(session, [id for id, _ in current]):
        _update(session, [_row(pending, enrichment, now) for pending, enrichment in tagged])
    _replace(session, VectorRow, current, _vectors)
    _replace(session, PartRow, current, _parts)


def fail(session: Session, failed: Sequence[tuple[Pending, str]], now: datetime) -> None:
    """Count a failed try, with a note; after MAX_TRIES the mention is set aside as failed and no longer waits."""
    tries = MentionRow.tries + 1
    for pending, note in failed:
        session.execute(
            update(MentionRow)
            .where(MentionRow.id == pending.id, MentionRow.content == pending.content)
            .values(tries=tries, note=note, leased_until=None, tagged_at=now,
                    state=case((tries >= MAX_TRIES, "failed"), else_="pending"))
        )


def release(session: Session, claimed: Sequence[Pending]) -> None:
    """Give claimed mentions back untouched, when the taggers could not be run at all."""
    ids = [pending.id for pending in claimed]
    session.execute(update(MentionRow).where(MentionRow.id.in_(ids)).values(leased_until=None))


def _unchanged(session: Session, tagged: Sequence[tuple[Pending, Enrichment]]) -> set[int]:
    claimed = {pending.id: pending.content for pending, _ in tagged}
    query = select(MentionRow.id, MentionRow.content).where(MentionRow.id.in_(claimed)).order_by(MentionRow.id)
    query = query.with_for_update()  # a person who corrects one of them waits, or is read here
    return {id for id, content in session.execute(query) if claimed[id] == content}


def _replace(
    session: Session, table: type[VectorRow | PartRow], understood: Sequence[tuple[int, Enrichment]],
    rows: Callable[[int, Enrichment], list[dict[str, Any]]],
) -> None:
    session.execute(delete(table).where(table.mention_id.in_([id for id, _ in understood])))
    if fresh := [row for id, enrichment in understood for row in rows(id, enrichment)]:
        session.connection().execute(insert(table.__table__), fresh)  # type: ignore[arg-type]


def _vectors(id: int, enrichment: Enrichment) -> list[dict[str, Any]]:
    vector = enrichment.vector
    return [{"mention_id": id, "version": vector.version, "data": vector.data}] if vector else []


def _parts(id: int, enrichment: Enrichment) -> list[dict[str, Any]]:
    return [
        {"mention_id": id, "start": part.start, "end": part.end,
         **_labels(part, ("sentiment", "pain", "touchpoint"))}
        for part in enrichment.parts
    ]  # fmt: skip


def _update(session: Session, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = MentionRow.__table__
    values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if not name.startswith("row_")}
    statement = update(table).where(  # type: ignore[arg-type]
        table.c.id == bindparam("row_id"), table.c.content == bindparam("row_content")
    ).values(values)
    session.connection().execute(statement, rows)


def _row(pending: Pending, enrichment: Enrichment, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "row_id": pending.id, "row_content": pending.content, "state": "done", "note": None, "leased_until": None,
        "tagged_at": now, "versions": storable_json(dict(enrichment.versions)),
        "said": storable_json({kind: asdict(said) for kind, said in enrichment.said.items()}) or None,
    }
    return {**row, **_labels(enrichment, LABELS)}


def _labels(labelled: Enrichment | Part, names: Sequence[str]) -> dict[str, Any]:
    found = {name: getattr(labelled, name) for name in names}
    return {
        **{name: label.label if label else None for name, label in found.items()},
        **{f"{name}_score": label.score if label else None for name, label in found.items()},
    }
