"""Google's interface for the reviews of one's own app."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from collectors.google_play import WEEK, GooglePlaySource, review_name, to_mention, when
from escucha.brand import Query
from tests.collectors.fakes.google import complaint, is_signed, private_pem, sign_in
from tests.collectors.fakes.upstream import SECRET, Reading, Upstream, read_all

PACKAGE = "com.lumbre.app"


class GooglePlayUpstream(Upstream):
    """Reviews ordered by their last change, the newest first; a token names the last review of the page before."""

    kind = GooglePlaySource
    enough = 250
    redates = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text=PACKAGE)
        self.keys = {"service_account": json.dumps({
            "type": "service_account", "client_email": "lumbre@proyecto.example", "private_key_id": f"{SECRET}-id",
            "private_key": private_pem(),
        })}  # fmt: skip
        self.reviews: list[dict[str, Any]] = []

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number = f"gp:AOq{self.next_number():05d}"
            self.reviews.append(review(number, self.moment(together)))
            self.items.append(number)

    def edit(self, item: str, text: str) -> None:
        entry = next(entry for entry in self.reviews if entry["reviewId"] == item)
        said = entry["comments"][0]["userComment"]
        said |= {"text": text, "lastModified": stamp(self.moment())}

    def delete(self, item: str) -> None:
        self.reviews = [entry for entry in self.reviews if entry["reviewId"] != item]
        self.items.remove(item)

    @property
    def shown(self) -> list[str]:
        return [entry["reviewId"] for entry in self._of_the_week()]

    def _of_the_week(self) -> list[dict[str, Any]]:
        """The reviews that Google shows."""
        return [entry for entry in self.reviews if when(entry) >= self.clock.now() - WEEK]

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return sign_in(request, self.clock.now())
        if not is_signed(request):
            return complaint(401, "UNAUTHENTICATED")
        if request.url.path != f"/androidpublisher/v3/applications/{PACKAGE}/reviews":
            return complaint(404, "NOT_FOUND")
        size, last = int(request.url.params["maxResults"]), request.url.params.get("token")
        newest = sorted(self._of_the_week(), key=order, reverse=True)
        below = [entry for entry in newest if last is None or order(entry) < tuple(json.loads(last))]
        page: list[Any] = below[:size]
        told: dict[str, Any] = {}
        if len(below) > size:
            told["tokenPagination"] = {"nextPageToken": json.dumps(order(page[-1]))}
        if self.mangled and page:
            page = [page[0], {"reviewId": "rota", "comments": []}, *page[1:]]
        return httpx.Response(200, json={**told, "reviews": page} if page else told)


def order(entry: dict[str, Any]) -> tuple[int, str]:
    """Where a review stands in the listing."""
    return int(when(entry).timestamp()), entry["reviewId"]


def stamp(at: datetime) -> dict[str, Any]:
    """A moment as Google writes it: the seconds are text."""
    return {"seconds": str(int(at.timestamp())), "nanos": 0}


def review(number: str, at: datetime) -> dict[str, Any]:
    """A review as Google has it."""
    said = {
        "text": f"\tEl café de Lumbre, pedido {number}", "lastModified": stamp(at), "starRating": 4,
        "reviewerLanguage": "es_MX", "thumbsUpCount": 2,
    }
    return {"reviewId": number, "authorName": "Ana", "comments": [{"userComment": said}]}


def recorded(folder: Path) -> Reading:
    """The handmade reviews; nothing was recorded of this source."""
    files = sorted(folder.glob("google-play/*/reviews-list-official*.json"))
    reviews = [review for file in files for review in json.loads(file.read_text("utf-8"))["reviews"]]
    return read_all(reviews, lambda item: to_mention(item, PACKAGE), review_name)
