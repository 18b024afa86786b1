"""GitHub's REST API, and what of its GraphQL API concerns discussions."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from collectors.github import SEARCH_BOUNDS, GitHubSource, issue_name, read_comment, read_discussion, read_issue
from escucha.brand import Query
from tests.collectors.fakes.upstream import SECRET, Reading, Upstream, read_all

SHOWN = 1000
"""Results of one search that GitHub shows."""
REPO = "lumbre/lumbre-app"


class GitHubUpstream(Upstream):
    """A search over issues by when they were made, and one repository by when something changed."""

    kind = GitHubSource
    enough = 250
    by = "time"
    overlap = SEARCH_BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text='"café lumbre"')
        self.keys = {"token": SECRET}
        self.issues: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.discussions: list[dict[str, Any]] = []
        self.gone: set[int] = set()
        self.unfinished = 0
        self.number = 0

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self.number += 1
            at = text_of(self.moment(together))
            self.issues.append({
                "id": 90_000 + self.number, "node_id": f"I_{self.number}", "number": self.number,
                "title": "Café Lumbre no abre", "body": f"La app del café Lumbre, número {self.number}",
                "html_url": f"https://github.com/{REPO}/issues/{self.number}", "state": "open", "comments": 2,
                "created_at": at, "updated_at": at, "user": user(), "reactions": {"total_count": 3},
                "author_association": "NONE",
            })  # fmt: skip
            self.items.append(f"I_{self.number}")

    def add_comment(self, **other: Any) -> dict[str, Any]:
        """A comment on the first issue."""
        self.number += 1
        at = text_of(self.moment())
        self.comments.append({
            "id": 500 + self.number, "node_id": f"IC_{self.number}", "body": "A mí tampoco me abre Lumbre",
            "html_url": f"https://github.com/{REPO}/issues/1#issuecomment-{500 + self.number}", "user": user(),
            "issue_url": f"https://api.github.com/repos/{REPO}/issues/1", "created_at": at, "updated_at": at,
            "author_association": "NONE", **other,
        })  # fmt: skip
        return self.comments[-1]

    def add_discussion(self) -> dict[str, Any]:
        """A discussion in the repository."""
        self.number += 1
        at = text_of(self.moment())
        self.discussions.append({
            "id": f"D_{self.number}", "number": self.number, "title": "¿Café Lumbre en Perú?", "body": "Ojalá",
            "url": f"https://github.com/{REPO}/discussions/{self.number}", "createdAt": at, "updatedAt": at,
            "lastEditedAt": None, "upvoteCount": 4, "category": {"name": "Ideas"}, "comments": {"totalCount": 1},
            "reactions": {"totalCount": 0},
            "author": {"__typename": "User", "login": "lupe", "url": "https://github.com/lupe", "databaseId": 7},
        })  # fmt: skip
        return self.discussions[-1]

    def edit(self, item: str, text: str) -> None:
        issue = next(issue for issue in self.issues if issue["node_id"] == item)
        issue.update(body=text, updated_at=text_of(self.clock.now()))

    def delete(self, item: str) -> None:
        issue = next(issue for issue in self.issues if issue["node_id"] == item)
        self.issues.remove(issue)
        self.gone.add(issue["number"])
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/search/issues":
            return self._search(request.url.params)
        if path == "/graphql":
            return self._graph(json.loads(request.content)["variables"])
        if path.startswith("/users/"):
            return self._user(path.removeprefix("/users/"))
        rest = path.removeprefix(f"/repos/{REPO}")
        if rest == "/issues/comments":
            return self._listed(self.comments, request.url.params)
        if rest == "/issues":
            return self._listed(self.issues, request.url.params)
        return self._one(rest)

    def _search(self, asked: httpx.QueryParams) -> httpx.Response:
        bounds = re.search(r"created:(?:>=(\S+)|(\S+?)\.\.(\S+))", asked["q"])
        assert bounds is not None
        since, until = bounds[1] or bounds[2], bounds[3] or "9999"
        found = [issue for issue in reversed(self.issues) if since <= issue["created_at"] <= until]
        size, page = int(asked["per_page"]), int(asked["page"])
        if page * size > SHOWN:
            return httpx.Response(422, json={"message": "Only the first 1000 search results are available"})
        items: list[Any] = found[(page - 1) * size : page * size]
        if self.mangled and items:
            items = [{"number": 0, "user": None, "title": None}, *items]
        unfinished = self.unfinished > 0
        self.unfinished -= 1
        return httpx.Response(
            200, json={"total_count": len(found), "incomplete_results": unfinished, "items": items}
        )

    def _listed(self, items: list[dict[str, Any]], asked: httpx.QueryParams) -> httpx.Response:
        found = sorted((one for one in items if one["updated_at"] >= asked["since"]), key=lambda one: one["updated_at"])
        size, page = int(asked["per_page"]), int(asked["page"])
        return httpx.Response(200, json=found[(page - 1) * size : page * size])

    def _graph(self, variables: dict[str, Any]) -> httpx.Response:
        newest_first = sorted(self.discussions, key=lambda one: one["updatedAt"], reverse=True)
        start = int(variables["after"] or 0)
        page = {"hasNextPage": start + 50 < len(newest_first), "endCursor": str(start + 50)}
        listing = {"nodes": newest_first[start : start + 50], "pageInfo": page}
        return httpx.Response(200, json={"data": {"repository": {"discussions": listing}}})

    def _one(self, rest: str) -> httpx.Response:
        number = int(rest.rpartition("/")[2] or 0)
        if not rest:
            return httpx.Response(200, json={"full_name": REPO})
        if number in self.gone:
            return httpx.Response(410, json={"message": "This issue was deleted"})
        known = {issue["number"] for issue in self.issues} | {comment["id"] for comment in self.comments}
        return httpx.Response(200, json={"number": number}) if number in known else missing()

    def _user(self, login: str) -> httpx.Response:
        return httpx.Response(200, json={"id": 7, "login": login, "name": "Lupe", "followers": 321})


def user() -> dict[str, Any]:
    """An account as the API shows it beside what it wrote."""
    return {"login": "lupe", "id": 7, "type": "User", "html_url": "https://github.com/lupe"}


def missing() -> httpx.Response:
    """The answer for what is not there."""
    return httpx.Response(404, json={"message": "Not Found"})


def text_of(moment: datetime) -> str:
    """A moment as GitHub writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def recorded(folder: Path) -> Reading:
    """The issues, comments and discussions among the recordings, of 2012 to 2024."""
    items: list[Any] = []
    for file in sorted(folder.glob("github/recorded/*.json")):
        told = json.loads(file.read_text("utf-8"))
        calls = told.get("interactions", []) if isinstance(told, dict) else [{"response": {"json": told}}]
        for body in [call["response"].get("json") for call in calls]:
            if isinstance(body, list):
                items += body
            elif "data" in body:
                items += body["data"]["repository"]["discussions"]["nodes"]
    return read_all(items, _read, issue_name)


def _read(item: Any) -> Any:
    if "created_at" not in item:
        return read_discussion(item)
    return read_issue(item) if "title" in item else read_comment(item)
