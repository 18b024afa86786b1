"""Looks after the store: compares the roll-ups with the mentions, and tells the database how its rows lie."""

from __future__ import annotations

import logging

from store import rollups
from store.engine import Store
from store.rollups import Drift

log = logging.getLogger(__name__)


def verify_rollups(store: Store) -> list[Drift]:
    """Where the roll-ups differ from the mentions; empty when all is well."""
    with store.read() as session:
        return rollups.verify(session)


def rebuild_rollups(store: Store) -> None:
    """Count everything anew, while nobody writes."""
    with store.write() as session:
        rollups.hold(session)
        rollups.rebuild(session)


def analyse(store: Store) -> None:
    """Let SQLite look at samples of its indexes, so that it chooses well among them; PostgreSQL does by itself."""
    if store.dialect == "sqlite":
        with store.write() as session:
            for statement in ("PRAGMA analysis_limit = 1000", "ANALYZE"):
                session.connection().exec_driver_sql(statement)


def keep_rollups(store: Store) -> list[Drift]:
    """Verify, and rebuild where something differs: a fault of ours, which the log tells in full."""
    drifts = verify_rollups(store)
    for drift in drifts[:20]:
        log.error("A roll-up had drifted: %s", drift)
    if drifts:
        log.error("%s roll-ups had drifted; all are counted anew.", len(drifts))
        rebuild_rollups(store)
    return drifts
