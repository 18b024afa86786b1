"""Reads the dates and numbers that people and exports write."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from escucha.errors import Unreadable
from escucha.text import fold

_MONTHS = {
    "ene": "jan", "abr": "apr", "ago": "aug", "dic": "dec", "fev": "feb", "mai": "may", "set": "sep", "out": "oct",
    "dez": "dec",
}
_MONTH = re.compile(
    r"\b(ene|abr|ago|dic|fev|mai|set|out|dez|feb|mar|may|jun|jul|sep|oct|nov|jan|apr|aug|dec)[a-z]*\b\.?"
)
_WEEKDAY = re.compile(r"^(lun|mar|mie|jue|vie|sab|dom|seg|ter|qua|qui|sex)\w*(-feira)?\.?,?\s+")
_SLASHED = re.compile(r"^\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?!\d)")
LONGEST = 100
"""Characters of a date in words; of a longer text the reading would take long, and find none."""
_ZONES = {"EST": -18000, "EDT": -14400, "CST": -21600, "CDT": -18000, "MST": -25200, "PST": -28800, "PDT": -25200}


def day_comes_first(value: str) -> bool | None:
    """What a date like 25/03/2026 says about its column: True day first, False month first, None either or neither."""
    found = _SLASHED.match(value)
    if not found or (int(found[1]) > 12) == (int(found[2]) > 12):
        return None
    return int(found[1]) > 12


def is_slashed(value: str) -> bool:
    """Whether the order of day and month matters for this date."""
    return bool(_SLASHED.match(value))


def read_moment(value: Any, zone: tzinfo, *, day_first: bool = True, layout: str | None = None) -> datetime:
    """The moment that a cell means, aware; `zone` where the cell names none. `layout` is strptime's.

    Raises Unreadable, naming the value.
    """
    try:
        moment = _from_cell(value) or _read(str(value).strip(), day_first, layout)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(
            "The date {date} cannot be read. Write it as 2026-03-25, or name its form: --map date=COLUMN:%d/%m/%Y.",
            date=str(value)[:60],
        ) from None


def _read(value: str, day_first: bool, layout: str | None) -> datetime:
    if len(value) > LONGEST:
        raise ValueError("no date")
    if layout:
        return datetime.strptime(value, layout)  # noqa: DTZ007 (the zone is added where the layout has none)
    if re.fullmatch(r"\d{10}(\.\d+)?|\d{13}", value):
        return datetime.fromtimestamp(float(value) / (1000 if len(value) == 13 else 1), UTC)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return _read_loosely(value, day_first)


def _read_loosely(value: str, day_first: bool) -> datetime:
    from dateutil import parser

    english = re.sub(r"\b(de|del|a las|as)\b", " ", fold(value).replace("a. m.", "am").replace("p. m.", "pm"))
    english = _WEEKDAY.sub("", english)
    english = _MONTH.sub(lambda found: _MONTHS.get(found[1], found[1]), english)
    if not re.search(r"\d{4}|\d[/.-]\d{1,2}[/.-]\d{2}", english):
        raise ValueError("no year")  # dateutil would take today's
    year_first = bool(re.match(r"\d{4}\D", english))
    start = datetime(2000, 1, 1)  # noqa: DTZ001 (fills in what the text leaves out)
    moment: datetime = parser.parse(
        english.upper(), default=start, dayfirst=day_first and not year_first, yearfirst=year_first, tzinfos=_ZONES
    )
    return moment


def _from_cell(value: Any) -> datetime | None:
    """A spreadsheet's own date: a date cell, or days since 1899-12-30 in a cell that lost its date format."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, int | float) and 20_000 < value < 80_000:
        return datetime(1899, 12, 30) + timedelta(days=value)  # noqa: DTZ001 (spreadsheets know no zones)
    return None


def read_rating(value: Any) -> float | None:
    """A rating on 1..5: `4`, `4,5`, `5/5`, `8/10`, `4 de 5`, `★★★★☆`; None where nobody rated (empty, 0, -).

    Raises Unreadable for what is no rating on that scale.
    """
    text = str(value if value is not None else "").strip().replace(",", ".")
    if not text or fold(text) in ("-", "na", "n/a", "null", "none", "nan", "0", "0.0", "ninguna", "sin calificacion"):
        return None
    if "★" in text:
        return float(text.count("★"))
    found = re.match(r"(\d+(?:\.\d+)?)\s*(?:(?:/|de|of|out of)\s*(\d+(?:\.\d+)?))?", text)
    top = float(found[2]) if found and found[2] else 5.0
    rating = float(found[1]) * 5 / top if found and top else 0.0
    if not 0 < rating <= 5:
        raise Unreadable(
            "The rating {rating} is outside 1 to 5. Write it with its scale, like 8/10, or leave it out with --map.",
            rating=str(value)[:40],
        )
    return max(1.0, rating)


def read_count(value: Any) -> int | None:
    """A count: `1200`, `1.200`, `1,200`, `12.5K`, `3 mil`, `2M`, `-4` (votes); None where there is none."""
    found = re.fullmatch(r"(-?\d+(?:[.,]\d+)*)\s*(k|mil|m|millones)?", fold(str(value if value is not None else "")))
    if not found:
        return None
    factor = {"k": 1_000, "mil": 1_000, "m": 1_000_000, "millones": 1_000_000}.get(found[2] or "", 1)
    digits = found[1]
    grouped = re.fullmatch(r"-?\d{1,3}([.,]\d{3})+", digits) and factor == 1
    number = re.sub(r"[.,]", "", digits) if grouped else digits.replace(",", ".")
    return round(float(number) * factor) if number.count(".") <= 1 else None
