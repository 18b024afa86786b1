"""Puts a backup in the place of a database: all of it, or nothing."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.orm import Session

from escucha.errors import ConfigError, Conflict, Invalid
from store import backup, cargo, fulltext, partitions, schema, sound, swap, wishes
from store.cargo import Told, unheard
from store.engine import Store, open_store
from store.manifest import CHUNK, DATABASE, Manifest, member, read
from store.moving import quiet
from store.tables import Base
from store.wishes import Wishes

PATIENCE = "5s"
"""How long PostgreSQL waits for whoever uses a table that is to be replaced."""
NOTHING = Wishes(deleted={}, blocked=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What the backup was, and how many of its mentions are out of sight because people asked for it since."""

    manifest: Manifest
    forgotten: int


def restore(
    url: str, file: Path, *, replace: bool = False, told: Told = unheard
) -> Restored:
    """Make a database what a backup says, brought up to this version; what was deleted since stays deleted.

    Raises:
        Invalid: the file is no backup, is damaged, or is of the other kind of database.
        Conflict: there is a database, and it is not to be replaced; or it is in use.
        ConfigError: the backup, or the database, was made by a newer version.
    """
    manifest = read(file)
    if not schema.known(manifest.revision):
        raise ConfigError("{file} was made by a newer version of Escucha ({revision}). Update Escucha; nothing was "
                          "changed.", file=str(file), revision=manifest.revision)
    with closing(open_store(url)) as store:
        if store.dialect != manifest.kind:
            raise Invalid("{file} is a backup of a {kind} database. Restore it into one, and move that with `escucha "
                          "migrate-store`.", file=str(file), kind=manifest.kind)
        with quiet(store), zipfile.ZipFile(file) as archive:
            put = _into_sqlite if store.dialect == "sqlite" else _into_postgres
            return Restored(manifest=manifest, forgotten=put(store, archive, manifest, replace, told))


def _into_sqlite(store: Store, archive: zipfile.ZipFile, manifest: Manifest, replace: bool, told: Told) -> int:
    file = swap.file_of(store.url)
    there = file.exists() and file.stat().st_size > 0
    if there and not replace:
        raise _holds_data(str(file))
    with swap.draft(file) as draft:
        with archive.open(DATABASE) as stream, draft.open("wb") as out:
            shutil.copyfileobj(stream, out, CHUNK)
        told("database", 1, 1)
        if sound.counts(draft) != manifest.rows:
            raise Invalid("What is in the backup is not what it says. Use another one.")
        with closing(open_store(f"sqlite:///{draft}", "NORMAL")) as fresh:
            with fresh.connect() as connection:
                schema.upgrade(connection)
            with fresh.write() as session:
                _searchable(session)
                forgotten = wishes.keep(session, _wishes(store) if there else NOTHING)
        swap.settled(draft)
        store.close()
        swap.into_place(draft, file)
    return forgotten


def _searchable(session: Session) -> None:
    try:
        with session.begin_nested():
            fulltext.check(session.connection())
    except DatabaseError:
        fulltext.rebuild(session.connection())


def _wishes(store: Store) -> Wishes:
    """What people asked of the database that goes; nothing can be learned from one that is damaged."""
    try:
        with store.read() as session:
            schema.refuse_strangers(session.connection())
            return wishes.read(session.connection())
    except ConfigError as error:
        if error.__cause__ is None:  # it could be read, and is a newer version's or somebody else's
            raise
    except (DBAPIError, ValueError):
        pass
    return NOTHING


def _into_postgres(store: Store, archive: zipfile.ZipFile, manifest: Manifest, replace: bool, told: Told) -> int:
    with store.connect() as connection, cargo.postgres_explained():
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        backup.as_written(connection)
        wished = _cleared(connection, replace)
        schema.upgrade(connection, manifest.revision)
        if manifest.months:
            partitions.part(connection, manifest.parts())
        _fill(connection, archive, manifest, told)
        schema.upgrade(connection)
        with Session(connection, join_transaction_mode="create_savepoint") as session, session.begin():
            return wishes.keep(session, wished)


def _cleared(connection: Connection, replace: bool) -> Wishes:
    """Take the tables away, if that is wanted; what people asked of them."""
    current = schema.revision(connection)
    if current is None:
        return NOTHING
    if not replace:
        raise _holds_data(connection.engine.url.render_as_string(hide_password=True))
    schema.refuse_strangers(connection)
    wished = wishes.read(connection)
    there = inspect(connection)
    names = [name for name in (*Base.metadata.tables, "alembic_version") if there.has_table(name)]
    parted = partitions.parted(connection)
    connection.exec_driver_sql("DROP TABLE " + ", ".join(f'"{name}"' for name in names))
    if parted:
        partitions.clear(connection)
    return wished


def _fill(connection: Connection, archive: zipfile.ZipFile, manifest: Manifest, told: Told) -> None:
    there = inspect(connection)
    with cargo.without_indexes(connection, manifest.rows), partitions.filling(connection):
        for name, rows in manifest.rows.items():
            columns = [column["name"] for column in there.get_columns(name)] if there.has_table(name) else []
            if set(columns) != set(manifest.columns[name]):  # it also keeps a forged name out of the SQL
                raise Invalid("What is in the backup is not what it says. Use another one.")
            if _copied(connection, archive, name, manifest.columns[name]) != rows:
                raise Invalid("What is in the backup is not what it says. Use another one.")
            told(name, rows, rows)
    cargo.number_on(connection, [table for table in Base.metadata.sorted_tables if table.name in manifest.rows])


def _copied(connection: Connection, archive: zipfile.ZipFile, name: str, columns: Sequence[str]) -> int:
    """Put a table's rows in; how many there were."""
    names = ", ".join(f'"{column}"' for column in columns)
    with cargo.postgres_explained(name), archive.open(member(name)) as stream, \
            cargo.driver(connection).cursor() as cursor:
        with cursor.copy(f'COPY "{name}" ({names}) FROM STDIN') as copy:
            while chunk := stream.read(CHUNK):
                copy.write(chunk)
        return cursor.rowcount


def _holds_data(where: str) -> Conflict:
    return Conflict("There is a database at {where}. Restore into another one, or lose what is in it with --replace.",
                    where=where)
