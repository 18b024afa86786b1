"""A store with rows in every table, of every kind of value; and what tells two stores' contents apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Float, Integer, LargeBinary, Table, insert

from store import cargo, fulltext, rollups
from store.engine import Store
from store.seek import seek
from store.tables import Base
from store.types import UtcTime

ODD = "café ñandú 😀 \\N \t \n \r ' \" % \u202e e\u0301 \x7f"
WHEN = datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC)


def stock(store: Store, each: int = 4) -> None:
    """Put `each` rows into every table; the roll-ups and the full-text index fit the mentions."""
    with store.write() as session:
        connection = session.connection()
        for table in Base.metadata.sorted_tables:
            connection.execute(insert(table), [_row(table, i) for i in range(1, each + 1)])
        cargo.number_on(connection, Base.metadata.sorted_tables)
        rollups.rebuild(session)
        fulltext.rebuild(connection)


def contents(store: Store) -> Mapping[str, str]:
    """A checksum of each table."""
    found = {table.name: cargo.Digest() for table in Base.metadata.sorted_tables}
    with store.read() as session:
        for table in Base.metadata.sorted_tables:
            for _ in found[table.name].through(cargo.rows(session.connection(), table)):
                pass
    return {name: f"{digest.rows} {digest.checksum}" for name, digest in found.items()}


def _row(table: Table, i: int) -> dict[str, Any]:
    row = {column.name: _value(column, i) for column in table.columns}
    if table.name == "mention":
        row |= {"said": {}, "versions": {"sentiment": "1"}, "hidden": None if i % 2 else "query",
                "seek": seek(row["created_at"], i), "words": f"palabra {i} café"}
    return row


def _value(column: Column[Any], i: int) -> Any:
    if column.nullable and i % 3 == 0:
        return None
    if column.foreign_keys or column.name == "id":
        return i
    values: dict[type, Any] = {
        UtcTime: WHEN + timedelta(hours=i), Date: date(2026, 1, i), Boolean: i % 2 == 0, Float: 1 + i % 4 + 1 / 7,
        BigInteger: (1 << 40) + i, Integer: i, LargeBinary: bytes([0, 255, 10, 92, i]),
        JSON: {"lista": [1, 2.5, None, True, ODD], "n": i},
    }
    found = next((value for kind, value in values.items() if isinstance(column.type, kind)), None)
    short = getattr(column.type, "length", None)
    return found if found is not None else f"{column.name[:8]}{i}" if short else f"{i} {ODD}"
