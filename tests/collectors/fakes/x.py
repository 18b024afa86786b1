"""The X API v2: recent search, an account's mentions, posts by id, users and counts, under either set of names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from collectors.x import XSource
from collectors.x_post import FIRST_ID, item_name, to_mention, together
from escucha.brand import Query
from tests.collectors.fakes.reads import nested
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

BRAND = "4242"


class XUpstream(Upstream):
    """Posts newest first, a hundred a page at most; every edit has an id of its own. `names` is what it understands."""

    kind = XSource
    enough = 250

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre")
        self.keys = {"bearer_token": SECRET}
        self.names = "tweet"
        self.posts: list[dict[str, Any]] = []
        self.private: set[str] = set()
        self.sent = 0
        """Posts that were sent, and that X would charge."""

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            at = self.moment(together)
            number = identity_at(at, self.next_number())
            self.posts.append({
                "id": number, "text": f"El café Lumbre número {number} &amp; más",
                "author_id": f"9{len(self.posts) % 7}", "created_at": _z(at), "lang": "es",
                "public_metrics": {"like_count": 4, "reply_count": 1, "retweet_count": 2, "quote_count": 1,
                                   "impression_count": 80},
                "edit_history_tweet_ids": [number],
            })
            self.items.append(number)

    def edit(self, item: str, text: str) -> None:
        old = self._latest(item)
        at = self.moment()
        number = identity_at(at, self.next_number())
        self.posts.remove(old)
        history = [*old["edit_history_tweet_ids"], number]
        self.posts.append({**old, "id": number, "text": text, "created_at": _z(at), "edit_history_tweet_ids": history})

    def delete(self, item: str) -> None:
        self.posts.remove(self._latest(item))
        self.items.remove(item)

    def _latest(self, item: str) -> dict[str, Any]:
        return next(post for post in self.posts if item in post["edit_history_tweet_ids"])

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked, path = request.url.params, request.url.path
        if request.headers.get("Authorization") != f"Bearer {SECRET}":
            return problem(401, "about:blank")
        if path.startswith("/2/users/by/username/"):
            found = path.endswith("/lumbre")
            missing = {"errors": [{"title": "Not Found Error", "type": _type("resource-not-found")}]}
            return httpx.Response(200, json={"data": {"id": BRAND, "username": "lumbre"}} if found else missing)
        if path.endswith("/counts/recent"):
            return httpx.Response(200, json={"data": [{f"{self.names}_count": len(self.posts)},
                                                      {f"{self.names}_count": 1}], "meta": {}})
        if f"{self.names}.fields" not in asked:
            return problem(400, _type("invalid-request"))
        return httpx.Response(200, json=self._renamed(
            self._by_id(asked["ids"].split(",")) if path == "/2/tweets" else self._listed(asked)
        ))

    def _listed(self, asked: Mapping[str, str]) -> dict[str, Any]:
        token = asked.get("next_token") or asked.get("pagination_token")
        means = nested(asked.get("query", "lumbre"))
        shown: list[Any] = [
            post for post in sorted(self.posts, key=lambda post: int(post["id"]), reverse=True)
            if (said := to_mention({"post": post, "user": _user(post["author_id"])})) and means(said)
            and post["created_at"] >= asked["start_time"].replace("Z", ".000Z") and (not token or post["id"] < token)
        ]
        size = int(asked["max_results"])
        page, more = shown[:size], len(shown) > size
        users = [_user(number) for number in sorted({post["author_id"] for post in page})]
        meta = {"result_count": len(page), **({"next_token": page[-1]["id"]} if more else {})}
        self.sent += len(page)
        if self.mangled and page:
            page = [page[0], {"id": "rota"}, *page[1:]]
        return {"data": page, "includes": {"users": users}, "meta": meta} if page else {"meta": meta}

    def _by_id(self, wanted: Iterable[str]) -> dict[str, Any]:
        found, errors = [], []
        for number in wanted:
            posts = [post for post in self.posts if number in post["edit_history_tweet_ids"]]
            if posts and number not in self.private:
                found.append({**posts[0], "id": number})
                continue
            kind = "not-authorized-for-resource" if posts else "resource-not-found"
            errors.append({"resource_id": number, "value": number, "type": _type(kind)})
        self.sent += len(found)
        return {**({"data": found} if found else {}), **({"errors": errors} if errors else {})}

    def _renamed(self, answer: dict[str, Any]) -> Any:
        if self.names == "tweet":
            return answer
        said = json.dumps(answer).replace("edit_history_tweet_ids", "edit_history_post_ids")
        return json.loads(said.replace('"retweet_count"', '"repost_count"'))


def identity_at(at: datetime, number: int) -> str:
    """An id as X gives it: milliseconds, then a running number."""
    return str((round((at - FIRST_ID).total_seconds() * 1000) << 22) | number)


def problem(status: int, kind: str) -> httpx.Response:
    """An error as X tells it."""
    return httpx.Response(status, json={"title": "no", "detail": "no", "type": kind, "status": status})


def recorded(folder: Path) -> Reading:
    """The posts among the recordings and handmade answers, with their users where they came along."""
    items = [item for answer in _answers(folder / "x") for item in together(answer)]
    return read_all(items, to_mention, item_name, NOW)


def _answers(folder: Path) -> Iterable[dict[str, Any]]:
    for file in sorted(folder.glob("handmade/recent-search-*.json")):
        yield json.loads(file.read_text("utf-8"))
    for name in ("search_recent_tweets", "get_quote_tweets", "get_users_mentions"):
        told = json.loads((folder / "recorded" / f"tweepy-{name}.json").read_text("utf-8"))
        yield from (interaction["response"]["json"] for interaction in told["interactions"])
    files = [f"academictwitter-commtwitter-{name}_1399765322509557763.json" for name in ("data", "users")]
    posts, users = (json.loads((folder / "recorded" / file).read_text("utf-8")) for file in files)
    yield {"data": posts, "includes": users}


def _user(number: str) -> dict[str, Any]:
    return {"id": number, "name": f"Paula {number}", "username": f"paula{number}", "verified": False,
            "public_metrics": {"followers_count": 4120}}


def _type(kind: str) -> str:
    return f"https://api.x.com/2/problems/{kind}"


def _z(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
