"""The YouTube Data API: a search for videos, their figures, threads of comments with five replies shown, channels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from collectors.youtube import YouTubeSource
from collectors.youtube_item import item_name, said_in, to_mention
from collectors.youtube_round import BOUNDS, SEARCH_EVERY
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

CHANNEL = "UC" + "L" * 22
SHOWN = 5
PAGE = 20
"""Threads on a page: the API may give fewer than it was asked for."""


class YouTubeUpstream(Upstream):
    """Three videos that a search finds; comments go to them in turn, every twentieth one gets six replies."""

    kind = YouTubeSource
    enough = 150

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre")
        self.keys = {"api_key": SECRET}
        self.videos: dict[str, dict[str, Any]] = {}
        self.comments: dict[str, dict[str, Any]] = {}
        self.comments_off: set[str] = set()
        self.strict = False
        """Whether asking for a comment that is gone refuses the whole batch."""
        self.came: dict[str, datetime] = {}
        """When each video could first be found."""
        self._made = 0

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(min(count, 3 - len(self.videos))):
            self.add_video(self.moment(together))
            count -= 1
        for left in range(max(count, 0), 0, -1):
            reply = left > 1 and 1 <= self._made % 20 <= 6 and any("parentId" not in c for c in self.comments.values())
            self.add_comment(self.moment(together), self._last_thread() if reply else None)

    def add_video(self, at: datetime) -> str:
        number = f"video-{self.next_number():05}"
        snippet = {"publishedAt": _z(at), "channelId": CHANNEL, "channelTitle": "Cafés Lumbre",
                   "title": "Café Lumbre", "description": "Cómo tostamos", "defaultAudioLanguage": "es-MX"}
        self.came[number] = self.clock.now()
        self.videos[number] = {"kind": "youtube#video", "id": number, "snippet": snippet}
        self.items.append(number)
        return number

    def add_comment(self, at: datetime, parent: str | None = None, video: str | None = None) -> str:
        number = f"Ug{self._made:06}"
        videos = list(self.videos)
        place = self.comments[parent]["snippet"]["videoId"] if parent else video or videos[self._made % len(videos)]
        text = f"El café Lumbre número {number}"
        snippet: dict[str, Any] = {
            "videoId": place, "textDisplay": text, "textOriginal": text, "authorDisplayName": "@lupe",
            "authorChannelId": {"value": "UC" + "a" * 22}, "likeCount": 2, "publishedAt": _z(at), "updatedAt": _z(at),
        }
        if parent:
            snippet["parentId"] = parent
        self.comments[number] = {"kind": "youtube#comment", "id": number, "snippet": snippet}
        self.items.append(number)
        self._made += 1
        return number

    def _last_thread(self) -> str:
        return next(number for number in reversed(self.comments) if "parentId" not in self.comments[number]["snippet"])

    def edit(self, item: str, text: str) -> None:
        self.comments[item]["snippet"] |= {"textDisplay": text, "textOriginal": text, "updatedAt": _z(self.clock.now())}

    @property
    def shown(self) -> list[str]:
        return list(self.comments) if self.query.text.startswith("channel:") else self.items

    @property
    def due(self) -> list[str]:
        """A video is found some hours after it came, and with it its comments."""
        if self.query.text.startswith("channel:"):
            return self.shown
        found = {video for video, came in self.came.items() if came <= self.clock.now() - SEARCH_EVERY}
        return [item for item in self.items if self._video(item) in found]

    def _video(self, item: str) -> str:
        return self.comments[item]["snippet"]["videoId"] if item in self.comments else item

    @property
    def editable(self) -> list[str]:
        """All but the replies that their thread does not show: of those an edit is heard when their number changes."""
        shown = {reply["id"] for number in self.comments for reply in self._replies(number)[:SHOWN]}
        return [number for number, c in self.comments.items() if "parentId" not in c["snippet"] or number in shown]

    def heard_again(self, newest: datetime, now: datetime) -> datetime:
        return now - BOUNDS.overlap

    def delete(self, item: str) -> None:
        self.videos.pop(item, None)
        self.comments = {
            number: comment for number, comment in self.comments.items()
            if item not in (number, comment["snippet"].get("parentId"), comment["snippet"]["videoId"])
        }
        self.items = [number for number in self.items if number in self.videos or number in self.comments]

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        if request.headers.get("X-Goog-Api-Key") != SECRET:
            return problem(400, "badRequest", "API_KEY_INVALID")
        told = getattr(self, f"_{request.url.path.rsplit('/', 1)[-1].lower()}")(asked)
        return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)

    def _search(self, asked: Mapping[str, str]) -> Any:
        found = [
            {"kind": "youtube#searchResult", "id": {"kind": "youtube#video", "videoId": number},
             "snippet": {**video["snippet"], "description": video["snippet"]["description"][:5]}}
            for number, video in self.videos.items()
            if video["snippet"]["publishedAt"] >= asked["publishedAfter"]
        ]
        newest = sorted(found, key=lambda result: (_when(result), _identity(result)), reverse=True)
        return _page("search", newest, asked, int(asked["maxResults"]))

    def _videos(self, asked: Mapping[str, str]) -> Any:
        wanted = asked["id"].split(",")
        return _list("video", [self._with_figures(number) for number in wanted if number in self.videos])

    def _with_figures(self, number: str) -> dict[str, Any]:
        statistics = {"viewCount": "1200", "likeCount": "40"}
        if number not in self.comments_off:
            statistics["commentCount"] = str(sum(c["snippet"]["videoId"] == number for c in self.comments.values()))
        return {**self.videos[number], "statistics": statistics}

    def _commentthreads(self, asked: Mapping[str, str]) -> Any:
        video = asked.get("videoId")
        if video is not None and video not in self.videos:
            return problem(404, "videoNotFound")
        if video in self.comments_off:
            return problem(403, "commentsDisabled")
        tops = [
            comment for comment in self.comments.values()
            if "parentId" not in comment["snippet"] and video in (None, comment["snippet"]["videoId"])
        ]
        newest = sorted(tops, key=lambda comment: (comment["snippet"]["publishedAt"], comment["id"]), reverse=True)
        page = _page("commentThread", [self._thread(top) for top in newest], asked, PAGE)
        if self.mangled and page["items"]:
            page["items"].insert(1, {"kind": "youtube#commentThread", "id": "rota", "snippet": None})
        return page

    def _thread(self, top: dict[str, Any]) -> dict[str, Any]:
        replies = self._replies(top["id"])
        snippet = {"videoId": top["snippet"]["videoId"], "topLevelComment": top, "totalReplyCount": len(replies)}
        shown = {"replies": {"comments": replies[:SHOWN]}} if replies else {}
        return {"kind": "youtube#commentThread", "id": top["id"], "snippet": snippet, **shown}

    def _replies(self, parent: str) -> list[dict[str, Any]]:
        return [c for c in reversed(self.comments.values()) if c["snippet"].get("parentId") == parent]

    def _comments(self, asked: Mapping[str, str]) -> Any:
        parent = asked.get("parentId")
        if parent is not None:
            return _page("comment", [_alone(c) for c in self._replies(parent)], asked, 4)
        wanted = asked["id"].split(",")
        if self.strict and not set(wanted) <= self.comments.keys():
            return problem(404, "commentNotFound")
        return _list("comment", [_alone(self.comments[number]) for number in wanted if number in self.comments])

    def _channels(self, asked: Mapping[str, str]) -> Any:
        if asked.get("forHandle"):
            return _list("channel", [{"id": CHANNEL}] if asked["forHandle"] == "@lumbre" else [])
        told = {
            CHANNEL: {"subscriberCount": "12300", "hiddenSubscriberCount": False},
            "UC" + "a" * 22: {"subscriberCount": "0", "hiddenSubscriberCount": True},
        }
        wanted = asked["id"].split(",")
        return _list("channel", [{"id": one, "statistics": told[one]} for one in wanted if one in told])


def problem(status: int, reason: str, detail: str | None = None) -> httpx.Response:
    """An error as Google's APIs tell it."""
    error: dict[str, Any] = {"code": status, "message": "no", "errors": [{"reason": reason, "message": "no"}]}
    if detail:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": detail}]
    return httpx.Response(status, json={"error": error})


def recorded(folder: Path) -> Reading:
    """The videos, threads and comments among the recordings."""
    files = sorted(folder.glob("youtube/recorded/*.json"))
    answers = [json.loads(file.read_text("utf-8")) for file in files]
    items = [item for answer in answers for item in _read(answer)]
    return read_all(items, to_mention, item_name, NOW)


def _read(answer: dict[str, Any]) -> Iterable[Any]:
    kind, items = answer.get("kind"), answer.get("items", [])
    if kind == "youtube#commentThreadListResponse":
        return [said for thread in items for said in said_in(thread)]
    if kind == "youtube#commentListResponse":
        return [{"comment": comment, "video": None} for comment in items]
    return items if kind == "youtube#videoListResponse" else []


def _alone(comment: dict[str, Any]) -> dict[str, Any]:
    """A comment as comments.list gives it: without its video."""
    return {**comment, "snippet": {name: told for name, told in comment["snippet"].items() if name != "videoId"}}


def _list(kind: str, items: list[Any]) -> dict[str, Any]:
    return {"kind": f"youtube#{kind}ListResponse", "pageInfo": {"totalResults": len(items)}, "items": items}


def _page(kind: str, items: list[Any], asked: Mapping[str, str], size: int) -> dict[str, Any]:
    """A page that begins after the item its token names, whatever came above it; tokens of gone items count too."""
    after = asked.get("pageToken")
    key = [(_when(item), _identity(item)) for item in items]
    start = 0 if after is None else sum(1 for one in key if one >= tuple(after.split("|")))
    shown = items[start : start + size]
    more = {"nextPageToken": "|".join(key[start + size - 1])} if len(items) > start + size else {}
    return {**_list(kind, shown), **more}


def _when(item: dict[str, Any]) -> str:
    snippet = item["snippet"]
    return str(snippet.get("topLevelComment", item)["snippet"]["publishedAt"])


def _identity(item: dict[str, Any]) -> str:
    return str(item["id"]["videoId"] if isinstance(item["id"], dict) else item["id"])


def _z(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
