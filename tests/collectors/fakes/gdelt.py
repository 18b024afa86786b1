"""GDELT's DOC API."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from collectors.gdelt import GdeltSource, article_name, repaired, to_mention, without_copies
from escucha.brand import Query
from tests.collectors.fakes.reads import grouped
from tests.collectors.fakes.upstream import Reading, Upstream, read_all


class GdeltUpstream(Upstream):
    """Articles by when they were seen, bounded by two times (included), 250 an answer and no pages."""

    kind = GdeltSource
    enough = 280
    by = "time"
    edits = False
    deletes = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text='"café lumbre" lang:es')
        self.articles: list[dict[str, Any]] = []

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number, at = len(self.articles) + 1, self.moment(together)
            self.articles.append({
                "url": f"https://www.diario.example/nota/{number}?utm_source=rss", "url_mobile": "", "socialimage": "",
                "title": f"Café Lumbre abre su tienda {number} , en México", "domain": "diario.example",
                "seendate": at.strftime("%Y%m%dT%H%M%SZ"), "language": "Spanish", "sourcecountry": "Mexico",
            })  # fmt: skip
            self.items.append(f"diario.example/nota/{number}")

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        start, end = (_moment(asked[f"{name}datetime"]) for name in ("start", "end"))
        if (end - start).total_seconds() < 3600:
            return httpx.Response(200, text="Timespan is too short.\n", headers={"content-type": "text/html"})
        means = grouped("OR")(re.sub(r"source\w+:\S+", "", asked["query"]))
        found = [
            one for one in self.articles
            if start <= _moment(re.sub("[TZ]", "", one["seendate"])) <= end and means(to_mention(one))
        ]
        items: list[Any] = (found if asked["sort"] == "dateasc" else found[::-1])[: int(asked["maxrecords"])]
        if self.mangled and items:
            items = [items[0], {"url": "https://x.example/1", "domain": "x.example"}, *items[1:]]
        return httpx.Response(200, json={"articles": items} if items else {})


def _moment(text: str) -> datetime:
    return datetime.strptime(f"{text}+0000", "%Y%m%d%H%M%S%z")


def recorded(folder: Path) -> Reading:
    """The articles of the handmade answers, the one with an illegal escape among them."""
    files = [file for name in ("artlist", "illegal-escape") for file in folder.glob(f"gdelt/handmade/{name}.json")]
    articles = [article for file in files for article in repaired(file.read_bytes())["articles"]]
    return read_all(articles, without_copies(), article_name)
