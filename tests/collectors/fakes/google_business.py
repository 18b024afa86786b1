"""Google's Business Profile APIs: an account with two places and their reviews."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from collectors.google_business import GoogleBusinessSource, review_name, to_mention
from escucha.brand import Query
from tests.collectors.fakes.google import CONSENT, complaint, is_signed, sign_in
from tests.collectors.fakes.upstream import Reading, Upstream, read_all

PLACES = {"2": "Lumbre Centro", "3": "Lumbre Norte"}


class GoogleBusinessUpstream(Upstream):
    """Reviews ordered by their last change, the newest first; page tokens are mere positions."""

    kind = GoogleBusinessSource
    enough = 240
    by = "number"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="accounts/1")
        self.keys = dict(CONSENT)
        self.reviews: dict[str, list[dict[str, Any]]] = {place: [] for place in PLACES}
        self.lost_places: set[str] = set()
        self._made = 0

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self._made += 1
            place, number = ("2", "3")[self._made % 2], f"r{self._made}"
            self.reviews[place].append(review(place, number, self.moment(together)))
            self.items.append(number)

    def edit(self, item: str, text: str) -> None:
        for listed in self.reviews.values():
            for entry in [entry for entry in listed if entry["reviewId"] == item]:
                listed.remove(entry)
                listed.append({**entry, "comment": text, "updateTime": self.moment().isoformat()})

    def delete(self, item: str) -> None:
        for place, listed in self.reviews.items():
            self.reviews[place] = [entry for entry in listed if entry["reviewId"] != item]
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/token":
            return sign_in(request, self.clock.now())
        if not is_signed(request):
            return complaint(401, "UNAUTHENTICATED")
        if path == "/v1/accounts/1/locations":
            listed = [{"name": f"locations/{place}", "title": title} for place, title in PLACES.items()]
            hidden = {"name": "locations/9", "title": "Sin verificar", "metadata": {"hasVoiceOfMerchant": False}}
            return httpx.Response(200, json={"locations": [*listed, hidden]})
        if named := re.fullmatch(r"/v1/locations/(\d+)", path):
            return httpx.Response(200, json={"name": path[4:], "title": PLACES[named[1]]})
        asked = re.fullmatch(r"/v4/accounts/1/locations/(\d+)/reviews(?:/(\w+))?", path)
        if asked is None or asked[1] not in PLACES or asked[1] in self.lost_places:
            return complaint(404, "NOT_FOUND")
        return self._one(asked[1], asked[2]) if asked[2] else self._page(asked[1], request.url.params)

    def _one(self, place: str, number: str) -> httpx.Response:
        found = [entry for entry in self.reviews[place] if entry["reviewId"] == number]
        return httpx.Response(200, json=found[0]) if found else complaint(404, "NOT_FOUND")

    def _page(self, place: str, asked: httpx.QueryParams) -> httpx.Response:
        size, start = int(asked["pageSize"]), int(asked.get("pageToken", 0))
        newest = list(reversed(self.reviews[place]))
        entries: list[Any] = newest[start : start + size]
        if self.mangled and entries:
            entries = [entries[0], {"reviewId": "rota", "updateTime": None}, *entries[1:]]
        told: dict[str, Any] = {"reviews": entries, "averageRating": 4.0, "totalReviewCount": len(newest)}
        if start + size < len(newest):
            told["nextPageToken"] = str(start + size)
        return httpx.Response(200, json=told)


def review(place: str, number: str, at: datetime) -> dict[str, Any]:
    """A review as Google has it."""
    return {
        "name": f"accounts/1/locations/{place}/reviews/{number}", "reviewId": number, "starRating": "FOUR",
        "reviewer": {"displayName": "Ana", "isAnonymous": False}, "comment": f"El café de Lumbre, visita {number}",
        "createTime": at.isoformat(), "updateTime": at.isoformat(),
    }


def recorded(folder: Path) -> Reading:
    """The handmade reviews; nothing was recorded of this source."""
    files = sorted(folder.glob("google-business/*/reviews-list*.json"))
    reviews = [(None, review) for file in files for review in json.loads(file.read_text("utf-8"))["reviews"]]
    return read_all(reviews, to_mention, review_name)
