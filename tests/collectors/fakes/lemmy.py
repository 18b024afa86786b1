"""A Lemmy server of either kind: up to 0.19 with numbered pages, from 1.0 on with a mark of the next one."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from collectors.lemmy import BOUNDS, LemmySource, Site, read_view, view_name
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

BASE = "https://feddit.example"
LANGUAGES = [{"id": 0, "code": "und", "name": "Undetermined"}, {"id": 39, "code": "es", "name": "Español"}]


class LemmyUpstream(Upstream):
    """Posts and comments by turns, each list newest first, 50 a page."""

    kind = LemmySource
    enough = 230
    by = "number"
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre@feddit.example")
        self.keys = {"token": SECRET, "server": "feddit.example"}
        self.version = "0.19.11"
        self.views: list[dict[str, Any]] = []
        self.kept_flags = False
        """Whether deleted ones stay, with a flag."""

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number = len(self.views) + 1
            part = "comment" if number % 2 else "post"
            at = self.moment(together).isoformat().replace("+00:00", "Z")
            what: dict[str, Any] = {"id": number, "ap_id": f"{BASE}/{part}/{number}", "published": at,
                                    "published_at": at, "deleted": False, "removed": False,
                                    "language_id": 39}  # fmt: skip
            text = f"El **café** de Lumbre, {number}"
            what |= {"content": text, "path": f"0.{number}"} if part == "comment" else {"name": "Café", "body": text}
            view = {part: what, "counts": {"score": 4, "comments": 1, "child_count": 0},
                    "creator": {"name": "ramon", "actor_id": f"{BASE}/u/ramon", "bot_account": False}}  # fmt: skip
            view.setdefault("post", {"id": 90, "name": "Café", "ap_id": f"{BASE}/post/90"})
            self.views.append(view)
            self.items.append(what["ap_id"])

    def edit(self, item: str, text: str) -> None:
        what = self._what(next(view for view in self.views if self._what(view)["ap_id"] == item))
        at = f"{self.clock.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
        what.update({"content" if "content" in what else "body": text, "updated": at})

    def delete(self, item: str) -> None:
        self._what(next(view for view in self.views if self._what(view)["ap_id"] == item))["deleted"] = True
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        _, _, api, name = request.url.path.split("/")
        asked = request.url.params
        if name == "site":
            return httpx.Response(200, json={"version": self.version, "all_languages": LANGUAGES})
        if (api == "v4") != (not self.version.startswith("0.")):
            return httpx.Response(404)
        if name == "search":
            return self._linked(asked) if api == "v4" else self._numbered(asked)
        kind = [view for view in self.views if ("comment" in view) == (name == "comment")]
        found = [view for view in kind if view[name]["id"] == int(asked["id"])]
        if not found:
            return httpx.Response(404, json={"error": f"couldnt_find_{name}"})
        return httpx.Response(200, json={f"{name}_view": found[0]})

    def _numbered(self, asked: httpx.QueryParams) -> httpx.Response:
        start, limit = (int(asked["page"]) - 1) * int(asked["limit"]), int(asked["limit"])
        comments = [view for view in self._shown() if "comment" in view][start : start + limit]
        posts = [view for view in self._shown() if "comment" not in view][start : start + limit]
        return self._page(asked["type_"], posts, comments)

    def _linked(self, asked: httpx.QueryParams) -> httpx.Response:
        if not asked.get("page_cursor", "P").startswith("P"):
            return httpx.Response(400, json={"error": "invalid_page_cursor"})
        below = int(asked.get("page_cursor", "P1000000")[1:])
        views = [view for view in self._shown() if self._what(view)["id"] < below][: int(asked["limit"])]
        more = {"next_page": f"P{self._what(views[-1])['id']}"} if views else {}
        posts = [view for view in views if "comment" not in view]
        return self._page("All", posts, [view for view in views if "comment" in view], **more)

    def _page(self, kind: str, posts: list[Any], comments: list[Any], **more: str) -> httpx.Response:
        if self.mangled and posts:
            posts = [posts[0], {"post": {"id": 7}, "creator": None}, *posts[1:]]
        body = {"type_": kind, "posts": posts, "comments": comments, "communities": [], "users": [], **more}
        return httpx.Response(200, json=body)

    def _shown(self) -> list[dict[str, Any]]:
        return [view for view in reversed(self.views) if self.kept_flags or not self._what(view)["deleted"]]

    @staticmethod
    def _what(view: dict[str, Any]) -> dict[str, Any]:
        what: dict[str, Any] = view.get("comment") or view["post"]
        return what


def recorded(folder: Path) -> Reading:
    """The posts and comments of the handmade answers; what is recorded of Lemmy is what servers send each other."""
    views: list[Any] = []
    for path in sorted(folder.glob("lemmy/handmade/*-search.json")):
        body = json.loads(path.read_text("utf-8"))
        views += [*body["posts"], *body["comments"]]
    site = Site(base=BASE, languages={39: "es"})
    return read_all(views, partial(read_view, site=site), view_name, NOW)
