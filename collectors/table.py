"""Opens a file of mentions (CSV, JSON Lines or Excel) as rows, whatever its encoding and delimiter."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from collectors.columns import guess
from escucha.errors import EscuchaError, Invalid, NotFound, Unreadable
from escucha.note import Note

SAMPLE = 262_144
"""Bytes that decide the encoding and the delimiter."""
LONGEST_LINE = 20_000_000
"""Characters; bounds memory against a file that is one endless line."""
DELIMITERS = ",;\t|"
NO_DELIMITER = "\x1f"
"""Stands for none: ASCII's unit separator, which no export uses."""
TEXT_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: where it stands, its values in order (CSV, Excel) or by name (JSON), or why it cannot be read."""

    where: str
    cells: tuple[Any, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    why: EscuchaError | None = None
    raw: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A file that can be read as rows, more than once."""

    path: Path
    form: str
    encoding: str = "utf-8"
    delimiter: str = ","
    notes: tuple[Note, ...] = ()

    def rows(self) -> Iterator[Row]:
        """The rows in order, header included; memory does not grow with the file."""
        if self.form == "xlsx":
            from collectors.workbook import sheet_rows

            yield from sheet_rows(self.path)
        elif self.form == "jsonl":
            yield from _json_rows(self)
        else:
            yield from _csv_rows(self)


def open_table(path: Path) -> Table:
    """Look at a file and find out how to read it.

    Raises:
        NotFound: it does not exist.
        Invalid: it is a folder, empty, or of a kind that cannot be imported; the message says how to save it.
    """
    if not path.exists():
        raise NotFound("The file {path} does not exist. Check the name.", path=str(path))
    if not path.is_file():
        raise Invalid("{path} is not a file. Name a file in CSV, XLSX or JSONL.", path=str(path))
    form = form_of(path)
    if form == "xlsx":
        from collectors.workbook import check_workbook

        check_workbook(path)
        return Table(path=path, form=form)
    return _text_table(path, form)


def form_of(path: Path) -> str:
    """csv, jsonl or xlsx, by the file's name. Raises Invalid with what to do for other kinds."""
    suffix = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if suffix in (".xls", ".xlsm", ".xlsb", ".ods"):
        raise Invalid(
            "{name} is of a kind that is not imported (old, or with macros). Save it as Excel workbook (.xlsx) or CSV.",
            name=path.name,
        )
    if suffix == ".xlsx" and path.suffix.lower() != ".gz":
        return "xlsx"
    if suffix not in TEXT_SUFFIXES:
        raise Invalid("{name} is of an unknown kind. Save it as .csv, .xlsx or .jsonl.", name=path.name)
    return TEXT_SUFFIXES[suffix]


def _text_table(path: Path, form: str) -> Table:
    try:
        with _open_bytes(path) as stream:
            sample = stream.read(SAMPLE)
            encoding = encoding_of(sample, stream)
    except (OSError, EOFError) as error:
        raise Invalid("The file {path} cannot be opened: {reason}.", path=str(path), reason=str(error)) from None
    if not sample.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0"):
        raise Invalid("The file {path} is empty.", path=str(path))
    if is_binary(sample, encoding):
        raise Invalid("{name} is not a text file. Save it as .csv, .xlsx or .jsonl.", name=path.name)
    told = () if encoding.startswith("utf") else (
        Note("The file is not in UTF-8; it is read as {encoding}. Check the accents.", {"encoding": encoding}),
    )
    delimiter = delimiter_of(sample.decode(encoding, "replace")) if form == "csv" else ","
    return Table(path=path, form=form, encoding=encoding, delimiter=delimiter, notes=told)


def _open_bytes(path: Path) -> BinaryIO:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def encoding_of(sample: bytes, rest: BinaryIO) -> str:
    """The encoding of a file that begins with `sample` and goes on with `rest`."""
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    if sample.count(0) > len(sample) // 4:
        return "utf-16-le" if sample[1:2] == b"\0" else "utf-16-be"
    if _is_utf8(sample, rest):
        return "utf-8"
    bad = sample.decode("utf-8", "replace").count("\ufffd")
    if sum(byte > 127 for byte in sample) > 4 * bad:
        return "utf-8"  # a few broken characters in a UTF-8 file
    return max(("cp1252", "mac_roman", "cp850"), key=lambda name: _letters(sample.decode(name, "replace")))


def _letters(text: str) -> int:
    """How many of Spanish's and Portuguese's own letters a text has; under a wrong encoding they turn into others."""
    return sum(character in "áéíóúñüÁÉÍÓÚÑ¿¡ãõâêôàçÃÕÇ“”’" for character in text)


def _is_utf8(sample: bytes, rest: BinaryIO) -> bool:
    from codecs import getincrementaldecoder

    decoder = getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample)
        while chunk := rest.read(1 << 20):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def is_binary(sample: bytes, encoding: str) -> bool:
    """Whether a sample is no text at all: more than one character in twenty is a control character."""
    if sample.startswith((b"PK\x03\x04", b"%PDF", b"\x89PNG", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"SQLite")):
        return True
    text = sample.decode(encoding, "replace")
    return len(re.findall(r"[\x00-\x08\x0e-\x1f]", text)) > len(text) / 20


def delimiter_of(sample: str) -> str:
    """The delimiter under which most rows have as many values as the widest of the first; a lone column has none."""
    told = re.match(r"sep=(.)\r?\n", sample)
    if told:
        return told[1]
    first = sample.lstrip("\ufeff\r\n").partition("\n")[0]
    if not set(first) & set(DELIMITERS) and guess([first]).usable:
        return NO_DELIMITER

    def agreement(delimiter: str) -> tuple[int, int]:
        head = io.StringIO(sample[:65_536], newline="")
        widths = [len(row) for row in _parsed(head, delimiter) if row][:200]
        width = max(widths[:10], default=1)
        return (sum(found == width for found in widths) if width > 1 else 0, width)

    best = max(DELIMITERS, key=agreement)
    return best if agreement(best)[0] else NO_DELIMITER


def _parsed(lines: Any, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_LINE)
    return iter(csv.reader(lines, delimiter=delimiter))


def _lines(table: Table) -> Iterator[str]:
    with io.TextIOWrapper(_open_bytes(table.path), table.encoding, errors="replace", newline="") as stream:
        try:
            while line := stream.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise Invalid("The file {path} has a line without end. Export it again.", path=str(table.path))
                yield line
        except (OSError, EOFError) as error:
            raise Invalid(
                "The file {path} cannot be read: {reason}.", path=str(table.path), reason=str(error)
            ) from None


def _csv_rows(table: Table) -> Iterator[Row]:
    reader = _parsed(_lines(table), table.delimiter)
    number = 0
    while True:
        number += 1
        try:
            cells = tuple(next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(where=f"row {number}", why=Unreadable("The row cannot be split: {reason}.", reason=str(error)))
            continue
        if any(cell.strip() for cell in cells) and not (number == 1 and cells[0].startswith("sep=")):
            yield Row(where=f"row {number}", cells=cells)


def _json_rows(table: Table) -> Iterator[Row]:
    for number, line in enumerate(_lines(table), 1):
        bare = line.strip().removesuffix(",")
        if bare in ("", "[", "]"):
            continue
        where = f"line {number}"
        try:
            record = json.loads(bare)
        except (ValueError, RecursionError) as error:
            why = Unreadable("The line is not JSON: {reason}.", reason=str(error))
            yield Row(where=where, why=why, raw=bare[:1000])
            continue
        if isinstance(record, dict):
            yield Row(where=where, record=record)
        else:
            yield Row(where=where, why=Unreadable("The line is not a JSON object."), raw=bare[:1000])
