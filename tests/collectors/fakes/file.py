"""A file that another tool exports."""

from __future__ import annotations

import csv
from pathlib import Path

from collectors.file import FileSource
from escucha.brand import Query
from tests.collectors.fakes.upstream import CLOCK, WEB, Upstream


class FileUpstream(Upstream):
    """A file that another tool writes."""

    kind = FileSource
    over_http = False
    enough = 1200

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = folder / "export.csv"
        self.query = Query(text=str(self.path))

    def add(self, count: int, together: bool = False) -> None:
        self.items += [f"resena-{len(self.items) + n}" for n in range(count)]

    def source(self) -> FileSource:
        with self.path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "fecha", "texto"])
            writer.writerows([item, "2026-11-20", "Buen café"] for item in self.items)
            if self.mangled:
                writer.writerow(["rota", "nunca", "Buen café"])
        return FileSource(web=WEB, keys=self.keys, clock=CLOCK)
