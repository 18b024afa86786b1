"""The feed of a search on Google News."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from xml.sax.saxutils import escape

import httpx

from collectors.feed import read_feed
from collectors.google_news import GoogleNewsSource, to_mention
from collectors.rss import FirstSeen, entry_name
from escucha.brand import Query
from tests.collectors.fakes.rss import RssUpstream
from tests.collectors.fakes.upstream import NOW, Reading, read_all


class GoogleNewsUpstream(RssUpstream):
    """Articles newest first, about 100 at most, each with its publisher behind the headline and in `source`."""

    kind = GoogleNewsSource
    enough = 30
    shows = 100

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre @mx")
        self.keys = {"accepted": "yes"}

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self._changes += 1
            self._put(f"CBMi{self._changes:06}", self.moment(together))

    @property
    def shown(self) -> list[str]:
        return self.items[-self.shows :]

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/rss/search" or not request.url.params.get("q"):
            return httpx.Response(404)
        return super().answer(request)

    def entry(self, item: str, at: datetime, text: str) -> str:
        return (
            f"<item><title>{escape(text)} - Diario - Sur</title><guid isPermaLink='false'>{item}</guid>"
            f"<link>https://news.google.com/rss/articles/{item}?oc=5</link><pubDate>{format_datetime(at)}</pubDate>"
            f"<description>&lt;a href='x'&gt;{escape(text)}&lt;/a&gt; Diario - Sur</description>"
            "<source url='https://www.diario.example'>Diario - Sur</source></item>"
        )


def recorded(folder: Path) -> Reading:
    """The articles of the recorded search and of the one made by hand."""
    entries, feeds = [], {}
    for path in sorted(folder.glob("google-news/*/search-rss-*.xml")):
        feed = read_feed(path.read_bytes(), "https://news.google.com/rss/search", "application/rss+xml")
        for entry in feed.entries:
            entries.append(entry)
            feeds[id(entry)] = feed
    first_seen = FirstSeen({}, NOW)
    return read_all(entries, lambda entry: to_mention(feeds[id(entry)].item(entry), entry, first_seen), entry_name)
