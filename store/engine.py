"""Opens the database: SQLite in a file by default, PostgreSQL by its address, the same behaviour on both."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import Session

from escucha.errors import ConfigError, EscuchaError, TryLater

Synchronous = Literal["FULL", "NORMAL"]
BUSY_MS = 5_000
"""How long a writer waits for its turn in a SQLite file."""


class Store:
    """A database with one way to read and one way to write.

    `write()` takes SQLite's write lock at its start (BEGIN IMMEDIATE): a transaction that reads and then writes
    cannot lose an update, and waits its turn instead of failing at once. `read()` never blocks nor writes.
    """

    def __init__(self, url: str, synchronous: Synchronous = "FULL", busy_ms: int = BUSY_MS) -> None:
        self.url = url
        self.dialect = _dialect(url)
        if self.dialect == "sqlite":
            self._writer = _sqlite_engine(url, synchronous, busy_ms, "BEGIN IMMEDIATE")
            self._reader = _sqlite_engine(url, synchronous, busy_ms, "BEGIN")
        else:
            self._writer = self._reader = create_engine(url, pool_pre_ping=True, pool_size=10)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one consistent view of the data."""
        with explained(), Session(self._reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are saved together at the end, or not at all."""
        with explained(), Session(self._writer) as session, session.begin():
            session.connection()  # takes the write lock now, before anything is read
            yield session

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A bare connection inside one write transaction, for migrations."""
        with explained(), self._writer.begin() as connection:
            yield connection

    def own_connection(self) -> Connection:
        """A connection outside any transaction that the caller keeps and closes (for PostgreSQL's session locks)."""
        return self._writer.connect().execution_options(isolation_level="AUTOCOMMIT")

    def checkpoint(self) -> None:
        """Bring all that was written into SQLite's main file and empty its log; nothing to do for PostgreSQL."""
        if self.dialect == "sqlite":
            with self._reader.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")

    def close(self) -> None:
        """Give every connection back."""
        self._writer.dispose()
        self._reader.dispose()


def open_store(url: str, synchronous: Synchronous = "FULL") -> Store:
    """The store at a SQLAlchemy address; a SQLite file's folder is made if it is missing.

    Raises:
        ConfigError: the address is malformed or names a database we do not speak.
    """
    return Store(url, synchronous)


def _dialect(url: str) -> str:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError("The database address cannot be read. Write sqlite:///file.db or postgresql://…") from None
    dialect = parsed.get_backend_name()
    if dialect not in ("sqlite", "postgresql"):
        raise ConfigError("Escucha keeps its data in SQLite or PostgreSQL, not in {dialect}.", dialect=dialect)
    if dialect == "sqlite" and parsed.database:
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError("The folder of {file} cannot be made: {reason}.", file=parsed.database,
                              reason=error.strerror) from None
    return dialect


def _sqlite_engine(url: str, synchronous: Synchronous, busy_ms: int, begin: str) -> Engine:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_ms}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")  # what is deleted leaves the file, not just the table
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a database says when it cannot go on into a sentence that says what to do."""
    try:
        yield
    except (DatabaseError, sqlite3.Error) as error:
        known = explain(error)
        if known is None:
            raise
        raise known from error


def explain(error: Exception) -> EscuchaError | None:
    """The sentence for a database's failure, or None for one that is our own mistake (a constraint, bad SQL)."""
    said = str(getattr(error, "orig", error))
    if "database is locked" in said:
        return TryLater("The database is busy with another process. Wait a moment and try again.")
    if "disk is full" in said or "disk I/O error" in said or "No space left" in said:
        return TryLater("There is no room left on the disk of the database. Free some space; what was stored is safe.")
    if "not a database" in said or "malformed" in said:
        return ConfigError("The database file is damaged or is no database. Restore a backup or choose another file; "
                           "it was left as it is.")
    if "readonly database" in said or "unable to open database" in said:
        return ConfigError("The database file cannot be opened for writing. Check its permissions.")
    if isinstance(error, OperationalError) and "no such table" not in said:
        return TryLater("The database does not answer. Check that it runs and that its address is right.")
    return None
