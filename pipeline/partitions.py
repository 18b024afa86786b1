"""Monthly partitions: turns them on and off, says how they are, and every night looks after them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from escucha.errors import Conflict
from store import cargo, locks, months, partitions
from store.cargo import Told, unheard
from store.engine import Store
from store.locks import Locks
from store.months import WORTH, Part, Plan
from store.moving import quiet

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The parts (none: the mentions are in one table), and whether PostgreSQL's locks suffice for them."""

    parts: Sequence[Part]
    locks: Locks


def turn_on(store: Store, now: datetime, told: Told = unheard, worth: int = WORTH) -> Shown:
    """Part the mentions by month, in one transaction: whatever is killed, it is done or as it was.

    Raises:
        Invalid: the store is SQLite's.
        Conflict: they are parted already, or somebody uses the database.
    """
    with quiet(store), store.connect() as connection, cargo.postgres_explained():
        partitions.part(connection, months.wanted(months.counted(connection), now, worth), told)
    store.close()  # connections from before plan as before
    return show(store)


def turn_off(store: Store, told: Told = unheard) -> None:
    """Make them one table again, as `turn_on` parts them. Raises as it does."""
    with quiet(store), store.connect() as connection, cargo.postgres_explained():
        partitions.join(connection, told)


def show(store: Store) -> Shown:
    """How they are parted. Raises Invalid for SQLite."""
    with store.read() as session:
        connection = session.connection()
        partitions.refuse_sqlite(connection)
        return Shown(parts=months.parts(connection), locks=locks.of(connection))


def keep_months(store: Store, now: datetime, worth: int = WORTH) -> Plan:
    """Make the parts of the coming months and of those of which the rest holds much, and drop those that retention has
    emptied; what was done.

    A part that others keep in use is left for the next night, which the log says.
    """
    plan = _plan(store, now, worth)
    made = tuple(month for month in plan.make if _act(store, month, make=True))
    dropped = tuple(month for month in plan.drop if _act(store, month, make=False))
    return Plan(make=made, drop=dropped)


def _plan(store: Store, now: datetime, worth: int) -> Plan:
    with store.read() as session:
        connection = session.connection()
        if not partitions.parted(connection):
            return Plan()
        there = months.existing(connection)
        if not locks.of(connection).suffice:
            log.warning("PostgreSQL may run out of locks: `escucha partitions show` says what to set.")
        return months.plan(there, months.empty(connection, there), months.counted(connection, months.REST), now, worth)


def _act(store: Store, month: date, *, make: bool) -> bool:
    try:
        with store.connect() as connection, cargo.postgres_explained():
            months.hold(connection)
            if not make:
                return months.drop(connection, month)
            months.make(connection, month)
            return True
    except Conflict:
        log.warning("The part of %s waits for the next night: somebody used the mentions all the time.",
                    f"{month:%Y-%m}")
        return False
