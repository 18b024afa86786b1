"""Imports a file: the same road as every other source, page by page, with a report of every refused row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import collectors
from collectors.http import WebOptions
from escucha.admission import admit_each
from escucha.brand import Brand, Query
from escucha.source import Refusal
from pipeline.door import unburied
from store import mentions
from store.engine import Store
from store.mentions import Saved


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a file's rows: read = new + updated + duplicate + refused."""

    saved: Saved
    refusals: tuple[Refusal, ...]

    @property
    def read(self) -> int:
        """Rows read, refused ones included."""
        return self.saved.total + len(self.refusals)


def import_file(
    store: Store, brand: Brand, path: Path, now: datetime, keys: Mapping[str, str] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Save a file's rows as mentions of a brand, each page in a transaction of its own; importing again adds nothing.

    Raises:
        NotFound, Invalid: the file is missing, unreadable or has no text column. What was stored stays.
    """
    source = collectors.open_source("file", WebOptions(), keys or {})
    saved: Saved = Saved()
    refusals: list[Refusal] = []
    for page in source.pages(Query(text=str(path)), None):
        admitted, refused = admit_each(page.mentions, now)
        with store.write() as session:
            kept, buried = unburied(session, brand, admitted, now)
            saved += mentions.save(session, brand, kept, now)
        refusals += [*page.refusals, *refused, *buried]
        progress(len(page.mentions) + len(page.refusals))
    return Report(saved=saved, refusals=tuple(refusals))
