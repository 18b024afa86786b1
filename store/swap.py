"""A SQLite database that is written beside another and takes its place in one step, or not at all."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from escucha.errors import ConfigError, Conflict, Invalid
from store.engine import BUSY_MS, explain, explained

BESIDE = ("-wal", "-shm", "-journal")
"""Files of SQLite's that belong to the one whose name they add to."""


def file_of(url: str) -> Path:
    """The file of a SQLite address, itself where a link names it. Raises Invalid for one in memory."""
    name = make_url(url).database
    if not name or name == ":memory:":
        raise Invalid("This needs a database in a file: sqlite:///file.db")
    return Path(name).resolve()


@contextmanager
def draft(file: Path, ending: str = ".draft") -> Iterator[Path]:
    """A path beside a file, for what is to take its place; what a killed run, or this one, leaves there goes."""
    path = file.with_name(file.name + ending)
    try:
        _gone(path)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it holds what people said
        yield path
    except OSError as error:
        raise ConfigError("{file} cannot be written: {reason}.", file=str(path), reason=error.strerror) from error
    finally:
        with suppress(OSError):
            _gone(path)


def settled(path: Path) -> None:
    """Bring a SQLite database that nobody has open into its one file, safe on the disk."""
    with explained(), closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode = DELETE")
    safe(path)


def safe(path: Path) -> None:
    """See that a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def into_place(path: Path, file: Path) -> None:
    """Let a settled database take the place of another, of which nothing stays.

    Raises:
        Conflict: some program has the other one open.
    """
    with _held(file):
        for ending in BESIDE:  # of a database that is gone or damaged: SQLite would put them on the new one
            file.with_name(file.name + ending).unlink(missing_ok=True)
        _belonging(path, file)
        path.replace(file)
        safe(file.parent)


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """A database in its one file, on which nobody else can work; one that is missing or damaged needs no holding."""
    if not file.exists():
        yield
        return
    with closing(sqlite3.connect(file, isolation_level=None, timeout=BUSY_MS / 1000)) as database:
        try:
            database.execute("PRAGMA journal_mode = DELETE")  # it fails while somebody else has it open
            database.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise Conflict("Another program is using the database. Stop it and try again.") from error
            if not isinstance(explain(error), ConfigError):
                raise
        yield


def _belonging(path: Path, file: Path) -> None:
    """Let whoever may use the old file use the new one: root restores what a service serves."""
    if file.exists():
        now = file.stat()
        path.chmod(now.st_mode & 0o777)
        with suppress(PermissionError):
            os.chown(path, now.st_uid, now.st_gid)


def _gone(path: Path) -> None:
    for ending in ("", *BESIDE, ".leader"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
