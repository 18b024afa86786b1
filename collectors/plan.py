"""How one file is to be read: which row names the columns, what they hold, and in which order dates are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collectors.columns import ColumnMap, chosen, guess
from collectors.dates import day_comes_first, is_slashed
from collectors.table import Row, Table, open_table
from escucha.errors import Invalid, Unreadable
from escucha.note import Note

HEADER_WITHIN = 10
"""Rows among which the one with the columns' names is looked for: exports put titles above it."""
KEYS_WITHIN = 100
"""Lines of JSON whose names are taken for the columns."""

ORDER_WITHIN = 1000
"""Rows that are looked through for a date whose order matters; once there is one, all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A file, its columns, and how its rows become mentions. `source` is what to record, where the user said so."""

    table: Table
    header: tuple[str, ...]
    columns: ColumnMap
    header_row: int
    zone: ZoneInfo
    source: str | None = None
    day_first: bool = True
    notes: tuple[Note, ...] = ()

    def rows(self) -> Iterator[Row]:
        """The rows below the header, each with its values by column name."""
        return (named(row, self.header) for row in islice(self.table.rows(), self.header_row, None))


def make_plan(path: Path, keys: Mapping[str, str]) -> Plan:
    """Decide how to read a file. `keys` may hold `map`, `source` and `timezone` (default UTC).

    Raises:
        NotFound, Invalid: the file cannot be read, holds no text, or the wish does not fit it.
    """
    table = open_table(path)
    header, header_row, columns = _header(table, keys.get("map", ""))
    plan = Plan(
        table=table, header=header, columns=columns, header_row=header_row, zone=_zone(keys.get("timezone") or "UTC"),
        source=keys.get("source") or None, notes=(*table.notes, *_column_notes(header, columns)),
    )
    return _with_date_order(plan)


def _header(table: Table, wish: str) -> tuple[tuple[str, ...], int, ColumnMap]:
    if table.form == "jsonl":
        records = (flat(row.record) for row in islice(table.rows(), KEYS_WITHIN))
        header = tuple(dict.fromkeys(name for record in records for name in record))
        return header, 0, _columns(header, wish)
    tops = [tuple(_name(cell) for cell in row.cells) for row in islice(table.rows(), HEADER_WITHIN)]
    if not tops:
        raise Invalid("The file {path} is empty.", path=str(table.path))
    for number, header in enumerate(tops, 1):
        if not wish and guess(header).usable:
            return header, number, guess(header)
        if wish and _fits(header, wish):
            return header, number, chosen(header, wish)
    return tops[0], 1, _columns(tops[0], wish)


def _fits(header: tuple[str, ...], wish: str) -> bool:
    try:
        return chosen(header, wish).usable
    except Invalid:
        return False


def _columns(header: tuple[str, ...], wish: str) -> ColumnMap:
    columns = chosen(header, wish) if wish else guess(header)
    if not columns.usable:
        raise Invalid(
            "No column holds a text. The file's columns are: {columns}. Say which one does: --map text=COLUMN",
            columns=", ".join(name for name in header if name)[:500],
        )
    return columns


def _name(cell: Any) -> str:
    return " ".join(str(cell).split()) if cell is not None else ""


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("There is no time zone {zone}. Write one like America/Mexico_City.", zone=name) from None


def _column_notes(header: tuple[str, ...], columns: ColumnMap) -> tuple[Note, ...]:
    notes = []
    if "date" not in columns.columns:
        notes.append(Note("No column holds a date: every mention gets the time of the import."))
    ignored = [name for name in header if name and name not in columns.columns.values()]
    if ignored:
        notes.append(Note("Kept, but not read: {columns}.", {"columns": ", ".join(ignored)[:300]}))
    return tuple(notes)


def _with_date_order(plan: Plan) -> Plan:
    """Decide day or month first by the first date that only fits one; where none does, the day comes first."""
    column = plan.columns.columns.get("date")
    if column is None or plan.columns.date_format:
        return plan
    slashed = False
    for number, row in enumerate(plan.rows()):
        value = str(row.record.get(column) or "")
        slashed = slashed or is_slashed(value)
        order = day_comes_first(value)
        if order is not None:
            return _replaced(plan, order)
        if not slashed and number > ORDER_WITHIN:
            return plan
    note = Note(
        "The dates in {column} fit day/month and month/day: they are read as day/month. If that is wrong: "
        "--map date={column}:%m/%d/%Y",
        {"column": column},
    )
    return _replaced(plan, True, note) if slashed else plan


def _replaced(plan: Plan, day_first: bool, *notes: Note) -> Plan:
    return replace(plan, day_first=day_first, notes=(*plan.notes, *notes))


def named(row: Row, header: tuple[str, ...]) -> Row:
    """The row with its values by column name; a row longer than the header is refused, as its columns have slipped."""
    if row.why is not None:
        return row
    if not row.cells:
        return Row(where=row.where, record=flat(row.record), raw=row.record)
    record = {name: cell for name, cell in reversed(list(zip(header, row.cells, strict=False))) if name}
    if any(cell not in (None, "") for cell in row.cells[len(header):]):
        why = Unreadable(
            "The row has {found} values for {columns} columns. Put texts that contain the delimiter in quotes.",
            found=len(row.cells), columns=len(header),
        )
        return Row(where=row.where, why=why, raw=list(row.cells))
    return Row(where=row.where, record=record, raw=dict(reversed(record.items())))


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the fields of its objects beside its own: `{"author": {"name": …}}` gives `author.name`."""
    fields: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            fields.update({f"{name}.{inner}": entry for inner, entry in value.items()} if name != "raw" else {})
        else:
            fields[name] = value
    return fields
