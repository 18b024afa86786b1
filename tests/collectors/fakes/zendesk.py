"""Zendesk's incremental export, from which deleted tickets are heard too."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from collectors.zendesk import ZendeskSource, ready, ticket_name, to_mention
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all


class ZendeskUpstream(Upstream):
    """Changes in their order, at most 100 an answer; a mark says after which change it ended."""

    kind = ZendeskSource
    enough = 250
    tells_deletions = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre.zendesk.com")
        self.keys = {"email": "admin@lumbre.example", "token": SECRET}
        self.changes: list[dict[str, Any]] = []
        self.user: dict[str, Any] = {"id": 77, "name": "Rosa Díaz", "email": "rosa@example.com", "role": "end-user"}

    def add(self, count: int, together: bool = False) -> None:
        for _ in range(count):
            number, at = 1000 + self._numbered(), self.moment(together)
            self.changes.append({
                "url": f"https://lumbre.zendesk.com/api/v2/tickets/{number}.json", "id": number, "status": "new",
                "subject": "Café Lumbre", "description": f"El café Lumbre {number} no llegó. rosa@example.com",
                "created_at": at.isoformat(), "updated_at": at.isoformat(), "requester_id": 77, "tags": ["envíos"],
                "via": {"channel": "email", "source": {"from": {"address": "rosa@example.com", "name": "Rosa"}}},
                "satisfaction_rating": {"score": "unoffered"}, "generated_timestamp": int(at.timestamp()),
            })
            self.items.append(str(number))

    def _numbered(self) -> int:
        return len({ticket["id"] for ticket in self.changes})

    def edit(self, item: str, text: str) -> None:
        self.change(item, description=text)

    def delete(self, item: str) -> None:
        self.change(item, status="deleted")
        self.items.remove(item)

    def change(self, item: str, **fields: Any) -> None:
        """The ticket changes: it is exported once more, last, and no longer where it stood."""
        old = next(ticket for ticket in self.changes if str(ticket["id"]) == item and not ticket.get("moved"))
        at = self.moment() + timedelta(seconds=1)
        place = self.changes.index(old)
        self.changes[place] = {"moved": True, "id": old["id"], "generated_timestamp": old["generated_timestamp"]}
        self.changes.append({**old, **fields, "generated_timestamp": int(at.timestamp())})

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        if request.url.path != "/api/v2/incremental/tickets/cursor.json":
            return httpx.Response(404, json={"error": "InvalidEndpoint"})
        if "cursor" in asked:
            start = int(b64decode(asked["cursor"]).decode())
        else:
            since = int(asked["start_time"])
            if since > self.clock.now().timestamp() - 60:
                return httpx.Response(422, json={"error": "StartTimeTooRecent"})
            start = next(
                (n for n, ticket in enumerate(self.changes) if ticket["generated_timestamp"] >= since),
                len(self.changes),
            )
        end = min(start + int(asked["per_page"]), len(self.changes))
        tickets: list[Any] = [ticket for ticket in self.changes[start:end] if not ticket.get("moved")]
        if self.mangled and tickets:
            tickets = [tickets[0], {"id": "rota", "description": "de rota@example.com"}, *tickets[1:]]
        users = [self.user] if asked.get("include") == "users" else []
        return httpx.Response(200, json={
            "tickets": tickets, "users": users, "after_cursor": b64encode(str(end).encode()).decode(),
            "end_of_stream": end == len(self.changes),
        })


def recorded(folder: Path) -> Reading:
    """The tickets of all recorded listings and exports."""
    tickets = []
    for file in sorted(folder.glob("zendesk/*/*.json")):
        for interaction in json.loads(file.read_text("utf-8"))["interactions"]:
            tickets += ready({"tickets": interaction["response"]["json"].get("tickets") or []})
    return read_all(tickets, to_mention, ticket_name, NOW)
