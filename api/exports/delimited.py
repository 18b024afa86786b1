"""Writes mentions as CSV (RFC 4180), in UTF-8, with no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

from api.exports.columns import NAMES, Exported, Value, row, written
from api.exports.wish import Wish
from escucha.formula import guarded

SEPARATORS = {"comma": ",", "semicolon": ";"}


def pieces(chunks: Iterable[Sequence[Exported]], wish: Wish) -> Iterator[bytes]:
    """The file, a piece per chunk; the first holds the names of the columns."""
    separator = SEPARATORS[wish.separator]
    yield (BOM_UTF8 if wish.excel else b"") + _lines([NAMES], separator)
    for chunk in chunks:
        yield _lines(([_cell(value) for value in row(exported)] for exported in chunk), separator)


def _cell(value: Value) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return written(value)


def _lines(rows: Iterable[Sequence[Any]], separator: str) -> bytes:
    text = StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
