"""A Flarum forum that a test can program: its listing of posts, page by page, and single ones by their number."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from foro import Foro, to_mention

from escucha.brand import Query
from tests.collectors.fakes.upstream import Reading, Upstream, read_all

FORUM = "https://foro.example.com"


class ForoUpstream(Upstream):
    """Posts with rising numbers, each the first of a discussion of its own."""

    kind = Foro
    enough = 120

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text=FORUM)
        self.posts: list[dict[str, Any]] = []
        self.last = 1000
        self.shut = False
        """Whether strangers see nothing: Flarum answers them with an empty list then."""

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self.last += 1
            self.posts.append(post(str(self.last), self.moment(together)))
            self.items.append(f"{FORUM}#{self.last}")

    def edit(self, item: str, text: str) -> None:
        self._post(item)["attributes"]["contentHtml"] = f"<p>{text}</p>"

    def delete(self, item: str) -> None:
        self.posts.remove(self._post(item))
        self.items.remove(item)

    def _post(self, item: str) -> dict[str, Any]:
        return next(one for one in self.posts if f"{FORUM}#{one['id']}" == item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        found: list[Any] = [] if self.shut else list(reversed(self.posts))
        if "filter[id]" in asked:
            found = [one for one in found if one["id"] in asked["filter[id]"].split(",")]
        start, size = int(asked.get("page[offset]", 0)), int(asked.get("page[limit]", 20))
        shown, links = found[start : start + size], {"first": str(request.url)}
        if len(found) > start + size:
            links["next"] = str(request.url.copy_set_param("page[offset]", start + size))
        if self.mangled and shown:
            shown = [shown[0], {"type": "posts", "id": "9", "attributes": None}, *shown[1:]]
        return httpx.Response(200, json={"links": links, "data": shown, "included": named(found)})


def post(number: str, at: datetime) -> dict[str, Any]:
    """A post as Flarum's listing has it."""
    return {
        "type": "posts", "id": number,
        "attributes": {
            "number": 1, "createdAt": at.isoformat(timespec="seconds"), "contentType": "comment",
            "contentHtml": f"<p>El café Lumbre, {number}</p>",
        },
        "relationships": {
            "user": {"data": {"type": "users", "id": "7"}},
            "discussion": {"data": {"type": "discussions", "id": number}},
        },
    }  # fmt: skip


def named(posts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whom and what posts refer to."""
    title = {"title": "Café", "slug": "cafe"}
    ana = {"type": "users", "id": "7", "attributes": {"username": "ana", "displayName": "Ana", "slug": "ana"}}
    return [ana, *({"type": "discussions", "id": one["id"], "attributes": title} for one in posts)]


def recorded(folder: Path) -> Reading:
    """The posts of the answers kept in a folder."""
    answers = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))]
    included = [one for answer in answers for one in answer["included"]]
    known = {(one["type"], one["id"]): {"id": one["id"], **one["attributes"]} for one in included}
    posts = [one for answer in answers for one in answer["data"]]
    return read_all(posts, lambda one: to_mention(one, FORUM, known), lambda one: f"post {one['id']}")
