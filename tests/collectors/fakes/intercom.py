"""Intercom's search over conversations, and the conversations themselves."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import httpx

from collectors.intercom import IntercomSource, conversation_name, ready, to_mention
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all

DAY = 86_400


class IntercomUpstream(Upstream):
    """Conversations by their last change, newest first; a mark holds the change and id after which a page begins."""

    kind = IntercomSource
    enough = 120

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="all")
        self.keys = {"access_token": SECRET}
        self.conversations: list[dict[str, Any]] = []

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number, at = 515 + self.next_number(), int(self.moment(together).timestamp())
            self.conversations.append({
                "type": "conversation", "id": str(number), "title": None, "created_at": at, "updated_at": at,
                "state": "open", "conversation_rating": None,
                "source": {
                    "type": "whatsapp", "subject": "", "redacted": False, "url": "https://lumbre.example/?t=rosa",
                    "body": f"<p>Hola, mi café Lumbre {number} no llega. rosa@example.com</p>",
                    "author": {"type": "user", "id": "u1", "name": "Rosa", "email": "rosa@example.com"},
                },
            })
            self.items.append(str(number))

    def edit(self, item: str, text: str) -> None:
        self.find(item)["source"]["body"] = text
        self.touch(item)

    def delete(self, item: str) -> None:
        self.conversations.remove(self.find(item))
        self.items.remove(item)

    def find(self, item: str) -> dict[str, Any]:
        """The conversation as Intercom has it."""
        return next(entry for entry in self.conversations if entry["id"] == item)

    def touch(self, item: str) -> None:
        """The conversation changes now."""
        self.find(item)["updated_at"] = int(self.moment().timestamp())

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return self._one(request.url.path.rpartition("/")[2])
        asked = json.loads(request.content)
        (filtered,) = asked["query"]["value"]
        since = filtered["value"] // DAY * DAY  # whole days
        pagination = asked["pagination"]
        ordered = sorted(
            (entry for entry in self.conversations if entry["updated_at"] > since), key=_order, reverse=True
        )
        token = pagination.get("starting_after")
        after = json.loads(b64decode(token)) if token else [2**40, 0]
        left = [entry for entry in ordered if _order(entry) < after]
        found: list[Any] = left[: pagination["per_page"]]
        following = None
        if len(left) > len(found):
            following = {"starting_after": b64encode(json.dumps(_order(found[-1])).encode()).decode()}
        if self.mangled and found:
            found = [found[0], {"id": "rota", "source": {"body": "rota@example.com"}}, *found[1:]]
        return httpx.Response(200, json={
            "type": "conversation.list", "pages": {"type": "pages", "next": following}, "conversations": found,
        })

    def _one(self, item: str) -> httpx.Response:
        found = [entry for entry in self.conversations if entry["id"] == item]
        if not found:
            error = {"code": "not_found", "message": "Resource Not Found"}
            return httpx.Response(404, json={"type": "error.list", "errors": [error]})
        return httpx.Response(200, json=found[0])


def _order(entry: dict[str, Any]) -> list[int]:
    return [entry["updated_at"], int(entry["id"])]


def recorded(folder: Path) -> Reading:
    """The conversations of the handmade search."""
    items = []
    for file in sorted(folder.glob("intercom/*/conversations-search*.json")):
        items += [ready(item) for item in json.loads(file.read_text("utf-8"))["conversations"]]
    return read_all(items, to_mention, conversation_name, NOW)
