"""Reddit, behind praw; and its public feeds, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import httpx
import requests

from collectors.feed import read_feed
from collectors.reddit import BOUNDS, RedditSource
from collectors.reddit_post import entry_of, item_name, read_child, read_entry
from escucha.brand import Query
from tests.collectors.fakes.upstream import DATA, SECRET, Reading, Upstream, read_all

SHOWN = 1000
"""Items of a listing that Reddit shows at most."""


class RedditUpstream(Upstream):
    """Reddit behind a requests session, as praw asks for one; `feeds()` are its feeds, for those without an app."""

    kind = RedditSource
    enough = 250
    deepest = 950
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="r/mexico: cafés lumbre")
        self.keys = {"client_id": "app-lumbre", "client_secret": SECRET}
        self.posts: list[dict[str, Any]] = []
        self.deleted: list[dict[str, Any]] = []
        self.template = json.loads((DATA / "reddit-post.json").read_text("utf-8"))
        self.headers: dict[str, str] = {}
        self.limits: dict[str, str] = {}
        self.asked: list[str] = []
        self.params: list[Mapping[str, Any]] = []

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            post = deepcopy(self.template)
            name = f"t3_{len(self.posts) + len(self.deleted)}"
            post["data"] |= {"name": name, "created_utc": self.moment(together).timestamp()}
            self.posts.append(post)
            self.items.append(name)

    def edit(self, item: str, text: str) -> None:
        self.post(item)["data"] |= {"selftext": text, "edited": self.clock.now().timestamp()}

    def delete(self, item: str) -> None:
        post = self.post(item)
        self.posts.remove(post)
        left = {"author": "[deleted]", "selftext": "[deleted]", "removed_by_category": "deleted"}
        self.deleted.append({"kind": post["kind"], "data": {**post["data"], **left}})
        self.items.remove(item)

    def post(self, item: str) -> dict[str, Any]:
        """The item as the API tells it."""
        return next(post for post in self.posts if post["data"]["name"] == item)

    def source(self) -> RedditSource:
        return RedditSource(web=self.web, keys=self.keys, session=self, transport=self.transport(), clock=self.clock)

    def feeds(self) -> RedditSource:
        """The source without an app, which reads the feeds."""
        return RedditSource(web=self.web, keys={}, transport=self.transport(), clock=self.clock)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Answer as Reddit's two hosts do; this object is the session."""
        self.asked.append(url)
        self.params.append(options.get("params") or {})
        if url.endswith("/api/v1/access_token"):
            if self.failure and self.failure[0] == 401:
                return _response(url, *self.failure, {"message": "Unauthorized", "error": 401})
            token = {"access_token": f"t-{SECRET}", "expires_in": 3600, "scope": "*", "token_type": "bearer"}
            return _response(url, 200, {}, token)
        if self.failure:
            return _response(url, *self.failure, "<html>no</html>")
        if url.endswith("/api/info"):
            return _response(url, 200, self.limits, self._info(options["params"]["id"].split(",")))
        return _response(url, 200, self.limits, self._listing(options["params"].get("after")))

    def _info(self, names: list[str]) -> dict[str, Any]:
        found = [post for post in [*self.posts, *self.deleted] if post["data"]["name"] in names]
        return {"kind": "Listing", "data": {"after": None, "children": found}}

    def _page(self, after: str | None) -> tuple[list[dict[str, Any]], bool]:
        newest_first = list(reversed(self.posts))[:SHOWN]
        start = sum(1 for post in newest_first if after and _number(post["data"]["name"]) >= _number(after))
        return newest_first[start : start + 100], start + 100 < len(newest_first)

    def _listing(self, after: str | None) -> dict[str, Any]:
        page, more = self._page(after)
        following = page[-1]["data"]["name"] if more else None
        broken: list[Any] = [{"kind": "t3", "data": {"name": "t3_rota"}}, None] if self.mangled and not after else []
        return {"kind": "Listing", "data": {"after": following, "children": [*broken, *page]}}

    def answer(self, request: httpx.Request) -> httpx.Response:
        page, _ = self._page(request.url.params.get("after"))
        body = "".join(_entry(post["data"]) for post in page)
        feed = f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">{body}</feed>'
        return httpx.Response(200, text=feed, headers={"content-type": "application/atom+xml; charset=UTF-8"})

    def close(self) -> None:
        """Part of a session."""


def _number(name: str) -> int:
    """Which item of all that ever were it is: what follows one that is gone is known too."""
    return int(name.removeprefix("t3_"))


def _entry(post: dict[str, Any]) -> str:
    """An entry of Reddit's feeds."""
    author, url = post["author"], f"https://www.reddit.com{post['permalink']}"
    at = datetime.fromtimestamp(post["created_utc"], UTC).isoformat()
    html = (
        f'<!-- SC_OFF --><div class="md"><p>{escape(post["selftext"])}</p></div><!-- SC_ON --> &#32; submitted by '
        f'&#32; <a href="https://www.reddit.com/user/{author}"> /u/{author} </a> <br/> <span><a href="{url}">[link]</a>'
        f'</span> &#32; <span><a href="{url}">[comments]</a></span>'
    )
    return (
        f"<entry><author><name>/u/{author}</name><uri>https://www.reddit.com/user/{author}</uri></author>"
        f'<category term="mexico" label="r/mexico"/><content type="html">{escape(html)}</content>'
        f'<id>{post["name"]}</id><link href="{url}" /><updated>{at}</updated><published>{at}</published>'
        f"<title>{escape(post['title'])}</title></entry>"
    )


def _response(url: str, status: int, headers: dict[str, str], body: Any) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.url = url
    response.headers.update(headers)
    response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    return response


def recorded(folder: Path) -> Reading:
    """The posts and comments of all recorded listings (subreddits among them are no items), and those of the feed."""
    children: list[Any] = []
    for file in sorted(folder.glob("reddit/recorded/*.json")):
        told = json.loads(file.read_text("utf-8"))
        answers = [call["response"].get("json") for call in told.get("interactions", [])] or [told]
        listings = [answer for answer in answers if isinstance(answer, dict) and answer.get("kind") == "Listing"]
        children += [child for listing in listings for child in listing["data"]["children"] if child["kind"] != "t5"]
    feed = read_feed((folder / "reddit/recorded/reddit-atom.atom").read_bytes(), "https://www.reddit.com/.rss", "")
    items = [*children, *(entry_of(feed, entry) for entry in feed.entries)]
    return read_all(items, lambda item: read_child(item) if "data" in item else read_entry(item), item_name)
