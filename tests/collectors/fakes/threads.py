"""The Threads API: a search by words or topic, and mentions of one's own profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import httpx

from collectors.threads import BOUNDS, ThreadsSource, item_name, to_mention
from tests.collectors.fakes.graph import GraphUpstream, Json
from tests.collectors.fakes.upstream import SECRET, Reading, read_all

OWN = "cafeslumbre"


class ThreadsUpstream(GraphUpstream):
    """Posts of two people, newest first, bounded by `since`."""

    kind = ThreadsSource
    enough = 120
    overlap = BOUNDS.overlap
    text = "lumbre"
    version = "v1.0"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._born = 0

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self._born += 1
            at = f"{self.moment(together):%Y-%m-%dT%H:%M:%S}+0000"
            name = "ana.prueba" if self._born % 3 else "beto.prueba"
            post: Json = {
                "id": f"179{self._born:06}", "text": f"El café de Lumbre, {self._born}", "media_type": "TEXT_POST",
                "permalink": f"https://www.threads.com/@{name}/post/A{self._born}", "timestamp": at, "username": name,
                "has_replies": False, "is_quote_post": False, "is_reply": self._born % 5 == 0,
            }  # fmt: skip
            self.objects[post["id"]] = post
            self.items.append(post["id"])

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/refresh_access_token":
            asked = request.url.params
            assert (asked["grant_type"], asked["access_token"]) == ("th_refresh_token", SECRET)
            return self.told({"access_token": f"{SECRET}-2", "token_type": "bearer", "expires_in": 5_183_944})
        return super().answer(request)

    def at(self, path: str, asked: Mapping[str, str]) -> httpx.Response:
        if path == "me":
            return self.told({"id": "1", "username": OWN})
        if path == "keyword_search":
            assert asked["search_type"] == "RECENT"
            return self._listed(asked)
        return self._listed(asked) if path == "me/mentions" else self.one(path)

    def _listed(self, asked: Mapping[str, str]) -> httpx.Response:
        since = int(asked["since"])
        found = [post for post in reversed(self.objects.values())
                 if datetime.fromisoformat(post["timestamp"]).timestamp() >= since]
        page = self.edge(found, int(asked["limit"]), asked.get("after"))
        if self.mangled and page["data"]:
            page["data"] = [page["data"][0], {"id": "rota"}, *page["data"][1:]]
        return self.told(page)


def recorded(folder: Path) -> Reading:
    """The posts of the handmade answer."""
    answer = json.loads((folder / "threads/handmade/keyword-search.json").read_text("utf-8"))
    return read_all(answer["data"], to_mention, item_name)
