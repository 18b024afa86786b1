"""Writes mentions as an Excel workbook while they are read: openpyxl lays it out, the rows are written here.

openpyxl itself gives a sheet away only when its last row is there, and takes several times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

from api.exports.cells import Sheet
from api.exports.columns import NAMES, Exported, row
from api.exports.sink import Sink
from api.exports.wish import Wish
from escucha.errors import Invalid

LARGEST = 2_000_000_000
"""Bytes of a sheet, unpacked: beyond them its archive would take a form that Excel does not open."""
SHEET = "xl/worksheets/sheet1.xml"
WIDTHS = {"text": 60, "title": 30, "url": 30, "created_at": 21}
"""Of columns, in characters."""
WIDTH = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A workbook that has no rows yet: its parts by their names, and what of its sheet stands before and after them.

    `day_style` is the number of the style of days.
    """

    parts: dict[str, bytes]
    before: bytes
    after: bytes
    day_style: int


def pieces(chunks: Iterable[Sequence[Exported]], wish: Wish) -> Iterator[bytes]:  # noqa: ARG001 (it has no options)
    """The file, a piece per chunk; it can be opened once the last is there."""
    layout, sink = _laid_out(), Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        for name, content in sorted(layout.parts.items()):
            archive.writestr(name, content)
        with archive.open(SHEET, "w") as entry:
            entry.write(layout.before)
            sheet = Sheet(len(NAMES), layout.day_style)
            size = 0
            for chunk in chunks:
                lines = "".join(sheet.line(row(exported)) for exported in chunk).encode()
                size += len(lines)
                check_sheet(size)
                entry.write(lines)
                yield sink.taken()
            entry.write(layout.after)
    yield sink.taken()


def check_sheet(size: int) -> None:
    """Raise Invalid for more bytes than a sheet may have; of ordinary texts, 100,000 rows have some 200 MB."""
    if size > LARGEST:
        raise Invalid("These mentions are too long for one workbook. Choose csv, jsonl or parquet, or narrow the "
                      "filter: fewer days, one source.")


def _laid_out() -> Layout:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("mentions")
    sheet.freeze_panes = "A2"
    for place, name in enumerate(NAMES, 1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS.get(name, WIDTH)
    day = WriteOnlyCell(sheet)
    day.number_format = "yyyy-mm-dd"
    day_style = day.style_id  # asked for before the styles are saved
    sheet.append(NAMES)
    saved = BytesIO()
    book.save(saved)
    with ZipFile(saved) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    before, end, after = parts.pop(SHEET).partition(b"</sheetData>")
    return Layout(parts=parts, before=before, after=end + after, day_style=day_style)
