"""A publisher's feed."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

import httpx

from collectors.feed import read_feed
from collectors.rss import FirstSeen, RssSource, entry_name, to_mention
from escucha.brand import Query
from escucha.errors import Refused
from tests.collectors.fakes.upstream import NOW, Reading, Upstream, read_all


class RssUpstream(Upstream):
    """A feed that knows ETags, newest entries first; `shows` is how many it holds."""

    kind = RssSource
    enough = 30
    shows = 1000

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="https://diario.example/feed.xml")
        self.entries: dict[str, tuple[datetime, str]] = {}
        self.extra = ""
        self._changes = 0

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self._changes += 1
            self._put(f"https://diario.example/{self._changes}", self.moment(together))

    def _put(self, item: str, at: datetime) -> None:
        self.entries[item] = (at, "El café Lumbre abre")
        self.items.append(item)

    def edit(self, item: str, text: str) -> None:
        self._changes += 1
        self.entries[item] = (self.entries[item][0], text)

    def delete(self, item: str) -> None:
        self._changes += 1
        del self.entries[item]
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        etag = f'"{self._changes}"'
        if request.headers.get("if-none-match") == etag:
            return httpx.Response(304, headers={"etag": etag})
        shown = list(reversed(self.entries))[: self.shows]
        entries = "".join(self.entry(item, *self.entries[item]) for item in shown)
        broken = "<item><guid>https://diario.example/rota</guid></item>" if self.mangled else ""
        body = f"<rss version='2.0'><channel><title>D</title>{self.extra}{broken}{entries}</channel></rss>"
        return httpx.Response(200, text=body, headers={"etag": etag, "content-type": "application/rss+xml"})

    def entry(self, item: str, at: datetime, text: str) -> str:
        return (
            f"<item><guid>{escape(item)}</guid><title>Nota</title><description>{escape(text)}</description>"
            f"<pubDate>{format_datetime(at)}</pubDate></item>"
        )


def recorded(folder: Path) -> Reading:
    """The entries of every recorded feed, the parser project's edge cases and Google Alerts among them."""
    files = [path for path in sorted((folder / "rss" / "recorded").rglob("*")) if path.is_file()]
    readings = [_reading(path) for path in [*files, folder / "google-news" / "recorded" / "google-alerts.atom"]]
    return Reading(
        items=sum(reading.items for reading in readings),
        mentions=tuple(mention for reading in readings for mention in reading.mentions),
        refusals=tuple(refusal for reading in readings for refusal in reading.refusals),
        passed=sum(reading.passed for reading in readings),
    )


def _reading(path: Path) -> Reading:
    try:
        feed = read_feed(path.read_bytes(), f"https://feeds.example/{path.name}", "application/xml")
    except Refused:
        return Reading(items=0, mentions=())
    first_seen = FirstSeen({}, NOW)
    return read_all(feed.entries, lambda entry: to_mention(feed.item(entry), entry, first_seen), entry_name)
