"""What kind of file somebody wishes, and what it may hold: a format, its options, and its limit of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, get_args

from escucha.errors import Invalid

FormatName = Literal["csv", "jsonl", "xlsx", "parquet"]
Separator = Literal["comma", "semicolon"]
NAMES: tuple[FormatName, ...] = get_args(FormatName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file: how people call it, its media type, and the most mentions that one may hold."""

    title: str
    media: str
    most: int


FORMATS: Mapping[FormatName, Format] = {
    "csv": Format(title="CSV", media="text/csv; charset=utf-8", most=1_000_000),
    "jsonl": Format(title="JSON Lines", media="application/jsonl; charset=utf-8", most=1_000_000),
    "xlsx": Format(
        title="Excel", media="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", most=100_000
    ),
    "parquet": Format(title="Parquet", media="application/vnd.apache.parquet", most=1_000_000),
}
PACKED = (FORMATS["xlsx"].media, FORMATS["parquet"].media)
"""The media types of those that are compressed by nature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A format with its options: `raw` adds the sources' own answers (JSON Lines), `excel` the mark by which Excel
    knows UTF-8, and `separator` what parts the columns (both CSV).

    Raises:
        Invalid: an option that the format does not have.
    """

    format: FormatName
    raw: bool = False
    excel: bool = False
    separator: Separator = "comma"

    def __post_init__(self) -> None:
        asked = (("raw", self.raw, "jsonl"), ("excel", self.excel, "csv"),
                 ("separator", self.separator != "comma", "csv"))
        for option, is_asked, format in asked:
            if is_asked and format != self.format:
                raise Invalid("The option {option} works with the format {format} alone. Leave it out, or ask for "
                              "that format.", option=option, format=format)


def check_size(n: int, format: FormatName) -> None:
    """Raise Invalid, saying what to do, for more mentions than a file of the format may hold."""
    most, largest = FORMATS[format].most, max(each.most for each in FORMATS.values())
    if n <= most:
        return
    if n <= largest:
        raise Invalid("{n:,} mentions are more than the {most:,} that an export as {format} holds. Choose csv, jsonl "
                      "or parquet, or narrow the filter: fewer days, one source.", n=n, most=most, format=format)
    raise Invalid("{n:,} mentions are more than the {most:,} that an export holds. Narrow the filter: fewer days, one "
                  "source.", n=n, most=most)


def format_of(path: Path, named: str | None) -> FormatName:
    """The format that was named, or that of a file's name. Raises Invalid, naming the formats, for others."""
    told = (named or path.suffix.removeprefix(".")).lower()
    for name in NAMES:
        if told == name:
            return name
    raise Invalid("There is no format {format}. Choose from: {known}.", format=told, known=", ".join(NAMES))


def file_name(brand: str | None, days: tuple[date | None, date | None], today: date, format: FormatName) -> str:
    """A name that tells the brand and the local days: `escucha_lumbre_2026-10-01_2026-10-28.csv`.

    An export without a last day goes up to `today`; one without a first day names the last alone.
    """
    first, last = days
    return "_".join(["escucha", *([brand] if brand else []), *([f"{first}"] if first else []), f"{last or today}"]
                    ) + f".{format}"
