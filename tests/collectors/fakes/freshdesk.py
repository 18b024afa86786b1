"""Freshdesk's listings: tickets by their last change, those deleted or spam apart, and ratings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from collectors.freshdesk import DEEPEST, FreshdeskSource, item_name, ready, to_mention
from escucha.brand import Query
from tests.collectors.fakes.upstream import NOW, SECRET, Reading, Upstream, read_all


class FreshdeskUpstream(Upstream):
    """Tickets of the last 30 days where no date is given, without their texts unless they are asked for."""

    kind = FreshdeskSource
    enough = 120
    tells_deletions = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.query = Query(text="lumbre.freshdesk.com")
        self.keys = {"api_key": SECRET}
        self.tickets: list[dict[str, Any]] = []
        self.ratings: list[dict[str, Any]] = []
        self.surveys = True
        self.rated = False
        """Whether every third item is a rating."""

    def add(self, count: int, together: bool = False) -> None:
        for turn in range(count):
            if self.rated and turn % 3 == 2:
                self.rate(str(len(self.tickets)), 103, f"Lumbre contestó, {len(self.ratings)}", together)
                self.items.append(f"rating:{self.ratings[-1]['id']}")
                continue
            number, at = 1 + len(self.tickets), self._stamped(together)
            self.tickets.append({
                "id": number, "subject": "Café Lumbre", "description": "<div>El café Lumbre <b>no llegó</b></div>",
                "description_text": f"El café Lumbre {number} no llegó. rosa@example.com", "source": 2, "status": 2,
                "created_at": at, "updated_at": at, "requester_id": 77, "spam": False, "deleted": False,
                "to_emails": ["hola@lumbre.example"], "tags": [],
                "requester": {"id": 77, "name": "Rosa", "email": "rosa@example.com", "phone": "55 1234 5678"},
            })
            self.items.append(str(number))

    def rate(self, ticket: str, score: int, feedback: str, together: bool = False) -> None:
        """A customer rates the help with a ticket."""
        at = self._stamped(together)
        self.ratings.append({
            "id": 900 + len(self.ratings), "survey_id": 1, "user_id": 77, "ticket_id": int(ticket), "created_at": at,
            "feedback": feedback, "updated_at": at, "ratings": {"default_question": score},
        })

    @property
    def editable(self) -> list[str]:
        return [item for item in self.items if not item.startswith("rating:")]

    @property
    def deletable(self) -> list[str]:
        return self.editable

    def edit(self, item: str, text: str) -> None:
        self.change(item, description_text=text)

    def delete(self, item: str) -> None:
        self.change(item, deleted=True)
        self.items.remove(item)

    def change(self, item: str, **fields: Any) -> None:
        """The ticket changes: it moves to the end of the listing."""
        ticket = next(ticket for ticket in self.tickets if str(ticket["id"]) == item)
        ticket.update(fields, updated_at=self._stamped())

    def _stamped(self, together: bool = False) -> str:
        return self.moment(together).strftime("%Y-%m-%dT%H:%M:%SZ")

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        size, page = int(asked["per_page"]), int(asked["page"])
        if page > DEEPEST or size > 100:
            return httpx.Response(400, json={"description": "Validation failed"})
        if request.url.path == "/api/v2/surveys/satisfaction_ratings":
            if not self.surveys:
                return httpx.Response(403, json={"code": "require_feature"})
            found = [rating for rating in self.ratings if rating["created_at"] >= asked["created_since"]]
            return httpx.Response(200, json=found[(page - 1) * size : page * size])
        listed = [
            ticket for ticket in self.tickets
            if (ticket["deleted"], ticket["spam"]) == (asked.get("filter") == "deleted", asked.get("filter") == "spam")
            and ticket["updated_at"] >= asked["updated_since"]
        ]
        ordered = sorted(listed, key=lambda ticket: (ticket["updated_at"], ticket["id"]))
        tickets: list[Any] = [_without(ticket, asked.get("include", "")) for ticket in ordered]
        tickets = tickets[(page - 1) * size : page * size]
        if self.mangled and tickets and "filter" not in asked:
            tickets = [tickets[0], {"id": "rota", "requester": {"email": "rota@example.com"}}, *tickets[1:]]
        return httpx.Response(200, json=tickets)


def _without(ticket: dict[str, Any], include: str) -> dict[str, Any]:
    hidden = set()
    if "description" not in include:
        hidden |= {"description", "description_text"}
    if "requester" not in include:
        hidden.add("requester")
    return {name: value for name, value in ticket.items() if name not in hidden}


def recorded(folder: Path) -> Reading:
    """The recorded tickets; the other recordings are of people and replies, which are not asked for."""
    home = folder / "freshdesk" / "recorded"
    listing = json.loads((home / "all-tickets.json").read_text("utf-8"))
    tickets = [*listing, json.loads((home / "ticket-1.json").read_text("utf-8"))]
    return read_all([ready(ticket) for ticket in tickets], lambda item: to_mention(item, "lumbre"), item_name, NOW)
