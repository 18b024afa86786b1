"""The rules of each brand, in the order in which they are tried, and the stored mentions that they could touch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, and_, delete, func, insert, or_, select, true
from sqlalchemy.orm import Session

from escucha.enrichment import Enrichment
from escucha.errors import Conflict, NotFound
from escucha.rule import Rule
from escucha.words import words as cut
from store.brands import hold
from store.rows import labels, understood
from store.tables import BrandRow, MentionRow, RuleRow


def add(session: Session, rule: Rule, now: datetime) -> Rule:
    """Save a new rule of `rule.brand_id`; stored mentions wait to be read with it. Raises Conflict for a repeat."""
    hold(session, rule.brand_id)
    for known in of_brands(session, [rule.brand_id or 0])[rule.brand_id or 0]:
        if (known.words, known.kind, known.label, known.only) == (rule.words, rule.kind, rule.label, rule.only):
            raise Conflict("There is a rule like this already: number {id}, “{name}”.", id=known.id, name=known.name)
    values = {
        "brand_id": rule.brand_id, "name": rule.name, "words": list(rule.words), "kind": rule.kind, "only": rule.only,
        "label": rule.label, "active": rule.active, "after_id": 0, "made_at": now,
    }
    return get(session, session.execute(insert(RuleRow).values(values).returning(RuleRow.id)).scalar_one())


def get(session: Session, rule_id: int, brand_id: int | None = None) -> Rule:
    """The rule of that number, of this brand where one is given. Raises NotFound."""
    return _rule(_row(session, rule_id, brand_id))


def of_brands(session: Session, brand_ids: Collection[int]) -> dict[int, tuple[Rule, ...]]:
    """Each brand's rules, on or off, in their order: the oldest is tried first."""
    found: dict[int, tuple[Rule, ...]] = dict.fromkeys(brand_ids, ())
    for row in session.scalars(select(RuleRow).where(RuleRow.brand_id.in_(brand_ids)).order_by(RuleRow.id)):
        found[row.brand_id] += (_rule(row),)
    return found


def held(session: Session, brand_ids: Collection[int]) -> dict[int, tuple[Rule, ...]]:
    """As `of_brands`, and no rule of these brands changes until the transaction ends."""
    session.execute(select(BrandRow.id).where(BrandRow.id.in_(brand_ids)).order_by(BrandRow.id)
                    .with_for_update(read=True))
    return of_brands(session, brand_ids)


def switch(session: Session, rule_id: int, brand_id: int, *, active: bool) -> Rule:
    """Put a rule in force or out of it; stored mentions wait to be read again if that changes it. Raises NotFound."""
    hold(session, brand_id)
    row = _row(session, rule_id, brand_id)
    if row.active != active:
        row.active, row.after_id = active, 0
        session.flush()
    return _rule(row)


def remove(session: Session, rule_id: int) -> None:
    """Take a rule out for good. What it set must have been set back before (switch it off, and spread that)."""
    session.execute(delete(RuleRow).where(RuleRow.id == rule_id))


def waiting(session: Session) -> list[int]:
    """The rules that stored mentions still have to be read with."""
    return list(session.scalars(select(RuleRow.id).where(RuleRow.after_id.is_not(None)).order_by(RuleRow.id)))


def advance(session: Session, rule_id: int, n: int) -> list[int]:
    """The next `n` stored mentions to be read with a rule that waits; empty when it has been put to all of them."""
    row = session.scalar(select(RuleRow).where(RuleRow.id == rule_id).with_for_update()
                         .execution_options(populate_existing=True))
    if row is None or row.after_id is None:
        return []
    ids = list(session.scalars(_touched(row.brand_id, row.words, row.after_id, n)))
    row.after_id = ids[-1] if ids else None
    session.flush()
    return ids


def touched(
    session: Session, brand_id: int, words: Sequence[str], after_id: int, n: int
) -> list[tuple[int, Enrichment]]:
    """Up to `n` mentions of a brand that hold the words' letters, whole or not, after an id: numbers and labels."""
    ids = list(session.scalars(_touched(brand_id, words, after_id, n)))
    rows = session.execute(labels().where(MentionRow.id.in_(ids)).order_by(MentionRow.id))
    return [(row.id, understood(row)) for row in rows]


def stored(session: Session, brand_id: int) -> int:
    """How many mentions of a brand are stored."""
    query = select(func.count()).select_from(MentionRow).where(MentionRow.brand_id == brand_id)
    return session.scalar(query) or 0


def _touched(brand_id: int, words: Sequence[str], after_id: int, n: int) -> Select[int]:
    letters = [and_(true(), *(MentionRow.words.contains(part, autoescape=True) for part in cut(word)))
               for word in words]
    return (
        select(MentionRow.id)
        .where(MentionRow.brand_id == brand_id, MentionRow.id > after_id, or_(*letters))
        .order_by(MentionRow.id).limit(n)
    )


def _row(session: Session, rule_id: int, brand_id: int | None) -> RuleRow:
    row = session.scalar(select(RuleRow).where(RuleRow.id == rule_id))
    if row is None or brand_id not in (None, row.brand_id):
        raise NotFound("There is no rule number {id} of this brand. It may have been removed.", id=rule_id)
    return row


def _rule(row: RuleRow) -> Rule:
    return Rule(
        id=row.id, brand_id=row.brand_id, name=row.name, words=tuple(row.words), kind=row.kind,  # type: ignore[arg-type]
        only=row.only, label=row.label, active=row.active, waits=row.after_id is not None,
    )
