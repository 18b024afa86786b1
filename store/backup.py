"""Writes all that a database holds into one file, while it is in use; and looks through such a file.

The file is a zip: `manifest.json`, and the copy of a SQLite database or one member a table of PostgreSQL's, as COPY
gives them. The key that opens the keys of sources is not in it (docs/decisions/0013).
"""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, inspect

from escucha.errors import Conflict, NotFound
from store import cargo, months, schema, sound, swap
from store.cargo import Told, unheard
from store.engine import Store, explained
from store.manifest import DATABASE, Manifest, chunks, member, put, write
from store.tables import Base

PAGES = 2_000
"""Of SQLite's, copied in a step."""
AS_WRITTEN = ("client_encoding = 'UTF8'", "timezone = 'UTC'", "datestyle = 'ISO'", "bytea_output = 'hex'",
              "extra_float_digits = 1")
"""How PostgreSQL writes values, whatever its settings are."""


def make(
    store: Store, file: Path, now: datetime, *, replace: bool = False, told: Told = unheard,
) -> Manifest:
    """Back a database up, as it is at one moment, while others write to it. The file appears when it is complete.

    Raises:
        Conflict: there is such a file, and it is not to be replaced.
        NotFound: there is no database.
        ConfigError: the database is damaged, or the file cannot be written.
    """
    if file.exists() and not replace:
        raise Conflict("{file} exists. Name another file, or replace it with --replace.", file=str(file))
    with swap.draft(file, ".part") as part:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            written = _of_sqlite if store.dialect == "sqlite" else _of_postgres
            manifest = written(store, archive, part, now, told)
            write(archive, manifest)
        swap.safe(part)
        part.replace(file)
        swap.safe(file.parent)
    return manifest


def copied(source: Path, target: Path, told: Callable[[int, int], object] = unheard) -> None:
    """Copy a SQLite database as it is now, while others write to it. `told` hears of pages: how many of how many."""
    with explained(), closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True)) as giver, \
            closing(sqlite3.connect(target)) as taker:
        giver.execute("BEGIN")  # pinned to this moment: a writer would make the copy begin anew at each of its commits
        giver.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        giver.backup(taker, pages=PAGES, progress=lambda _, left, of: told(of - left, of))


def _of_sqlite(store: Store, archive: zipfile.ZipFile, part: Path, now: datetime, told: Told) -> Manifest:
    file = swap.file_of(store.url)
    if not file.exists():
        raise NotFound("There is no database at {where}.", where=str(file))
    with store.read() as session:
        revision = _revision(session.connection(), str(file))
    with swap.draft(part, ".db") as copy:
        copied(file, copy, lambda done, of: told("database", done, of))
        swap.settled(copy)
        rows = sound.counts(copy)
        with copy.open("rb") as stream:
            whole = copy.stat().st_size
            checksum = put(archive, DATABASE, chunks(stream.read, lambda done: told("file", done, whole)))
    return Manifest(kind="sqlite", revision=revision, made_at=now.isoformat(), rows=rows, columns={},
                    checksums={DATABASE: checksum})


def _of_postgres(store: Store, archive: zipfile.ZipFile, _: Path, now: datetime, told: Told) -> Manifest:
    rows, columns, checksums = {}, {}, {}
    with explained(), closing(store.own_connection()) as connection:
        connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        as_written(connection)
        revision = _revision(connection, connection.engine.url.render_as_string(hide_password=True))
        parts = [month.isoformat() for month in months.existing(connection)]
        there = inspect(connection)
        for name in (table.name for table in Base.metadata.sorted_tables if there.has_table(table.name)):
            columns[name] = [column["name"] for column in there.get_columns(name)]
            lines = _Lines(_table(connection, name, columns[name]))
            checksums[member(name)] = put(archive, member(name), lines)
            rows[name] = lines.n
            told(name, lines.n, lines.n)
        connection.exec_driver_sql("COMMIT")
    return Manifest(kind="postgresql", revision=revision, made_at=now.isoformat(), rows=rows, columns=columns,
                    checksums=checksums, months=parts)


def _revision(connection: Connection, where: str) -> str:
    schema.refuse_strangers(connection)
    if (found := schema.revision(connection)) is None:
        raise NotFound("There is no database at {where}.", where=where)
    return found


def as_written(connection: Connection) -> None:
    """Let PostgreSQL write and read values in one way until the transaction ends."""
    for setting in AS_WRITTEN:
        connection.exec_driver_sql(f"SET LOCAL {setting}")


def _table(connection: Connection, name: str, columns: Sequence[str]) -> Iterator[bytes]:
    names = ", ".join(f'"{column}"' for column in columns)
    with cargo.postgres_explained(name), cargo.driver(connection).cursor() as cursor, \
            cursor.copy(f'COPY (SELECT {names} FROM "{name}") TO STDOUT') as copy:  # noqa: S608
        for chunk in copy:
            yield bytes(chunk)


class _Lines:
    """Bytes that are handed on while their lines are counted: each is a row."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self.n = chunks, 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.n += chunk.count(b"\n")
            yield chunk
