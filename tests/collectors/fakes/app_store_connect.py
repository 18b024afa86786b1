"""App Store Connect's reviews of one's own app."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from collectors.app_store_connect import BOUNDS, AppStoreConnectSource, review_name, to_mention
from escucha.brand import Query
from tests.collectors.fakes.upstream import SECRET, Reading, Upstream, read_all

APP = "123456789"


@cache
def private_key() -> ec.EllipticCurvePrivateKey:
    """The team's key."""
    return ec.generate_private_key(ec.SECP256R1())


def private_pem() -> str:
    """The same as its file holds it."""
    return private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class AppStoreConnectUpstream(Upstream):
    """Reviews ordered by their creation, the newest first; its marks of the next page hold a position."""

    kind = AppStoreConnectSource
    enough = 250
    by = "number"
    overlap = BOUNDS.overlap

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text=APP)
        self.keys = {"issuer_id": f"{SECRET}-team", "key_id": f"{SECRET}-key", "private_key": private_pem()}
        self.reviews: list[dict[str, Any]] = []
        self.apps = {APP}
        self._made = 0

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            self._made += 1
            number = f"00000028-b08c-0014-729e-{self._made:012d}"
            self.reviews.append(review(number, self.moment(together)))
            self.items.append(number)

    def edit(self, item: str, text: str) -> None:
        next(entry for entry in self.reviews if entry["id"] == item)["attributes"]["body"] = text

    def delete(self, item: str) -> None:
        self.reviews = [entry for entry in self.reviews if entry["id"] != item]
        self.items.remove(item)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if not signed(request, self.clock.now()):
            return failing(401, "NOT_AUTHORIZED")
        _, _, kind, number, *rest = request.url.path.split("/")
        if kind == "customerReviews":
            found = [entry for entry in self.reviews if entry["id"] == number]
            return httpx.Response(200, json={"data": found[0]}) if found else failing(404, "NOT_FOUND")
        if kind != "apps" or number not in self.apps or rest != ["customerReviews"]:
            return failing(404, "NOT_FOUND")
        return self._page(request.url.params)

    def _page(self, asked: httpx.QueryParams) -> httpx.Response:
        wanted = asked.get("filter[territory]", "").split(",") if asked.get("filter[territory]") else None
        found = [entry for entry in reversed(self.reviews)
                 if wanted is None or entry["attributes"]["territory"] in wanted]
        size, start = int(asked["limit"]), position(asked.get("cursor"))
        entries: list[Any] = found[start : start + size]
        if self.mangled and entries:
            entries = [entries[0], {"type": "customerReviews", "id": "rota", "attributes": None}, *entries[1:]]
        links = {"self": str(request_address(asked))}
        if start + size < len(found):
            mark = urlsafe_b64encode(str(start + size).encode()).decode().rstrip("=")
            links["next"] = f"https://api.appstoreconnect.apple.com/v1/apps/{APP}/customerReviews?cursor={mark}.BB"
        told = {"data": entries, "links": links, "meta": {"paging": {"total": len(found), "limit": size}}}
        return httpx.Response(200, json=told, headers={"X-Rate-Limit": "user-hour-lim:3500;user-hour-rem:3000;"})


def position(mark: str | None) -> int:
    """The position in a mark of the next page."""
    first = (mark or "").partition(".")[0]
    return int(urlsafe_b64decode(first + "=" * (-len(first) % 4))) if first else 0


def request_address(asked: httpx.QueryParams) -> httpx.URL:
    """The address that a page names as its own."""
    return httpx.URL(f"https://api.appstoreconnect.apple.com/v1/apps/{APP}/customerReviews", params=asked)


def signed(request: httpx.Request, now: datetime) -> bool:
    """Whether Apple would accept the signature."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        said = jwt.decode(token, private_key().public_key(), algorithms=["ES256"], audience="appstoreconnect-v1",
                          options={"verify_exp": False, "verify_iat": False})
        kid = jwt.get_unverified_header(token)["kid"]
    except jwt.PyJWTError:
        return False
    lasts, age = said["exp"] - said["iat"], now.timestamp() - said["iat"]
    return bool(said["iss"] == f"{SECRET}-team" and kid == f"{SECRET}-key" and 0 <= age < lasts <= 1200)


def failing(status: int, code: str) -> httpx.Response:
    """An error as Apple tells it."""
    return httpx.Response(status, json={"errors": [{"status": str(status), "code": code, "title": "x"}]})


def review(number: str, at: datetime, territory: str = "MEX") -> dict[str, Any]:
    """A review as Apple has it."""
    return {"type": "customerReviews", "id": number, "attributes": {
        "rating": 4, "title": "Café Lumbre", "body": f"Pedí mi café en Lumbre: {number}", "reviewerNickname": "ana",
        "createdDate": at.isoformat(), "territory": territory,
    }}  # fmt: skip


def recorded(folder: Path) -> Reading:
    """The handmade reviews; nothing was recorded of this source."""
    files = sorted(folder.glob("app-store/*/connect-customer-reviews*.json"))
    reviews = [review for file in files for review in json.loads(file.read_text("utf-8"))["data"]]
    return read_all(reviews, lambda item: to_mention(item, "1"), review_name)
