"""Writes mentions as Parquet: columns with true types, in groups of rows that fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from api.exports.columns import COLUMNS, Exported, Type, row
from api.exports.sink import Sink
from api.exports.wish import Wish

GROUP = 10
"""Chunks in a group of rows: larger groups are read faster, and take memory."""


def pieces(chunks: Iterable[Sequence[Exported]], wish: Wish) -> Iterator[bytes]:  # noqa: ARG001 (it has no options)
    """The file, a piece per group of rows; the last names the columns and tells where everything stands."""
    import pyarrow as pa  # 170 MB on the disk, and slow to load: only where asked for
    from pyarrow import parquet

    sink, schema, rest = Sink(), _schema(pa), iter(chunks)
    with parquet.ParquetWriter(sink, schema) as writer:
        while group := [row(exported) for chunk in islice(rest, GROUP) for exported in chunk]:
            columns = [pa.array(values, field.type) for values, field in zip(zip(*group, strict=True), schema,
                                                                             strict=True)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _schema(pa: Any) -> Any:
    types: dict[Type, Any] = {
        "text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "truth": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"), "day": pa.date32(),
    }
    return pa.schema([pa.field(name, types[kind]) for name, kind in COLUMNS.items()])
