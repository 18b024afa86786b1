"""Apple's feeds of customer reviews, one a country."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from collectors.app_store import AppStoreSource, entries_of, entry_name, to_mention
from escucha.brand import Query
from tests.collectors.fakes.upstream import Reading, Upstream, read_all

SIZE = 50
PAGES = 10


class AppStoreUpstream(Upstream):
    """An app with reviews in two countries in turn, 50 a page under two forms of address, 10 pages."""

    kind = AppStoreSource
    enough = 240
    deepest = 900
    by = "number"
    redates = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="mx,es 123456789")
        self.reviews: dict[str, list[dict[str, Any]]] = {"mx": [], "es": []}
        self.silent: set[str] = set()
        """Forms of address ("page=" or "id=" comes first) that answer with nothing."""
        self._numbers = 9_000_000_000

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self._numbers += 1
            country, number = ("mx", "es")[self._numbers % 2], str(self._numbers)
            self.reviews[country].append(review(country, number, self.moment(together)))
            self.items.append(number)

    def edit(self, item: str, text: str) -> None:
        for listed in self.reviews.values():
            for entry in [entry for entry in listed if entry["id"]["label"] == item]:
                listed.remove(entry)
                listed.append({**entry, "content": {"label": text}, "updated": {"label": self.moment().isoformat()}})

    def delete(self, item: str) -> None:
        for country, listed in self.reviews.items():
            self.reviews[country] = [entry for entry in listed if entry["id"]["label"] != item]
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        country, form = re.match(r"/(\w\w)/rss/customerreviews/(page=|id=)", path).groups()  # type: ignore[union-attr]
        page, app = (int(re.search(rf"{name}=(\d+)", path)[1]) for name in ("page", "id"))  # type: ignore[index]
        assert path.endswith("/json")
        assert "sortby=mostrecent" in path.lower()
        if page > PAGES:
            return httpx.Response(400, text="CustomerReviews RSS page depth is limited to 10")
        if app != 123456789 or country not in self.reviews:
            return httpx.Response(200, json={"feed": {"link": [{"attributes": {"rel": "alternate"}}]}})
        newest = list(reversed(self.reviews[country]))
        entries: list[Any] = [] if form in self.silent else newest[(page - 1) * SIZE : page * SIZE]
        if self.mangled and entries:
            entries = [entries[0], {"id": {"label": "rota"}, "im:rating": {"label": "5"}}, *entries[1:]]
        return httpx.Response(200, json={"feed": feed(country, entries)})


def feed(country: str, entries: list[Any]) -> dict[str, Any]:
    """A feed as Apple writes it: one review is an object, none is no entry at all."""
    made: dict[str, Any] = {
        "id": {"label": "x"}, "author": {"name": {"label": "iTunes Store"}},
        "link": [{"attributes": {"rel": "self", "href": f"https://itunes.apple.com/{country}/rss/x"}}],
    }
    if entries:
        made["entry"] = entries if len(entries) > 1 else entries[0]
    return made


def review(country: str, number: str, at: datetime) -> dict[str, Any]:
    """A review as the feed has it."""
    return {
        "id": {"label": number}, "updated": {"label": at.isoformat()}, "im:rating": {"label": "4"},
        "im:version": {"label": "4.2"}, "im:voteSum": {"label": "2"}, "im:voteCount": {"label": "3"},
        "title": {"label": "Café Lumbre"},
        "content": {"label": f"El café Lumbre número {number}", "attributes": {"type": "text"}},
        "author": {"name": {"label": "ana"}, "uri": {"label": f"https://itunes.apple.com/{country}/reviews/id77"}},
        "link": {"attributes": {"rel": "related", "href": f"https://itunes.apple.com/{country}/review?id=123456789"}},
    }


def recorded(folder: Path) -> Reading:
    """The reviews of the recorded and handmade feeds; an address in them names their country."""
    found = [
        (country_of(entry), entry) for file in sorted(folder.glob("app-store/*/rss-*.json"))
        for entry in entries_of(json.loads(file.read_text("utf-8"))["feed"])
    ]
    return read_all(found, to_mention, entry_name)


def country_of(entry: dict[str, Any]) -> str:
    """The country that a recorded review's address names."""
    return str(entry["link"]["attributes"]["href"]).split("/")[3]
