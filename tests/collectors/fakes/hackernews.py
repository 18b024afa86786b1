"""Algolia's search over Hacker News, and the official items behind it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx

from collectors.hackernews import BOUNDS, HackerNewsSource, hit_name, to_mention
from escucha.brand import Query
from tests.collectors.fakes.reads import plain
from tests.collectors.fakes.upstream import NOW, Reading, Upstream, read_all

VISIBLE = 1000
"""Hits of one query that the search shows at most."""


class HackerNewsUpstream(Upstream):
    """Hits with all of the words, ordered by date, 100 a page, bounded by numericFilters."""

    kind = HackerNewsSource
    enough = 250
    by = "time"
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre")
        self.hits: list[dict[str, Any]] = []

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number, at = str(40_000_000 + self.next_number()), self.moment(together)
            self.hits.append({
                "objectID": number, "author": "ana", "created_at_i": int(at.timestamp()), "title": "Café Lumbre",
                "story_text": f"El café Lumbre número {number}", "points": 3, "num_comments": 1, "_tags": ["story"],
            })
            self.items.append(number)

    def edit(self, item: str, text: str) -> None:
        next(hit for hit in self.hits if hit["objectID"] == item)["story_text"] = text

    def delete(self, item: str) -> None:
        self.hits = [hit for hit in self.hits if hit["objectID"] != item]
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/v0/item/"):
            number = Path(request.url.path).stem
            return httpx.Response(200, text=json.dumps({"id": int(number)} if number in self.items else None))
        asked = request.url.params
        bounds = dict(re.findall(r"created_at_i(>=|<=)(\d+)", asked["numericFilters"]))
        means = plain(asked["query"])
        found = [
            hit for hit in reversed(self.hits)
            if int(bounds[">="]) <= hit["created_at_i"] <= int(bounds.get("<=", 10**12)) and means(to_mention(hit))
        ][:VISIBLE]
        size, page = int(asked["hitsPerPage"]), int(asked["page"])
        hits: list[Any] = found[page * size : (page + 1) * size]
        if self.mangled and hits:
            hits = [hits[0], {"objectID": "rota", "author": None}, *hits[1:]]
        return httpx.Response(200, json={"hits": hits, "page": page, "nbPages": -(-len(found) // size)})


def recorded(folder: Path) -> Reading:
    """The hits among the recordings and handmade answers."""
    files = sorted(folder.glob("hackernews/*/search*.json"))
    hits = [hit for file in files for hit in json.loads(file.read_text("utf-8"))["hits"]]
    return read_all(hits, to_mention, hit_name, NOW)
