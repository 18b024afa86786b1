"""A Mastodon server."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx

from collectors.mastodon import MastodonSource
from escucha.brand import Query
from tests.collectors.fakes.upstream import DATA, Upstream


class MastodonUpstream(Upstream):
    """A server with a hashtag timeline, paged by min_id and max_id as Mastodon's guidelines say."""

    kind = MastodonSource

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="cafe@mastodon.example")
        self.posts: list[dict[str, Any]] = []
        self.template = json.loads((DATA / "mastodon-status.json").read_text("utf-8"))

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number = int(self.template["id"]) + (len(self.posts) * 60_000 << 16)
            post = {**deepcopy(self.template), "id": str(number), "uri": f"https://mastodon.example/statuses/{number}"}
            self.posts.append(post)
            self.items.append(post["uri"])

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        limit = int(asked["limit"])
        posts = self.posts
        if "min_id" in asked:
            posts = [post for post in posts if int(post["id"]) > int(asked["min_id"])][:limit]
        elif "max_id" in asked:
            posts = [post for post in posts if int(post["id"]) < int(asked["max_id"])][-limit:]
        page: list[Any] = list(reversed(posts[-limit:]))
        if self.mangled and page:
            page.insert(1, {"id": page[0]["id"], "visibility": "public", "account": None})
        return httpx.Response(200, json=page)
