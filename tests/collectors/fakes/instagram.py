"""The Instagram part of Graph: an account with posts and comments, tags of it, and a hashtag."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from collectors.instagram import SHOWN, TAGGED, UNDER_POSTS, InstagramSource, item_name, read, when
from tests.collectors.fakes.graph import GraphUpstream, Json
from tests.collectors.fakes.upstream import Reading, read_all

ACCOUNT, NAME = "17841405309211844", "cafeslumbre"
HASHTAG = "17843857450040591"
POSTS = 13
DAY = timedelta(hours=24)
"""What a hashtag shows."""


class InstagramUpstream(GraphUpstream):
    """What the query names decides where new items appear: under posts, as tags, or under the hashtag."""

    kind = InstagramSource
    enough = 220
    text = "comments"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.keys |= {"account_id": ACCOUNT}
        self.posts = [self._post(number) for number in range(POSTS)]
        self.professional = {"ana": 4200}
        self.result: list[str] = []
        """What a reader of the hashtag has still to be shown."""
        self._born = 0

    def _post(self, number: int) -> Json:
        at = self.start - timedelta(hours=number + 1)
        identity = f"179{900_000 - number}"
        return {"id": identity, "permalink": f"https://www.instagram.com/p/P{number}/", "username": NAME,
                "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}+0000"}

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self._born += 1
            number, at = self._born, f"{self.moment(together):%Y-%m-%dT%H:%M:%S}+0000"
            item: Json = {"id": f"1785{number:06}", "timestamp": at, "username": "ana", "like_count": 2}
            if self.query.text == "comments":
                # Half of all comments stand under the newest post, more than come with it.
                item |= {"text": f"El café de Lumbre, {number}", "_under": (number % POSTS) * (number % 2)}
            else:
                item |= {"caption": f"Un café en Lumbre, {number}", "comments_count": 1, "media_type": "IMAGE",
                         "permalink": f"https://www.instagram.com/p/T{number}/"}
            self.objects[item["id"]] = item
            self.items.append(item["id"])

    def edit(self, item: str, text: str) -> None:
        self.objects[item]["text" if "text" in self.objects[item] else "caption"] = text

    def heard_again(self, newest: datetime, now: datetime) -> datetime:
        if self.query.text == "comments":
            return now - UNDER_POSTS.overlap
        return newest - (TAGGED.overlap if self.query.text == "tags" else SHOWN)

    @property
    def shown(self) -> list[str]:
        if not self.query.text.startswith("#"):
            return self.items
        return [item for item in self.items if when(self.objects[item]) >= self.clock.now() - DAY]

    def at(self, path: str, asked: Mapping[str, str]) -> httpx.Response:
        parts = path.split("/")
        if parts[0] == ACCOUNT and len(parts) == 1:
            return self._account(asked["fields"])
        if path == f"{ACCOUNT}/media":
            return self._media(asked)
        if path == f"{ACCOUNT}/tags":
            page = self.edge(self._newest(), int(asked["limit"]), asked.get("after"))
            return self.told({**page, "data": self._marred(page["data"])})
        if path == "ig_hashtag_search":
            return self.told({"data": [{"id": HASHTAG}] if asked["q"] == "cafelumbre" else []})
        if path == f"{HASHTAG}/recent_media":
            return self._recent(asked)
        if parts[-1] == "comments":
            under = next((n for n, post in enumerate(self.posts) if post["id"] == parts[0]), None)
            if under is None:
                return self.wrong(100, 33)
            return self.told(self._comments(under, int(asked["limit"]), asked.get("after")))
        return self.one(path)

    def _newest(self) -> list[Json]:
        return list(reversed(self.objects.values()))

    def _marred(self, found: list[Json]) -> list[Json]:
        return [found[0], {"id": "rota", "caption": "rota"}, *found[1:]] if self.mangled and found else found

    def _account(self, fields: str) -> httpx.Response:
        if fields == "username":
            return self.told({"username": NAME, "id": ACCOUNT})
        name = re.fullmatch(r"business_discovery\.username\(([\w.]+)\)\{username,name,followers_count\}", fields)
        assert name, fields
        if name[1] not in self.professional:
            return self.wrong(110, 2207013)
        told = {"username": name[1], "name": "Ana", "followers_count": self.professional[name[1]], "id": "1784"}
        return self.told({"business_discovery": told, "id": ACCOUNT})

    def _media(self, asked: Mapping[str, str]) -> httpx.Response:
        size = self.limit(asked["fields"], "comments")
        page = self.edge(self.posts, int(asked["limit"]), asked.get("after"))
        page["data"] = [{**post, "comments": self._comments(self.posts.index(post), size, None)}
                        for post in page["data"]]
        return self.told(page)

    def _comments(self, under: int, size: int, after: str | None) -> Json:
        found = [{name: value for name, value in comment.items() if name != "_under"}
                 for comment in self._newest() if comment["_under"] == under]
        edge = self.edge(found, size, after)
        if self.mangled and edge["data"] and after is None and under == 0:
            edge["data"] = [edge["data"][0], {"text": "rota"}, *edge["data"][1:]]
        return edge

    def _recent(self, asked: Mapping[str, str]) -> httpx.Response:
        """Without authors, and with one cursor for all pages: the server knows where the reader is."""
        if not asked.get("after"):
            of_the_day = [media for media in self._newest() if when(media) >= self.clock.now() - DAY]
            self.result = [media["id"] for media in of_the_day]
        size = int(asked["limit"])
        found, self.result = self.result[:size], self.result[size:]
        media = self._marred([self.objects[identity] for identity in found if identity in self.objects])
        shown = [{name: value for name, value in one.items() if name != "username"} for one in media]
        page: Json = {"data": shown, "paging": {"cursors": {"after": "QVFIigual"}}}
        if self.result:
            page["paging"]["next"] = "https://graph.facebook.com/v25.0/x?after=QVFIigual"
        return self.told(page)


def recorded(folder: Path) -> Reading:
    """Comments and posts among the recordings: own posts' comments, tags, mentions, hashtags and an account's posts."""
    items: list[Any] = []
    for file in sorted(folder.glob("instagram/recorded/*.json")):
        told = json.loads(file.read_text("utf-8"))
        items += told.get("data", []) if "medias" in file.name or "comments" in file.name else []
        items += [told[name] for name in ("mentioned_media", "mentioned_comment") if name in told]
        items += told.get("business_discovery", {}).get("media", {}).get("data", [])
    return read_all(items, read, item_name)
