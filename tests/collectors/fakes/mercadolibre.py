"""Mercado Libre's reviews, questions and tokens."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from collectors.mercadolibre import MercadoLibreSource, item_name, question_to_mention, read_article, to_mention
from escucha.brand import Query
from escucha.mention import Mention
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

DEEPEST = 1_000


class MercadoLibreUpstream(Upstream):
    """Reviews in the order of their relevance, by offset; questions newest first; tokens that serve for a while."""

    kind = MercadoLibreSource
    enough = 120
    deepest = 900
    by = "number"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="MLM9000000001")
        self.keys = {"access_token": SECRET}
        self.reviews: list[dict[str, Any]] = []
        self.questions: list[dict[str, Any]] = []
        self.token = SECRET
        self.refresh_token = "TG-1"
        self.deepest = DEEPEST

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            if self.about_questions:
                self.items.append(f"question:{self.ask('¿Tienen el café Lumbre?', self.moment(together))}")
                continue
            number = 900_000_001 + len(self.reviews)
            self.reviews.append({
                "id": number, "reviewable_object": {"id": "MLM9000000001", "type": "product"}, "status": "published",
                "date_created": self.moment(together).isoformat(), "title": "Café Lumbre", "rate": 4, "likes": 2,
                "content": f"El café Lumbre {number} es bueno", "reviewer_id": 0, "relevance": number * 7919 % 100,
            })
            self.items.append(str(number))

    @property
    def about_questions(self) -> bool:
        return self.query.text.startswith("questions:")

    @property
    def editable(self) -> list[str]:
        return [] if self.about_questions else self.items

    def ask(self, text: str, at: datetime | None = None, **fields: Any) -> int:
        """A buyer asks; the question's number."""
        number = 11_000_000_001 + len(self.questions)
        self.questions.append({
            "id": number, "date_created": (at or self.moment()).isoformat(), "item_id": "MLB900000001",
            "status": "UNANSWERED", "seller_id": 555, "text": text, "deleted_from_listing": False, "hold": False,
            "suspected_spam": False, "answer": None, "from": {"id": 100000009}, **fields,
        })
        return number

    def edit(self, item: str, text: str) -> None:
        next(review for review in self.reviews if str(review["id"]) == item)["content"] = text

    def delete(self, item: str) -> None:
        self.items.remove(item)
        if item.startswith("question:"):
            next(asked for asked in self.questions if f"question:{asked['id']}" == item)["status"] = "DELETED"
        else:
            next(review for review in self.reviews if str(review["id"]) == item)["status"] = "hidden"

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return self._renewed(parse_qs(request.content.decode()))
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return httpx.Response(401, json={"message": "invalid access token", "error": "not_found", "status": 401})
        asked = request.url.params
        if int(asked["offset"]) >= self.deepest:
            return httpx.Response(400, json={"message": "offset", "error": "bad_request", "status": 400})
        if request.url.path == "/reviews/item/MLM9000000001":
            return self._reviews(int(asked["offset"]), int(asked["limit"]))
        if request.url.path == "/questions/search" and asked["seller_id"] == "555":
            return self._questions(int(asked["offset"]), int(asked["limit"]))
        return httpx.Response(404, json={"message": "not found", "status": 404})

    def _renewed(self, form: dict[str, list[str]]) -> httpx.Response:
        if form.get("grant_type") != ["refresh_token"] or form.get("refresh_token") != [self.refresh_token]:
            return httpx.Response(400, json={"error": "invalid_grant", "status": 400})
        number = int(self.refresh_token.partition("-")[2]) + 1
        self.token, self.refresh_token = f"APP_USR-{number}", f"TG-{number}"
        return httpx.Response(200, json={
            "access_token": self.token, "refresh_token": self.refresh_token, "expires_in": 21600, "user_id": 555,
        })

    def _reviews(self, offset: int, limit: int) -> httpx.Response:
        shown = [review for review in self.reviews if review["status"] == "published"]
        ordered = sorted(shown, key=lambda review: (-review["relevance"], review["id"]))
        found: list[Any] = ordered[offset : offset + limit]
        total = len(shown)
        if self.mangled and found:
            found = [{"id": 1, "rate": 9}, *found]
        return httpx.Response(200, json={"paging": {"total": total, "limit": limit}, "reviews": found})

    def _questions(self, offset: int, limit: int) -> httpx.Response:
        found = list(reversed(self.questions))[offset : offset + limit]
        return httpx.Response(200, json={"total": len(self.questions), "limit": limit, "questions": found})


def recorded(folder: Path) -> Reading:
    """The reviews and questions of the handmade answers."""
    home = folder / "mercadolibre" / "handmade"
    items = [
        *json.loads((home / "reviews-item.json").read_text("utf-8"))["reviews"],
        *json.loads((home / "questions-search.json").read_text("utf-8"))["questions"],
    ]

    def read(item: dict[str, Any]) -> Mention | None:
        if "item_id" in item:
            return question_to_mention(item)
        return to_mention(item, read_article(item["reviewable_object"]["id"]))

    return read_all(items, read, item_name, NOW)
