"""The menu that takes a page's mentions home as a file."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from api.dashboard.shell import Frame
from api.exports.wish import FORMATS
from api.selection import Filters

PATH = "/api/v1/mentions/export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A format as people call it, the address of the file, and the most mentions it holds where these are too many."""

    title: str
    address: str
    most: int | None


def downloads(frame: Frame, n: int) -> tuple[Download, ...]:
    """The files that hold the `n` mentions of a frame's choice, with its period as days."""
    first, last = frame.days
    known = {field.alias or name for name, field in Filters.model_fields.items()}
    days = {"from": first.isoformat() if first else None, "to": last.isoformat() if last else None}
    pairs = [(name, value) for name, value in frame.view.pairs(**days) if name in known]
    return tuple(
        Download(title=form.title, address=f"{PATH}?{urlencode([('format', name), *pairs])}",
                 most=form.most if n > form.most else None)
        for name, form in FORMATS.items()
    )
