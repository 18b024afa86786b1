"""A Discourse forum: its search (of each topic the newest find), its list of all posts, and single posts."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from collectors.discourse import BOUNDS, LAST_PAGE, WINDOW, DiscourseSource, post_name, read_post, when
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

PER_PAGE = 50
FORUM = "foro.example"


class DiscourseUpstream(Upstream):
    """Posts with rising numbers, each the first of a topic unless `topic` says otherwise."""

    kind = DiscourseSource
    enough = 120
    deepest = 450
    by = "number"
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre@foro.example")
        self.keys = {"api_key": SECRET, "api_username": "ana", "server": FORUM}
        self.posts: list[dict[str, Any]] = []
        self.last = 1000
        self.busy = False

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self.put(together=together)

    def put(self, topic: int | None = None, together: bool = False, **change: Any) -> str:
        """A new post, in a topic of its own or as an answer in one; its `source_id`."""
        self.last += 1
        at = self.moment(together).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        within = [post for post in self.posts if post["topic_id"] == topic]
        self.posts.append({
            "id": self.last, "topic_id": topic or self.last, "topic_slug": "cafe", "post_number": len(within) + 1,
            "username": "ana", "name": "Ana", "user_id": 7, "created_at": at, "updated_at": at, "version": 1,
            "cooked": f"<p>El café Lumbre, {self.last}</p>", "post_type": 1, "reply_count": 1, "reads": 9,
            "reply_to_post_number": None, "actions_summary": [{"id": 2, "count": 3}], "deleted_at": None,
            "user_deleted": False, "hidden": False, **change,
        })  # fmt: skip
        self.items.append(f"{FORUM}:{self.last}")
        return self.items[-1]

    def post(self, item: str) -> dict[str, Any]:
        return next(post for post in self.posts if f"{FORUM}:{post['id']}" == item)

    def edit(self, item: str, text: str) -> None:
        at = f"{self.clock.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%S.000Z}"
        self.post(item).update(cooked=f"<p>{text}</p>", version=2, updated_at=at)

    def delete(self, item: str) -> None:
        self.posts.remove(self.post(item))
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, asked = request.url.path, request.url.params
        if path == "/search.json":
            return self._search(asked)
        if path == "/posts.json":
            top = int(asked.get("before", self.last))
            shown = [post for post in reversed(self.posts) if top - WINDOW < post["id"] <= top]
            return httpx.Response(200, json={"latest_posts": [{**post, "topic_title": "Café"} for post in shown]})
        found = [post for post in self.posts if path == f"/posts/{post['id']}.json"]
        if not found:
            return httpx.Response(404, json={"errors": ["No existe."], "error_type": "not_found"})
        return httpx.Response(200, json={**found[0], "raw": "…"})

    def _search(self, asked: httpx.QueryParams) -> httpx.Response:
        page, since = int(asked["page"]), re.search(r"after:(\S+)", asked["q"])
        assert since is not None
        if page > LAST_PAGE:
            return httpx.Response(400, json={"errors": ["page"], "error_type": "invalid_parameters"})
        newest = {post["topic_id"]: post for post in self.posts if post["created_at"][:10] >= since[1]}
        found = sorted(newest.values(), key=lambda post: (when(post), post["id"]), reverse=True)
        start = (page - 1) * PER_PAGE
        finds: list[Any] = [
            {name: post[name] for name in ("id", "username", "created_at", "post_number", "topic_id")}
            for post in found[start : start + PER_PAGE]
        ]
        topics = [{"id": find["topic_id"], "title": "Café", "slug": "cafe"} for find in finds]
        if self.mangled and finds:
            finds = [finds[0], {"id": None, "blurb": "rota"}, *finds[1:]]
        more = True if start + PER_PAGE < len(found) else None
        told = {"more_full_page_results": more, "error": "El foro está muy ocupado." if self.busy else None}
        return httpx.Response(200, json={"posts": finds, "topics": topics, "grouped_search_result": told})


def recorded(folder: Path) -> Reading:
    """The posts of the recorded topic."""
    body = json.loads((folder / "discourse/recorded/perceval-discourse_topic_1149.json").read_text("utf-8"))
    return read_all(body["post_stream"]["posts"], partial(read_post, base="https://foro.example"), post_name, NOW)
