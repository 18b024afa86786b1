"""The Play Store's web page, as its own call answers."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from collectors.google_play_public import App, GooglePlayPublicSource, review_name, to_mention, told
from collectors.http import Answer
from escucha.brand import Query
from tests.collectors.fakes.upstream import Reading, Upstream, read_all

PACKAGE = "com.lumbre.app"


class GooglePlayPublicUpstream(Upstream):
    """Reviews ordered by their last change, the newest first; a token names the last review of the page before."""

    kind = GooglePlayPublicSource
    enough = 280
    redates = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text=f"es-mx {PACKAGE}")
        self.keys = {"accepted": "yes"}
        self.reviews: list[list[Any]] = []
        self.silent = False
        self.old_form = False
        """Whether answers have two parts, as in 2021, or three, as today."""

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number = f"gp:AOq{self.next_number():05d}"
            self.reviews.append(review(number, self.moment(together)))
            self.items.append(number)

    def edit(self, item: str, text: str) -> None:
        entry = next(entry for entry in self.reviews if entry[0] == item)
        entry[4], entry[5] = text, [int(self.moment().timestamp()), 0]

    def delete(self, item: str) -> None:
        self.reviews = [entry for entry in self.reviews if entry[0] != item]
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/_/PlayStoreUi/data/batchexecute"
        assert dict(request.url.params) == {"hl": "es", "gl": "mx"}
        [[[call, text, _, _]]] = json.loads(dict(parse_qsl(request.content.decode()))["f.req"])
        _, [_, sort, extent, *_], [package, _] = json.loads(text)
        assert (call, sort) == ("oCPfdb", 2)
        if package != PACKAGE or self.silent:
            return envelope(call, [])
        last = json.loads(extent[2]) if len(extent) > 2 else None
        newest = sorted(self.reviews, key=order, reverse=True)
        below = [entry for entry in newest if last is None or order(entry) < tuple(last)]
        page = below[: extent[0]]
        token = json.dumps(order(page[-1])) if len(below) > len(page) else None
        if self.mangled and page:
            page = [page[0], ["rota", None], *page[1:]]
        mark = [None, token] if token else []
        return envelope(call, [page, mark] if self.old_form else [page, None, mark, None])


def order(entry: list[Any]) -> tuple[int, str]:
    """Where a review stands in the listing."""
    return entry[5][0], entry[0]


def envelope(call: str, inner: Any) -> httpx.Response:
    """An answer as the page gets it."""
    rows = [["wrb.fr", call, json.dumps(inner), None, None, None, "generic"], ["di", 68], ["af.httprm", 67, "8", 1]]
    return httpx.Response(200, text=f")]}}'\n\n{json.dumps(rows)}")


def review(number: str, at: datetime) -> list[Any]:
    """A review as the page gets it: by positions."""
    text, written = f"El café de Lumbre, pedido {number}", [int(at.timestamp()), 316000000]
    return [number, ["Ana", [None, 2]], 4, None, text, written, 2, None, None, ["77", "Ana"], "8.1.2"]


def recorded(folder: Path) -> Reading:
    """The reviews of the recorded answer, of 2021."""
    reviews = []
    for file in sorted(folder.glob("google-play/recorded/batchexecute-reviews*.txt")):
        found, _ = told(Answer(url="https://play.google.com/", status=200, body=file.read_bytes()))
        reviews += found
    return read_all(reviews, lambda item: to_mention(item, App("com.twitter.android", "en", "us")), review_name)
