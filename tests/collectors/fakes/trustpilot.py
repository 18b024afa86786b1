"""Trustpilot's companies and their public reviews."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from collectors.trustpilot import BOUNDS, TrustpilotSource, review_name, to_mention
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

UNIT = "5d0000000000000000000001"


class TrustpilotUpstream(Upstream):
    """Reviews newest first by page number; a page beyond the end is empty."""

    kind = TrustpilotSource
    enough = 220
    by = "number"
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre.example")
        self.keys = {"api_key": SECRET}
        self.reviews: list[dict[str, Any]] = []
        self.known = True

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number, at = f"65{self.next_number():022d}", self.moment(together)
            self.reviews.append({
                "id": number, "stars": 4, "title": "Café Lumbre", "text": f"El café Lumbre {number} es bueno.",
                "language": "es", "createdAt": at.isoformat(), "updatedAt": None, "isVerified": True,
                "consumer": {"id": "5c9", "displayName": "Carmen", "displayLocation": "Sevilla, España"},
                "businessUnit": {"id": UNIT, "identifyingName": "lumbre.example"}, "companyReply": None,
            })
            self.items.append(number)

    def find(self, item: str) -> dict[str, Any] | None:
        """The review as Trustpilot has it."""
        return next((review for review in self.reviews if review["id"] == item), None)

    def edit(self, item: str, text: str) -> None:
        review = self.find(item)
        assert review is not None
        review.update(text=text, updatedAt=self.clock.now().isoformat())

    def delete(self, item: str) -> None:
        self.reviews = [review for review in self.reviews if review["id"] != item]
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, asked = request.url.path, request.url.params
        if request.headers.get("apikey") != self.keys["api_key"]:
            return httpx.Response(401, json={"message": "Invalid ApiKey"})
        if path == "/v1/business-units/find":
            found = self.known and asked["name"] == "lumbre.example"
            return httpx.Response(200, json={"id": UNIT}) if found else httpx.Response(404, json={"message": "no"})
        if path.startswith("/v1/reviews/"):
            review = self.find(path.rpartition("/")[2])
            return httpx.Response(200, json=review) if review else httpx.Response(404, json={"message": "no"})
        if path != f"/v1/business-units/{UNIT}/reviews":
            return httpx.Response(404, json={"message": "no"})
        size, page = int(asked["perPage"]), int(asked["page"])
        shown = [review for review in reversed(self.reviews) if asked.get("language") in (None, review["language"])]
        reviews: list[Any] = shown[(page - 1) * size : page * size]
        if self.mangled and reviews:
            reviews = [reviews[0], {"id": "rota", "stars": 9}, *reviews[1:]]
        return httpx.Response(200, json={"links": [], "reviews": reviews})


def recorded(folder: Path) -> Reading:
    """The reviews of the handmade answers."""
    files = sorted(folder.glob("trustpilot/*/public-reviews*.json"))
    reviews = [review for file in files for review in json.loads(file.read_text("utf-8"))["reviews"]]
    return read_all(reviews, to_mention, review_name, NOW)
