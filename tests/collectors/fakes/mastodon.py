"""A Mastodon server."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from collectors.mastodon import BOUNDS, MastodonSource, id_at, post_name, read_post
from escucha.brand import Query
from tests.collectors.fakes.upstream import DATA, NOW, SECRET, Reading, Upstream, read_all


class MastodonUpstream(Upstream):
    """A server with a hashtag timeline, paged by max_id as Mastodon's guidelines say, a search and single posts."""

    kind = MastodonSource
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="cafe@mastodon.example")
        self.keys = {"token": SECRET, "server": "mastodon.example"}
        self.posts: list[dict[str, Any]] = []
        self.left = 299
        self.template = json.loads((DATA / "mastodon-status.json").read_text("utf-8"))

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self.put(self.moment(together))

    def put(self, at: datetime) -> str:
        """A post written at that moment, wherever that is in the timeline; its `uri`."""
        number = str(int(id_at(at)) + self.next_number())
        uri = f"https://mastodon.example/users/lupe/statuses/{number}"
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.posts.append({**deepcopy(self.template), "id": number, "uri": uri, "created_at": stamp,
                           "content": f"<p>#cafe El café de Lumbre, {number}</p>"})  # fmt: skip
        self.items.append(uri)
        return uri

    def edit(self, item: str, text: str) -> None:
        post = next(post for post in self.posts if post["uri"] == item)
        at = f"{self.clock.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%S.000Z}"
        post.update(content=f"<p>{text}</p>", edited_at=at)

    def delete(self, item: str) -> None:
        self.posts = [post for post in self.posts if post["uri"] != item]
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.left -= 1
        answer = self._answer(request)
        answer.headers.update({"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": str(max(self.left, 1)),
                               "X-RateLimit-Reset": "2026-11-22T12:05:00.526148Z"})  # fmt: skip
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, asked = request.url.path, request.url.params
        posts = sorted(self.posts, key=lambda post: int(post["id"]), reverse=True)
        if path.startswith("/api/v1/statuses/"):
            found = [post for post in posts if post["id"] == path.rsplit("/", 1)[1]]
            return httpx.Response(200, json=found[0]) if found else _error(404, "Record not found")
        if path == "/api/v2/search":
            if request.headers.get("authorization") != f"Bearer {SECRET}":
                return _error(401, "The access token is invalid")
            return httpx.Response(200, json={"accounts": [], "hashtags": [], "statuses": self._found(posts, asked)})
        if "max_id" in asked:
            posts = [post for post in posts if int(post["id"]) < int(asked["max_id"])]
        page: list[Any] = posts[: int(asked["limit"])]
        if self.mangled and page:
            page = [page[0], {"id": page[0]["id"], "visibility": "public", "account": None}, *page[1:]]
        return httpx.Response(200, json=page)

    def _found(self, posts: list[dict[str, Any]], asked: httpx.QueryParams) -> list[dict[str, Any]]:
        """The search turns max_id into a time of whole seconds, as Mastodon's does."""
        if "max_id" in asked:
            seconds = (int(asked["max_id"]) >> 16) // 1000
            posts = [post for post in posts if datetime.fromisoformat(post["created_at"]).timestamp() < seconds]
        start = int(asked["offset"])
        return posts[start : start + int(asked["limit"])]


def _error(status: int, said: str) -> httpx.Response:
    return httpx.Response(status, json={"error": said})


def recorded(folder: Path) -> Reading:
    """The posts of the recorded timelines, searches and single posts."""
    posts: list[Any] = []
    for path in sorted(folder.glob("mastodon/recorded/*.json")):
        for interaction in json.loads(path.read_text("utf-8"))["interactions"]:
            posts += _posts_of(interaction["response"].get("json"))
    return read_all(posts, partial(read_post, base="https://mastodon.example"), post_name, NOW)


def _posts_of(body: Any) -> list[Any]:
    if isinstance(body, dict) and "statuses" in body:
        return list(body["statuses"])
    entries = body if isinstance(body, list) else [body]
    return [entry for entry in entries if isinstance(entry, dict) and "uri" in entry and "content" in entry]
