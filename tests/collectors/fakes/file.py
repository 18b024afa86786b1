"""A file that another tool exports."""

from __future__ import annotations

import csv
from pathlib import Path

from collectors.file import FileSource
from escucha.brand import Query
from tests.collectors.fakes.upstream import WEB, Upstream


class FileUpstream(Upstream):
    """A file that another tool writes."""

    kind = FileSource
    over_http = False
    enough = 1200
    deepest = 2000

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = folder / "export.csv"
        self.query = Query(text=str(self.path))
        self.texts: dict[str, str] = {}

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            item = f"resena-{len(self.texts)}"
            self.items.append(item)
            self.texts[item] = "Buen café de Lumbre"

    def edit(self, item: str, text: str) -> None:
        self.texts[item] = text

    def delete(self, item: str) -> None:
        self.items.remove(item)

    def source(self) -> FileSource:
        with self.path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "fecha", "texto"])
            writer.writerows([item, "2026-11-20", self.texts[item]] for item in self.items)
            if self.mangled:
                writer.writerow(["rota", "nunca", "Buen café"])
        return FileSource(web=WEB, keys=self.keys, clock=self.clock)
