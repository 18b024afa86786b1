"""The Facebook part of Graph: a Page with posts and comments, posts that tag it, and recommendations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from collectors.facebook import LISTED, UNDER_POSTS, FacebookSource, item_name, to_mention
from escucha.mention import Mention
from tests.collectors.fakes.graph import GraphUpstream, Json
from tests.collectors.fakes.upstream import Reading, read_all

PAGE = "175154750010052"
POSTS = 13


class FacebookUpstream(GraphUpstream):
    """What the query names decides where new items appear. A missing object is left out of a common look-up."""

    kind = FacebookSource
    enough = 260
    text = "comments"
    words = "message"
    whole_batch = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.keys |= {"page_id": PAGE}
        self.posts = [self._post(number) for number in range(POSTS)]
        self._born = 0

    def _post(self, number: int) -> Json:
        at = self.start - timedelta(hours=number + 1)
        return {"id": f"{PAGE}_42{900_000 - number}", "message": "Novedades de la casa", "from": {"id": PAGE},
                "created_time": f"{at:%Y-%m-%dT%H:%M:%S}+0000", "permalink_url": f"https://www.facebook.com/{number}"}

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self._born += 1
            at = f"{self.moment(together):%Y-%m-%dT%H:%M:%S}+0000"
            item: Json = {"created_time": at, "from": {"id": "31", "name": "Ana Pruebas"}}
            if self.query.text == "comments":
                # Half of all comments stand under the newest post, more than come with it.
                post = (self._born % POSTS) * (self._born % 2)
                item |= {"id": f"42{900_000 - post}_{self._born:06}", "message": f"El café de Lumbre, {self._born}",
                         "like_count": 1, "comment_count": 0}
            elif self.query.text == "tagged":
                item |= {"id": f"31_{self._born:06}", "message": f"Un café en Lumbre, {self._born}"}
            else:
                item |= {"open_graph_story": {"id": f"9{self._born:06}"}, "recommendation_type": "negative",
                         "review_text": f"El café de Lumbre, {self._born}", "reviewer": item.pop("from")}
            identity = item.get("id") or item["open_graph_story"]["id"]
            self.objects[identity] = item
            self.items.append(identity)

    def edit(self, item: str, text: str) -> None:
        said = self.objects[item]
        said["message" if "message" in said else "review_text"] = text

    def heard_again(self, newest: datetime, now: datetime) -> datetime:
        return now - UNDER_POSTS.overlap if self.query.text == "comments" else newest - LISTED.overlap

    def born(self, entry: Json) -> int:
        return super().born(entry if "id" in entry else entry["open_graph_story"])

    def at(self, path: str, asked: Mapping[str, str]) -> httpx.Response:
        parts = path.split("/")
        if path == f"{PAGE}/feed":
            return self._feed(asked)
        if path in (f"{PAGE}/tagged", f"{PAGE}/ratings"):
            return self.told(self.edge(self._newest(), int(asked["limit"]), asked.get("after")))
        if parts[-1] == "comments":
            assert asked["order"] == "reverse_chronological"
            if parts[0] not in {post["id"] for post in self.posts}:
                return self.wrong(100, 33)
            return self.told(self._comments(parts[0], int(asked["limit"]), asked.get("after")))
        return self.one(path)

    def _newest(self) -> list[Json]:
        return list(reversed(self.objects.values()))

    def _feed(self, asked: Mapping[str, str]) -> httpx.Response:
        size = self.limit(asked["fields"], "comments")
        page = self.edge(self.posts, int(asked["limit"]), asked.get("after"))
        page["data"] = [{**post, "comments": self._comments(post["id"], size, None)} for post in page["data"]]
        return self.told(page)

    def _comments(self, post: str, size: int, after: str | None) -> Json:
        under = post.removeprefix(f"{PAGE}_")
        edge = self.edge([c for c in self._newest() if c["id"].startswith(f"{under}_")], size, after)
        edge["summary"] = {"order": "reverse_chronological", "total_count": len(edge["data"])}
        if self.mangled and edge["data"] and after is None and post == self.posts[0]["id"]:
            edge["data"] = [edge["data"][0], {"message": "rota"}, *edge["data"][1:]]
        return edge


def recorded(folder: Path) -> Reading:
    """Posts and comments among the recordings. (Its messages and the Page itself are nothing that we read.)"""
    items: list[Any] = []
    for file in [*folder.glob("facebook/recorded/comments-*.json"), *folder.glob("facebook/recorded/posts-*.json")]:
        told = json.loads(file.read_text("utf-8"))
        items += told.get("data", [told])

    def read(item: Any) -> Mention | None:
        mention = to_mention(item)
        return mention if mention.text else None

    return read_all(items, read, item_name)
