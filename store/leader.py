"""Sees to it that only one running Escucha keeps the clock of a database."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from store.engine import Store

LOCK = 727306


class Leader(Protocol):
    """Asked before every tick: is this process the one that acts?"""

    def leads(self) -> bool:
        """True once the lead was won; it is kept until the process ends, however it ends."""
        ...

    def resign(self) -> None:
        """Give the lead to whoever asks next."""
        ...


def candidate(store: Store) -> Leader:
    """A candidate for the lead over this store: by a lock on a file beside SQLite's, or a lock in PostgreSQL."""
    if store.dialect == "sqlite":
        return FileLeader(Path(f"{make_url(store.url).database}.leader"))
    return PostgresLeader(store)


class FileLeader:
    """Leads while it holds a lock on a file; the system lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def leads(self) -> bool:
        """Try to take the lock; never waits."""
        if self._file is not None:
            return True
        file = self._path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def resign(self) -> None:
        """Let go of the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None


class PostgresLeader:
    """Leads while its own connection holds an advisory lock; the server lets go of it when the connection dies."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: Connection | None = None

    def leads(self) -> bool:
        """Try to take the lock, or see that the connection that holds it is still there; never waits."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            connection = self._store.own_connection()
            if connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}):
                self._connection = connection
                return True
            connection.close()
        except DBAPIError:
            self.resign()
        return False

    def resign(self) -> None:
        """Close the connection, and with it the lock."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
