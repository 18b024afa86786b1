"""Programmable upstreams: each holds items, serves them as its source would, and can be told to fail."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import httpx
import requests

from collectors.clock import Clock
from collectors.file import FileSource
from collectors.http import WebOptions
from collectors.mastodon import MastodonSource
from collectors.reddit import RedditSource
from collectors.rss import RssSource
from escucha.brand import Query

DATA = Path(__file__).parent.parent / "data"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLOCK = Clock(now=lambda: NOW, monotonic=lambda: 0.0, sleep=lambda seconds: None)
WEB = WebOptions(contact="equipo@lumbre.example")


class Upstream:
    """`items` are the ids that a complete reading gives; `failure` is a status and headers to answer with."""

    over_http = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.items: list[str] = []
        self.failure: tuple[int, dict[str, str]] | None = None
        self.mangled = False
        self.requests: list[httpx.Request] = []
        self.query = Query(text="")
        self.keys: dict[str, str] = {}

    def add(self, count: int) -> None:
        """New items appear, newer than all before."""
        raise NotImplementedError

    def source(self) -> Any:
        raise NotImplementedError

    def ids_of(self, mentions: Any) -> set[str]:
        return {mention.source_id for mention in mentions}

    def _transport(self, answer: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            if self.failure:
                return wire(httpx.Response(self.failure[0], headers=self.failure[1]))
            return wire(answer(request))

        return httpx.MockTransport(handle)


def wire(response: httpx.Response) -> httpx.Response:
    """The response as it comes from a network: not yet read."""
    return httpx.Response(
        response.status_code, headers=response.headers, stream=httpx.ByteStream(response.content)
    )


class MastodonUpstream(Upstream):
    """A server with a hashtag timeline, paged by min_id and max_id as Mastodon's guidelines say."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="cafe@mastodon.example")
        self.posts: list[dict[str, Any]] = []
        self.template = json.loads((DATA / "mastodon-status.json").read_text("utf-8"))

    def add(self, count: int) -> None:
        for _ in range(count):
            number = int(self.template["id"]) + (len(self.posts) * 60_000 << 16)
            post = {**deepcopy(self.template), "id": str(number), "uri": f"https://mastodon.example/statuses/{number}"}
            self.posts.append(post)
            self.items.append(post["uri"])

    def source(self) -> MastodonSource:
        return MastodonSource(web=WEB, keys=self.keys, transport=self._transport(self._timeline), clock=CLOCK)

    def _timeline(self, request: httpx.Request) -> httpx.Response:
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


class RssUpstream(Upstream):
    """A feed that knows ETags."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="https://diario.example/feed.xml")

    def add(self, count: int) -> None:
        self.items += [f"https://diario.example/{len(self.items) + n}" for n in range(count)]

    def source(self) -> RssSource:
        return RssSource(web=WEB, keys=self.keys, transport=self._transport(self._feed), clock=CLOCK)

    def _feed(self, request: httpx.Request) -> httpx.Response:
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


class FileUpstream(Upstream):
    """A file that another tool writes."""

    over_http = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = folder / "export.csv"
        self.query = Query(text=str(self.path))

    def add(self, count: int) -> None:
        self.items += [f"resena-{len(self.items) + n}" for n in range(count)]

    def source(self) -> FileSource:
        with self.path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "fecha", "texto"])
            writer.writerows([item, "2026-11-20", "Buen café"] for item in self.items)
            if self.mangled:
                writer.writerow(["rota", "nunca", "Buen café"])
        return FileSource(web=WEB, keys=self.keys, clock=CLOCK)


class RedditUpstream(Upstream):
    """Reddit behind a requests session, as praw asks for one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="r/mexico: cafés lumbre")
        self.keys = {"client_id": "app-lumbre", "client_secret": "secreto-de-prueba"}
        self.posts: list[dict[str, Any]] = []
        self.template = json.loads((DATA / "reddit-post.json").read_text("utf-8"))
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []

    def add(self, count: int) -> None:
        for _ in range(count):
            post = deepcopy(self.template)
            post["data"]["name"] = f"t3_{len(self.posts)}"
            post["data"]["created_utc"] += 600.0 * len(self.posts) - 500_000
            self.posts.append(post)
            self.items.append(post["data"]["name"])

    def source(self) -> RedditSource:
        return RedditSource(web=WEB, keys=self.keys, session=self, clock=CLOCK)

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


UPSTREAMS: dict[str, type[Upstream]] = {
    "file": FileUpstream, "mastodon": MastodonUpstream, "reddit": RedditUpstream, "rss": RssUpstream,
}
ENOUGH = {"file": 1200, "mastodon": 100, "reddit": 250, "rss": 30}
"""Items that make more than one page, where a source has pages."""
