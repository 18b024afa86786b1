"""The API of Stack Exchange."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from collectors.stackexchange import BOUNDS, StackExchangeSource
from escucha.brand import Query
from tests.collectors.fakes.upstream import SECRET, Upstream


class StackExchangeUpstream(Upstream):
    """Questions of a site by when they were asked, bounded by fromdate and todate (included), 100 a page."""

    kind = StackExchangeSource
    enough = 250
    by = "time"
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="es.stackoverflow: lumbre")
        self.keys = {"key": SECRET}
        self.questions: list[dict[str, Any]] = []
        self.extra: dict[str, Any] = {}
        self.number = 600_000

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self.number += 1
            at = int(self.moment(together).timestamp())
            self.questions.append({
                "question_id": self.number, "title": "Caf&#233; Lumbre", "creation_date": at, "last_activity_date": at,
                "body": f"<p>La API del café Lumbre n&#250;mero {self.number}</p>", "tags": ["api"], "score": 2,
                "answer_count": 1, "view_count": 40, "is_answered": True,
                "link": f"https://es.stackoverflow.com/questions/{self.number}/cafe-lumbre",
                "owner": {"user_id": 7, "display_name": "Lupe &amp; Cía", "reputation": 120,
                          "user_type": "registered", "link": "https://es.stackoverflow.com/users/7/lupe"},
            })  # fmt: skip
            self.items.append(f"es.stackoverflow:{self.number}")

    def edit(self, item: str, text: str) -> None:
        question = self.question(item)
        question |= {"body": f"<p>{text}</p>", "last_edit_date": question["creation_date"] + 60}

    def delete(self, item: str) -> None:
        self.questions.remove(self.question(item))
        self.items.remove(item)

    def question(self, item: str) -> dict[str, Any]:
        """The question of that id."""
        return next(one for one in self.questions if f"es.stackoverflow:{one['question_id']}" == item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked, path = request.url.params, request.url.path
        if path.startswith("/2.3/questions/"):
            numbers = path.rpartition("/")[2].split(";")
            found = [one for one in self.questions if str(one["question_id"]) in numbers]
            return self._wrapped(found, more=False)
        newest_first = [
            one for one in reversed(self.questions)
            if int(asked["fromdate"]) <= one["creation_date"] <= int(asked.get("todate", 10**12))
        ]
        size, page = int(asked["pagesize"]), int(asked["page"])
        items: list[Any] = newest_first[(page - 1) * size : page * size]
        more = page * size < len(newest_first)
        if self.mangled and items:
            items = [items[0], {"question_id": 1, "title": None}, *items[1:]]
        return self._wrapped(items, more)

    def _wrapped(self, items: list[Any], more: bool) -> httpx.Response:
        return httpx.Response(
            200, json={"items": items, "has_more": more, "quota_max": 10000, "quota_remaining": 9989, **self.extra}
        )
