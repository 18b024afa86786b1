"""Reddit, behind praw."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import requests

from collectors.reddit import RedditSource
from escucha.brand import Query
from tests.collectors.fakes.upstream import CLOCK, DATA, Upstream


class RedditUpstream(Upstream):
    """Reddit behind a requests session, as praw asks for one."""

    kind = RedditSource
    enough = 250

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="r/mexico: cafés lumbre")
        self.keys = {"client_id": "app-lumbre", "client_secret": "secreto-de-prueba"}
        self.posts: list[dict[str, Any]] = []
        self.template = json.loads((DATA / "reddit-post.json").read_text("utf-8"))
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            post = deepcopy(self.template)
            post["data"]["name"] = f"t3_{len(self.posts)}"
            post["data"]["created_utc"] += 600.0 * len(self.posts) - 500_000
            self.posts.append(post)
            self.items.append(post["data"]["name"])

    def source(self) -> RedditSource:
        return RedditSource(web=self.web, keys=self.keys, session=self, clock=CLOCK)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Answer as Reddit's two hosts do; this object is the session."""
        self.asked.append(url)
        if url.endswith("/api/v1/access_token"):
            if self.failure and self.failure[0] == 401:
                return _response(url, *self.failure, {"message": "Unauthorized", "error": 401})
            token = {"access_token": "t", "expires_in": 3600, "scope": "*", "token_type": "bearer"}
            return _response(url, 200, {}, token)
        if self.failure:
            return _response(url, *self.failure, "<html>no</html>")
        return _response(url, 200, {}, self._listing(options["params"].get("after")))

    def _listing(self, after: str | None) -> dict[str, Any]:
        newest_first = list(reversed(self.posts))
        start = next((n + 1 for n, post in enumerate(newest_first) if post["data"]["name"] == after), 0)
        page: list[Any] = newest_first[start : start + 100]
        more = start + 100 < len(newest_first)
        following = page[-1]["data"]["name"] if more else None
        broken: list[Any] = [{"kind": "t3", "data": {"name": "t3_rota"}}, None] if self.mangled and not start else []
        return {"kind": "Listing", "data": {"after": following, "children": [*broken, *page]}}

    def close(self) -> None:
        """Part of a session."""


def _response(url: str, status: int, headers: dict[str, str], body: Any) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.url = url
    response.headers.update(headers)
    response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    return response
