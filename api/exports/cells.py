"""Writes the cells of an Excel sheet: texts are only ever texts, numbers are numbers, and nothing is a formula."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from xml.sax.saxutils import escape

from api.exports.columns import Value, written
from escucha.formula import guarded

LONGEST = 32_767
"""Characters of a cell, as Excel counts them: those beyond the Basic Multilingual Plane are two."""
CUT = " […]"
"""Stands at the end of a text that was longer."""
DAY_NOUGHT = date(1899, 12, 30)
"""Excel counts days from here."""
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CODE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""Begins what Excel reads as a character's number."""


class Sheet:
    """Writes the rows of a sheet below its header, in order. `day_style` is the number of the style that days have."""

    def __init__(self, columns: int, day_style: int) -> None:
        from openpyxl.utils import get_column_letter

        self._letters = [get_column_letter(place) for place in range(1, columns + 1)]
        self._day_style = day_style
        self._at = 1

    def line(self, values: Sequence[Value]) -> str:
        """The next row as XML; what is not known has no cell."""
        self._at += 1
        cells = [self._cell(f"{letter}{self._at}", value) for letter, value in zip(self._letters, values, strict=True)
                 if value is not None]
        return f'<row r="{self._at}">{"".join(cells)}</row>'

    def _cell(self, at: str, value: Value) -> str:
        if isinstance(value, datetime):
            value = str(written(value))  # Excel knows no time zones
        if isinstance(value, str):
            return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(fitted(value))}</t></is></c>'
        if isinstance(value, bool):
            return f'<c r="{at}" t="b"><v>{value:d}</v></c>'
        if isinstance(value, date):
            return f'<c r="{at}" s="{self._day_style}"><v>{(value - DAY_NOUGHT).days}</v></c>'
        return f'<c r="{at}"><v>{value}</v></c>'


def fitted(text: str) -> str:
    """A text as a cell can hold it: guarded, without what XML forbids, and cut where it is too long for a cell."""
    clean = guarded(_ILLEGAL.sub("", text))
    if len(clean) > LONGEST // 2 and _length(clean) > LONGEST:
        room = 2 * (LONGEST - len(CUT))
        clean = clean.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + CUT
    return _CODE.sub("_x005F_", clean) if "_x" in clean else clean


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
