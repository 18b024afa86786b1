"""Bluesky's search, its sessions, and what it tells of single posts and profiles."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from collectors.bluesky import BOUNDS, BlueskySource, post_name, read_post, when
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

DID = "did:plc:lumbrelumbrelumbrelumbr2"


class BlueskyUpstream(Upstream):
    """Posts ordered by `sortAt`, 100 a page; sessions that end when `expire` is called."""

    kind = BlueskySource
    enough = 250
    by = "time"
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre")
        self.keys = {"handle": "lumbre.bsky.social", "app_password": SECRET}
        self.posts: list[dict[str, Any]] = []
        self.blocked: set[str] = set()
        self.followers: dict[str, int | None] = {DID: 3200}
        self.access = f"access-{SECRET}-{folder.name}-1"
        self.renewal = f"renewal-{SECRET}-{folder.name}-1"
        self.renewable = True

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            at = self.moment(together).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            number = self.next_number()
            uri = f"at://{DID}/app.bsky.feed.post/3k{number:011d}"
            self.posts.append({
                "uri": uri, "cid": "bafy", "indexedAt": at, "labels": [], "viewer": {"threadMuted": False},
                "author": {"did": DID, "handle": "ana.bsky.social", "displayName": "Ana", "labels": [],
                           "viewer": {"muted": False}},
                "record": {"$type": "app.bsky.feed.post", "createdAt": at, "langs": ["es"],
                           "text": f"El café Lumbre, post {number}"},
                "replyCount": 1, "repostCount": 2, "likeCount": 3, "quoteCount": 1,
            })  # fmt: skip
            self.items.append(uri)

    def edit(self, item: str, text: str) -> None:
        next(post for post in self.posts if post["uri"] == item)["record"]["text"] = text

    def delete(self, item: str) -> None:
        self.posts = [post for post in self.posts if post["uri"] != item]
        self.items.remove(item)

    def expire(self, renewable: bool = True) -> None:
        """The tokens given so far are over; `renewable`: the longer one still serves."""
        turn = int(self.access.rsplit("-", 1)[1]) + 1
        self.access = f"access-{SECRET}-{self.folder.name}-{turn}"
        self.renewable = renewable

    def answer(self, request: httpx.Request) -> httpx.Response:
        answer = self._answer(request)
        answer.headers["ratelimit-limit"] = "3000"
        answer.headers["ratelimit-remaining"] = "2990"
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[1].rsplit(".", 1)[1]
        if name == "createSession":
            return self._session(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if name == "refreshSession":
            return self._tokens() if token == self.renewal and self.renewable else _error(400, "ExpiredToken")
        if token != self.access:
            return _error(400, "ExpiredToken")
        answers = {"searchPosts": self._search, "getPosts": self._named, "getPostThread": self._thread,
                   "getProfiles": self._profiles}  # fmt: skip
        return answers[name](request.url.params)

    def _session(self, request: httpx.Request) -> httpx.Response:
        given = json.loads(request.content)
        right = given == {"identifier": self.keys["handle"], "password": self.keys["app_password"]}
        self.renewable = True
        return self._tokens() if right else _error(401, "AuthenticationRequired")

    def _tokens(self) -> httpx.Response:
        return httpx.Response(200, json={
            "did": DID, "handle": "lumbre.bsky.social", "email": "equipo@lumbre.example",
            "accessJwt": self.access, "refreshJwt": self.renewal,
        })  # fmt: skip

    def _search(self, asked: httpx.QueryParams) -> httpx.Response:
        since = datetime.fromisoformat(asked["since"])
        until = datetime.fromisoformat(asked["until"]) if "until" in asked else datetime.max.replace(tzinfo=NOW.tzinfo)
        found = [post for post in sorted(self.posts, key=when, reverse=True) if since <= when(post) < until]
        start, limit = int(asked.get("cursor", 0)), int(asked["limit"])
        page: list[Any] = found[start : start + limit]
        if self.mangled and page:
            page = [page[0], {"uri": "at://rota", "record": None}, *page[1:]]
        more = {"cursor": str(start + limit)} if start + limit < len(found) else {}
        return httpx.Response(200, json={"posts": page, **more})

    def _named(self, asked: httpx.QueryParams) -> httpx.Response:
        uris = set(asked.get_list("uris")) - self.blocked
        return httpx.Response(200, json={"posts": [post for post in self.posts if post["uri"] in uris]})

    def _thread(self, asked: httpx.QueryParams) -> httpx.Response:
        if asked["uri"] in self.blocked:
            thread = {"$type": "app.bsky.feed.defs#blockedPost", "uri": asked["uri"], "blocked": True}
            return httpx.Response(200, json={"thread": thread})
        found = [post for post in self.posts if post["uri"] == asked["uri"]]
        if not found:
            return _error(400, "NotFound")
        return httpx.Response(
            200, json={"thread": {"$type": "app.bsky.feed.defs#threadViewPost", "post": found[0], "replies": []}}
        )

    def _profiles(self, asked: httpx.QueryParams) -> httpx.Response:
        known = [did for did in asked.get_list("actors") if did in self.followers]
        return httpx.Response(200, json={"profiles": [
            {"did": did, "handle": "ana.bsky.social",
             **({"followersCount": self.followers[did]} if self.followers[did] is not None else {})}
            for did in known
        ]})  # fmt: skip


def _error(status: int, name: str) -> httpx.Response:
    return httpx.Response(status, json={"error": name, "message": name})


def recorded(folder: Path) -> Reading:
    """The posts of the recorded search and threads."""
    posts: list[Any] = []
    for path in sorted(folder.glob("bluesky/recorded/*.json")):
        content = json.loads(path.read_text("utf-8"))
        for body in [i["response"]["json"] for i in content.get("interactions", [])] or [content]:
            posts += [*body.get("posts", []), *_posts_of(body.get("thread"))]
    return read_all(posts, read_post, post_name, NOW)


def _posts_of(thread: Any) -> list[Any]:
    if not thread or "post" not in thread:
        return []
    return [thread["post"], *(post for reply in thread.get("replies", []) for post in _posts_of(reply))]
