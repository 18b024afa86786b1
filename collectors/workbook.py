"""Opens an Excel workbook as rows, guarding against one that unpacks without end."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from collectors.table import Row
from escucha.errors import EscuchaError, Invalid

MAX_UNPACKED = 300_000_000
"""Bytes of a workbook, unpacked."""
MAX_RATIO = 200
"""Unpacked to packed: real sheets stay below 50."""
MAX_ROWS = 1_048_576
"""Excel's own limit."""


def check_workbook(path: Path) -> None:
    """Raises Invalid for what is no workbook, has a password or macros, or is a zip bomb."""
    try:
        with ZipFile(path) as archive:
            entries = archive.infolist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        raise Invalid(
            "{name} is no Excel workbook, or has a password. Save it without one as .xlsx.", name=path.name
        ) from None
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    if unpacked > MAX_UNPACKED or (unpacked > 10_000_000 and unpacked > MAX_RATIO * max(packed, 1)):
        raise Invalid("{name} is too large for a workbook. Save it as CSV, or in parts.", name=path.name)
    if any(entry.filename.lower().endswith("vbaproject.bin") for entry in entries):
        raise Invalid("{name} holds macros. Save it as a workbook without macros (.xlsx).", name=path.name)


def sheet_rows(path: Path) -> Iterator[Row]:
    """The rows of the first visible sheet, numbered as Excel shows them; blank rows are left out."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles and extensions that we do not read
        try:
            with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
                yield from _rows(book, path)
        except EscuchaError:
            raise
        except Exception as error:  # on a damaged file openpyxl raises whatever its XML reader raises
            raise Invalid(
                "The workbook {name} is damaged ({reason}). Save it again.", name=path.name, reason=str(error)
            ) from None


def _rows(book: Any, path: Path) -> Iterator[Row]:
    sheet = next((sheet for sheet in book.worksheets if sheet.sheet_state == "visible"), None)
    if sheet is None:
        raise Invalid("The workbook {name} has no visible sheet.", name=path.name)
    sheet.reset_dimensions()  # exports often state a wrong size
    for number, cells in enumerate(sheet.iter_rows(max_row=MAX_ROWS, values_only=True), 1):
        if any(cell not in (None, "") for cell in cells):
            yield Row(where=f"row {number}", cells=tuple(cells))
