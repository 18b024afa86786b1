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
Columns = Mapping[str, Sequence[Any]]
"""Rows side by side: what each column holds, from the first row to the last."""
Ready = Callable[[Any], Any]


def columns(rows: Sequence[Row]) -> Columns:
    """Rows that all have the same columns, side by side."""
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


def insert(connection: Connection, table: Table, rows: Columns) -> None:
    """Insert rows. No other row may have their keys: COPY knows no ON CONFLICT.

    Whoever may meet a row that is there asks first, under a lock, or upserts.
    """
    told = {name: values for name, values in _told(connection, table, rows).items() if any(map(_is_told, values))}
    if not told:
        return
    names, values = _names(told), list(zip(*told.values(), strict=True))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({_marks(told)})", values)  # noqa: S608
        return
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for value in values:
            copy.write_row(value)


def upsert(
    connection: Connection, table: Table, rows: Columns, key: Sequence[str], told: Mapping[str, str], where: str = "",
) -> None:
    """Insert rows, or where their key is there set the columns `told`, each to a piece of SQL that may use `excluded`.

    Those for which `where` does not hold are left as they are. Both are SQL, and only ever our own.
    """
    ready = _told(connection, table, rows)
    if not any(ready.values()):
        return
    names, order = _names(ready), ", ".join(key)  # all in one order, so that no two writers wait for each other
    conflict = (f"ON CONFLICT ({order}) DO UPDATE SET "
                + ", ".join(f'"{name}" = {expression}' for name, expression in told.items())
                + (f" WHERE {where}" if where else ""))
    if connection.dialect.name == "sqlite":
        values = list(zip(*ready.values(), strict=True))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({_marks(ready)}) {conflict}", values)  # noqa: S608
        return
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {_unnested(connection, table, ready)} "  # noqa: S608
        f"ORDER BY {order} {conflict}", tuple(map(_array, ready.values())),
    )


def matching(connection: Connection, table: Table, keys: Columns, wanted: Sequence[str]) -> Sequence[Sequence[Any]]:
    """Of the rows whose columns have one of many keys (all columns of a unique one): what `wanted` holds, as the driver
    gives it.

    Each key is looked up by itself, whatever the database thinks it knows of the table: its statistics are older than
    a table that grows.
    """
    if not any(keys.values()):
        return []
    names = ", ".join(f'{table.name}."{name}"' for name in wanted)
    if connection.dialect.name == "sqlite":
        alike = " AND ".join(f'{table.name}."{name}" = json_extract(asked.value, \'$[{place}]\')'
                             for place, name in enumerate(keys))
        asked = f"SELECT {names} FROM json_each(?) AS asked CROSS JOIN {table.name} WHERE {alike}"  # noqa: S608
        values: tuple[Any, ...] = (dumps(list(zip(*keys.values(), strict=True))),)
    else:
        alike = " AND ".join(f'{table.name}."{name}" = asked."{name}"' for name in keys)
        asked = (f"SELECT {names} FROM {_unnested(connection, table, keys, 'asked')} "  # noqa: S608
                 f"JOIN {table.name} ON {alike}")
        values = tuple(map(_array, keys.values()))
    return connection.exec_driver_sql(asked, values).all()


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


def numbers(connection: Connection, table: Table, n: int) -> Sequence[int]:
    """The next `n` row numbers of a table, for rows that are inserted in this transaction."""
    if connection.dialect.name == "sqlite":  # it has one writer, which holds the lock
        last = connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {table.name}").scalar_one()  # noqa: S608
        return range(last + 1, last + 1 + n)
    sequence = text("SELECT array_agg(nextval(sequence)) FROM generate_series(1, :n),"
                    " (SELECT pg_get_serial_sequence(:name, 'id')::regclass AS sequence OFFSET 0) AS found")
    return connection.execute(sequence, {"name": table.name, "n": n}).scalar_one() or []


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _marks(columns: Collection[str]) -> str:
    return ", ".join("?" * len(columns))


def _unnested(connection: Connection, table: Table, columns: Collection[str], name: str = "new") -> str:
    """Parameters, an array a column, as a table."""
    lists = ", ".join(f"%s::{table.c[column].type.compile(connection.dialect)}[]" for column in columns)
    return f"unnest({lists}) AS {name} ({_names(columns)})"


def _array(values: Iterable[Any]) -> str:
    """Values as PostgreSQL writes an array; psycopg takes three times as long for it."""
    return "{" + ",".join("NULL" if value is None else f'"{_quoted(str(value))}"' for value in values) + "}"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _is_told(value: Any) -> bool:
    return value is not None


def _told(connection: Connection, table: Table, rows: Columns) -> dict[str, list[Any]]:
    """The rows as the driver takes them."""
    told = {}
    for name, values in rows.items():
        act = _ready(table, name, connection.dialect)
        if act is None:
            told[name] = list(values)
        elif isinstance(table.c[name].type, MOMENTS):  # few of them differ in a batch
            known = {value: act(value) for value in set(values) if value is not None}
            told[name] = [known.get(value) for value in values]
        else:
            told[name] = [None if value is None else act(value) for value in values]
    return told


@lru_cache(maxsize=1_000)
def _ready(table: Table, name: str, dialect: Dialect) -> Ready | None:
    """What makes a column's value one that the driver takes."""
    return table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
