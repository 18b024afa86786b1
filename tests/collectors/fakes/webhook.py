"""A tool that delivers what it has to a hook, signed, and delivers again what changed or was deleted."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from collectors.bookmark import bookmark, notes_of
from collectors.webhook import WebhookSource
from escucha.brand import Query
from escucha.source import Cursor, Delivery, Page
from tests.collectors.fakes.upstream import NOW, SECRET, WEB, Reading, Upstream

BATCH = 25
"""Items of one delivery."""


def hmac_of(secret: bytes, *parts: bytes) -> bytes:
    return hmac.new(secret, b"".join(parts), sha256).digest()


def delivery(
    body: Any, secret: str = SECRET, identity: str = "msg_1", at: datetime = NOW, signed_at: datetime | None = None,
    **headers: str,
) -> Delivery:
    """A delivery as Standard Webhooks signs it, at `at`; a body that is not bytes is sent as JSON."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = str(int((signed_at or at).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    made = base64.b64encode(hmac_of(key, f"{identity}.{stamp}.".encode(), sent)).decode()
    told = {"webhook-id": identity, "webhook-timestamp": stamp, "webhook-signature": f"v1,{made}",
            "content-type": "application/json"}
    return Delivery(headers=told | {name.replace("_", "-"): value for name, value in headers.items()}, body=sent, at=at)


class Deliveries:
    """The hook with its sender: each page is a delivery, checked and read as the door has it done."""

    facts = WebhookSource.facts

    def __init__(self, upstream: WebhookUpstream) -> None:
        self._upstream = upstream
        self._source = WebhookSource(web=WEB, keys=upstream.keys)

    def pages(self, query: Query, cursor: Cursor | None) -> Iterator[Page]:
        sent = notes_of(query, cursor).get("sent", 0)
        while sent < len(self._upstream.log):
            items: list[Any] = self._upstream.log[sent : sent + BATCH]
            sent += len(items)
            broken = [{"source_id": "rota", "text": {"html": "Lumbre"}}] if self._upstream.mangled else []
            body, now = {"mentions": [*broken, *items]}, self._upstream.clock.now()
            page = self._source.receive(query, delivery(body, identity=f"msg_{sent}", at=now))
            yield replace(page, cursor=bookmark(query, sent=sent))


class WebhookUpstream(Upstream):
    """Reviews of a shop, in our own form."""

    kind = WebhookSource
    enough = 60
    tells_deletions = True
    is_log = True
    over_http = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="generic")
        self.keys = {"secret": SECRET}
        self.log: list[Mapping[str, Any]] = []

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number, at = f"r-{len(self.log)}", self.moment(together).isoformat()
            self.log.append({
                "source_id": number, "text": f"El café Lumbre {number}", "created_at": at,
                "author": {"id": "ana", "name": "Ana", "followers": 12}, "rating": 4,
            })
            self.items.append(number)

    def edit(self, item: str, text: str) -> None:
        first = next(event for event in self.log if event["source_id"] == item)
        self.log.append({**first, "text": text, "edited_at": (self.clock.now() - timedelta(minutes=1)).isoformat()})

    def delete(self, item: str) -> None:
        self.log.append({"source_id": item, "deleted": True})
        self.items.remove(item)

    def source(self) -> Deliveries:
        return Deliveries(self)


def handmade(folder: Path) -> Delivery:
    """The signed delivery of Typeform that was made by hand."""
    here = folder / "surveys" / "handmade"
    told = json.loads((here / "typeform-webhook.headers.json").read_text("utf-8"))
    headers = {name.lower(): value for name, value in told.items() if name != "note"}
    return Delivery(headers=headers, body=(here / "typeform-webhook.body.json").read_bytes(), at=NOW)


def recorded(folder: Path) -> Reading:
    """The written answers of the delivery of Typeform."""
    sent = handmade(folder)
    page = WebhookSource(web=WEB, keys={"secret": "handmade-secret"}).receive(Query(text="typeform"), sent)
    answers = json.loads(sent.body)["form_response"]["answers"]
    written = [answer for answer in answers if answer["field"]["type"] in ("long_text", "short_text")]
    return Reading(items=len(written), mentions=page.mentions, refusals=page.refusals, passed=page.passed)
