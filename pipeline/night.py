"""The night's work: lets go of what is kept no longer, ends what was left open, and sweeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from escucha.brand import Brand
from escucha.keeping import Overdue, Retention
from pipeline.forget import BATCH, erase, in_batches
from pipeline.partitions import keep_months
from pipeline.upkeep import analyse, keep_rollups
from store import audit, brands, removal, retention, subjects, tombstones
from store.engine import Store
from store.sweep import sweep

FROM_HOUR = 3
"""The hour of the brand's night from which the night's work is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What a night let go of: mentions, raw answers, lines of ledgers; and whether the files are clean too."""

    removed: Overdue
    lines: int
    swept: bool


def foreseen(session: Session, now: datetime, rule: Retention | None = None) -> Overdue:
    """What the coming night removes, by the rules as they are or as they would be with one more."""
    policy = retention.policy(session)
    return retention.overdue(session, policy.with_rule(rule) if rule else policy, brands.all_brands(session), now)


def nightly(store: Store, now: datetime, stop: Callable[[], bool] = lambda: False) -> Night | None:
    """Do the night's work once in a local day, from three in the morning on; None where it is not due, or `stop` ended
    it: it is then done by the next call."""
    with store.read() as session:
        due = _due(session, now)
    return tidy(store, now, stop) if due else None


def tidy(store: Store, now: datetime, stop: Callable[[], bool] = lambda: False) -> Night | None:
    """Let go of what is kept no longer: raw answers, then mentions; end what an erasure or a block left open; recount.

    None where `stop` ended it: what is done stays done.
    """
    _end(store, now)
    with store.read() as session:
        before, known = audit.last(session, "night"), brands.all_brands(session)
    removed, lines = Overdue(), 0
    for brand in known:
        removed += _let_go(store, brand, now, stop)
        with store.write() as session:
            lines += retention.drop_refusals(session, retention.policy(session), brand, now)
    if stop():
        return None
    with store.read() as session:
        deleted = removed.mentions or removed.raws or tombstones.any_since(session, before.at if before else None)
    drifts = keep_rollups(store)
    keep_months(store, now)
    analyse(store)
    swept = sweep(store) if deleted or store.dialect == "sqlite" else True
    with store.write() as session:
        audit.forget_idle_nights(session)
        counts = {"mentions": removed.mentions, "raws": removed.raws, "lines": lines, "drifts": len(drifts)}
        audit.write(session, "night", now, counts=counts)
    return Night(removed=removed, lines=lines, swept=swept)


def _end(store: Store, now: datetime) -> None:
    """Erase those whose erasure was broken off, or who came back, and hide what those said who are blocked."""
    with store.read() as session:
        waiting = dict.fromkeys([*audit.unfinished(session), *subjects.returned(session)])
        people = [person for id in waiting if (person := subjects.get(session, id))]
        blocked = subjects.all_blocked(session)
    for person in people:
        erase(store, person, now)
    for id in blocked:
        in_batches(store, partial(subjects.hide, id=id, limit=BATCH))


def _due(session: Session, now: datetime) -> bool:
    """Whether a night has come since the last one's work, where the first of the brands is at home."""
    known = sorted(brands.all_brands(session), key=lambda brand: (brand.sample, brand.id or 0))
    if not known:
        return False
    zone = ZoneInfo(known[0].timezone)
    local, last = now.astimezone(zone), audit.last(session, "night")
    return local.hour >= FROM_HOUR and (last is None or last.at.astimezone(zone).date() < local.date())


def _let_go(store: Store, brand: Brand, now: datetime, stop: Callable[[], bool]) -> Overdue:
    """Drop a brand's raw answers that are kept no longer, then its mentions, in steps."""
    total = Overdue()
    for name, choose in (("raws", retention.old_raws), ("mentions", retention.old_mentions)):
        after = 0
        while not stop():
            with store.write() as session:
                chosen = choose(session, retention.policy(session), brand, now, BATCH, after)
                ids = [id for _, id in chosen]
                if name == "raws":
                    retention.drop_raws(session, ids)
                else:
                    removal.remove(session, ids)
            total = replace(total, **{name: getattr(total, name) + len(ids)})
            if len(chosen) < BATCH:
                break
            after = chosen[-1][0]
    return total
