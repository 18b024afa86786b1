"""Keeps SQLite's log (the -wal file) short: what is written is added to it while somebody reads what was before."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from escucha.errors import TryLater
from store.engine import Store, explained
from store.swap import file_of

LIMIT = 64 << 20
"""Bytes; in ordinary use it has about 4 MB, and after a large upgrade more."""
PATIENCE = 0.5
"""Seconds for which others may have to wait for readers to end, so that it can be emptied."""


def size(store: Store) -> int:
    """Bytes of the log now; 0 for PostgreSQL, which looks after its own."""
    if store.dialect != "sqlite":
        return 0
    database = file_of(store.url)
    log = database.with_name(f"{database.name}-wal")
    return log.stat().st_size if log.exists() else 0


def trim(store: Store, limit: int = LIMIT) -> None:
    """Empty the log where it has grown past a limit, in bytes.

    Raises:
        TryLater: somebody has been reading for long, so that it cannot be emptied and goes on growing.
    """
    if store.dialect == "sqlite" and (seen := size(store)) > limit and not _emptied(store.folder, file_of(store.url)):
        raise TryLater(
            "The database's log has grown to {megabytes} MB, as some program has been reading the database for a long "
            "time. Close other programs that have it open, or restart Escucha. Nothing is lost.",
            megabytes=seen >> 20,
        )


def _emptied(folder: str, file: Path) -> bool:
    """Bring what is in the log into the file, and only if all of it may go there hold writers up to empty it."""
    with explained(folder), closing(sqlite3.connect(file, isolation_level=None, timeout=PATIENCE)) as database:
        _, pages, brought = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages != brought:
            return False
        busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
