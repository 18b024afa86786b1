"""A table's rows in the one plain form that both databases read and write: numbers, texts and bytes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any, cast

import psycopg
from sqlalchemy import JSON, Boolean, Column, Connection, Date, Table, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

from escucha.errors import Conflict, EscuchaError, Invalid
from store.engine import explained
from store.types import UtcTime

Row = tuple[Any, ...]
Told = Callable[[str, int, int], object]
"""Is told what is at work, how much of it is done, and how much there is."""
BATCH = 2_000
MEMORY = "256MB"
"""What PostgreSQL may use to make an index anew."""
SECONDARY = """
SELECT 'DROP INDEX ' || quote_ident(indexname), replace(indexdef, ' ON ONLY ', ' ON ') FROM pg_indexes
WHERE schemaname = current_schema() AND tablename = ANY(:tables)
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = format('%I.%I', schemaname, indexname)::regclass)
"""
FOREIGN = """
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text = ANY(:tables)
"""


def unheard(*_: object) -> None:
    """Tell nobody."""


class Digest:
    """How many rows, and a checksum of 128 bits that does not depend on their order."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def through(self, batches: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        """Hand rows on, and count them in."""
        for batch in batches:
            for row in batch:
                said = repr(row).encode("utf-8", "surrogatepass")
                self._sum += int.from_bytes(blake2b(said, digest_size=16).digest(), "big")
            self.rows += len(batch)
            yield batch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and (self.rows, self.checksum) == (other.rows, other.checksum)

    __hash__ = None  # type: ignore[assignment]

    @property
    def checksum(self) -> str:
        """In hexadecimal."""
        return f"{self._sum % (1 << 128):032x}"


def rows(connection: Connection, table: Table) -> Generator[list[Row], None, None]:
    """All rows of a table, in batches that fit in memory."""
    names = ", ".join(_plain(column, connection.dialect.name) for column in table.columns)
    with explained(), postgres_explained(table.name), _streaming(connection) as cursor:
        cursor.execute(f'SELECT {names} FROM "{table.name}"')  # noqa: S608
        while batch := cursor.fetchmany(BATCH):
            yield cast("list[Row]", batch)


def load(connection: Connection, table: Table, batches: Iterable[Sequence[Row]]) -> None:
    """Put rows in a plain form into an empty table.

    Raises:
        Invalid: the database does not take a row.
    """
    names = ", ".join(f'"{name}"' for name in table.columns.keys())  # noqa: SIM118 (they are its keys)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        for batch in batches:
            connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', list(batch))  # noqa: S608
        return
    with postgres_explained(table.name), driver(connection).cursor() as cursor, \
            cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for batch in batches:
            for row in batch:
                copy.write_row(row)


@contextmanager
def without_indexes(connection: Connection, tables: Iterable[str]) -> Iterator[None]:
    """Tables to be filled at once: on PostgreSQL without indexes and foreign keys, which are made again at the end.

    Made over all rows, they take a fraction of the time; and a foreign key that does not hold is found.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    given = {"tables": list(tables)}
    found = [row for query in (FOREIGN, SECONDARY) for row in connection.execute(text(query), given).all()]
    for drop, _ in found:
        connection.exec_driver_sql(drop)
    yield
    connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{MEMORY}'")
    with postgres_explained():
        for _, make in reversed(found):
            connection.exec_driver_sql(make)


def number_on(connection: Connection, tables: Iterable[Table]) -> None:
    """Let PostgreSQL number new rows after the ones that were put in; SQLite does by itself."""
    if connection.dialect.name == "sqlite":
        return
    for table in tables:
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name}
        ).scalar() if "id" in table.columns else None
        if sequence:
            last = f'SELECT setval(\'{sequence}\', (SELECT coalesce(max(id), 0) FROM "{table.name}") + 1, false)'  # noqa: S608
            connection.exec_driver_sql(last)


@contextmanager
def postgres_explained(table: str = "") -> Iterator[None]:
    """Turn what PostgreSQL refuses into a sentence that says what to do; `table` is the one at work, if it is known."""
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        known = _explain(getattr(error, "orig", error), table)
        if known is None:
            raise
        raise known from error


def _explain(error: BaseException | None, table: str) -> EscuchaError | None:
    reason = (str(error).splitlines() or [""])[0]
    match error:
        case psycopg.errors.LockNotAvailable():
            return Conflict("Another program is using the database. Stop it and try again.")
        case psycopg.errors.DependentObjectsStillExist():
            return Conflict("Something else in the database rests on Escucha's tables: {reason}. Remove it first.",
                            reason=reason)
        case psycopg.DataError() | psycopg.IntegrityError():
            return Invalid("A row of the table {table} is not taken: {reason} Nothing was changed.",
                           table=table or error.diag.table_name, reason=reason)
    return None


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """PostgreSQL's own connection, for COPY."""
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _plain(column: Column[Any], dialect: str) -> str:
    """What gives a column's value as SQLite keeps it: that is the plain form."""
    name = f'"{column.name}"'
    if dialect == "sqlite":
        return name
    forms: Mapping[type, str] = {
        UtcTime: f"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", JSON: f"{name}::text",
        Date: f"to_char({name}, 'YYYY-MM-DD')", Boolean: f"{name}::int",
    }
    return next((form for kind, form in forms.items() if isinstance(column.type, kind)), name)


@contextmanager
def _streaming(connection: Connection) -> Iterator[DBAPICursor]:
    """A cursor that does not hold all rows at once."""
    raw = connection.connection.driver_connection
    assert raw is not None  # noqa: S101 (it is while the connection is open)
    cursor = raw.cursor() if connection.dialect.name == "sqlite" else raw.cursor(name="cargo")
    try:
        yield cursor
    finally:
        cursor.close()
