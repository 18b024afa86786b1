"""Many rows at once, as fast as each database takes them: the driver's executemany, or COPY; and many values asked for.

A statement here has one form however many values go with it, so that it is prepared once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from json import dumps
from typing import Any, TypeVar

from sqlalchemy import ARRAY, ColumnElement, Connection, Date, Dialect, Table, any_, func, literal, select, text
from sqlalchemy.orm import Session

from store.types import UtcTime

CHUNK = 500
Item = TypeVar("Item")
MOMENTS = (UtcTime, Date)
Row = Mapping[str, Any]
Ready = Callable[[Any], Any]


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that all have the same columns. No other row may have their keys: COPY knows no ON CONFLICT.

    Whoever may meet a row that is there asks first, under a lock, or upserts.
    """
    if not rows:
        return
    told = {name: values for name, values in _told(connection, table, rows).items() if values.count(None) < len(rows)}
    columns, values = _names(told), list(zip(*told.values(), strict=True))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({_marks(told)})", values)  # noqa: S608
        return
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for value in values:
            copy.write_row(value)


def upsert(
    connection: Connection, table: Table, rows: Sequence[Row], key: Sequence[str], told: Mapping[str, str]
) -> None:
    """Insert rows, or where their key is there set the columns `told`, each to a piece of SQL that may use `excluded`.

    What is told is SQL, and only ever our own.
    """
    if not rows:
        return
    columns = _told(connection, table, rows)
    names, order = _names(columns), ", ".join(key)  # all in one order, so that no two writers wait for each other
    conflict = (f"ON CONFLICT ({order}) DO UPDATE SET "
                + ", ".join(f'"{name}" = {expression}' for name, expression in told.items()))
    if connection.dialect.name == "sqlite":
        values = list(zip(*columns.values(), strict=True))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({_marks(columns)}) {conflict}", values)  # noqa: S608
        return
    lists = ", ".join(f"%s::{table.c[name].type.compile(connection.dialect)}[]" for name in columns)
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM unnest({lists}) AS new ({names}) "  # noqa: S608
        f"ORDER BY {order} {conflict}", tuple(columns.values()),
    )


def within(session: Session, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Whether a column has one of many values, which go as one parameter."""
    told = list(values)
    if session.get_bind().dialect.name == "sqlite":
        each = func.json_each(dumps(told)).table_valued("value")
        return column.in_(select(each.c.value))  # type: ignore[no-any-return]
    return column == any_(literal(told, ARRAY(column.type)))  # type: ignore[no-any-return]


def chunks(items: Iterable[Item]) -> Iterator[Sequence[Item]]:
    """In steps that a statement can take."""
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def numbers(connection: Connection, table: Table, n: int) -> list[int]:
    """The next `n` row numbers of a table, for rows that are inserted in this transaction."""
    if connection.dialect.name == "sqlite":  # it has one writer, which holds the lock
        last = connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {table.name}").scalar_one()  # noqa: S608
        return list(range(last + 1, last + 1 + n))
    sequence = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :n)")
    return list(connection.execute(sequence, {"name": table.name, "n": n}).scalars())


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _marks(columns: Collection[str]) -> str:
    return ", ".join("?" * len(columns))


def _told(connection: Connection, table: Table, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The rows column by column, as the driver takes them."""
    columns = {}
    for name in rows[0]:
        act, told = _ready(table, name, connection.dialect), [row[name] for row in rows]
        if act is not None and isinstance(table.c[name].type, MOMENTS):  # few of them differ in a batch
            known = {value: act(value) for value in set(told) if value is not None}
            told = [known.get(value) for value in told]
        elif act is not None:
            told = [None if value is None else act(value) for value in told]
        columns[name] = told
    return columns


@lru_cache(maxsize=1_000)
def _ready(table: Table, name: str, dialect: Dialect) -> Ready | None:
    """What makes a column's value one that the driver takes."""
    return table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
