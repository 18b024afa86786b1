"""How long mentions and raw answers are kept: the rules, what they let go tonight, and letting go of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, null, or_, select, true, update
from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.errors import NotFound
from escucha.keeping import Overdue, Policy, Retention, kept_since
from store.seek import from_moment
from store.tables import MentionRow, RetentionRow, RunRow, WatchRow

Days = Callable[[Retention], int | None]


def mention_days(rule: Retention) -> int | None:
    """For how many days a rule keeps mentions."""
    return rule.days


def raw_days(rule: Retention) -> int | None:
    """For how many days a rule keeps raw answers."""
    return rule.raw_limit


def policy(session: Session) -> Policy:
    """All rules, the oldest first."""
    return Policy(tuple(_rule(row) for row in session.scalars(select(RetentionRow).order_by(RetentionRow.id))))


def put(session: Session, rule: Retention) -> Retention:
    """Save a rule, in place of the one for the same source and brand."""
    session.execute(delete(RetentionRow).where(
        RetentionRow.source.is_not_distinct_from(rule.source),
        RetentionRow.brand_id.is_not_distinct_from(rule.brand_id),
    ))
    row = RetentionRow(source=rule.source, brand_id=rule.brand_id, days=rule.days, raw_days=rule.raw_days)
    session.add(row)
    session.flush()
    return _rule(row)


def remove(session: Session, id: int) -> None:
    """Take a rule back. Raises NotFound."""
    row = session.get(RetentionRow, id)
    if row is None:
        raise NotFound("There is no retention rule number {id}. `escucha retention list` shows them.", id=id)
    session.delete(row)
    session.flush()


def overdue(session: Session, policy: Policy, brands: Sequence[Brand], now: datetime) -> Overdue:
    """How much of these brands is older than the rules keep it: what the next night removes."""
    total = Overdue()
    for brand in brands:
        old, raw = _old(policy, brand, now, mention_days), _old(policy, brand, now, raw_days)
        mentions = _count(session, old) if old is not None else 0
        raws = _count(session, and_(raw, MentionRow.raw.is_not(None))) if raw is not None else 0
        both = _count(session, and_(old, MentionRow.raw.is_not(None))) if mentions and raws and old is not None else 0
        total += Overdue(mentions=mentions, raws=raws - both)
    return total


def old_mentions(
    session: Session, policy: Policy, brand: Brand, now: datetime, limit: int, after: int = 0
) -> list[tuple[int, int]]:
    """Mentions of a brand that are kept no longer, `(seek, id)`, the oldest first, from beyond the `seek` `after`."""
    return _next(session, _old(policy, brand, now, mention_days), limit, after)


def old_raws(
    session: Session, policy: Policy, brand: Brand, now: datetime, limit: int, after: int = 0
) -> list[tuple[int, int]]:
    """Mentions of a brand whose raw answer is kept no longer, as `old_mentions` gives them."""
    old = _old(policy, brand, now, raw_days)
    return _next(session, and_(old, MentionRow.raw.is_not(None)) if old is not None else None, limit, after)


def drop_raws(session: Session, ids: Collection[int]) -> None:
    """Let go of the raw answers of these mentions; the mentions stay."""
    session.execute(update(MentionRow).where(MentionRow.id.in_(ids)).values(raw=null()))


def drop_refusals(session: Session, policy: Policy, brand: Brand, now: datetime) -> int:
    """Let go of what the ledgers of a brand's watches say of single items, as of raw answers; how many lines."""
    dropped = 0
    watches = session.execute(select(WatchRow.id, WatchRow.source).where(WatchRow.brand_id == brand.id)).all()
    for watch in watches:
        days = raw_days(policy.of(watch.source, brand.id))
        if days is not None:
            old = (RunRow.watch_id == watch.id, RunRow.at < kept_since(days, brand, now), RunRow.refusals.is_not(None))
            dropped += session.execute(update(RunRow).where(*old).values(refusals=null())).rowcount  # type: ignore[attr-defined]
    return dropped


def _old(policy: Policy, brand: Brand, now: datetime, days_of: Days) -> ColumnElement[bool] | None:
    """The mentions of a brand that are older than the rules keep them; None where all are kept for ever."""
    named = policy.sources
    others = MentionRow.source.not_in(named) if named else true()  # the index alone answers where no source is named
    scopes: list[tuple[ColumnElement[bool], int | None]] = [(others, days_of(policy.of("", brand.id)))]
    scopes += [(MentionRow.source == source, days_of(policy.of(source, brand.id))) for source in named]
    limits = [(scope, kept_since(days, brand, now)) for scope, days in scopes if days is not None]
    if not limits:
        return None
    latest = from_moment(max(since for _, since in limits))
    ended = or_(*(and_(scope, MentionRow.seek < from_moment(since)) for scope, since in limits))
    return and_(MentionRow.brand_id == brand.id, MentionRow.seek < latest, ended)


def _next(session: Session, old: ColumnElement[bool] | None, limit: int, after: int) -> list[tuple[int, int]]:
    if old is None:
        return []
    query = select(MentionRow.seek, MentionRow.id).where(old, MentionRow.seek > after)
    return [(row.seek, row.id) for row in session.execute(query.order_by(MentionRow.seek).limit(limit))]


def _count(session: Session, old: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(MentionRow).where(old)) or 0


def _rule(row: RetentionRow) -> Retention:
    return Retention(id=row.id, source=row.source, brand_id=row.brand_id, days=row.days, raw_days=row.raw_days)
