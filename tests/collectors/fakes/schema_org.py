"""A shop whose product page marks its reviews up, ten a page, and knows ETags."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from collectors.markup import read_markup
from collectors.review import items_of, review_name, to_mention
from collectors.rss import FirstSeen
from collectors.schema_org import SchemaOrgSource
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, Reading, Upstream, read_all

PAGE = "https://tienda.example/cafe"
SHOWN = 10


class SchemaOrgUpstream(Upstream):
    """Reviews in JSON-LD, newest first, with `rel="next"` to older ones."""

    kind = SchemaOrgSource
    enough = 35
    deepest = 400
    by = "number"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text=PAGE)
        self.reviews: list[dict[str, Any]] = []
        self.robots: str | None = "User-agent: *\nDisallow: /carrito\n"

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number = self.next_number() + 1
            self.reviews.append({
                "@type": "Review", "@id": f"#r{number}", "datePublished": self.moment(together).isoformat(),
                "author": {"@type": "Person", "name": "Ana"}, "reviewBody": f"El café Lumbre número {number}",
                "reviewRating": {"@type": "Rating", "ratingValue": "4"},
            })
            self.items.append(f"{PAGE}#r{number}")

    def edit(self, item: str, text: str) -> None:
        self._review(item)["reviewBody"] = text

    def delete(self, item: str) -> None:
        self.reviews.remove(self._review(item))
        self.items.remove(item)

    def _review(self, item: str) -> dict[str, Any]:
        return next(review for review in self.reviews if PAGE + review["@id"] == item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/robots.txt":
            return httpx.Response(404) if self.robots is None else httpx.Response(200, text=self.robots)
        number = int(request.url.params.get("pagina", 1))
        page = self._page(number)
        etag = f'"{sha256(page.encode()).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag:
            return httpx.Response(304, headers={"etag": etag})
        return httpx.Response(200, text=page, headers={"etag": etag, "content-type": "text/html; charset=utf-8"})

    def _page(self, number: int) -> str:
        newest = self.reviews[::-1]
        reviews = newest[(number - 1) * SHOWN : number * SHOWN]
        if self.mangled and reviews:
            reviews = [reviews[0], {"@type": "Review", "@id": "#rota", "reviewBody": ""}, *reviews[1:]]
        product = {"@context": "https://schema.org", "@type": "Product", "name": "Café molido", "review": reviews}
        following = f'<link rel="next" href="?pagina={number + 1}">' if number * SHOWN < len(newest) else ""
        return (
            f'<!doctype html><html lang="es-MX"><head>{following}<script type="application/ld+json">'
            f"{json.dumps(product)}</script></head><body></body></html>"
        )


def recorded(folder: Path) -> Reading:
    """The reviews in all recorded and handmade pages."""
    files = sorted(folder.glob("schema-org/*/*.html"))
    address = "https://sitio.example/pagina"
    items = [
        item for file in files for item in items_of(read_markup(file.read_bytes(), "text/html", address), address)
    ]
    first_seen = FirstSeen({}, NOW)
    return read_all(items, lambda item: to_mention(item, address, first_seen), review_name)
