"""Rows a second and peak memory of each export at 100,000 mentions, read from SQLite, beside openpyxl's own writing."""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path

import openpyxl

from api.exports.columns import NAMES, row, written
from api.exports.files import stream
from api.exports.reading import chunks
from api.exports.wish import FORMATS, FormatName, Wish
from benchmarks.pages import MENTIONS, fill
from escucha.filter import MentionFilter
from store.engine import Store, open_store

BENCH = MentionFilter(brand="bench")
BY_OPENPYXL = 3_000
STATUS = Path("/proc/self/status")
Figures = dict[str, float | int]


def measured(store: Store, format: FormatName) -> Figures:
    """One export, its pieces counted and dropped; `cpu` leaves out what other programs of the machine took."""
    before, size, first = own_memory(), 0, 0.0
    most = before
    start, cpu = time.perf_counter(), time.process_time()
    for piece in stream(store, BENCH, Wish(format=format)):
        first = first or time.perf_counter() - start
        size += len(piece)
        most = max(most, own_memory())
    spent, worked = time.perf_counter() - start, time.process_time() - cpu
    return {
        "rows_per_s": round(MENTIONS / spent), "rows_per_cpu_s": round(MENTIONS / worked),
        "first_piece_s": round(first, 3), "megabytes": round(size / 1e6, 1),
        "memory_grown_mib": round((most - before) / 1024, 1),
    }


def own_memory() -> int:
    """KiB of this process, without the pages of the database's file that SQLite maps (Linux)."""
    found = re.search(r"^RssAnon:\s+(\d+) kB", STATUS.read_text("ascii"), re.MULTILINE)
    return int(found[1]) if found else 0


def reading(store: Store) -> Figures:
    """The mentions read and nothing written."""
    cpu = time.process_time()
    n = sum(len(chunk) for chunk in chunks(store, BENCH))
    return {"rows_per_cpu_s": round(n / (time.process_time() - cpu))}


def by_openpyxl(store: Store) -> Figures:
    """A workbook as openpyxl writes it in its write-only mode, the reading counted too."""
    cpu = time.process_time()
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(NAMES)
    for values in islice(_rows(store), BY_OPENPYXL):
        sheet.append(values)
    book.save(BytesIO())
    return {"rows": BY_OPENPYXL, "rows_per_cpu_s": round(BY_OPENPYXL / (time.process_time() - cpu))}


def _rows(store: Store) -> Iterator[list[object]]:
    for chunk in chunks(store, BENCH):
        for exported in chunk:
            yield [written(value) for value in row(exported)]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'bench.db'}", "NORMAL")
        fill(store)
        list(islice(stream(store, BENCH, Wish(format="parquet")), 1))  # what is imported counts in no figure
        figures: dict[str, object] = {"mentions": MENTIONS, "columns": len(NAMES), "reading_alone": reading(store)}
        figures |= {format: measured(store, format) for format in FORMATS}
        figures["xlsx_by_openpyxl"] = by_openpyxl(store)
        store.close()
    print(json.dumps({"exports": figures}, indent=2))


if __name__ == "__main__":
    main()
