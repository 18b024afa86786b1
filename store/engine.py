"""Opens the database: SQLite in a file by default, PostgreSQL by its address, the same behaviour on both."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import Session

from escucha.errors import ConfigError, EscuchaError, TryLater
from escucha.text import fold

Synchronous = Literal["FULL", "NORMAL"]
BUSY_MS = 5_000
"""How long a writer waits for its turn in a SQLite file."""
CACHE_KB = 32_768
"""Pages of a SQLite file that a connection keeps: its own 2 MB make every index of a large file be read again."""
MAPPED = 1 << 30
"""Bytes of a SQLite file that are read without being copied."""
LOG_PAGES = 4_000
"""Pages (16 MB) of SQLite's log after which they are brought into the main file."""
OURS = "SELECT count(*) = 0 OR sum(name = 'alembic_version') > 0 FROM sqlite_schema"
DAMAGED = ("The database file is damaged or is no database. Restore a backup or choose another file; it was left as "
           "it is.")


class Store:
    """A database with one way to read and one way to write.

    `write()` takes SQLite's write lock at its start (BEGIN IMMEDIATE): a transaction that reads and then writes
    cannot lose an update, and waits its turn instead of failing at once. `read()` never blocks nor writes.
    """

    def __init__(self, url: str, synchronous: Synchronous = "FULL", busy_ms: int = BUSY_MS) -> None:
        self.url = url
        self.dialect = _dialect(url)
        self.folder = str(Path(make_url(url).database or ".").absolute().parent) if self.dialect == "sqlite" else ""
        if self.dialect == "sqlite":
            self._writer = _sqlite_engine(url, synchronous, busy_ms, "BEGIN IMMEDIATE")
            self._reader = _sqlite_engine(url, synchronous, busy_ms, "BEGIN")
        else:
            self._writer = create_engine(url, pool_pre_ping=True, pool_size=10)
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one consistent view of the data."""
        with explained(self.folder), Session(self._reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are saved together at the end, or not at all."""
        with explained(self.folder), Session(self._writer) as session, session.begin():
            session.connection()  # takes the write lock now, before anything is read
            yield session

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A bare connection inside one write transaction, for migrations."""
        with explained(self.folder), self._writer.begin() as connection:
            yield connection

    def own_connection(self) -> Connection:
        """A connection outside any transaction that the caller keeps and closes (for PostgreSQL's session locks)."""
        return self._writer.connect().execution_options(isolation_level="AUTOCOMMIT")

    def checkpoint(self) -> bool:
        """Bring all that was written into SQLite's main file and empty its log; nothing to do for PostgreSQL.

        False where somebody goes on reading from the log, so that it cannot be emptied now.
        """
        if self.dialect != "sqlite":
            return True
        with self._reader.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
            connection.exec_driver_sql("BEGIN")
        return not busy

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
        if cursor.execute(OURS).fetchone() == (1,):  # what is damaged or somebody else's is left as it is
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        cursor.execute(f"PRAGMA mmap_size = {MAPPED}")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute("PRAGMA secure_delete = ON")  # what is deleted leaves the file, not just the table
        cursor.close()
        connection.create_function("fold", 1, lambda told: told if told is None else fold(told), deterministic=True)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def explained(folder: str = "") -> Iterator[None]:
    """Turn what a database says when it cannot go on into a sentence that says what to do.

    `folder` is where its file lies, if it has one.
    """
    try:
        yield
    except _raised("DatabaseError") as error:
        known = explain(error, folder)
        if known is None:
            raise
        raise known from error
    except (ValueError, TypeError) as error:
        if not _misread(error):
            raise
        raise ConfigError(DAMAGED) from error


def _misread(error: ValueError | TypeError) -> bool:
    """Whether it is SQLAlchemy that cannot read a stored value: one that was put in is as it can be read."""
    said = str(error)
    if isinstance(error, UnicodeEncodeError):  # a text that nobody can put in
        return False
    of_a_value = isinstance(error, ValueError) or "isoformat" in said or "JSON object must be" in said
    return of_a_value and any("sqlalchemy" in frame.filename for frame in extract_tb(error.__traceback__))


def _raised(name: Literal["DatabaseError", "OperationalError"]) -> tuple[type[Exception], ...]:
    """An error by its name: SQLAlchemy's, SQLite's, and that of PostgreSQL's driver, with which COPY speaks itself.

    That driver is not loaded where it is not in use.
    """
    ours = {"DatabaseError": (DatabaseError, sqlite3.Error), "OperationalError": (OperationalError,)}[name]
    driver = sys.modules.get("psycopg")
    return (*ours, getattr(driver, name)) if driver else ours


def explain(error: Exception, folder: str = "") -> EscuchaError | None:
    """The sentence for a database's failure, or None for one that is our own mistake (a constraint, bad SQL)."""
    said = str(getattr(error, "orig", error))
    if "database is locked" in said or "moved to another partition" in said:  # another writer was there first
        return TryLater("The database is busy with another process. Wait a moment and try again.")
    if "disk is full" in said or "disk I/O error" in said or "No space left" in said:
        if folder:
            return TryLater("There is no room left on the disk of {folder}, where the database is. Free some space "
                            "there; what was stored is safe.", folder=folder)
        return TryLater("There is no room left on the disk of the database. Free some space; what was stored is safe.")
    if any(sign in said for sign in ("not a database", "malformed", "Could not decode to UTF-8")):
        return ConfigError(DAMAGED)
    if "readonly database" in said or "unable to open database" in said:
        return ConfigError("The database file cannot be opened for writing. Check its permissions.")
    if isinstance(error, _raised("OperationalError")) and "no such table" not in said:
        return TryLater("The database does not answer. Check that it runs and that its address is right.")
    return None
