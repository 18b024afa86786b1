"""A publisher's feed."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import httpx

from collectors.rss import RssSource
from escucha.brand import Query
from tests.collectors.fakes.upstream import Upstream


class RssUpstream(Upstream):
    """A feed that knows ETags."""

    kind = RssSource
    enough = 30

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="https://diario.example/feed.xml")

    def add(self, count: int, together: bool = False) -> None:
        self.items += [f"https://diario.example/{len(self.items) + n}" for n in range(count)]

    def answer(self, request: httpx.Request) -> httpx.Response:
        etag = f'"{len(self.items)}"'
        if request.headers.get("if-none-match") == etag:
            return httpx.Response(304, headers={"etag": etag})
        entries = "".join(
            f"<item><guid>{escape(i)}</guid><title>Nota</title><description>Lumbre</description></item>"
            for i in self.items
        )
        broken = "<item><guid>https://diario.example/rota</guid></item>" if self.mangled else ""
        body = f"<rss version='2.0'><channel><title>D</title>{broken}{entries}</channel></rss>"
        return httpx.Response(200, text=body, headers={"etag": etag, "content-type": "application/rss+xml"})
